import assert from "node:assert/strict";
import type { StartOutcome } from "../../_shared/agora/client.ts";
import { startRecording } from "../../_shared/control/start.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { done } from "../../_shared/jobs/job.ts";
import { jobForTest, SID } from "../jobs/jobs-for-tests.ts";
import { type ControlOptions, controlForTest, refused, SETTINGS, unclear } from "./control-for-tests.ts";

/** What happens from the first start on. */
async function startWith(answers: StartOutcome[], options: ControlOptions = {}) {
  const control = controlForTest({ start: answers }, options);
  const outcome = await startRecording(jobForTest(), SETTINGS, control.deps);
  assert.deepEqual(outcome, done);
  const steps = control.story.slice(3).map(([call, first]) => (call === "start" ? call : `${call} ${first}`));
  return { steps, last: control.reports().at(-1), story: control.story };
}

Deno.test("an open answer is asked for again with the very same request, after 3 and 6 seconds", async () => {
  const { steps, story } = await startWith([unclear, unclear, { outcome: "started", sid: SID }]);
  assert.deepEqual(steps, ["start", "sleep 3000", "start", "sleep 6000", "start", "report task.started"]);
  const requests = story.flatMap(([call, request]) => (call === "start" ? [request] : []));
  assert.equal(new Set(requests).size, 1);
});

Deno.test("a start that stays unclear is left to its deadline: it may run", async () => {
  const { steps } = await startWith([unclear]);
  assert.deepEqual(steps, ["start", "sleep 3000", "start", "sleep 6000", "start"]);
});

Deno.test("already started with a sid is started", async () => {
  const { steps, last } = await startWith([unclear, { outcome: "already_started", sid: SID }]);
  assert.deepEqual(steps, ["start", "sleep 3000", "start", "report task.started"]);
  assert.deepEqual(last, ["task.started", { sid: SID }]);
});

Deno.test("already started without a sid is left to the event that tells it", async () => {
  const { steps } = await startWith([{ outcome: "already_started" }]);
  assert.deepEqual(steps, ["start"]);
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

Deno.test("a refusal for now is asked again before it costs the attempt", async () => {
  const { steps } = await startWith([refused("engine_no_worker"), { outcome: "started", sid: SID }]);
  assert.deepEqual(steps, ["start", "sleep 3000", "start", "report task.started"]);
  const never = await startWith([refused("engine_no_worker")]);
  assert.deepEqual(never.steps.at(-1), "report task.lost");
  assert.ok(JSON.stringify(never.last).includes('"is_certain":true'));
});

Deno.test("after an open answer no refusal proves that nothing runs", async () => {
  const forGood = await startWith([unclear, refused("engine_request_invalid")]);
  assert.ok(JSON.stringify(forGood.last).includes('"is_certain":false'));
  const forNow = await startWith([unclear, refused("engine_rate_limited")]);
  assert.deepEqual(forNow.steps, ["start", "sleep 3000", "start", "sleep 6000", "start"]);
});

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
