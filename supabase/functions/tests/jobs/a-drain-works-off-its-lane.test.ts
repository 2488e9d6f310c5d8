import assert from "node:assert/strict";
import { type DrainSettings, drainLane } from "../../_shared/jobs/drain.ts";
import { done, type Handler } from "../../_shared/jobs/job.ts";
import { jobForTest } from "./jobs-for-tests.ts";
import { laneInMemory } from "./lane-in-memory.ts";

const SETTINGS: DrainSettings = {
  lane: "control",
  budgetMs: 100_000,
  lingerMs: 1_500,
  patienceMs: 8_000,
  tickMs: 250,
  concurrency: 4,
};
const startsDone = { start: () => Promise.resolve(done) };

Deno.test("with nothing to do it lingers longer than pg_net rests, then gives its place back", async () => {
  const lane = laneInMemory([]);
  await drainLane(SETTINGS, {}, lane.deps);
  assert.equal(lane.left.length, 1);
  assert.equal(lane.sinceBegin(), 1_500);
  assert.deepEqual(
    lane.looks.map((look) => look.atMs),
    [0, 250, 500, 750, 1_000, 1_250, 1_500],
  );
});

Deno.test("where all places are taken it ends at once and has nothing to give back", async () => {
  const lane = laneInMemory([{ job: jobForTest() }], { hasPlace: () => false });
  await drainLane(SETTINGS, {}, lane.deps);
  assert.equal(lane.looks.length, 1);
  assert.deepEqual(lane.left, []);
  assert.deepEqual(lane.clock.slept, []);
});

Deno.test("where the holder of a place may be dead, it asks once more when that would show", async () => {
  let looks = 0;
  const lane = laneInMemory([{ job: jobForTest() }], {
    nextPlaceInMs: 1_950,
    hasPlace: () => {
      looks += 1;
      return looks > 1;
    },
  });
  await drainLane(SETTINGS, { start: () => Promise.resolve(done) }, lane.deps);
  assert.deepEqual([lane.looks[0]?.atMs, lane.looks[1]?.atMs], [0, 1_950]);
  assert.equal(lane.results().length, 1);
});

Deno.test("where the holders live, it asks once more and no further", async () => {
  const lane = laneInMemory([{ job: jobForTest() }], { nextPlaceInMs: 50, hasPlace: () => false });
  await drainLane(SETTINGS, {}, lane.deps);
  assert.equal(lane.looks.length, 2);
});

Deno.test("what was claimed runs side by side, and never more than the lane's concurrency", async () => {
  const lane = laneInMemory(Array.from({ length: 9 }, () => ({ job: jobForTest() })));
  let running = 0;
  let most = 0;
  const start: Handler = async () => {
    running += 1;
    most = Math.max(most, running);
    await lane.clock.sleep(100);
    running -= 1;
    return done;
  };
  await drainLane(SETTINGS, { start }, lane.deps);
  assert.equal(most, 4);
  assert.equal(lane.results().length, 9);
  assert.ok(lane.looks.every((look) => look.limit >= 0 && look.limit <= 4));
});

Deno.test("a result rides back with the next claim, at once and with its lease", async () => {
  const job = jobForTest();
  const lane = laneInMemory([{ job }]);
  await drainLane(
    SETTINGS,
    { start: () => Promise.resolve({ outcome: "snooze", afterMs: 3_000 }) },
    lane.deps,
  );
  assert.deepEqual(lane.looks[1]?.finished, [
    { id: job.id, lease: job.lease, outcome: "snooze", afterMs: 3_000 },
  ]);
  assert.equal(lane.looks[1]?.atMs, 0);
  assert.deepEqual(lane.left, [[]]);
});

Deno.test("a batch that is smaller than what is due is followed by the next one without a pause", async () => {
  const lane = laneInMemory(
    Array.from({ length: 3 }, () => ({ job: jobForTest() })),
    { batch: 1 },
  );
  const start: Handler = async () => {
    await lane.clock.sleep(1_000);
    return done;
  };
  await drainLane(SETTINGS, { start }, lane.deps);
  assert.deepEqual(
    lane.looks.slice(0, 3).map((look) => look.atMs),
    [0, 5, 10],
  );
});

Deno.test("a job that is due soon is waited for, one that is due late is left to the sweep", async () => {
  const soon = laneInMemory([{ job: jobForTest(), dueInMs: 7_900 }]);
  await drainLane(SETTINGS, startsDone, soon.deps);
  assert.equal(soon.results().length, 1);
  const late = laneInMemory([{ job: jobForTest(), dueInMs: 12_000 }]);
  await drainLane(SETTINGS, startsDone, late.deps);
  assert.equal(late.results().length, 0);
  assert.equal(late.sinceBegin(), 1_500);
});

Deno.test("it looks exactly when the next job is due", async () => {
  const lane = laneInMemory([{ job: jobForTest(), dueInMs: 130 }]);
  await drainLane(SETTINGS, startsDone, lane.deps);
  assert.deepEqual(
    lane.looks.slice(0, 2).map((look) => look.atMs),
    [0, 130],
  );
});

Deno.test("a due job that is not handed out is asked for once a tick, not in a busy loop", async () => {
  let isBlocked = true;
  const lane = laneInMemory([{ job: jobForTest(), isBlocked: () => isBlocked }]);
  const free = lane.clock.sleep(10_000).then(() => {
    isBlocked = false;
  });
  await drainLane(SETTINGS, startsDone, lane.deps);
  await free;
  assert.equal(lane.results().length, 1);
  assert.ok(lane.looks.length < 10_000 / 250 + 12, `${lane.looks.length} looks`);
});

Deno.test("so is work that waits because all hands are full", async () => {
  const lane = laneInMemory(Array.from({ length: 5 }, () => ({ job: jobForTest() })));
  const start: Handler = async () => {
    await lane.clock.sleep(5_000);
    return done;
  };
  await drainLane(SETTINGS, { start }, lane.deps);
  assert.equal(lane.results().length, 5);
  assert.ok(lane.looks.length < 60, `${lane.looks.length} looks`);
});

Deno.test("a nudge makes a lingering drain look at once", async () => {
  const lane = laneInMemory([]);
  const nudging = lane.clock.sleep(320).then(() => {
    lane.enqueue(jobForTest());
    lane.nudge();
  });
  await drainLane(SETTINGS, startsDone, lane.deps);
  await nudging;
  assert.ok(lane.looks.some((look) => look.atMs === 320));
  assert.equal(lane.results().length, 1);
});

Deno.test("a nudge that comes while the database is being asked is not lost", async () => {
  const lane = laneInMemory([]);
  const { work } = lane.deps.database;
  let looks = 0;
  const nudging: DrainLook = async (...args) => {
    const step = await work(...args);
    looks += 1;
    if (looks === 1) {
      lane.enqueue(jobForTest());
      lane.nudge();
    }
    return step;
  };
  await drainLane(SETTINGS, startsDone, { ...lane.deps, database: { ...lane.deps.database, work: nudging } });
  assert.equal(lane.looks[1]?.atMs, 0);
});
type DrainLook = ReturnType<typeof laneInMemory>["deps"]["database"]["work"];

Deno.test("the engine's slot is waited for before a job runs", async () => {
  const lane = laneInMemory([{ job: jobForTest({ wait_ms: 400 }) }]);
  let startedAt = -1;
  const start: Handler = () => {
    startedAt = lane.sinceBegin();
    return Promise.resolve(done);
  };
  await drainLane(SETTINGS, { start }, lane.deps);
  assert.equal(startedAt, 400);
});

Deno.test("when its budget is used up it claims no more, finishes what runs, and brings that back", async () => {
  const lane = laneInMemory([{ job: jobForTest() }, { job: jobForTest(), dueInMs: 900 }]);
  const start: Handler = async () => {
    await lane.clock.sleep(2_000);
    return done;
  };
  await drainLane({ ...SETTINGS, budgetMs: 500 }, { start }, lane.deps);
  assert.deepEqual(
    lane.results().map((result) => result.outcome),
    ["done"],
  );
  assert.ok(lane.looks.filter((look) => look.atMs >= 500).every((look) => look.limit === 0));
  assert.equal(lane.left.length, 1);
  assert.ok(lane.sinceBegin() >= 2_000);
});

Deno.test("handlers are given the settings of the database", async () => {
  const lane = laneInMemory([{ job: jobForTest() }]);
  let deathAfter: number | undefined;
  const start: Handler = (_job, settings) => {
    deathAfter = settings.death_after;
    return Promise.resolve(done);
  };
  await drainLane(SETTINGS, { start }, lane.deps);
  assert.equal(deathAfter, 90);
});

Deno.test("one line tells what came of a job, one what came of the drain", async () => {
  const job = jobForTest();
  const lane = laneInMemory([{ job }]);
  await drainLane(SETTINGS, startsDone, lane.deps);
  const steps = lane.logged.map(({ step }) => step);
  assert.deepEqual(steps, ["job", "drain.ended"]);
  assert.equal(lane.logged[0]?.recording_id, job.recording_id);
  assert.equal(lane.logged[0]?.outcome, "done");
  assert.equal(lane.logged[1]?.jobs, 1);
});
