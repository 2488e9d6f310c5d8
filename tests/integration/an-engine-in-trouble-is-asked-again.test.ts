import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { joinCall, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { eventually, watchCall } from "./watching.ts";

const under = useStack();

beforeAll(async () => {
  // Pauses of seconds where real life has up to a minute; the tests are about what comes after them.
  await under.sql`update recorder.settings set value = 200 where name = 'retry_first_delay'`;
  await under.sql`update recorder.settings set value = 2 where name = 'confirm_delay'`;
});

async function newScene() {
  const pair = await under.people.pair();
  const call = await joinCall(pair.mentor, pair.mentorshipId);
  const view = await watchCall(pair.mentee.client, call.id);
  return { call, view, say: (word: string) => wish(pair.mentor.client, call.id, word) };
}

test("errors of acquire, start and stop cost time, not the recording, and leave no second recorder", async () => {
  const { engine, sql } = under;
  const [starting, stopping] = await Promise.all([newScene(), newScene()]);
  await stopping.say("starting");
  await stopping.view.until("recording");
  await pause(500);
  for (const [call, statuses] of [
    ["acquire", [429, 500, 504]],
    ["start", [500, 504]],
    ["stop", [206, 429, 500, 503, 504]],
  ] as const) {
    for (const status of statuses) await engine.addFault({ kind: "answer", call, status });
  }
  await Promise.all([starting.say("starting"), stopping.say("stopping")]);

  await starting.view.until("recording", { limitMs: 60_000 });
  expect(await engine.running(starting.call.channel)).toHaveLength(1);
  await engine.untilNothingRuns(stopping.call.channel, 60_000);
  await stopping.view.until("recorded");
  expect(await engine.openFaults()).toEqual([]);
  const dead = await sql`select kind, last_error from recorder.jobs where state = 'dead'`;
  expect([...dead]).toEqual([]);

  await starting.say("stopping");
  await engine.untilNothingRuns(starting.call.channel, 60_000);
}, 180_000);

test("events of the engine that come late, twice, or never change nothing about the outcome", async () => {
  const { call, view, say } = await newScene();
  for (const fault of [
    { kind: "drop_webhook", eventType: 40 },
    { kind: "duplicate_webhook", times: 10 },
    { kind: "delay_webhook", eventType: 41, ms: 2_000 },
  ]) {
    await under.engine.addFault(fault);
  }
  await say("starting");
  // Without event 40 it is the query some seconds later that finds it in the channel.
  await view.until("recording");
  await say("stopping");
  const { recording_id: recordingId } = await view.until("recorded");
  await under.engine.clearFaults();
  const read = async () => {
    const [row] = await under.sql`
        select t.state, t.left_at is not null as has_left from recorder.engine_tasks t where t.recording_id = ${recordingId}`;
    return row;
  };
  await eventually(read, { state: "gone", has_left: true });
  const [recording] =
    await under.sql`select status, is_partial from public.recordings where channel = ${call.channel}`;
  expect(recording).toEqual({ status: "recorded", is_partial: false });
});

test("files that come late, by the engine's backup cloud, are awaited, and nothing of the recording is missing", async () => {
  const { call, view, say } = await newScene();
  await under.engine.addFault({ kind: "backup_cloud", cname: call.channel, ms: 6_000 });
  await say("starting");
  await view.until("recording");
  await pause(6_000);
  await say("stopping");
  await view.until("processing");
  await view.until("recorded", { limitMs: 60_000 });
  const [recording] =
    await under.sql`select status, is_partial, gaps from public.recordings where channel = ${call.channel}`;
  expect(recording).toMatchObject({ status: "recorded", is_partial: false });
}, 90_000);

test("where every answer to start and every event is lost, the first file tells which recorder it is", async () => {
  const { engine, sql } = under;
  const [wanted, unwanted] = await Promise.all([newScene(), newScene()]);
  for (const { call } of [wanted, unwanted]) {
    await engine.addFault({ kind: "lose_reply", call: "start", cname: call.channel, times: 100 });
    await engine.addFault({ kind: "drop_webhook", cname: call.channel, times: 1_000 });
  }
  await Promise.all([wanted.say("starting"), unwanted.say("starting")]);
  await eventually(async () => (await engine.running(unwanted.call.channel)).length, 1);
  await unwanted.say("stopping");

  // Nobody told us its sid; it records all the same, and one recorder only.
  await wanted.view.until("recording");
  expect(await engine.running(wanted.call.channel)).toHaveLength(1);
  const told = await sql`
    select t.attempt, t.sid from recorder.engine_tasks t where t.channel = ${wanted.call.channel}`;
  expect([...told]).toEqual([{ attempt: 1, sid: (await engine.running(wanted.call.channel))[0]?.sid }]);

  // The one that nobody wants is found by the same way, and stopped: its first file and a minute at most.
  await engine.untilNothingRuns(unwanted.call.channel, 75_000);
  await wanted.say("stopping");
  await engine.untilNothingRuns(wanted.call.channel, 10_000);
  await wanted.view.until("recorded");
  await engine.clearFaults();
}, 180_000);

test("at the ceiling a wish waits with its place in sight, and is served when a recorder ends", async () => {
  const { engine, sql } = under;
  const [first, second, third] = await Promise.all([newScene(), newScene(), newScene()]);
  await sql`update recorder.settings set value = 1 where name = 'concurrent_tasks'`;
  try {
    await first.say("starting");
    await first.view.until("recording");
    await second.say("starting");
    await third.say("starting");
    const placeOf = ({ view }: typeof first) => view.broadcasts.at(-1)?.recording_queue_place;
    await eventually(() => [placeOf(first), placeOf(second), placeOf(third)], [null, 1, 2]);
    expect(await engine.running(second.call.channel)).toEqual([]);

    await first.say("stopping");
    await second.view.until("recording");
    await eventually(() => [placeOf(second), placeOf(third)], [null, 1]);
    // The engine counts a task for a moment after its answer to stop: asked at once, it would refuse with 406.
    const [rest] = await sql<{ kept: boolean }[]>`
      select min(t.start_sent_at) filter (where t.channel = ${second.call.channel})
        >= max(t.gone_at) filter (where t.channel = ${first.call.channel}) + recorder.seconds('place_rest') as kept
      from recorder.engine_tasks t`;
    expect(rest?.kept).toBe(true);
    await third.say("stopping");
    expect((await third.view.until("failed")).recording_error?.code).toBe("stopped_before_start");
    expect(placeOf(third)).toBeNull();
    await second.say("stopping");
    await engine.untilNothingRuns(second.call.channel, 10_000);
  } finally {
    await sql`update recorder.settings set value = 50 where name = 'concurrent_tasks'`;
  }
}, 90_000);
