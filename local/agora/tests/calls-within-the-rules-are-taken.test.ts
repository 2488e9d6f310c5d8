import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningAgora } from "../server.ts";
import { account, clientOf, openSink, startEngine, startRequestFor, storageFor, until } from "./stage.ts";

// Nothing listens there: these tests need no store, their tasks never upload.
const endpoint = "127.0.0.1:9";
const cname = "room_1";
let engine: RunningAgora;
let client: ReturnType<typeof clientOf>;
let lastUid = 4_000_000_000;

beforeAll(async () => {
  engine = await startEngine({ publishers: "none", joinMs: 60_000 });
  client = clientOf(engine.address);
});
afterAll(() => engine.stop());

const freshUid = () => String(++lastUid);

describe("the gateway", () => {
  test("gives each answer an id that support can find it by, also a refusal", async () => {
    for (const headers of [{}, { authorization: `Basic ${btoa("customer:customer-secret")}` }]) {
      const path = `/v1/apps/${account.appId}/cloud_recording/acquire`;
      const response = await fetch(`${engine.address}${path}`, { method: "POST", headers });
      expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    }
  });

  test("lets 10 calls a second through, and 10 more in the next", async () => {
    const limited = await startEngine({ requestsPerSecond: 10 });
    const caller = clientOf(limited.address);
    const burst = () => Promise.all(Array.from({ length: 12 }, () => caller.acquire(cname, "1")));
    const first = await burst();
    const since = performance.now();
    expect(first.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(first.filter(({ status }) => status === 429)).toHaveLength(2);
    await until("the second is over", () => performance.now() - since > 1_100);
    expect((await burst()).filter(({ status }) => status === 200)).toHaveLength(10);
    await limited.stop();
  });

  test("tells the addresses that notifications come from", async () => {
    const reply = await client.send("GET", `${engine.address}/v2/ncs/ip`);
    expect(reply).toEqual({
      status: 200,
      body: { data: { service: { hosts: [{ primaryIP: "127.0.0.1" }] } } },
    });
  });
});

describe("acquire", () => {
  test("gives back cname, uid and a long url-safe resourceId", async () => {
    const { status, body } = await client.acquire(cname, "527841");
    expect(status).toBe(200);
    expect(body).toEqual({
      cname,
      uid: "527841",
      resourceId: expect.stringMatching(/^[A-Za-z0-9_-]{250,400}$/),
    });
  });

  test("takes the highest uid, the longest and the shortest life, and a channel name of every allowed character", async () => {
    expect((await client.acquire(cname, "4294967295")).status).toBe(200);
    for (const hours of [1, 720]) {
      expect((await client.acquire(cname, "1", { resourceExpiredHour: hours })).status).toBe(200);
    }
    for (const name of ["Az09 !#$%&()+-:;<=.>?@[]^_{}|~,", "a".repeat(63)]) {
      expect((await client.acquire(name, "1")).status).toBe(200);
    }
  });
});

describe("start", () => {
  const request = (uid: string, config: Record<string, unknown>) =>
    startRequestFor(cname, uid, endpoint, { recordingConfig: { channelType: 1, ...config } });
  const picture = { width: 1920, height: 1080, fps: 30, bitrate: 6500 };

  test.each([
    ["the largest picture", { transcodingConfig: picture }],
    [
      "a frame rate that is not in the list, which becomes 15",
      { transcodingConfig: { ...picture, fps: 12 } },
    ],
    ["no picture at all", { streamTypes: 0, subscribeAudioUids: ["#allstream#"] }],
    ["the shortest time without anybody", { maxIdleTime: 5 }],
    ["the older spelling of a list", { unsubscribeVideoUids: ["7"] }],
    [
      "17 places of a layout",
      {
        transcodingConfig: {
          ...picture,
          mixedVideoLayout: 3,
          layoutConfig: Array.from({ length: 17 }, () => ({ x_axis: 0, y_axis: 0, width: 1, height: 1 })),
        },
      },
    ],
  ])("takes %s", async (_what, config) => {
    const uid = freshUid();
    const task = await client.begin(cname, uid, request(uid, config));
    expect(task.sid).toMatch(/^[0-9a-f]{32}$/);
  });

  test("takes what acquire announced, in another order", async () => {
    const uid = freshUid();
    const announced = startRequestFor(cname, uid, endpoint);
    const { body } = await client.acquire(cname, uid, { startParameter: announced });
    const turned = Object.fromEntries(Object.entries(announced).reverse());
    expect((await client.start(body.resourceId, cname, uid, turned)).status).toBe(200);
  });

  test("takes several recorders into one channel, each with files and an end of its own", async () => {
    const sink = await openSink();
    const busy = await startEngine({ sliceSeconds: 0.5, exitMs: 20 });
    const caller = clientOf(busy.address);
    const begin = (uid: string) => caller.begin("shared", uid, startRequestFor("shared", uid, sink.host));
    const [one, other] = await Promise.all([begin("4000000001"), begin("4000000002")]);
    await Promise.all([caller.reaches(one, 5), caller.reaches(other, 5)]);
    expect((await caller.stop(one)).status).toBe(200);
    await caller.isGone(one);
    expect((await caller.query(other)).body.serverResponse.status).toBe(5);
    expect((await caller.stop(other)).status).toBe(200);
    for (const { sid } of [one, other]) {
      expect(sink.get(`calls/recordings/abc123/${sid}_shared.m3u8`)?.toString()).toContain("#EXT-X-ENDLIST");
    }
    await busy.stop();
    await sink.close();
  });
});

describe("a running task", () => {
  const start = async () => {
    const uid = freshUid();
    const task = await client.begin(cname, uid, startRequestFor(cname, uid, endpoint));
    const path = `/resourceid/${task.resourceId}/sid/${task.sid}/mode/mix`;
    const send = (call: string, clientRequest: unknown) =>
      client.send("POST", `${path}/${call}`, { cname, uid, clientRequest });
    const layout = () => engine.control.tasks().find(({ sid }) => sid === task.sid)?.layout;
    return { task, send, layout };
  };

  test("takes new keys for its bucket", async () => {
    const { task, send } = await start();
    expect((await send("update", { storageConfig: storageFor(endpoint) })).body).toEqual(task);
    expect((await client.query(task)).body.serverResponse.status).toBe(1);
  });

  test("takes a new layout, each of which replaces all of the one before", async () => {
    const { task, send, layout } = await start();
    expect(layout()).toMatchObject({ mixedVideoLayout: 1 });
    const vertical = { mixedVideoLayout: 2, maxResolutionUid: "7", backgroundColor: "#112233" };
    expect((await send("updateLayout", vertical)).body).toEqual(task);
    expect(layout()).toEqual(vertical);
    await send("updateLayout", { mixedVideoLayout: 1 });
    expect(layout()).toEqual({ mixedVideoLayout: 1, backgroundColor: "#000000" });
  });
});
