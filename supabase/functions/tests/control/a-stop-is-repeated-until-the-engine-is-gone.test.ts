import assert from "node:assert/strict";
import type { StopOutcome } from "../../_shared/agora/client.ts";
import { storeError } from "../../_shared/b2/errors.ts";
import { stopRecording } from "../../_shared/control/stop.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { done, type EngineTask, type JobRecording } from "../../_shared/jobs/job.ts";
import {
  CHANNEL,
  jobForTest,
  RECORDING_ID,
  RESOURCE_ID,
  recordingForTest,
  SID,
  TASK_ID,
  taskForTest,
  UID,
} from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";
import { type ControlOptions, controlForTest, refused, SETTINGS, unclear } from "./control-for-tests.ts";

const OTHER_TASK = "88888888-8888-4888-8888-888888888888";
const FILES = [{ fileName: `${SID}_${CHANNEL}_0.mp4` }];

async function stop(
  answers: StopOutcome[],
  tasks: EngineTask[] = [taskForTest()],
  status: JobRecording["status"] = "stopping",
  options: ControlOptions = {},
) {
  const control = controlForTest({ stop: answers }, options);
  const job = jobForTest({ kind: "stop", recording: recordingForTest({ status }), tasks });
  const outcome = await stopRecording(job, SETTINGS, control.deps);
  return { outcome, reports: control.reports(), story: control.story };
}

Deno.test("a stopped recorder is gone, with the files it named", async () => {
  const { outcome, reports, story } = await stop([
    { outcome: "stopped", files: FILES, uploadingStatus: "uploaded" },
  ]);
  assert.deepEqual([outcome, reports], [done, [["task.gone", { files: FILES }]]]);
  assert.deepEqual(story[0], [
    "stop",
    { cname: CHANNEL, uid: UID, resourceId: RESOURCE_ID, sid: SID, asyncStop: false },
  ]);
});

Deno.test("an empty list of files is not kept: it is not the engine's last word", async () => {
  const { reports } = await stop([{ outcome: "stopped", files: [], uploadingStatus: "backuped" }]);
  assert.deepEqual(reports, [["task.gone", {}]]);
});

Deno.test("a recorder that nobody sent anything to is gone and empty", async () => {
  const { outcome, reports } = await stop([{ outcome: "stopped_empty" }]);
  assert.deepEqual([outcome, reports], [done, [["task.gone", { is_empty: true }]]]);
});

for (const answer of ["accepted", "already_exiting"] as const) {
  Deno.test(`${answer} is not yet the end: it is asked again`, async () => {
    const { outcome, reports } = await stop([{ outcome: answer }]);
    assert.deepEqual([outcome, reports], [{ outcome: "snooze", afterMs: 2_000 }, []]);
  });
}

for (const [what, change, event] of [
  ["makes it suspect", {}, "task.suspected"],
  ["within a failover's time changes nothing", { suspect_since: BEGIN_MS - 89_000 }, "task.suspected"],
  ["after 90 s is its end", { suspect_since: BEGIN_MS - 90_000 }, "task.gone"],
  ["after the engine's own word of its failure is its end at once", { failed_at: BEGIN_MS - 1 }, "task.gone"],
  ["after recorder_leave is its end at once", { left_at: BEGIN_MS - 1 }, "task.gone"],
] as const) {
  Deno.test(`a 404 ${what}`, async () => {
    const { outcome, reports } = await stop([{ outcome: "not_found" }], [taskForTest(change)]);
    assert.deepEqual(reports, [[event, {}]]);
    assert.deepEqual(outcome, event === "task.gone" ? done : { outcome: "snooze", afterMs: 5_000 });
  });
}

for (const answer of [
  unclear,
  refused("engine_rate_limited", { retryAfterMs: 3_000 }),
  refused("engine_unauthorized"),
]) {
  Deno.test(`${answer.error.code} is no stop: it is tried again`, async () => {
    const { outcome, reports } = await stop([answer]);
    assert.ok(outcome.outcome === "retry" && outcome.error.code === answer.error.code);
    assert.equal(outcome.afterMs, answer.error.retryAfterMs);
    assert.deepEqual(reports, []);
  });
}

Deno.test("a task that was never sent to the engine is lost for certain", async () => {
  const task = taskForTest({ state: "preparing", resource_id: null, sid: null, start_sent_at: undefined });
  const { outcome, reports, story } = await stop([], [task]);
  assert.deepEqual([outcome, reports], [done, [["task.lost", { is_certain: true }]]]);
  assert.ok(story.every(([call]) => call !== "stop"));
});

const FOLDER = `recordings/${RECORDING_ID.replaceAll("-", "")}/a1/`;
const FIRST_FILE = `${FOLDER}${SID}_${CHANNEL}.m3u8`;

for (const [ageMs, afterMs] of [
  [0, 5_000],
  [59_999, 5_000],
  [60_000, 30_000],
  [89_999, 30_000],
] as const) {
  Deno.test(`${ageMs} ms after a start whose sid is not known, it is waited for (${afterMs} ms)`, async () => {
    const task = taskForTest({ state: "requested", sid: null, start_sent_at: BEGIN_MS - ageMs });
    const { outcome, story } = await stop([], [task]);
    assert.deepEqual(outcome, { outcome: "snooze", afterMs });
    // Before the first slice can be there, nobody looks for it.
    assert.deepEqual(story, ageMs < 15_000 ? [] : [["list", FOLDER]]);
  });
}

for (const superseded of [false, true]) {
  Deno.test(`the first file tells the sid, and the task is stopped in the same breath (superseded: ${superseded})`, async () => {
    const task = taskForTest({ state: "requested", sid: null, superseded, start_sent_at: BEGIN_MS - 20_000 });
    const control = controlForTest({
      stop: [{ outcome: "stopped_empty" }],
      files: [`${FOLDER}x.txt`, FIRST_FILE],
    });
    const job = jobForTest({
      kind: "repair",
      recording: recordingForTest({ status: "stopping" }),
      tasks: [task],
    });
    assert.deepEqual(await stopRecording(job, SETTINGS, control.deps), done);
    assert.deepEqual(control.steps(), ["list", "task.started", "stop", "task.gone"]);
    assert.deepEqual(control.reports()[0], ["task.started", { sid: SID }]);
  });
}

Deno.test("files of another attempt tell nothing about this one", async () => {
  const task = taskForTest({ attempt: 2, state: "requested", sid: null, start_sent_at: BEGIN_MS - 20_000 });
  const control = controlForTest({ files: [FIRST_FILE] });
  const job = jobForTest({
    kind: "stop",
    recording: recordingForTest({ status: "stopping" }),
    tasks: [task],
  });
  assert.deepEqual(await stopRecording(job, SETTINGS, control.deps), { outcome: "snooze", afterMs: 5_000 });
});

Deno.test("a bucket that cannot be read ends neither the search nor the stop", async () => {
  const task = taskForTest({ state: "requested", sid: null, start_sent_at: BEGIN_MS - 20_000 });
  const control = controlForTest({ files: new RecorderFailure(storeError("store_key_unknown")) });
  const job = jobForTest({
    kind: "stop",
    recording: recordingForTest({ status: "stopping" }),
    tasks: [task],
  });
  assert.deepEqual(await stopRecording(job, SETTINGS, control.deps), { outcome: "snooze", afterMs: 5_000 });
  assert.equal(control.logged[0]?.step, "sid.not_looked_for");
});

for (const ageMs of [90_000, 86_489_999]) {
  Deno.test(`${ageMs} ms after such a start the task is given up, so that the channel is free, and still waited for`, async () => {
    const task = taskForTest({ state: "requested", sid: null, start_sent_at: BEGIN_MS - ageMs });
    const { outcome, reports } = await stop([], [task]);
    assert.deepEqual(
      [outcome, reports],
      [{ outcome: "snooze", afterMs: 30_000 }, [["task.lost", { is_certain: false }]]],
    );
  });
}

Deno.test("a task that was given up is waited for without another word", async () => {
  const task = taskForTest({
    state: "requested",
    sid: null,
    superseded: true,
    start_sent_at: BEGIN_MS - 90_000,
  });
  const { outcome, reports } = await stop([], [task]);
  assert.deepEqual([outcome, reports], [{ outcome: "snooze", afterMs: 30_000 }, []]);
});

Deno.test("a recorder without a sid cannot outlive its token and the failover after it", async () => {
  const task = taskForTest({ state: "requested", sid: null, start_sent_at: BEGIN_MS - 86_490_000 });
  const { outcome, reports } = await stop([], [task]);
  assert.deepEqual([outcome, reports], [done, [["task.gone", {}]]]);
});

Deno.test("a job about one task stops that one and leaves the others to their own jobs", async () => {
  const tasks = [taskForTest({ id: OTHER_TASK, sid: "a".repeat(32) }), taskForTest({ attempt: 2 })];
  const control = controlForTest({ stop: [{ outcome: "stopped_empty" }] });
  const recording = recordingForTest({ status: "stopping" });
  const job = jobForTest({ kind: "stop", engine_task_id: TASK_ID, recording, tasks });
  assert.deepEqual(await stopRecording(job, SETTINGS, control.deps), done);
  assert.deepEqual(
    control.story.flatMap(([call, , , id]) => (call === "report" ? [id] : [])),
    [TASK_ID],
  );
});

Deno.test("a job about no task in particular stops them one after the other, each with a slot; gone ones are left alone", async () => {
  const tasks = [
    taskForTest({ id: "99999999-9999-4999-8999-999999999999", attempt: 3, state: "gone" }),
    taskForTest({ id: OTHER_TASK, attempt: 1, superseded: true, sid: "a".repeat(32) }),
    taskForTest({ id: TASK_ID, attempt: 2 }),
  ];
  const first = await stop([{ outcome: "stopped_empty" }], tasks);
  assert.deepEqual(first.outcome, { outcome: "snooze", afterMs: 0 });
  assert.equal(first.story.filter(([call]) => call === "stop").length, 1);
  const second = await stop([{ outcome: "stopped_empty" }], tasks.slice(2));
  assert.deepEqual(second.outcome, done);
});

for (const status of ["starting", "recording"] as const) {
  Deno.test(`while the recording is wanted (${status}), only superseded tasks are stopped`, async () => {
    const tasks = [taskForTest({ id: OTHER_TASK, superseded: true }), taskForTest({ attempt: 2 })];
    const { story } = await stop([{ outcome: "stopped_empty" }], tasks, status);
    const stopped = story.flatMap(([call, , , id]) => (call === "report" ? [id] : []));
    assert.deepEqual(stopped, [OTHER_TASK]);
    const none = await stop([], [taskForTest()], status);
    assert.deepEqual([none.outcome, none.story], [done, []]);
  });
}
