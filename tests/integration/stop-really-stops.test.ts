import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type CallRow, joinCall, type Pair, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { type CallView, eventually, watchCall } from "./watching.ts";

const under = useStack();

/** Until the engine itself says that nothing records any more: a limit, the benchmark measures. */
const stopsWithinMs = 60_000;

interface Scene extends Pair {
  call: CallRow;
  view: CallView;
}

async function newScene(): Promise<Scene> {
  const pair = await under.people.pair();
  const call = await joinCall(pair.mentor, pair.mentorshipId);
  return { ...pair, call, view: await watchCall(pair.mentee.client, call.id) };
}

async function recordingScene(): Promise<Scene> {
  const scene = await newScene();
  await wish(scene.mentor.client, scene.call.id, "starting");
  await scene.view.until("recording");
  expect(await under.engine.running(scene.call.channel)).toHaveLength(1);
  // Half a second of picture and sound, so that there is something to keep.
  await pause(500);
  return scene;
}

/** What we know of the engine's tasks of a channel, oldest first. */
async function knownTasks(channel: string): Promise<{ attempt: number; state: string }[]> {
  return await under.sql`select attempt, state from recorder.engine_tasks where channel = ${channel} order by created_at`;
}

/** Waits until our own books say that all of a channel's tasks are over, and asserts that the engine agrees. */
async function expectAllGone(channel: string): Promise<void> {
  await eventually(async () => (await knownTasks(channel)).filter(({ state }) => state !== "gone"), []);
  expect(await under.engine.running(channel)).toEqual([]);
}

describe.concurrent("Nothing records in the channel any more after", () => {
  const ways: [string, (scene: Scene) => PromiseLike<{ error: unknown } | { code: string | undefined }>][] = [
    ["a wish to stop", ({ mentor, call }) => wish(mentor.client, call.id, "stopping")],
    ["the other person's wish to stop", ({ mentee, call }) => wish(mentee.client, call.id, "stopping")],
    ["the old portal's word for it", ({ call }) => wish(under.people.service, call.id, "recorded")],
    ["the end of the call", ({ mentee, call }) => mentee.client.rpc("end_call", { call_id: call.id })],
    [
      "the end of the call as the old portal writes it",
      ({ call }) => under.people.service.from("video_calls").update({ status: "ended" }).eq("id", call.id),
    ],
  ];
  test.each(ways)(
    "%s",
    async (_way, act) => {
      const scene = await recordingScene();
      const answer = await act(scene);
      expect("code" in answer ? answer.code : answer.error).toBeFalsy();
      await scene.view.until("stopping");
      await under.engine.untilNothingRuns(scene.call.channel, stopsWithinMs);
      expect((await scene.view.until("recorded", { limitMs: 60_000 })).recording_error).toBeNull();
      await expectAllGone(scene.call.channel);
    },
    180_000,
  );

  test("the call was deleted; its recording and the copy of its people stay", async () => {
    const { call, mentorshipId } = await recordingScene();
    const { error } = await under.people.service.from("video_calls").delete().eq("id", call.id);
    expect(error).toBeNull();
    await under.engine.untilNothingRuns(call.channel, stopsWithinMs);
    const read = async () => {
      const [row] = await under.sql`
        select status, stop_reason, call_id, mentorship_id from public.recordings where channel = ${call.channel}`;
      return row;
    };
    await eventually(async () => (await read())?.status, "recorded", 60_000);
    expect(await read()).toMatchObject({
      stop_reason: "call_deleted",
      call_id: null,
      mentorship_id: mentorshipId,
    });
  }, 180_000);
});

describe("A stop before the recorder is there leaves none behind", () => {
  test("while it waits in the queue: it ends at once", async () => {
    const { mentor, call, view } = await newScene();
    await under.engine.addFault({ kind: "delay", call: "acquire", ms: 1_000 });
    await wish(mentor.client, call.id, "starting");
    await eventually(() => under.engine.openFaults(), []);
    expect(await wish(mentor.client, call.id, "stopping")).toMatchObject({ became: ["failed"] });
    expect((await view.until("failed")).recording_error).toMatchObject({
      code: "stopped_before_start",
      blame: "user",
    });
    // The request that was under way comes back to nobody who wants it.
    await expectAllGone(call.channel);
    expect(await under.engine.tasks(call.channel)).toEqual([]);
  });

  test("while the engine is being asked", async () => {
    const { mentor, call, view } = await newScene();
    await under.engine.addFault({ kind: "delay", call: "start", ms: 1_500 });
    await wish(mentor.client, call.id, "starting");
    await eventually(() => under.engine.openFaults(), []);
    expect(await wish(mentor.client, call.id, "stopping")).toMatchObject({ became: ["stopping"] });
    await view.until("failed");
    await expectAllGone(call.channel);
  });

  test("while the recorder is on its way into the channel", async () => {
    const { mentor, call, view } = await newScene();
    await wish(mentor.client, call.id, "starting");
    await eventually(async () => (await under.engine.running(call.channel)).length, 1);
    expect(await wish(mentor.client, call.id, "stopping")).toMatchObject({ became: ["stopping"] });
    await under.engine.untilNothingRuns(call.channel, stopsWithinMs);
    await view.until("failed");
    await expectAllGone(call.channel);
  });

  test("while the engine's answer to start is lost: it is stopped as soon as it shows itself", async () => {
    const { mentor, call, view } = await newScene();
    await under.engine.addFault({ kind: "lose_reply", call: "start" });
    await wish(mentor.client, call.id, "starting");
    await eventually(async () => (await under.engine.running(call.channel)).length, 1);
    await wish(mentor.client, call.id, "stopping");
    await view.until("stopping");
    await under.engine.untilNothingRuns(call.channel, stopsWithinMs);
    // By then it may have seen something, which is kept.
    await eventually(
      () => ["recorded", "failed"].includes(view.broadcasts.at(-1)?.recording_status ?? ""),
      true,
    );
    await expectAllGone(call.channel);
  });
});

describe("Lost replies", () => {
  test("of start: there is exactly one task all the same, and stop ends it", async () => {
    const { mentor, call, view } = await newScene();
    await under.engine.addFault({ kind: "lose_reply", call: "start" });
    await wish(mentor.client, call.id, "starting");
    await view.until("recording");
    expect(await under.engine.openFaults()).toEqual([]);
    // The request is repeated some seconds later, before the job is done; that must not make a second one.
    const starts = () => under.sql`
      select j.state from recorder.jobs j join public.recordings r on r.id = j.recording_id
      where r.channel = ${call.channel} and j.kind = 'start'`;
    await eventually(async () => [...(await starts())], [{ state: "done" }]);
    expect(await under.engine.tasks(call.channel)).toHaveLength(1);
    expect(await knownTasks(call.channel)).toEqual([{ attempt: 1, state: "running" }]);

    await wish(mentor.client, call.id, "stopping");
    await under.engine.untilNothingRuns(call.channel, stopsWithinMs);
    await view.until("recorded");
    await expectAllGone(call.channel);
  });

  test("of stop: the recording is kept and ends as always", async () => {
    const { mentor, call, view } = await recordingScene();
    await under.engine.addFault({ kind: "lose_reply", call: "stop" });
    await wish(mentor.client, call.id, "stopping");
    await under.engine.untilNothingRuns(call.channel, stopsWithinMs);
    await view.until("recorded");
    expect(await under.engine.openFaults()).toEqual([]);
    await expectAllGone(call.channel);
  });
});
