import assert from "node:assert/strict";
import { applyEvents } from "../../_shared/control/apply-events.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { done, type EngineTask, type JobRecording } from "../../_shared/jobs/job.ts";
import { jobForTest, recordingForTest, TASK_ID, taskForTest } from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";
import { type ControlOptions, controlForTest } from "./control-for-tests.ts";
import { EVENTS, HAPPENED_AT } from "./events-for-tests.ts";

async function apply(
  events: { noticeId: string }[],
  change: {
    task?: Partial<EngineTask>;
    recording?: Partial<JobRecording>;
    options?: ControlOptions;
    receivedAtMs?: number;
  } = {},
) {
  const control = controlForTest({}, change.options);
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
  const outcome = await applyEvents(job, control.deps);
  return {
    outcome,
    reports: control.reports(),
    marked: control.marked().flat(),
    /** Calls of the engine: there is never one, since nobody here has a slot. */
    queries: control.story.filter(([call]) => call === "query" || call === "stop").length,
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
    ["task.confirmed", "task.left", "task.doubted"],
  );
  assert.equal(queries, 0);
});

// Bad news: a doubt is saved, and the database asks for a question, which takes a slot.

const doubts: [string, { noticeId: string }, unknown[]][] = [
  ["an exit is a doubt", EVENTS.exit(), ["task.doubted", {}]],
  ["a start that failed is no start, but a doubt", EVENTS.started(1), ["task.doubted", {}]],
  [
    "a recorder that left is saved with its reasons",
    EVENTS.left(),
    ["task.left", { left_at: HAPPENED_AT, reasons: ["timer", "client_left"] }],
  ],
];
for (const [claim, event, report] of doubts) {
  Deno.test(claim, async () => {
    const { outcome, reports, marked, queries } = await apply([event]);
    assert.deepEqual([outcome, reports, marked, queries], [done, [report], [event.noticeId], 0]);
  });
}

Deno.test("a fatal error is a doubt with its reason, without what is not for people", async () => {
  const { outcome, reports, queries } = await apply([EVENTS.fatal()]);
  assert.deepEqual([outcome, queries], [done, 0]);
  const [event, told] = reports[0] ?? [];
  assert.equal(event, "task.doubted");
  assert.ok(JSON.stringify(told).includes('"code":"engine_token_invalid"'));
  assert.ok(!JSON.stringify(told).includes("detail"));
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
  assert.equal(await applyEvents({ ...job, events: [] }, deps), done);
  assert.equal(await applyEvents({ ...job, events: null }, deps), done);
  const event = EVENTS.started();
  const events = [{ notice_id: event.noticeId, event, received_at: BEGIN_MS }];
  assert.equal(await applyEvents({ ...job, events, tasks: [] }, deps), done);
  assert.deepEqual(story, []);
});
