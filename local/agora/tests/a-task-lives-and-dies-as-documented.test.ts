import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningAgora } from "../server.ts";
import {
  clientOf,
  openReceiver,
  openSink,
  rtcToken,
  startEngine,
  startRequestFor,
  until,
  webhookSecret,
} from "./stage.ts";

let sink: Awaited<ReturnType<typeof openSink>>;
let receiver: Awaited<ReturnType<typeof openReceiver>>;
let engine: RunningAgora;
let client: ReturnType<typeof clientOf>;
let lastUid = 4_100_000_000;

beforeAll(async () => {
  sink = await openSink();
  receiver = await openReceiver();
  engine = await startEngine({
    webhook: { url: receiver.url, secret: webhookSecret },
    sliceSeconds: 0.5,
    exitMs: 300,
    progressMs: 400,
    slowStopMs: 60_000,
  });
  client = clientOf(engine.address);
});
afterAll(async () => {
  await engine.stop();
  await sink.close();
  await receiver.close();
});

const freshUid = () => String(++lastUid);
const eventsOf = (sid: string, type: number) => receiver.of(type).filter((event) => event.sid === sid);
const told = (sid: string, type: number) =>
  until(`event ${type}`, () => eventsOf(sid, type)[0]).then(({ payload }) => payload);
const hlsOnly = { recordingFileConfig: { avFileType: ["hls"] } };

describe("a recording", () => {
  test.concurrent("passes 4, 5, 6 to 8 and is gone; a second stop is refused on the way", async () => {
    const uid = freshUid();
    const store = await openSink();
    const task = await client.begin("life", uid, startRequestFor("life", uid, store.host));
    expect((await client.query(task)).body.serverResponse).toMatchObject({
      fileListMode: "json",
      fileList: [],
    });
    await client.reaches(task, 5);
    const { body } = await client.query(task);
    expect(body).toMatchObject({ cname: "life", uid, sid: task.sid, resourceId: task.resourceId });
    expect(body.serverResponse).toMatchObject({
      status: 5,
      fileListMode: "json",
      fileList: [{ fileName: `${task.sid}_life.m3u8`, isPlayable: true }],
    });
    expect(body.serverResponse.sliceStartTime).toBe((await told(task.sid, 40)).sendts);
    await told(task.sid, 33);
    // It leaves for as long as its uploads last.
    const release = store.hold();
    const stopped = client.stop(task);
    await client.reaches(task, 6);
    expect(await client.stop(task)).toEqual({ status: 400, body: { code: 49, reason: "invalid operation" } });
    release();
    expect((await stopped).status).toBe(200);
    await client.isGone(task);
    expect(await client.stop(task)).toEqual({
      status: 404,
      body: { code: 404, reason: "failed to find worker" },
    });
    const order = receiver.events.filter(({ sid }) => sid === task.sid);
    const bySequence = order.toSorted((a, b) => a.payload.sequence - b.payload.sequence);
    const types = bySequence.map(({ eventType }) => eventType).filter((type) => type !== 33);
    expect(types).toEqual([40, 42, 44, 43, 30, 4, 41, 44, 43, 11, 31]);
    expect(bySequence.map(({ payload }) => payload.sequence)).toEqual(bySequence.map((_, index) => index));
    await store.close();
  });

  test.concurrent("with HLS alone names its playlist as text", async () => {
    const uid = freshUid();
    const task = await client.begin("a_b", uid, startRequestFor("a_b", uid, sink.host, hlsOnly));
    expect((await client.query(task)).body.serverResponse).toMatchObject({
      fileListMode: "string",
      fileList: "",
    });
    await client.reaches(task, 5);
    const stopped = await client.stop(task);
    expect(stopped.body.serverResponse).toEqual({
      fileListMode: "string",
      fileList: `${task.sid}_a-b.m3u8`,
      uploadingStatus: "uploaded",
    });
    expect(sink.puts.filter(({ key }) => key.includes(task.sid) && key.endsWith(".mp4"))).toEqual([]);
  });

  test.concurrent("asked for sound alone holds no picture", async () => {
    const uid = freshUid();
    const recordingConfig = { channelType: 1, streamTypes: 0 };
    const request = startRequestFor("sound", uid, sink.host, { recordingConfig });
    const task = await client.begin("sound", uid, request);
    await client.reaches(task, 5);
    const stopped = await client.stop(task);
    expect(stopped.body.serverResponse.fileList[0]).toMatchObject({ trackType: "audio" });
    const playlist = sink.get(`calls/recordings/abc123/${task.sid}_sound.m3u8`)?.toString();
    expect(playlist).toContain("TRACK_TYPE=AUDIO");
    expect(playlist).not.toContain("TRACK_TYPE=VIDEO");
  });

  test.concurrent("writes EXTINF with a comma when privateParams ask for it", async () => {
    const uid = freshUid();
    const recordingConfig = { channelType: 1, privateParams: '{"correctEXTINF":true}' };
    const task = await client.begin(
      "comma",
      uid,
      startRequestFor("comma", uid, sink.host, { recordingConfig }),
    );
    await client.reaches(task, 5);
    await client.stop(task);
    expect(sink.get(`calls/recordings/abc123/${task.sid}_comma.m3u8`)?.toString()).toMatch(
      /#EXTINF:[\d.]+,\n/,
    );
  });

  test.concurrent("stopped asynchronously is answered before its upload ends", async () => {
    const uid = freshUid();
    const slow = await startEngine({
      webhook: { url: receiver.url, secret: webhookSecret },
      sliceSeconds: 0.5,
    });
    const caller = clientOf(slow.address);
    const store = await openSink();
    const task = await caller.begin("async", uid, startRequestFor("async", uid, store.host));
    await caller.reaches(task, 5);
    const release = store.hold();
    const stopped = await caller.stop(task, { async_stop: true });
    expect(store.puts.some(({ key }) => key.endsWith(`${task.sid}_async_0.mp4`))).toBe(false);
    release();
    expect(stopped).toMatchObject({ status: 200, body: { sid: task.sid, serverResponse: {} } });
    expect((await told(task.sid, 31)).details).toMatchObject({ msgName: "uploaded", status: 0 });
    await slow.stop();
    await store.close();
  });

  test.concurrent("stopped synchronously is answered 206 code 50 when its upload takes too long", async () => {
    const uid = freshUid();
    const slow = await startEngine({ sliceSeconds: 0.5, slowStopMs: 50 });
    const caller = clientOf(slow.address);
    const task = await caller.begin("slow", uid, startRequestFor("slow", uid, sink.host));
    await caller.reaches(task, 5);
    slow.control.faults.add({ kind: "slow_upload", ms: 100 });
    expect(await caller.stop(task)).toEqual({ status: 206, body: { code: 50, reason: "upload timeout" } });
    await caller.isGone(task);
    expect(sink.puts.some(({ key }) => key.endsWith(`${task.sid}_slow_0.mp4`))).toBe(true);
    await slow.stop();
  });

  test.concurrent("goes on in a second MP4 when the first is long enough", async () => {
    const uid = freshUid();
    const cutting = await startEngine({ sliceSeconds: 0.4, mp4Seconds: 0.7 });
    const caller = clientOf(cutting.address);
    const task = await caller.begin("long", uid, startRequestFor("long", uid, sink.host));
    await until("the first MP4", () => sink.puts.some(({ key }) => key.endsWith(`${task.sid}_long_0.mp4`)));
    const { body } = await caller.stop(task);
    const names: string[] = body.serverResponse.fileList.map(
      ({ fileName }: { fileName: string }) => fileName,
    );
    // A slow machine may be in the third one when the stop arrives.
    const mp4s = names.slice(0, -1);
    expect(mp4s.length).toBeGreaterThanOrEqual(2);
    expect(mp4s).toEqual(mp4s.map((_, index) => `${task.sid}_long_${index}.mp4`));
    expect(names.at(-1)).toBe(`${task.sid}_long.m3u8`);
    await cutting.stop();
  });

  test.concurrent("that is moved to another server answers 404 meanwhile and loses only that MP4", async () => {
    const uid = freshUid();
    const task = await client.begin("moved", uid, startRequestFor("moved", uid, sink.host));
    await client.reaches(task, 5);
    expect(engine.control.failover(task.sid, 200)).toBe(true);
    expect((await client.query(task)).status).toBe(404);
    expect((await client.stop(task)).status).toBe(404);
    await until("the new server", async () => (await client.query(task)).status === 200);
    expect((await told(task.sid, 12)).details).toMatchObject({ msgName: "session_failover" });
    await client.reaches(task, 5);
    const { body } = await client.stop(task);
    expect(body.serverResponse.fileList[0].fileName).toBe(`bak0_${task.sid}_moved_0.mp4`);
    expect(sink.puts.some(({ key }) => key.endsWith(`/${task.sid}_moved_0.mp4`))).toBe(false);
  });

  test.concurrent("loses its picture while nobody publishes, and goes on after the gap", async () => {
    const uid = freshUid();
    const task = await client.begin("gap", uid, startRequestFor("gap", uid, sink.host));
    await client.reaches(task, 5);
    engine.control.setPublishers("gap", "none");
    await until("43 and 44 not receiving", () => eventsOf(task.sid, 43).length === 2);
    engine.control.setPublishers("gap", "synthetic");
    await until("42 again", () => eventsOf(task.sid, 42).length === 2);
    const slices = () => sink.puts.filter(({ key }) => key.includes(task.sid) && key.endsWith(".ts")).length;
    const before = slices();
    await until("two more slices", () => slices() >= before + 2);
    expect((await client.stop(task)).body.serverResponse.uploadingStatus).toBe("uploaded");
    const playlist = sink.get(`calls/recordings/abc123/${task.sid}_gap.m3u8`)?.toString() ?? "";
    expect(playlist.match(/#EXT-X-DISCONTINUITY/g)).toHaveLength(2);
  });
});

describe("a recording into which nobody publishes", () => {
  test.concurrent("stays at 4, has no files, and is answered 206 code 435 when stopped", async () => {
    engine.control.setPublishers("empty", "none");
    const uid = freshUid();
    const task = await client.begin("empty", uid, startRequestFor("empty", uid, sink.host));
    await client.reaches(task, 4);
    expect(await client.stop(task)).toEqual({ status: 206, body: { code: 435, reason: "no recorded data" } });
    expect((await told(task.sid, 11)).details).toEqual({ msgName: "session_exit", exitStatus: 0 });
    await client.isGone(task);
    expect([...eventsOf(task.sid, 4), ...eventsOf(task.sid, 31), ...eventsOf(task.sid, 42)]).toEqual([]);
    expect(sink.puts.filter(({ key }) => key.includes(task.sid))).toEqual([]);
  });

  test.concurrent("leaves by itself after maxIdleTime, leaveCode 4", async () => {
    engine.control.setPublishers("idle", "none");
    const uid = freshUid();
    const recordingConfig = { channelType: 1, maxIdleTime: 5 };
    const task = await client.begin(
      "idle",
      uid,
      startRequestFor("idle", uid, sink.host, { recordingConfig }),
    );
    const begun = await told(task.sid, 40);
    const left = await told(task.sid, 41);
    expect(left.details).toEqual({ msgName: "recorder_leave", leaveCode: 4 });
    expect(left.sendts - begun.sendts).toBeGreaterThanOrEqual(4_990);
    await client.isGone(task);
  });
});

describe("a start that was answered 200", () => {
  test.concurrent.each([
    ["no token", 110, () => undefined],
    ["a token for another channel", 110, (uid: string) => rtcToken({ cname: "other", uid })],
    ["a token for another uid", 110, () => rtcToken({ cname: "token", uid: "1" })],
    ["an expired token", 109, (uid: string) => rtcToken({ cname: "token", uid, issuedAt: 1_700_000_000 })],
  ])("dies by event 1 with %s", async (_what, errorCode, token) => {
    const uid = freshUid();
    const task = await client.begin(
      "token",
      uid,
      startRequestFor("token", uid, sink.host, { token: token(uid) }),
    );
    expect((await told(task.sid, 1)).details).toEqual({
      msgName: "cloud_recording_error",
      module: 0,
      errorLevel: 5,
      errorCode,
      stat: 0,
      errorMsg: "",
    });
    expect((await told(task.sid, 11)).details.exitStatus).toBe(1);
    await client.isGone(task);
    expect(eventsOf(task.sid, 40)).toEqual([]);
  });

  test.concurrent("ends when its token does, with event 1 code 109 and its files uploaded", async () => {
    const uid = freshUid();
    const token = rtcToken({ cname: "short", uid, expire: 3 });
    const task = await client.begin("short", uid, startRequestFor("short", uid, sink.host, { token }));
    expect((await told(task.sid, 1)).details).toMatchObject({ module: 0, errorCode: 109 });
    expect((await told(task.sid, 31)).details.fileList).toHaveLength(2);
    await client.isGone(task);
  });

  test.concurrent.each([
    ["an endpoint that is not on this machine", "s3.us-west-004.backblazeb2.com"],
    ["an address of the local network", "10.0.0.1:9000"],
    ["an endpoint with a scheme", "https://127.0.0.1:9000"],
    ["a name that only looks local", "localhost.example.com"],
  ])("dies by event 1, module 1, code 32 with %s", async (_what, endpoint) => {
    const uid = freshUid();
    const task = await client.begin("away", uid, startRequestFor("away", uid, endpoint));
    await client.reaches(task, 4);
    expect((await told(task.sid, 1)).details).toMatchObject({ module: 1, errorLevel: 5, errorCode: 32 });
    expect((await told(task.sid, 11)).details.exitStatus).toBe(1);
    await client.isGone(task);
    expect(eventsOf(task.sid, 31)).toEqual([]);
  });

  test.concurrent.each([
    [403, 32],
    [404, 32],
    [503, 47],
  ])("dies when the store answers %i, with code %i", async (status, errorCode) => {
    const refusing = await openSink();
    refusing.answer.status = status;
    const uid = freshUid();
    const task = await client.begin("refused", uid, startRequestFor("refused", uid, refusing.host));
    expect((await told(task.sid, 1)).details).toMatchObject({ module: 1, errorCode });
    await client.isGone(task);
    await refusing.close();
  });

  test.concurrent("dies with code 47 when nothing listens at the endpoint", async () => {
    const closed = await openSink();
    await closed.close();
    const uid = freshUid();
    const task = await client.begin("closed", uid, startRequestFor("closed", uid, closed.host));
    expect((await told(task.sid, 1)).details).toMatchObject({ module: 1, errorCode: 47 });
    await client.isGone(task);
  });

  test.concurrent("survives one transient error of the store", async () => {
    const shaky = await openSink();
    shaky.answer.status = 503;
    const uid = freshUid();
    const patient = await startEngine({ sliceSeconds: 0.5, uploadRetryMs: [50, 50, 50, 50, 5_000] });
    const caller = clientOf(patient.address);
    const task = await caller.begin("shaky", uid, startRequestFor("shaky", uid, shaky.host));
    await caller.reaches(task, 4);
    shaky.answer.status = 200;
    await caller.reaches(task, 5);
    expect((await caller.stop(task)).body.serverResponse.uploadingStatus).toBe("uploaded");
    await patient.stop();
    await shaky.close();
  });
});
