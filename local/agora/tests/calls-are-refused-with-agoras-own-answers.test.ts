import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningAgora } from "../server.ts";
import { account, clientOf, startEngine, startRequestFor, storageFor } from "./stage.ts";

// Nothing listens there: these tests need no store, their tasks never upload.
const endpoint = "127.0.0.1:9";
const cname = "room_1";
let engine: RunningAgora;
let client: ReturnType<typeof clientOf>;
let lastUid = 4_000_000_000;

beforeAll(async () => {
  engine = await startEngine({ publishers: "none", joinMs: 60_000, maxConcurrentTasks: 6 });
  client = clientOf(engine.address);
});
afterAll(() => engine.stop());

const freshUid = () => String(++lastUid);
const acquired = async (uid: string): Promise<string> => (await client.acquire(cname, uid)).body.resourceId;

describe("the gateway", () => {
  const acquirePath = `/v1/apps/${account.appId}/cloud_recording/acquire`;

  test("answers 401 Unauthorized without an Authorization header", async () => {
    const response = await fetch(`${engine.address}${acquirePath}`, { method: "POST" });
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ message: "Unauthorized" });
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([
    ["a wrong secret", `Basic ${btoa("customer:wrong")}`],
    ["App ID and Certificate as credentials", `Basic ${btoa(`${account.appId}:${account.appCertificate}`)}`],
    ["a bearer token", "Bearer customer-secret"],
  ])("answers 401 Invalid authentication credentials to %s", async (_what, authorization) => {
    const reply = await client.send("POST", "/acquire", {}, { authorization });
    expect(reply).toEqual({ status: 401, body: { message: "Invalid authentication credentials" } });
  });

  test("answers 401 when the App ID belongs to another account, and 400 when it is none", async () => {
    const other = `${engine.address}${acquirePath.replace(account.appId, "a".repeat(32))}`;
    expect(await client.send("POST", other, {})).toEqual({
      status: 401,
      body: { message: "Invalid authentication credentials" },
    });
    const none = `${engine.address}${acquirePath.replace(account.appId, "my-app")}`;
    expect(await client.send("POST", none, {})).toEqual({
      status: 400,
      body: { message: "appid is invalid" },
    });
  });

  test.each([
    ["GET", "/acquire"],
    ["OPTIONS", "/acquire"],
    ["POST", "/Acquire"],
    ["POST", "/resourceid/r/mode/composite/start"],
    ["GET", "/resourceid/r/sid/s/mode/mix/stop"],
    ["POST", "/resourceid/r/sid/s/mode/web/updateLayout"],
    ["GET", "/_control/tasks"],
  ])("has no route for %s %s", async (method, path) => {
    const reply = await client.send(method, path);
    expect(reply).toEqual({ status: 404, body: { message: "no Route matched with those values" } });
  });

  test("lets 10 calls a second through and answers 429 to the next", async () => {
    const limited = await startEngine({ requestsPerSecond: 10 });
    const caller = clientOf(limited.address);
    const replies = await Promise.all(Array.from({ length: 12 }, () => caller.acquire(cname, "1")));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(replies.filter(({ status }) => status === 429)).toEqual([
      { status: 429, body: { message: "API rate limit exceeded" } },
      { status: 429, body: { message: "API rate limit exceeded" } },
    ]);
    await limited.stop();
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

  test.each(["0", "", "01", "-1", "1.5", "4294967296", "abc", 5, null])(
    "refuses the uid %j with code 2",
    async (uid) => {
      const reply = await client.send("POST", "/acquire", { cname, uid, clientRequest: {} });
      expect(reply).toEqual({ status: 400, body: { code: 2, reason: "post method api body check failed!" } });
    },
  );

  test("takes the highest uid", async () => {
    expect((await client.acquire(cname, "4294967295")).status).toBe(200);
  });

  test.each(["", "a".repeat(64), "raum/1", "über", "a'b"])("refuses the channel name %j", async (name) => {
    expect(await client.acquire(name, "1")).toEqual({
      status: 400,
      body: { code: 401, reason: "invalid_channel_name" },
    });
  });

  test("takes every character that channel names may have, and 63 bytes", async () => {
    for (const name of ["Az09 !#$%&()+-:;<=.>?@[]^_{}|~,", "a".repeat(63)]) {
      expect((await client.acquire(name, "1")).status).toBe(200);
    }
  });

  test.each([0, 721, 1.5, "24"])("refuses resourceExpiredHour %j", async (hours) => {
    expect(await client.acquire(cname, "1", { resourceExpiredHour: hours })).toEqual({
      status: 400,
      body: { code: 2, reason: "Acquire: invalid resourceExpiredHour value!" },
    });
  });

  test.each([{ scene: 3 }, { region: "EUROPE" }, { regionAffinity: 5 }])("refuses %j", async (request) => {
    expect((await client.acquire(cname, "1", request)).body.code).toBe(2);
  });

  test("refuses a body that is not JSON, or not said to be", async () => {
    expect((await client.send("POST", "/acquire", "{")).body.code).toBe(8);
    const plain = await client.send("POST", "/acquire", "{}", { "content-type": "text/plain" });
    expect(plain).toMatchObject({ status: 400, body: { code: 8 } });
  });
});

describe("start", () => {
  const recordingConfig = { channelType: 1 };
  const storageConfig = storageFor(endpoint);
  const withStorage = (more: object) => ({ recordingConfig, storageConfig: { ...storageConfig, ...more } });
  const withRecording = (more: object) => ({ recordingConfig: { channelType: 1, ...more }, storageConfig });
  const withTranscoding = (transcodingConfig: object) => withRecording({ transcodingConfig });
  const withFiles = (avFileType: unknown) => ({
    recordingConfig,
    storageConfig,
    recordingFileConfig: { avFileType },
  });

  test.each<[string, object]>([
    ["no storageConfig", { recordingConfig }],
    ["no bucket", withStorage({ bucket: undefined })],
    ["no access key", withStorage({ accessKey: "" })],
    ["no secret key", withStorage({ secretKey: undefined })],
    ["a vendor that does not exist", withStorage({ vendor: 17 })],
    ["a region that its vendor lacks", withStorage({ vendor: 11, region: 1 })],
    ["vendor 11 without an endpoint", withStorage({ extensionParams: {} })],
    ["a prefix with a hyphen", withStorage({ fileNamePrefix: ["a-b"] })],
    ["a prefix with an underscore", withStorage({ fileNamePrefix: ["a_b"] })],
    ["a prefix with a slash", withStorage({ fileNamePrefix: ["a/b"] })],
    ["a prefix of 129 characters", withStorage({ fileNamePrefix: ["a".repeat(64), "b".repeat(63)] })],
    ["no channelType", { recordingConfig: {}, storageConfig }],
    ["channelType 2", withRecording({ channelType: 2 })],
    ["streamTypes 3", withRecording({ streamTypes: 3 })],
    ["maxIdleTime below 5 s", withRecording({ maxIdleTime: 4 })],
    ["maxIdleTime above 30 days", withRecording({ maxIdleTime: 2_592_001 })],
    [
      "33 subscribed uids",
      withRecording({ subscribeAudioUids: Array.from({ length: 33 }, (_, i) => `${i + 1}`) }),
    ],
    ["both kinds of list", withRecording({ subscribeAudioUids: ["1"], unSubscribeAudioUids: ["2"] })],
    ["video uids for sound alone", withRecording({ streamTypes: 0, subscribeVideoUids: ["1"] })],
    ["audio uids for pictures alone", withRecording({ streamTypes: 1, unsubscribeAudioUids: ["1"] })],
    ["encryption without a secret", withRecording({ decryptionMode: 1 })],
    ["GCM2 encryption without a salt", withRecording({ decryptionMode: 7, secret: "s" })],
    ["privateParams that are no JSON", withRecording({ privateParams: "correctEXTINF" })],
    ["audioProfile 3", withRecording({ audioProfile: 3 })],
    ["a width above 1920", withTranscoding({ width: 1921, height: 100 })],
    ["more pixels than 1920 x 1080", withTranscoding({ width: 1920, height: 1081 })],
    ["a bitrate above 6500", withTranscoding({ bitrate: 6501 })],
    ["layout 4", withTranscoding({ mixedVideoLayout: 4 })],
    ["a colour by name", withTranscoding({ backgroundColor: "black" })],
    [
      "a layout region without its height",
      withTranscoding({ layoutConfig: [{ x_axis: 0, y_axis: 0, width: 1 }] }),
    ],
    ["MP4 without HLS", withFiles(["mp4"])],
    ["a file type of other modes", withFiles(["hls", "mp3"])],
    ["no file type", withFiles([])],
    ["snapshots", { recordingConfig, storageConfig, snapshotConfig: { fileType: ["jpg"] } }],
    ["web services", { recordingConfig, storageConfig, extensionServiceConfig: {} }],
  ])("refuses %s with code 2", async (_what, request) => {
    const uid = freshUid();
    const reply = await client.start(await acquired(uid), cname, uid, request);
    expect(reply).toMatchObject({ status: 400, body: { code: 2, reason: expect.any(String) } });
    expect(engine.control.tasks().filter((task) => task.uid === uid)).toEqual([]);
  });

  test("says `services not selected!` where nothing is to be recorded", async () => {
    const uid = freshUid();
    const reply = await client.start(await acquired(uid), cname, uid, { storageConfig });
    expect(reply).toEqual({ status: 400, body: { code: 2, reason: "services not selected!" } });
  });

  test.each(["individual", "web", "raw"])(
    "refuses mode %s, which this stand-in does not serve",
    async (mode) => {
      const uid = freshUid();
      const body = { cname, uid, clientRequest: startRequestFor(cname, uid, endpoint) };
      const reply = await client.send("POST", `/resourceid/${await acquired(uid)}/mode/${mode}/start`, body);
      expect(reply).toMatchObject({ status: 400, body: { code: 2 } });
    },
  );

  test("refuses a resourceId that was acquired for another scene", async () => {
    const uid = freshUid();
    const { body } = await client.acquire(cname, uid, { scene: 1 });
    const reply = await client.start(body.resourceId, cname, uid, startRequestFor(cname, uid, endpoint));
    expect(reply).toMatchObject({ status: 400, body: { code: 2 } });
  });

  test("refuses a resourceId that was used, even when its task is gone", async () => {
    const uid = freshUid();
    const quick = await startEngine({ publishers: "none" });
    const caller = clientOf(quick.address);
    const request = startRequestFor(cname, uid, endpoint);
    const task = await caller.begin(cname, uid, request);
    await caller.stop(task);
    await caller.isGone(task);
    expect((await caller.start(task.resourceId, cname, uid, request)).status).toBe(201);
    await quick.stop();
  });

  test("refuses a resourceId that is garbled, of another cname or uid, or expired", async () => {
    const uid = freshUid();
    const id = await acquired(uid);
    const request = startRequestFor(cname, uid, endpoint);
    expect((await client.start(`x${id}`, cname, uid, request)).body.code).toBe(1001);
    expect((await client.start(id, "room_2", uid, request)).body.code).toBe(432);
    expect((await client.start(id, cname, freshUid(), request)).body.code).toBe(432);
    const brief = await startEngine({ resourceIdSeconds: 0.001 });
    const caller = clientOf(brief.address);
    const late = await caller.acquire(cname, uid);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await caller.start(late.body.resourceId, cname, uid, request)).toMatchObject({
      status: 400,
      body: { code: 433 },
    });
    await brief.stop();
  });

  test("refuses a start that differs from the announced one, and takes the same in another order", async () => {
    const uid = freshUid();
    const request = startRequestFor(cname, uid, endpoint);
    const { body } = await client.acquire(cname, uid, { startParameter: request });
    const differing = await client.start(body.resourceId, cname, uid, { ...request, token: "other" });
    expect(differing).toEqual({ status: 400, body: { code: 2, reason: "request_hash mismatch!" } });
    const turned = Object.fromEntries(Object.entries(request).reverse());
    const started = await client.start(body.resourceId, cname, uid, turned);
    expect(started.status).toBe(200);
    await client.stop({ ...started.body });
  });

  test("answers 201 code 7 without a sid to a second start, 400 code 53 to another resourceId", async () => {
    const uid = freshUid();
    const request = startRequestFor(cname, uid, endpoint);
    const task = await client.begin(cname, uid, request);
    expect(task.sid).toMatch(/^[0-9a-f]{32}$/);
    const again = await client.start(task.resourceId, cname, uid, request);
    expect(again).toEqual({ status: 201, body: { code: 7, reason: "already started" } });
    const other = await client.start(await acquired(uid), cname, uid, request);
    expect(other).toEqual({ status: 400, body: { code: 53, reason: "task conflict" } });
    await client.stop(task);
  });
});

describe("the ceiling of concurrent tasks", () => {
  test("makes acquire answer 400 code 406 and start 500 code 502", async () => {
    const small = await startEngine({ publishers: "none", joinMs: 60_000, maxConcurrentTasks: 1 });
    const caller = clientOf(small.address);
    const spare = await caller.acquire(cname, "2");
    await caller.begin(cname, "1", startRequestFor(cname, "1", endpoint));
    expect(await caller.acquire(cname, "3")).toEqual({
      status: 400,
      body: { code: 406, reason: "vendor_over_load" },
    });
    const request = startRequestFor(cname, "2", endpoint);
    expect(await caller.start(spare.body.resourceId, cname, "2", request)).toEqual({
      status: 500,
      body: { code: 502, reason: "Failed to allocate worker" },
    });
    await small.stop();
  });
});

describe("query, update, updateLayout and stop", () => {
  const gone = { status: 404, body: { code: 404, reason: "failed to find worker" } };

  test("answer 404 code 404 where no such task runs", async () => {
    const uid = freshUid();
    const nobody = { resourceId: await acquired(uid), sid: "0".repeat(32), cname, uid };
    expect(await client.query(nobody)).toEqual(gone);
    expect(await client.stop(nobody)).toEqual(gone);
    const path = `/resourceid/${nobody.resourceId}/sid/${nobody.sid}/mode/mix`;
    expect(await client.send("POST", `${path}/update`, { cname, uid, clientRequest: {} })).toEqual(gone);
    expect(await client.send("POST", `${path}/updateLayout`, { cname, uid, clientRequest: {} })).toEqual(
      gone,
    );
  });

  test("refuse ids and bodies that do not fit the task", async () => {
    const uid = freshUid();
    const task = await client.begin(cname, uid, startRequestFor(cname, uid, endpoint));
    const other = await acquired(uid);
    expect((await client.query({ ...task, resourceId: "x" })).body.code).toBe(1001);
    expect((await client.query({ ...task, resourceId: other })).body.code).toBe(1003);
    expect((await client.stop({ ...task, cname: "room_2" })).body.code).toBe(432);
    expect((await client.stop(task, { async_stop: "yes" })).body.code).toBe(2);
    const path = `/resourceid/${task.resourceId}/sid/${task.sid}/mode/mix`;
    const layout = (request: object) =>
      client.send("POST", `${path}/updateLayout`, { cname, uid, clientRequest: request });
    expect((await layout({ mixedVideoLayout: 9 })).body.code).toBe(2);
    expect((await layout({ mixedVideoLayout: 1 })).body).toEqual(task);
    const update = (request: object) =>
      client.send("POST", `${path}/update`, { cname, uid, clientRequest: request });
    expect((await update({ storageConfig: { vendor: 11 } })).body.code).toBe(2);
    expect((await update({ storageConfig: storageFor(endpoint) })).body).toEqual(task);
    expect((await client.query(task)).body.serverResponse.status).toBe(1);
    expect(await client.stop(task)).toEqual({ status: 206, body: { code: 435, reason: "no recorded data" } });
  });
});
