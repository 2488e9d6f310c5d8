import assert from "node:assert/strict";
import type { StartOutcome } from "../../_shared/agora/client.ts";
import { startAgain, startRecording } from "../../_shared/control/start.ts";
import { startRequestOf, withoutSecrets } from "../../_shared/control/start-request.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { done, type EngineTask, type Job } from "../../_shared/jobs/job.ts";
import { jobForTest, recordingForTest, SID, TASK_ID, taskForTest } from "../jobs/jobs-for-tests.ts";
import { type ControlOptions, controlForTest, refused, SETTINGS, unclear } from "./control-for-tests.ts";

/** What happens from the first start on. */
async function startWith(answers: StartOutcome[], options: ControlOptions = {}) {
  const control = controlForTest({ start: answers }, options);
  const outcome = await startRecording(jobForTest(), SETTINGS, control.deps);
  assert.deepEqual(outcome, done);
  const steps = control.story.slice(3).map(([call, first]) => (call === "start" ? call : `${call} ${first}`));
  return { steps, last: control.reports().at(-1), story: control.story };
}

/** One repetition of a start; `attempts` counts it. */
async function repeatWith(
  answer: StartOutcome,
  { task = {}, ...change }: { task?: Partial<EngineTask> } & Partial<Omit<Job, "tasks">> = {},
) {
  const control = controlForTest({ start: [answer] });
  const kept = withoutSecrets(startRequestOf(recordingForTest(), 1, SETTINGS, control.deps.bucket));
  const waiting = { state: "requested", sid: null, request: kept, is_unanswered: true } as const;
  const job = jobForTest({
    kind: "start_again",
    engine_task_id: TASK_ID,
    tasks: [taskForTest({ ...waiting, ...task })],
    ...change,
  });
  const outcome = await startAgain(job, SETTINGS, control.deps);
  return { outcome, steps: control.steps(), reports: control.reports(), story: control.story };
}

Deno.test("an open answer is left to a job that asks again after 3 s: each request takes a slot", async () => {
  const { steps, last } = await startWith([unclear]);
  assert.deepEqual(steps, ["start", "report task.unanswered"]);
  assert.deepEqual(last, ["task.unanswered", { may_run: true, again_after_ms: 3_000 }]);
});

Deno.test("it asks with the very same request", async () => {
  const first = (await startWith([unclear])).story.find(([call]) => call === "start")?.[1];
  const task = taskForTest({ attempt: 2, token_expires_at: Date.UTC(2026, 10, 23, 18) });
  const control = controlForTest();
  const request = withoutSecrets(startRequestOf(recordingForTest(), 2, SETTINGS, control.deps.bucket));
  const again = await repeatWith(unclear, { task: { ...task, state: "requested", sid: null, request } });
  assert.deepEqual(again.story.find(([call]) => call === "start")?.[1], first);
});

Deno.test("what was kept of a request must be one: nothing else is sent", async () => {
  for (const request of [{}, { recordingConfig: {}, recordingFileConfig: {}, storageConfig: {} }]) {
    await assert.rejects(repeatWith(unclear, { task: { request } }), /engine_request_invalid/);
  }
});

Deno.test("after another open answer it is asked once more after 6 s, then looked for", async () => {
  const second = await repeatWith(unclear, { attempts: 1 });
  assert.deepEqual(second.reports, [["task.unanswered", { may_run: true }]]);
  assert.ok(second.outcome.outcome === "retry" && second.outcome.afterMs === 6_000);
  const third = await repeatWith(unclear, { attempts: 2 });
  assert.deepEqual(third.reports, [["task.unanswered", { may_run: true, look: true }]]);
  assert.deepEqual(third.outcome, done);
});

Deno.test("a repetition that starts, or finds it started with its sid, saves the sid", async () => {
  for (const outcome of ["started", "already_started"] as const) {
    const { reports } = await repeatWith({ outcome, sid: SID });
    assert.deepEqual(reports, [["task.started", { sid: SID }]]);
  }
});

Deno.test("already started without a sid: it is looked for", async () => {
  for (const { reports } of [
    await repeatWith({ outcome: "already_started" }),
    { reports: [(await startWith([{ outcome: "already_started" }])).last] },
  ]) {
    assert.deepEqual(reports, [["task.unanswered", { may_run: true, look: true }]]);
  }
});

Deno.test("a conflict gives the attempt up, but not for certain: a recorder with our uid is there", async () => {
  const { steps, last } = await startWith([{ outcome: "conflict" }]);
  assert.deepEqual(steps, ["start", "report task.lost"]);
  assert.deepEqual(last, ["task.lost", { is_certain: false }]);
});

Deno.test("a refusal for good ends the attempt for certain, with its reason", async () => {
  const { steps, last } = await startWith([refused("engine_request_invalid", { detail: "HTTP 400" })]);
  assert.deepEqual(steps, ["start", "report task.lost"]);
  const { detail: _detail, ...error } = refused("engine_request_invalid", { detail: "HTTP 400" }).error;
  assert.deepEqual(last, ["task.lost", { error, is_certain: true }]);
});

Deno.test("a resource id that ran out is not sent again: another attempt gets a fresh one", async () => {
  const { steps } = await startWith([refused("engine_resource_expired")]);
  assert.deepEqual(steps, ["start", "report task.lost"]);
});

Deno.test("a refusal for now is asked again before it costs the attempt, and leaves nobody in doubt", async () => {
  const first = await startWith([refused("engine_no_worker")]);
  assert.deepEqual(first.last, ["task.unanswered", { may_run: false, again_after_ms: 3_000 }]);
  // Sent again it may run, whatever becomes of this process.
  const second = await repeatWith(refused("engine_no_worker"), { task: { is_unanswered: false } });
  assert.deepEqual(second.steps, ["task.resent", "start", "task.unanswered"]);
  assert.deepEqual(second.reports.at(-1), ["task.unanswered", { may_run: false }]);
  assert.ok(second.outcome.outcome === "retry");
  const last = await repeatWith(refused("engine_no_worker"), { task: { is_unanswered: false }, attempts: 2 });
  assert.deepEqual(last.steps.at(-1), "task.lost");
  assert.ok(JSON.stringify(last.reports.at(-1)).includes('"is_certain":true'));
});

Deno.test("the engine's own pause is kept where it is longer than ours", async () => {
  const patient = refused("engine_rate_limited", { retryAfterMs: 5_000 });
  assert.deepEqual((await startWith([patient])).last?.[1], { may_run: false, again_after_ms: 5_000 });
  const { outcome } = await repeatWith(patient);
  assert.ok(outcome.outcome === "retry" && outcome.afterMs === 6_000);
});

Deno.test("after an open answer no refusal proves that nothing runs", async () => {
  const forGood = await repeatWith(refused("engine_request_invalid"));
  assert.ok(JSON.stringify(forGood.reports).includes('"is_certain":false'));
  const forNow = await repeatWith(refused("engine_rate_limited"), { attempts: 2 });
  assert.deepEqual(forNow.reports, [["task.unanswered", { may_run: true, look: true }]]);
});

const needless: Record<string, Parameters<typeof repeatWith>[1]> = {
  "is stopped meanwhile": { recording: recordingForTest({ status: "stopping" }) },
  "has ended": { recording: recordingForTest({ status: "failed" }) },
  "was given up": { task: { superseded: true } },
  "has shown itself": { task: { state: "running", sid: SID } },
  "is gone": { task: { state: "gone" } },
  "is another recording's": { engine_task_id: "99999999-9999-4999-8999-999999999999" },
};
for (const [what, change] of Object.entries(needless)) {
  Deno.test(`a start that ${what} is not repeated: nobody asks for a recorder that nobody wants`, async () => {
    const { outcome, story } = await repeatWith(unclear, change);
    assert.deepEqual([outcome, story], [done, []]);
  });
}

Deno.test("a sid is saved again until the database has it", async () => {
  let failures = 0;
  const { steps } = await startWith([{ outcome: "started", sid: SID }], {
    reportFails: (event) => {
      if (event !== "task.started" || failures === 3) return undefined;
      failures += 1;
      return new Error("connection reset");
    },
  });
  assert.deepEqual(steps, [
    "start",
    "report task.started",
    "sleep 250",
    "report task.started",
    "sleep 1000",
    "report task.started",
    "sleep 3000",
    "report task.started",
  ]);
});

Deno.test("a sid that cannot be saved is in the log, and the job fails", async () => {
  const control = controlForTest(
    {},
    { reportFails: (event) => (event === "task.started" ? new Error("connection reset") : undefined) },
  );
  await assert.rejects(startRecording(jobForTest(), SETTINGS, control.deps), /connection reset/);
  assert.ok(control.logged.every(({ step, sid }) => step === "start.sid_not_saved" && sid === SID));
  assert.equal(control.logged.at(-1)?.is_last_try, true);
});

Deno.test("a sid that the database refuses is not pressed upon it", async () => {
  const refusal = new RecorderFailure({
    code: "engine_task_not_found",
    blame: "us",
    retry: "never",
    message: "There is no engine task with this id.",
  });
  const control = controlForTest(
    {},
    { reportFails: (event) => (event === "task.started" ? refusal : undefined) },
  );
  await assert.rejects(startRecording(jobForTest(), SETTINGS, control.deps), /engine_task_not_found/);
  assert.equal(control.steps().filter((step) => step === "task.started").length, 1);
});
