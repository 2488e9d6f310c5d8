import assert from "node:assert/strict";
import type { QueryOutcome } from "../../_shared/agora/client.ts";
import { applyEvents } from "../../_shared/control/apply-events.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { done, type EngineTask, type JobRecording } from "../../_shared/jobs/job.ts";
import { jobForTest, recordingForTest, TASK_ID, taskForTest } from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";
import { type ControlOptions, controlForTest, SETTINGS, unclear } from "./control-for-tests.ts";
import { EVENTS, HAPPENED_AT } from "./events-for-tests.ts";

const running = (phase: "starting" | "recording" | "stopping"): QueryOutcome => ({
  outcome: "running",
  status: 5,
  phase,
  files: [],
});

async function apply(
  events: { noticeId: string }[],
  change: {
    query?: QueryOutcome[];
    task?: Partial<EngineTask>;
    recording?: Partial<JobRecording>;
    options?: ControlOptions;
    receivedAtMs?: number;
  } = {},
) {
  const control = controlForTest(change.query === undefined ? {} : { query: change.query }, change.options);
  const job = jobForTest({
    kind: "apply_events",
    engine_task_id: TASK_ID,
    recording: recordingForTest({ status: "recording", ...change.recording }),
    tasks: [taskForTest(change.task)],
    events: events.map((event) => ({
      notice_id: event.noticeId,
      event,
      received_at: change.receivedAtMs ?? BEGIN_MS,
    })),
  });
  const outcome = await applyEvents(job, SETTINGS, control.deps);
  return {
    outcome,
    reports: control.reports(),
    marked: control.marked().flat(),
    queries: control.story.filter(([call]) => call === "query").length,
    logged: control.logged,
  };
}

const facts: [string, { noticeId: string }, unknown[]][] = [
  [
    "recorder_started confirms the task, at the engine's time",
    EVENTS.started(),
    ["task.confirmed", { started_at: HAPPENED_AT }],
  ],
  ["the first file is a sign of life", EVENTS.firstFile(), ["task.seen", {}]],
  ["uploaded tells the files", EVENTS.uploaded(), ["task.files", { files: [{ fileName: "x.m3u8" }] }]],
  ["backuped tells the files too", EVENTS.backuped(), ["task.files", { files: [{ fileName: "x.m3u8" }] }]],
  ["an empty list wakes the collector, but is not kept", EVENTS.uploaded([]), ["task.files", {}]],
];
for (const [claim, event, report] of facts) {
  Deno.test(claim, async () => {
    const { outcome, reports, marked, queries } = await apply([event]);
    assert.deepEqual([outcome, reports, marked, queries], [done, [report], [event.noticeId], 0]);
  });
}

Deno.test("without the engine's time, the time of arrival counts", async () => {
  const event = { ...EVENTS.started() };
  event.payload = { ...event.payload, sendts: 0 };
  const { reports } = await apply([event]);
  assert.deepEqual(reports, [["task.confirmed", { started_at: new Date(BEGIN_MS).toISOString() }]]);
});

for (const event of [
  EVENTS.minor(),
  EVENTS.failover(),
  EVENTS.mute(),
  { ...EVENTS.exit(), eventType: 4711 },
]) {
  Deno.test(`event ${event.eventType} changes nothing and is not kept waiting (${event.noticeId})`, async () => {
    const { outcome, reports, marked, queries } = await apply([event]);
    assert.deepEqual([outcome, reports, marked, queries], [done, [], [event.noticeId], 0]);
  });
}

Deno.test("several events are applied in the order they are given, and marked at once", async () => {
  const events = [EVENTS.started(), EVENTS.firstFile(), EVENTS.uploaded()];
  const { reports, marked } = await apply(events);
  assert.deepEqual(
    reports.map(([event]) => event),
    ["task.confirmed", "task.seen", "task.files"],
  );
  assert.deepEqual(
    marked,
    events.map(({ noticeId }) => noticeId),
  );
});

Deno.test("the same event twice says the same twice: the database takes care of that", async () => {
  const event = EVENTS.started();
  const { reports } = await apply([event, { ...event, noticeId: "again" }]);
  assert.deepEqual(reports[0], reports[1]);
});

Deno.test("an event that comes after the end is still saved", async () => {
  const { reports, queries } = await apply([EVENTS.started(), EVENTS.left(), EVENTS.exit()], {
    task: { state: "gone" },
    recording: { status: "processing" },
  });
  assert.deepEqual(
    reports.map(([event]) => event),
    ["task.confirmed", "task.left"],
  );
  assert.equal(queries, 0);
});

// Bad news

Deno.test("an exit makes us ask; a recorder that is in the channel refutes it", async () => {
  const event = EVENTS.exit();
  const { outcome, reports, marked, queries } = await apply([event], { query: [running("recording")] });
  assert.deepEqual(
    [outcome, reports, marked, queries],
    [done, [["task.confirmed", {}]], [event.noticeId], 1],
  );
});

Deno.test("while the engine is exiting, the event waits and the engine is asked again", async () => {
  const { outcome, marked } = await apply([EVENTS.exit()], { query: [running("stopping")] });
  assert.deepEqual([outcome, marked], [{ outcome: "snooze", afterMs: 3_000 }, []]);
});

Deno.test("a 404 after an exit is a suspicion, and asked again", async () => {
  const { outcome, reports, marked } = await apply([EVENTS.exit()], { query: [{ outcome: "not_found" }] });
  assert.deepEqual(
    [outcome, reports, marked],
    [{ outcome: "snooze", afterMs: 5_000 }, [["task.suspected", {}]], []],
  );
});

Deno.test("an answer that is open says nothing: the event waits", async () => {
  const { outcome, reports, marked } = await apply([EVENTS.exit()], { query: [unclear] });
  assert.deepEqual([outcome.outcome, reports, marked], ["retry", [], []]);
});

for (const events of [
  [EVENTS.left(), EVENTS.exit()],
  [EVENTS.exit(), EVENTS.left()],
]) {
  Deno.test(`a recorder that left and is not found is gone, asked once (${events.map((event) => event.eventType)})`, async () => {
    const { outcome, reports, marked, queries } = await apply(events, { query: [{ outcome: "not_found" }] });
    assert.deepEqual([outcome, queries], [done, 1]);
    assert.deepEqual(reports, [
      ["task.left", { left_at: HAPPENED_AT }],
      ["task.gone", {}],
    ]);
    assert.equal(marked.length, 2);
  });
}

Deno.test("a recorder that left by itself is asked about without waiting for session_exit", async () => {
  const { reports } = await apply([EVENTS.left()], { query: [{ outcome: "not_found" }] });
  assert.deepEqual(reports.at(-1), ["task.gone", {}]);
});

Deno.test("a start that failed is no start", async () => {
  const { reports } = await apply([EVENTS.started(1)], { query: [{ outcome: "not_found" }] });
  assert.deepEqual(reports, [["task.suspected", {}]]);
});

for (const change of [
  { recording: { status: "stopping" } },
  { recording: { status: "processing" } },
  { task: { superseded: true } },
] as const) {
  Deno.test(`nobody asks about a task that is not wanted: its stop does (${JSON.stringify(change)})`, async () => {
    const { outcome, marked, queries } = await apply([EVENTS.exit(), EVENTS.left(), EVENTS.fatal()], change);
    assert.deepEqual([outcome, marked.length, queries], [done, 3, 0]);
  });
}

Deno.test("a fatal error with a 404 is the end of the task, with its reason", async () => {
  const { outcome, reports, marked } = await apply([EVENTS.fatal(), EVENTS.exit()], {
    query: [{ outcome: "not_found" }],
    recording: { status: "starting" },
  });
  assert.equal(outcome, done);
  assert.equal(marked.length, 2);
  assert.equal(reports.length, 1);
  const [event, told] = reports[0] ?? [];
  assert.equal(event, "task.gone");
  assert.ok(JSON.stringify(told).includes('"code":"engine_token_invalid"'));
  assert.ok(!JSON.stringify(told).includes("detail"), "the detail is not for people");
});

Deno.test("right after a fatal error the engine may still call the task alive: it is asked again for half a minute", async () => {
  const young = await apply([EVENTS.fatal()], {
    query: [running("recording")],
    receivedAtMs: BEGIN_MS - 29_000,
  });
  assert.deepEqual(
    [young.outcome, young.marked, young.reports],
    [{ outcome: "snooze", afterMs: 3_000 }, [], []],
  );
  const old = await apply([EVENTS.fatal()], {
    query: [running("recording")],
    receivedAtMs: BEGIN_MS - 30_000,
  });
  assert.deepEqual([old.outcome, old.marked.length, old.reports], [done, 1, []]);
});

Deno.test("a fatal error and an open answer: the event waits", async () => {
  const { outcome, marked } = await apply([EVENTS.fatal()], { query: [unclear] });
  assert.deepEqual([outcome.outcome, marked], ["retry", []]);
});

// What cannot be applied

Deno.test("a malformed event is noted and passed over; what comes after it is applied", async () => {
  const good = EVENTS.started();
  const broken: { noticeId: string }[] = [{ noticeId: "broken" }, good];
  const { outcome, reports, marked, logged } = await apply(broken);
  assert.equal(outcome, done);
  assert.deepEqual(
    reports.map(([event]) => event),
    ["task.confirmed"],
  );
  assert.deepEqual(marked, ["broken", good.noticeId]);
  assert.deepEqual([logged[0]?.step, logged[0]?.notice_id], ["event.passed_over", "broken"]);
});

Deno.test("what the database refuses for good is passed over too", async () => {
  const refusal = new RecorderFailure({ code: "event_unknown", blame: "us", retry: "never", message: "No." });
  const { outcome, marked } = await apply([EVENTS.started(), EVENTS.uploaded()], {
    options: { reportFails: (_event, count) => (count === 1 ? refusal : undefined) },
  });
  assert.deepEqual([outcome, marked.length], [done, 2]);
});

Deno.test("when the database is away, what was applied is marked and the rest is tried again", async () => {
  const events = [EVENTS.started(), EVENTS.firstFile(), EVENTS.uploaded()];
  const { outcome, marked, reports } = await apply(events, {
    options: { reportFails: (_event, count) => (count === 2 ? new Error("connection reset") : undefined) },
  });
  assert.equal(outcome.outcome, "retry");
  assert.deepEqual(marked, [events[0]?.noticeId]);
  assert.equal(reports.length, 2);
});

Deno.test("without a task or events there is nothing to do", async () => {
  const { deps, story } = controlForTest();
  const job = jobForTest({ engine_task_id: TASK_ID, tasks: [taskForTest()] });
  assert.equal(await applyEvents({ ...job, events: [] }, SETTINGS, deps), done);
  assert.equal(await applyEvents({ ...job, events: null }, SETTINGS, deps), done);
  const event = EVENTS.started();
  const events = [{ notice_id: event.noticeId, event, received_at: BEGIN_MS }];
  assert.equal(await applyEvents({ ...job, events, tasks: [] }, SETTINGS, deps), done);
  assert.deepEqual(story, []);
});
