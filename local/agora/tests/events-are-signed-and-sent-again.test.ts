import { createHmac } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import type { RunningAgora } from "../server.ts";
import { signatures } from "../webhooks.ts";
import { clientOf, openReceiver, startEngine, startRequestFor, until, webhookSecret } from "./stage.ts";

let engine: RunningAgora | undefined;
let receiver: Awaited<ReturnType<typeof openReceiver>> | undefined;
afterEach(async () => {
  await engine?.stop();
  await receiver?.close();
});

async function record(webhook: Record<string, unknown> = {}) {
  receiver ??= await openReceiver();
  engine = await startEngine({
    publishers: "none",
    webhook: { url: receiver.url, secret: webhookSecret, resendAfterMs: [0, 40, 80], ...webhook },
  });
  const client = clientOf(engine.address);
  return { receiver, engine, client };
}

async function open() {
  receiver = await openReceiver();
  return receiver;
}

test("Agora's own signature samples come out", () => {
  const body =
    '{"eventMs":1560408533119,"eventType":10,"noticeId":"4eb720f0-8da7-11e9-a43e-53f411c2761f","notifyMs":1560408533119,"payload":{"a":"1","b":2},"productId":1}';
  expect(signatures("secret", Buffer.from(body))).toEqual({
    "Agora-Signature": "033c62f40f687675f17f0f41f91a40c71c0f134c",
    "Agora-Signature-V2": "6d3320c60b11101395b7fc8f9068748808a0aa1bfa064438e39d1bc2c7d74d99",
  });
});

test("each event carries both signatures over its exact bytes, in the documented envelope", async () => {
  await open();
  const { receiver, client } = await record();
  const task = await client.begin("room", "77", startRequestFor("room", "77", "127.0.0.1:9"));
  const event = await until("event 40", () => receiver.of(40)[0]);
  const hmac = (hash: string) => createHmac(hash, webhookSecret).update(event.raw).digest("hex");
  expect(event.headers["agora-signature"]).toBe(hmac("sha1"));
  expect(event.headers["agora-signature-v2"]).toBe(hmac("sha256"));
  expect(event.headers["content-type"]).toMatch(/^application\/json/);
  expect(JSON.parse(event.raw.toString())).toEqual({
    notifyMs: expect.any(Number),
    productId: 3,
    eventType: 40,
    noticeId: expect.stringMatching(/^[0-9a-f]{32}$/),
    sid: task.sid,
    payload: {
      cname: "room",
      uid: "77",
      sid: task.sid,
      sequence: 0,
      sendts: expect.any(Number),
      serviceType: 1,
      serviceScene: "mix_record",
      details: { msgName: "recorder_started", status: 0 },
    },
  });
});

test.each([
  ["a 500", { status: 500, body: "{}" }],
  ["a 204", { status: 204, body: "" }],
  ["a 200 without JSON", { status: 200, body: "ok" }],
])(
  "%s is a failure: the event comes four times with one noticeId, then never again",
  async (_what, answer) => {
    const { answer: answering, of } = await open();
    Object.assign(answering, answer);
    const { client } = await record();
    await client.begin("room", "78", startRequestFor("room", "78", "127.0.0.1:9"));
    await until("four tries", () => of(40).length === 4);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const tries = of(40);
    expect(tries).toHaveLength(4);
    expect(new Set(tries.map(({ noticeId }) => noticeId)).size).toBe(1);
    expect(tries[3]?.notifyMs).toBeGreaterThan(tries[0]?.notifyMs ?? 0);
    expect(new Set(tries.map(({ payload }) => payload.sequence)).size).toBe(1);
  },
);

test("an answer that comes too late is a failure", async () => {
  const slow = await open();
  slow.answer.afterMs = 300;
  const { client, engine } = await record({ timeoutMs: 50 });
  await client.begin("room", "79", startRequestFor("room", "79", "127.0.0.1:9"));
  await until("a second try", () => slow.of(40).length === 2);
  expect(await engine.control.healthCheck([40])).toMatchObject([{ success: false, httpCode: 590 }]);
});

test("an accepted event is sent once, and connections are kept", async () => {
  const kept = await open();
  const { client } = await record();
  await client.begin("room", "80", startRequestFor("room", "80", "127.0.0.1:9"));
  await until("events", () => kept.of(40).length === 1 && kept.of(30).length === 1);
  for (let call = 0; call < 5; call++) await engine?.control.healthCheck([11]);
  expect(kept.of(40)).toHaveLength(1);
  expect(kept.connections()).toBeLessThanOrEqual(2);
});

test("a health check sends one signed test event per type and reports like the console", async () => {
  const checked = await open();
  const { engine } = await record();
  expect(await engine.control.healthCheck([40, 31])).toEqual([
    { success: true, httpCode: 200, error: "", response: "{}" },
    { success: true, httpCode: 200, error: "", response: "{}" },
  ]);
  expect(checked.events[0]?.payload).toMatchObject({ cname: "test_webhook", uid: "12121212" });
  checked.answer.status = 401;
  expect(await engine.control.healthCheck([1])).toMatchObject([{ success: false, httpCode: 401 }]);
});
