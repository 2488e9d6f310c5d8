import assert from "node:assert/strict";
import { acquireRequest, startRequest } from "../../_shared/agora/requests.ts";
import { startRecording } from "../../_shared/control/start.ts";
import { done } from "../../_shared/jobs/job.ts";
import {
  CHANNEL,
  jobForTest,
  RECORDING_ID,
  RESOURCE_ID,
  recordingForTest,
  SID,
  UID,
} from "../jobs/jobs-for-tests.ts";
import { controlForTest, refused, SECRETS, SETTINGS } from "./control-for-tests.ts";

Deno.test("task, acquire, resource id, start, sid: each is saved before the next is sent", async () => {
  const { deps, steps, story } = controlForTest();
  assert.deepEqual(await startRecording(jobForTest(), SETTINGS, deps), done);
  assert.deepEqual(steps(), ["beginAttempt", "acquire", "task.acquired", "start", "task.started"]);
  assert.deepEqual(story[0], ["beginAttempt", RECORDING_ID, "2026-11-23T18:00:00.000Z"]);
  assert.deepEqual(story[4]?.slice(1, 3), ["task.started", { sid: SID }]);
});

Deno.test("acquire and start speak of one channel, one uid and one resource id, in the form Agora accepts", async () => {
  const { deps, story } = controlForTest();
  await startRecording(jobForTest(), SETTINGS, deps);
  const acquire = acquireRequest.parse(story[1]?.[1]);
  const start = startRequest.parse(story[3]?.[1]);
  assert.deepEqual([acquire.cname, acquire.uid, acquire.resourceExpiredHour], [CHANNEL, UID, 24]);
  assert.deepEqual([start.cname, start.uid, start.resourceId], [CHANNEL, UID, RESOURCE_ID]);
  assert.match(start.token, /^007/);
  // The attempt of the task, not of the recording as it was when the job was claimed.
  assert.deepEqual(start.storageConfig.fileNamePrefix, [
    "recordings",
    RECORDING_ID.replaceAll("-", ""),
    "a2",
  ]);
});

Deno.test("the saved request holds neither key, secret nor token", async () => {
  const { deps, story } = controlForTest();
  await startRecording(jobForTest(), SETTINGS, deps);
  const [, , facts] = story[2] ?? [];
  assert.ok(typeof facts === "object" && facts !== null && "request" in facts && "resource_id" in facts);
  const saved = JSON.stringify(facts);
  for (const secret of [...Object.values(SECRETS), deps.bucket.keyId, "007"])
    assert.ok(!saved.includes(secret), secret);
  assert.ok(saved.includes('"bucket":"recordings-bucket"'));
  const sent = JSON.stringify(story[3]);
  assert.ok(sent.includes(SECRETS.applicationKey), "the engine does need the key");
});

Deno.test("a recording that is not starting any more is not started", async () => {
  for (const status of ["recording", "stopping", "processing", "recorded", "failed", "expired"] as const) {
    const { deps, story } = controlForTest();
    const job = jobForTest({ recording: recordingForTest({ status }) });
    assert.deepEqual(await startRecording(job, SETTINGS, deps), done);
    assert.deepEqual(story, []);
  }
});

Deno.test("where the database knows of a task that may be running, nothing is sent", async () => {
  const { deps, steps } = controlForTest({}, { beginAttempt: "refuses" });
  assert.deepEqual(await startRecording(jobForTest(), SETTINGS, deps), done);
  assert.deepEqual(steps(), ["beginAttempt"]);
});

Deno.test("a start that was stopped, given up or taken over by another worker meanwhile is not sent", async () => {
  const { deps, steps } = controlForTest({}, { isWon: false });
  assert.deepEqual(await startRecording(jobForTest(), SETTINGS, deps), done);
  assert.deepEqual(steps(), ["beginAttempt", "acquire", "task.acquired"]);
});

Deno.test("an acquire that is refused for now is tried again, with the same task", async () => {
  const { deps, steps } = controlForTest({ acquire: [refused("engine_ceiling_reached")] });
  const outcome = await startRecording(jobForTest(), SETTINGS, deps);
  assert.ok(outcome.outcome === "retry" && outcome.error.code === "engine_ceiling_reached");
  assert.ok(!("afterMs" in outcome));
  assert.deepEqual(steps(), ["beginAttempt", "acquire"]);
});

Deno.test("an acquire that is refused without a reason may have been one of pace: tried again a few times, then it ends the attempt", async () => {
  const answer = refused("engine_refusal_unexplained");
  for (const attempts of [1, 2, 3, 4]) {
    const { deps, steps } = controlForTest({ acquire: [answer] });
    const outcome = await startRecording(jobForTest({ attempts }), SETTINGS, deps);
    assert.ok(outcome.outcome === "retry" && outcome.error.code === "engine_refusal_unexplained");
    assert.deepEqual(steps(), ["beginAttempt", "acquire"]);
  }
  const { deps, reports } = controlForTest({ acquire: [answer] });
  assert.deepEqual(await startRecording(jobForTest({ attempts: 5 }), SETTINGS, deps), done);
  assert.deepEqual(reports(), [["task.lost", { error: answer.error, is_certain: true }]]);
});

Deno.test("the engine's own pause is kept", async () => {
  const { deps } = controlForTest({ acquire: [refused("engine_rate_limited", { retryAfterMs: 5_000 })] });
  const outcome = await startRecording(jobForTest(), SETTINGS, deps);
  assert.ok(outcome.outcome === "retry" && outcome.afterMs === 5_000);
});

Deno.test("an acquire that is refused for good ends the attempt with its reason, without what is not for people", async () => {
  const answer = refused("engine_unauthorized", { detail: "HTTP 401, request 17" });
  const { deps, reports } = controlForTest({ acquire: [answer] });
  assert.deepEqual(await startRecording(jobForTest(), SETTINGS, deps), done);
  const { code, blame, retry, message } = answer.error;
  assert.deepEqual(reports(), [["task.lost", { error: { code, blame, retry, message }, is_certain: true }]]);
});

Deno.test("when the database cannot save the resource id, nothing is sent", async () => {
  const { deps, steps } = controlForTest({}, { reportFails: () => new Error("connection reset") });
  await assert.rejects(startRecording(jobForTest(), SETTINGS, deps), /connection reset/);
  assert.deepEqual(steps(), ["beginAttempt", "acquire", "task.acquired"]);
});

Deno.test("a quality that the database does not describe is not sent", async () => {
  const { deps, steps } = controlForTest();
  const job = jobForTest({ recording: recordingForTest({ preset: null }) });
  await assert.rejects(startRecording(job, SETTINGS, deps), /engine_request_invalid/);
  assert.deepEqual(steps(), ["beginAttempt", "acquire"]);
});

Deno.test("a token that Agora would not take is not sent", async () => {
  const { deps, steps } = controlForTest();
  const settings = { ...SETTINGS, recorder_token_lifetime: 90_000 };
  await assert.rejects(startRecording(jobForTest(), settings, deps), /engine_request_invalid/);
  assert.deepEqual(steps(), ["beginAttempt", "acquire"]);
});
