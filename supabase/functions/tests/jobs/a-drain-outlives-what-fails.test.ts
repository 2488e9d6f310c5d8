import assert from "node:assert/strict";
import { type RecorderError, RecorderFailure } from "../../_shared/errors.ts";
import { type DrainSettings, drainLane } from "../../_shared/jobs/drain.ts";
import { done, type Handler } from "../../_shared/jobs/job.ts";
import { jobForTest } from "./jobs-for-tests.ts";
import { laneInMemory } from "./lane-in-memory.ts";

const SETTINGS: DrainSettings = {
  lane: "control",
  budgetMs: 100_000,
  lingerMs: 500,
  patienceMs: 8_000,
  tickMs: 250,
  concurrency: 4,
};
const ERROR: RecorderError = {
  code: "engine_unavailable",
  blame: "engine",
  retry: "later",
  message: "Away.",
};
const lost = () => new Error("connection reset");

/** The result of one job whose handler throws this. */
async function resultOf(thrown: unknown) {
  const lane = laneInMemory([{ job: jobForTest() }]);
  await drainLane(SETTINGS, { start: () => Promise.reject(thrown) }, lane.deps);
  const [result] = lane.results();
  assert.ok(result);
  return result;
}

Deno.test("what a handler throws is tried again", async () => {
  const result = await resultOf(new RecorderFailure(ERROR));
  assert.equal(result.outcome, "retry");
  assert.deepEqual("error" in result && result.error, ERROR);
  assert.ok(!("afterMs" in result), "the database's backoff decides when");
});

Deno.test("when the other side asked for a pause, it is kept", async () => {
  const result = await resultOf(new RecorderFailure({ ...ERROR, retryAfterMs: 7_000 }));
  assert.ok(result.outcome === "retry" && result.afterMs === 7_000);
});

Deno.test("where trying again cannot help, the job is given up with its reason", async () => {
  const result = await resultOf(
    new RecorderFailure({ ...ERROR, code: "engine_unauthorized", retry: "never" }),
  );
  assert.ok(result.outcome === "give_up" && result.error.code === "engine_unauthorized");
});

for (const thrown of [new TypeError("x is not a function"), "a text", undefined]) {
  Deno.test(`an unknown throw (${String(thrown)}) is ours to mend and tried again`, async () => {
    const result = await resultOf(thrown);
    assert.ok(result.outcome === "retry" && result.error.code === "unexpected_error");
    assert.equal(result.error.blame, "us");
  });
}

for (const kind of ["brew_coffee", "constructor", "__proto__"]) {
  Deno.test(`a job of the unknown kind ${kind} is tried again: the next version may know it`, async () => {
    const lane = laneInMemory([{ job: jobForTest({ kind }) }]);
    await drainLane(SETTINGS, {}, lane.deps);
    const [result] = lane.results();
    assert.ok(result?.outcome === "retry");
    assert.match(result.error.detail ?? "", /no handler/);
  });
}

Deno.test("a job that cannot be read goes back as a retry and holds up nobody", async () => {
  const unreadable = {
    id: 77,
    lease: "77777777-7777-4777-8777-777777777777",
    outcome: "retry" as const,
    error: ERROR,
  };
  const lane = laneInMemory([{ job: jobForTest() }], { unreadable: [unreadable] });
  await drainLane(SETTINGS, { start: () => Promise.resolve(done) }, lane.deps);
  assert.deepEqual(
    lane
      .results()
      .map(({ id, outcome }) => [id === 77, outcome])
      .sort(),
    [
      [false, "done"],
      [true, "retry"],
    ],
  );
  assert.ok(lane.logged.some(({ step, job_id }) => step === "job.unreadable" && job_id === 77));
});

Deno.test("a result that is not taken, because the job is somebody else's now, is noted and that is all", async () => {
  const job = jobForTest();
  const lane = laneInMemory([{ job }], { refusesResultOf: job.id });
  await drainLane(SETTINGS, { start: () => Promise.resolve(done) }, lane.deps);
  assert.equal(lane.results().length, 1);
  const [note] = lane.logged.filter(({ step }) => step === "job.result_refused");
  assert.deepEqual([note?.job_id, note?.code], [job.id, "lease_lost"]);
});

Deno.test("a database that fails is asked again after growing pauses, and loses no result", async () => {
  const job = jobForTest();
  const lane = laneInMemory([{ job }], { fails: (look) => (look === 2 || look === 3 ? lost() : undefined) });
  await drainLane(SETTINGS, { start: () => Promise.resolve(done) }, lane.deps);
  assert.deepEqual(
    lane.looks.slice(1, 4).map(({ atMs, finished }) => [atMs, finished.length]),
    [
      [0, 1],
      [500, 1],
      [1_500, 1],
    ],
  );
  assert.deepEqual(lane.left, [[]]);
});

Deno.test("the fifth failure in a row ends the drain", async () => {
  const lane = laneInMemory([], { fails: lost });
  await drainLane(SETTINGS, {}, lane.deps);
  assert.equal(lane.looks.length, 5);
  assert.deepEqual(lane.clock.slept, [500, 1_000, 2_000, 4_000]);
  assert.deepEqual(lane.left, [], "it never had a place");
});

Deno.test("failures between successes do not add up", async () => {
  const lane = laneInMemory([], { fails: (look) => (look % 2 === 0 && look < 14 ? lost() : undefined) });
  await drainLane({ ...SETTINGS, lingerMs: 10_000 }, {}, lane.deps);
  assert.ok(lane.looks.length > 14);
  assert.equal(lane.left.length, 1);
});

Deno.test("what still runs when the database fails is waited for, and its result is brought when leaving", async () => {
  const job = jobForTest();
  const lane = laneInMemory([{ job }], { fails: (look) => (look > 1 ? lost() : undefined) });
  const start: Handler = async () => {
    await lane.clock.sleep(60_000);
    return done;
  };
  await drainLane(SETTINGS, { start }, lane.deps);
  assert.deepEqual(lane.left, [[{ id: job.id, lease: job.lease, outcome: "done" }]]);
});

Deno.test("a drain that lost its place while it worked brings its results and claims no more", async () => {
  const job = jobForTest();
  let looks = 0;
  const lane = laneInMemory([{ job }, { job: jobForTest(), dueInMs: 200 }], {
    hasPlace: () => {
      looks += 1;
      return looks === 1;
    },
  });
  const start: Handler = async () => {
    await lane.clock.sleep(3_000);
    return done;
  };
  await drainLane(SETTINGS, { start }, lane.deps);
  assert.deepEqual(lane.results(), [{ id: job.id, lease: job.lease, outcome: "done" }]);
});

Deno.test("a leave that fails is noted: leases bring the rest back", async () => {
  const lane = laneInMemory([], { leaveFails: true });
  await drainLane(SETTINGS, {}, lane.deps);
  assert.ok(lane.logged.some(({ step }) => step === "drain.leave_failed"));
  assert.equal(lane.logged.at(-1)?.step, "drain.ended");
});

Deno.test("whoever knows of new work is told when the drain has looked for the last time", async () => {
  const lane = laneInMemory([{ job: jobForTest() }], { fails: (look) => (look > 1 ? lost() : undefined) });
  let leavingAtMs = -1;
  const start: Handler = async () => {
    await lane.clock.sleep(60_000);
    return done;
  };
  const leaving = () => {
    leavingAtMs = lane.sinceBegin();
  };
  await drainLane(SETTINGS, { start }, { ...lane.deps, leaving });
  assert.equal(leavingAtMs, lane.looks.at(-1)?.atMs);
  assert.equal(lane.sinceBegin(), 60_000);
});
