import assert from "node:assert/strict";
import type { QueryOutcome } from "../../_shared/agora/client.ts";
import { confirmTask } from "../../_shared/control/confirm.ts";
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
} from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";
import { controlForTest, refused, SETTINGS, unclear } from "./control-for-tests.ts";

async function confirm(
  answer: QueryOutcome,
  change: { task?: Partial<EngineTask>; recording?: Partial<JobRecording>; taskId?: string } = {},
) {
  const control = controlForTest({ query: [answer] });
  const job = jobForTest({
    kind: "confirm",
    engine_task_id: change.taskId ?? TASK_ID,
    recording: recordingForTest({ status: "recording", ...change.recording }),
    tasks: [taskForTest(change.task)],
  });
  const outcome = await confirmTask(job, SETTINGS, control.deps);
  return { outcome, reports: control.reports(), story: control.story };
}

const running = (phase: "starting" | "recording" | "stopping" | "abnormal" | "unknown"): QueryOutcome => ({
  outcome: "running",
  status: 5,
  phase,
  files: [],
});

Deno.test("a recorder in the channel is confirmed; asked about later, it was seen", async () => {
  const first = await confirm(running("recording"), { recording: { status: "starting" } });
  assert.deepEqual([first.outcome, first.reports], [done, [["task.confirmed", {}]]]);
  assert.deepEqual(first.story[0], ["query", { resourceId: RESOURCE_ID, sid: SID }]);
  const later = await confirm(running("recording"), { task: { confirmed_at: BEGIN_MS } });
  assert.deepEqual([later.outcome, later.reports], [done, [["task.seen", {}]]]);
});

for (const phase of ["starting", "stopping", "unknown"] as const) {
  Deno.test(`one that is ${phase} lives and is asked about again`, async () => {
    const { outcome, reports } = await confirm(running(phase));
    assert.deepEqual([outcome, reports], [{ outcome: "snooze", afterMs: 3_000 }, [["task.seen", {}]]]);
  });
}

Deno.test("an abnormal exit is an end", async () => {
  const { outcome, reports } = await confirm(running("abnormal"));
  assert.deepEqual([outcome, reports], [done, [["task.gone", {}]]]);
});

Deno.test("a first 404 makes it suspect", async () => {
  const { outcome, reports } = await confirm({ outcome: "not_found" });
  assert.deepEqual([outcome, reports], [{ outcome: "snooze", afterMs: 5_000 }, [["task.suspected", {}]]]);
});

for (const [ageMs, event] of [
  [89_999, "task.suspected"],
  [90_000, "task.gone"],
] as const) {
  Deno.test(`after ${ageMs} ms of suspicion a 404 means ${event}`, async () => {
    const { reports } = await confirm(
      { outcome: "not_found" },
      { task: { suspect_since: BEGIN_MS - ageMs } },
    );
    assert.deepEqual(reports, [[event, {}]]);
  });
}

Deno.test("after the recorder said that it left, a 404 is its end at once", async () => {
  const { outcome, reports } = await confirm({ outcome: "not_found" }, { task: { left_at: BEGIN_MS - 1 } });
  assert.deepEqual([outcome, reports], [done, [["task.gone", {}]]]);
});

Deno.test("how long a failover takes is a setting", async () => {
  const control = controlForTest({ query: [{ outcome: "not_found" }] });
  const job = jobForTest({
    engine_task_id: TASK_ID,
    tasks: [taskForTest({ suspect_since: BEGIN_MS - 10_000 })],
  });
  await confirmTask(job, { ...SETTINGS, death_after: 10 }, control.deps);
  assert.deepEqual(control.reports(), [["task.gone", {}]]);
});

for (const answer of [unclear, refused("engine_rate_limited", { retryAfterMs: 4_000 })]) {
  Deno.test(`an answer that is ${answer.outcome} says nothing about the task: it is asked again`, async () => {
    const { outcome, reports } = await confirm(answer);
    assert.ok(outcome.outcome === "retry" && outcome.error.code === answer.error.code);
    assert.equal(outcome.afterMs, answer.error.retryAfterMs);
    assert.deepEqual(reports, []);
  });
}

// A fatal error that the engine told.

Deno.test("after a fatal error a 404 is its end at once: no failover is awaited", async () => {
  const { outcome, reports } = await confirm({ outcome: "not_found" }, { task: { failed_at: BEGIN_MS - 1 } });
  assert.deepEqual([outcome, reports], [done, [["task.gone", {}]]]);
});

Deno.test("right after a fatal error the engine may still call the task alive: it is asked again for half a minute", async () => {
  const young = await confirm(running("recording"), { task: { failed_at: BEGIN_MS - 29_999 } });
  assert.deepEqual([young.outcome, young.reports], [{ outcome: "snooze", afterMs: 3_000 }, []]);
  const old = await confirm(running("recording"), {
    task: { failed_at: BEGIN_MS - 30_000, confirmed_at: BEGIN_MS },
  });
  assert.deepEqual([old.outcome, old.reports], [done, [["task.seen", { is_refuted: true }]]]);
});

// A task whose sid nobody knows is looked for.

Deno.test("a wanted task without a sid is looked for in the bucket until a file tells it", async () => {
  const task = taskForTest({ state: "requested", sid: null, start_sent_at: BEGIN_MS - 20_000 });
  const folder = `recordings/${RECORDING_ID.replaceAll("-", "")}/a1/`;
  for (const [files, outcome, reports] of [
    [[], { outcome: "snooze", afterMs: 5_000 }, []],
    [[`${folder}${SID}_${CHANNEL}.m3u8`], done, [["task.started", { sid: SID }]]],
  ] as const) {
    const control = controlForTest({ files: [...files] });
    const job = jobForTest({ kind: "confirm", engine_task_id: TASK_ID, tasks: [task] });
    assert.deepEqual(await confirmTask(job, SETTINGS, control.deps), outcome);
    assert.deepEqual(control.reports(), reports);
  }
});

const needless: Record<string, Parameters<typeof confirm>[1]> = {
  "is gone": { task: { state: "gone" } },
  "has no resource id": { task: { resource_id: null } },
  "is superseded": { task: { superseded: true } },
  "is another recording's": { taskId: "99999999-9999-4999-8999-999999999999" },
  "is being stopped": { recording: { status: "stopping" } },
  "has been recorded": { recording: { status: "processing" } },
};
for (const [what, change] of Object.entries(needless)) {
  Deno.test(`a task that ${what} is not asked about`, async () => {
    const { outcome, story } = await confirm(running("recording"), change);
    assert.deepEqual([outcome, story], [done, []]);
  });
}
