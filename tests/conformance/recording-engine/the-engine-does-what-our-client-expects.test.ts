import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objectKeyOf, playlistName } from "../../../supabase/functions/_shared/agora/files.ts";
import { verdictOf } from "../../../supabase/functions/_shared/agora/outcomes.ts";
import { type EngineUnderTest, freshUid, hasPublisher, isReal, openEngine } from "./engine-under-test.ts";
import { Recorders, requestFor, tokenFor } from "./recorder.ts";

/*
 * The same cases against the stand-in (npm test) and, with real credentials and a bucket, against Agora (npm run
 * test:engine): what our code relies on, said through our own client. Where Agora's pages leave something open, a case takes
 * every documented answer; what only the stand-in can be brought to is in its own tests.
 */

let engine: EngineUnderTest;
const recorders = new Recorders(() => engine);
const limitMs = isReal ? 300_000 : 60_000;

beforeAll(async () => {
  engine = await openEngine();
}, limitMs);
afterAll(async () => {
  await recorders.stopAll();
  await engine.close();
}, limitMs);

const tooLarge = { width: 3840, height: 2160, fps: 15, bitrate: 6000 };
/** Files in the bucket need somebody who sends picture and sound. */
const withPublisher = test.runIf(hasPublisher);
/** Costs minutes or an account's good name at the real service. */
const onStandInOnly = test.skipIf(isReal);
const refusedFor = (code: string) => ({ outcome: "refused", error: { code } });

describe("Credentials", () => {
  test("App ID and App Certificate in place of Customer ID and Secret are refused as unauthorized", async () => {
    const { appId: customerId, appCertificate: customerSecret } = engine.account;
    const client = engine.clientWith({ customerId, customerSecret });
    const outcome = await client.acquire({
      cname: engine.emptyChannel(),
      uid: freshUid(),
      resourceExpiredHour: 1,
    });
    expect(outcome).toMatchObject(refusedFor("engine_unauthorized"));
  });

  test("an App ID that is not this account's is refused, and nobody is told to try again", async () => {
    const client = engine.clientWith({ appId: "0".repeat(32) });
    const outcome = await client.acquire({
      cname: engine.emptyChannel(),
      uid: freshUid(),
      resourceExpiredHour: 1,
    });
    expect(outcome).toMatchObject({ outcome: "refused", error: { blame: "configuration", retry: "never" } });
  });
});

describe("A body that our client would not let out", () => {
  const acquiring = async (body: Record<string, unknown>) => {
    const sent = { cname: engine.emptyChannel(), uid: freshUid(), clientRequest: {}, ...body };
    return verdictOf("acquire", { ...(await engine.send("/acquire", sent)), ...unknownHeaders }, []);
  };
  const unknownHeaders = { requestId: undefined, retryAfterMs: undefined };

  test.each([
    ["a channel name with a slash", { cname: "a/b" }, "channel_name_invalid"],
    ["a channel name of 64 bytes", { cname: "a".repeat(64) }, "channel_name_invalid"],
    ["a uid above 32 bits", { uid: "4294967296" }, "engine_request_invalid"],
    ["no hour of control", { clientRequest: { resourceExpiredHour: 0 } }, "engine_request_invalid"],
  ])("is refused by the engine too: %s", async (_what, body, code) => {
    expect(await acquiring(body)).toMatchObject(refusedFor(code));
  });

  test.each([
    ["mp4 without hls", { recordingFileConfig: { avFileType: ["mp4"] } }],
    ["no storage", { storageConfig: undefined }],
    ["a picture above 1920 x 1080", { recordingConfig: { channelType: 1, transcodingConfig: tooLarge } }],
  ])("is refused by the engine too: %s", async (_what, change) => {
    const { cname, uid, resourceId, ...clientRequest } = await requestFor(engine, engine.emptyChannel());
    const path = `/resourceid/${resourceId}/mode/mix/start`;
    const answer = await engine.send(path, { cname, uid, clientRequest: { ...clientRequest, ...change } });
    expect(verdictOf("start", { ...answer, ...unknownHeaders }, [])).toMatchObject(
      refusedFor("engine_request_invalid"),
    );
  });
});

describe("A recorder in a channel that nobody is in", () => {
  test(
    "starts, joins, takes a layout, stops as empty, and is gone",
    async () => {
      const recorder = await recorders.beginRecording(engine.emptyChannel());
      expect(recorder.task.sid).toMatch(/^[0-9a-f]{32}$/);
      const layout = { mixedVideoLayout: 2, backgroundColor: "#101010" };
      expect(await engine.client.updateLayout({ ...recorder.task, layout })).toEqual({ outcome: "updated" });
      const stopped = await engine.client.stop({ ...recorder.task, asyncStop: false });
      expect(["stopped_empty", "stopped"]).toContain(stopped.outcome);
      await recorders.untilGone(recorder);
      expect(["not_found", "already_exiting"]).toContain(
        (await engine.client.stop({ ...recorder.task, asyncStop: false })).outcome,
      );
    },
    limitMs,
  );

  test(
    "is one recorder however often it is started",
    async () => {
      const request = await requestFor(engine, engine.emptyChannel());
      const first = await recorders.start(request);
      expect(first.outcome).toBe("started");
      expect((await recorders.start(request)).outcome).toBe("already_started");
      const { cname, uid } = request;
      const another = await requestFor(engine, cname, { uid });
      expect((await recorders.start(another)).outcome).toBe("conflict");
    },
    limitMs,
  );

  test(
    "does not mind another one of another uid",
    async () => {
      const cname = engine.emptyChannel();
      const [one, other] = [await recorders.beginRecording(cname), await recorders.beginRecording(cname)];
      expect(one.task.sid).not.toBe(other.task.sid);
      await engine.client.stop({ ...one.task, asyncStop: true });
      await recorders.untilGone(one);
      expect(await recorders.query(other)).toMatchObject({ outcome: "running", phase: "recording" });
    },
    limitMs,
  );

  test(
    "leaves by itself when nobody has come for its idle time",
    async () => {
      const recorder = await recorders.begin(engine.emptyChannel(), {
        recordingConfig: { channelType: 1, streamTypes: 0, maxIdleTime: 5 },
      });
      await recorders.untilGone(recorder);
    },
    limitMs,
  );
});

describe("A start that is accepted and cannot work", () => {
  test(
    "with a token for another channel never records",
    async () => {
      const uid = freshUid();
      const token = await tokenFor(engine, "another channel", uid);
      const recorder = await recorders.begin(engine.emptyChannel(), { uid, token });
      const told = await recorders.untilQuery(
        recorder,
        ({ outcome, ...more }) => outcome === "not_found" || ("phase" in more && more.phase === "recording"),
      );
      expect(told).toEqual({ outcome: "not_found" });
    },
    limitMs,
  );

  withPublisher(
    "with keys that the store refuses is gone after it was there",
    async () => {
      const storageConfig = {
        ...engine.storage(["conformance", "refused"]),
        secretKey: "K005wrongwrongwrong",
      };
      const recorder = await recorders.begin(engine.publishedChannel(), { storageConfig });
      await recorders.untilGone(recorder);
      expect((await engine.keysIn("conformance/refused/")).size).toBe(0);
    },
    limitMs,
  );
});

describe("Ids that do not fit", () => {
  test("a task that never was is not found, whatever is asked of it", async () => {
    const request = await requestFor(engine, engine.emptyChannel());
    const { cname, uid, resourceId } = request;
    const task = { cname, uid, resourceId, sid: "0".repeat(32) };
    expect(await engine.client.query({ resourceId, sid: task.sid })).toEqual({ outcome: "not_found" });
    expect(await engine.client.stop({ ...task, asyncStop: false })).toEqual({ outcome: "not_found" });
    expect(await engine.client.updateLayout({ ...task, layout: { mixedVideoLayout: 1 } })).toEqual({
      outcome: "not_found",
    });
  });

  test("a resource id of another recorder, or of none, starts nothing", async () => {
    const request = await requestFor(engine, engine.emptyChannel());
    const other = await recorders.start({ ...request, uid: freshUid() });
    expect(other).toMatchObject({ outcome: "refused", error: { retry: "now" } });
    const garbled = await recorders.start({ ...request, resourceId: "x".repeat(300) });
    expect(garbled).toMatchObject({ outcome: "refused", error: { retry: "now" } });
  });
});

describe("A recorder in a channel in which somebody is seen and heard", () => {
  withPublisher(
    "leaves a playlist and an MP4 in the bucket, under the names that it told",
    async () => {
      const recorder = await recorders.beginRecording(engine.publishedChannel());
      await recorders.untilQuery(recorder, (told) => told.outcome === "running" && told.files.length > 0);
      const stopped = await engine.client.stop({ ...recorder.task, asyncStop: false });
      if (stopped.outcome !== "stopped") throw new Error(JSON.stringify(stopped));
      expect(stopped.files.length).toBeGreaterThanOrEqual(2);
      const { sid, cname } = recorder.task;
      const kept = await engine.keysIn(recorder.folder);
      expect(kept.get(`${recorder.folder}${playlistName({ sid, channel: cname })}`)).toBeGreaterThan(0);
      for (const { fileName } of stopped.uploadingStatus === "uploaded" ? stopped.files : []) {
        const key = objectKeyOf(recorder.request.storageConfig.fileNamePrefix ?? [], fileName) ?? "";
        expect(kept.get(key), fileName).toBeGreaterThan(0);
      }
      await recorders.untilGone(recorder);
    },
    limitMs,
  );

  withPublisher(
    "stops at once when it need not wait for its files",
    async () => {
      const recorder = await recorders.beginRecording(engine.publishedChannel());
      await recorders.untilQuery(recorder, (told) => told.outcome === "running" && told.files.length > 0);
      expect(await engine.client.stop({ ...recorder.task, asyncStop: true })).toEqual({
        outcome: "accepted",
      });
      await recorders.untilGone(recorder);
    },
    limitMs,
  );
});

describe("Limits", () => {
  onStandInOnly("more than ten calls in a second are too many", async () => {
    const hurried = engine.account.apiUrls[0] ?? "";
    const { appId, customerId, customerSecret } = engine.account;
    const call = () =>
      fetch(`${hurried}/v1/apps/${appId}/cloud_recording/acquire`, {
        method: "POST",
        headers: {
          authorization: `Basic ${btoa(`${customerId}:${customerSecret}`)}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ cname: "room", uid: "1", clientRequest: {} }),
      });
    const statuses = (await Promise.all(Array.from({ length: 15 }, call))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(10);
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
  });
});
