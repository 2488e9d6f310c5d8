import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { RunningAgora } from "../server.ts";
import { clientOf, openReceiver, startEngine, startRequestFor, until, webhookSecret } from "./stage.ts";

const controlToken = "control-token-for-tests";
const endpoint = "127.0.0.1:9";
let receiver: Awaited<ReturnType<typeof openReceiver>>;
let engine: RunningAgora;
let client: ReturnType<typeof clientOf>;
let lastUid = 4_200_000_000;

beforeAll(async () => {
  receiver = await openReceiver();
  engine = await startEngine({
    publishers: "none",
    controlToken,
    webhook: { url: receiver.url, secret: webhookSecret },
  });
  client = clientOf(engine.address);
});
afterAll(async () => {
  await engine.stop();
  await receiver.close();
});
beforeEach(() => engine.control.faults.clear());

const freshUid = () => String(++lastUid);
const begin = () => {
  const uid = freshUid();
  return client.begin("room", uid, startRequestFor("room", uid, endpoint));
};
const control = (method: string, path: string, body?: unknown, token = controlToken) =>
  client.send(method, `${engine.address}/_control${path}`, body, { authorization: `Bearer ${token}` });

test("the control endpoint opens to its token only", async () => {
  expect(await control("GET", "/tasks", undefined, "wrong-token")).toEqual({
    status: 401,
    body: { message: "Unauthorized" },
  });
  expect((await control("GET", "/tasks")).status).toBe(200);
  expect((await control("GET", "/nothing")).status).toBe(404);
});

test("a fault that is not known is refused, one that is known is listed and cleared", async () => {
  expect((await control("POST", "/faults", { kind: "explode" })).status).toBe(400);
  expect((await control("POST", "/faults", { kind: "delay", call: "start", ms: -1 })).status).toBe(400);
  expect((await control("POST", "/faults", { kind: "slow_upload", ms: 5 })).status).toBe(200);
  expect((await control("GET", "/faults")).body).toEqual([{ kind: "slow_upload", ms: 5 }]);
  await control("DELETE", "/faults");
  expect((await control("GET", "/faults")).body).toEqual([]);
});

test("a lost reply of start leaves a task that runs, and the same start then answers 201 code 7", async () => {
  const uid = freshUid();
  const { body } = await client.acquire("room", uid);
  const request = startRequestFor("room", uid, endpoint);
  await control("POST", "/faults", { kind: "lose_reply", call: "start" });
  await expect(client.start(body.resourceId, "room", uid, request)).rejects.toThrow();
  expect(engine.control.tasks().filter((task) => task.uid === uid)).toHaveLength(1);
  expect((await client.start(body.resourceId, "room", uid, request)).status).toBe(201);
});

test("a lost reply of stop has stopped", async () => {
  const task = await begin();
  engine.control.faults.add({ kind: "lose_reply", call: "stop", times: 1 });
  await expect(client.stop(task)).rejects.toThrow();
  await client.isGone(task);
});

test.each([
  ["start", 500, 502],
  ["start", 206, 65],
  ["acquire", 500, 500],
  ["query", 504, 62],
] as const)("%s answers %i with code %i, once, and does nothing", async (call, status, code) => {
  engine.control.faults.add({ kind: "answer", call, status, times: 1 });
  const before = engine.control.tasks().length;
  const uid = freshUid();
  const { body } = call === "acquire" ? { body: { resourceId: "" } } : await client.acquire("room", uid);
  const send = () =>
    call === "acquire"
      ? client.acquire("room", uid)
      : call === "start"
        ? client.start(body.resourceId, "room", uid, startRequestFor("room", uid, endpoint))
        : client.query({ resourceId: body.resourceId, sid: "0" });
  expect(await send()).toMatchObject({ status, body: { code } });
  expect(engine.control.tasks()).toHaveLength(before);
  expect((await send()).status).not.toBe(status);
});

test("a 503 comes from the gateway, without a code", async () => {
  engine.control.faults.add({ kind: "answer", call: "stop", status: 503, times: 1 });
  const reply = await client.stop({ resourceId: "r", sid: "s", cname: "room", uid: "1" });
  expect(reply).toEqual({ status: 503, body: { message: expect.any(String) } });
});

test("a delayed call is answered late", async () => {
  engine.control.faults.add({ kind: "delay", call: "acquire", ms: 200, times: 1 });
  const before = performance.now();
  await client.acquire("room", freshUid());
  expect(performance.now() - before).toBeGreaterThanOrEqual(195);
});

test("a task can answer 404 for a while and be there again", async () => {
  const task = await begin();
  await client.reaches(task, 4);
  engine.control.faults.add({ kind: "gone", sid: task.sid, ms: 200 });
  expect((await client.query(task)).status).toBe(404);
  expect((await client.stop(task)).status).toBe(404);
  await until("200 again", async () => (await client.query(task)).status === 200);
  await client.stop(task);
});

test("events can be dropped, doubled with one noticeId, and overtaken", async () => {
  engine.control.faults.add({ kind: "drop_webhook", eventType: 40, times: 1 });
  engine.control.faults.add({ kind: "duplicate_webhook", eventType: 41, times: 1 });
  engine.control.faults.add({ kind: "delay_webhook", eventType: 30, ms: 400, times: 1 });
  const task = await begin();
  const mine = (type: number) => receiver.of(type).filter(({ sid }) => sid === task.sid);
  await client.reaches(task, 4);
  await client.stop(task);
  await until("30 after 11", () => mine(30).length === 1);
  expect(mine(40)).toEqual([]);
  expect(mine(41)).toHaveLength(2);
  expect(new Set(mine(41).map(({ noticeId }) => noticeId)).size).toBe(1);
  const order = receiver.events.filter(({ sid }) => sid === task.sid).map(({ eventType }) => eventType);
  expect(order.indexOf(30)).toBeGreaterThan(order.indexOf(11));
});
