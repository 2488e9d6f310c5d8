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

  await starting.view.until("recording", { limitMs: 40_000 });
  expect(await engine.running(starting.call.channel)).toHaveLength(1);
  await engine.untilNothingRuns(stopping.call.channel, 40_000);
  await stopping.view.until("recorded");
  expect(await engine.openFaults()).toEqual([]);
  const dead = await sql`select kind, last_error from recorder.jobs where state = 'dead'`;
  expect([...dead]).toEqual([]);

  await starting.say("stopping");
  await engine.untilNothingRuns(starting.call.channel, 5_000);
}, 60_000);

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
