import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type CallRow, callRow, joinCall, type Pair, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { eventually, statusesOf, watchCall } from "./watching.ts";

const under = useStack();

const life = ["starting", "recording", "stopping", "processing", "recorded"];

/** Everything that was ever made of a channel: recordings, and engine tasks we asked for. */
async function madeIn(channel: string) {
  const [made] = await under.sql<{ recordings: number; tasks: number }[]>`
    select count(distinct r.id)::int as recordings, count(t.id)::int as tasks
    from public.recordings r left join recorder.engine_tasks t on t.recording_id = r.id where r.channel = ${channel}`;
  return made;
}

async function statusOf(callId: string): Promise<unknown> {
  const [row] = await under.sql`select recording_status from public.video_calls where id = ${callId}`;
  return row?.recording_status;
}

describe.concurrent("of one call", () => {
  test("both join the same call, both start, both stop: one recording, one engine task", async () => {
    const { people, engine } = under;
    const { mentor, mentee, mentorshipId } = await people.pair();
    const joined = await Promise.all(
      [mentor, mentee, mentor, mentee].map((who) => joinCall(who, mentorshipId)),
    );
    const [call] = joined as [CallRow, ...CallRow[]];
    expect(new Set(joined.map(({ id }) => id))).toEqual(new Set([call.id]));
    const [ofMentor, ofMentee] = await Promise.all([
      watchCall(mentor.client, call.id),
      watchCall(mentee.client, call.id),
    ]);
    const all = (word: string) =>
      Promise.all([mentor, mentee, mentor, mentee].map(({ client }) => wish(client, call.id, word)));

    const accepted = (status: string) => ({ status: 200, code: undefined, became: [status] });
    expect(await all("starting")).toEqual(Array(4).fill(accepted("starting")));
    await Promise.all([ofMentor.until("recording"), ofMentee.until("recording")]);
    expect(await engine.tasks(call.channel)).toHaveLength(1);
    // Again, while it records: no error, and nothing new.
    expect(await all("starting")).toEqual(Array(4).fill(accepted("recording")));
    await pause(500);
    expect((await all("stopping")).every(({ code }) => code === undefined)).toBe(true);
    await Promise.all([ofMentor.until("recorded"), ofMentee.until("recorded")]);
    expect(await all("stopping")).toEqual(Array(4).fill(accepted("recorded")));

    expect(await madeIn(call.channel)).toEqual({ recordings: 1, tasks: 1 });
    expect(statusesOf(ofMentor.broadcasts)).toEqual(life);
    expect(statusesOf(ofMentee.broadcasts)).toEqual(life);
  }, 180_000);

  test("one starts and the other stops at the same moment: the recording ends, whoever was first", async () => {
    const { people, engine } = under;
    const { mentor, mentee, mentorshipId } = await people.pair();
    const call = await joinCall(mentor, mentorshipId);
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all([
        wish(mentor.client, call.id, "starting"),
        wish(mentee.client, call.id, "stopping"),
      ]);
      expect(answers.map(({ code }) => code)).toEqual([undefined, undefined]);
      await wish(mentee.client, call.id, "stopping");
      await eventually(() => statusOf(call.id), "failed");
      expect(await engine.running(call.channel)).toEqual([]);
    }
  }, 180_000);
});

describe.concurrent("of two rows for one meeting, as the old portal makes them", () => {
  /** One row per person, inserted by the old portal's server with the secret key. */
  async function meet({ mentorshipId }: Pair): Promise<[CallRow, CallRow]> {
    const rows = await Promise.all(
      [1, 2].map(async () => {
        const { data, error } = await under.people.service
          .from("video_calls")
          .insert({ mentorship_id: mentorshipId, recording_status: "not_recorded" })
          .select()
          .single();
        if (error !== null) throw error;
        return callRow.parse(data);
      }),
    );
    return rows as [CallRow, CallRow];
  }

  test("both rows mirror the one live recording to its end, and there is one engine task only", async () => {
    const { people, engine } = under;
    const pair = await people.pair();
    const [first, second] = await meet(pair);
    expect([first.channel, second.channel]).toEqual([pair.mentorshipId, pair.mentorshipId]);
    expect([first.recording_status, second.recording_status]).toEqual([null, null]);
    const [ofFirst, ofSecond] = await Promise.all([
      watchCall(pair.mentor.client, first.id),
      watchCall(pair.mentee.client, second.id),
    ]);

    // The old words, with the made-up facts that the old portal writes beside them.
    const started = await Promise.all([
      wish(people.service, first.id, "recording", { recording_key: "made-up-1" }),
      wish(people.service, second.id, "recording", { recording_key: "made-up-2" }),
    ]);
    expect(started.map(({ status, became }) => [status, became])).toEqual(Array(2).fill([200, ["starting"]]));
    const [one, other] = await Promise.all([ofFirst.until("recording"), ofSecond.until("recording")]);
    expect(one.recording_id).toBe(other.recording_id);
    expect(await engine.tasks(pair.mentorshipId)).toHaveLength(1);
    expect(await madeIn(pair.mentorshipId)).toEqual({ recordings: 1, tasks: 1 });

    await pause(500);
    const url = "https://elsewhere.example.com/made-up.mp4";
    const stopped = await wish(people.service, second.id, "recorded", { recording_url: url });
    expect(stopped).toMatchObject({ status: 200, became: ["stopping"] });
    const [end, otherEnd] = await Promise.all([ofFirst.until("recorded"), ofSecond.until("recorded")]);
    await engine.untilNothingRuns(pair.mentorshipId, 60_000);
    expect(end.recording_url).toBe(`/recordings/${one.recording_id}`);
    expect(otherEnd.recording_url).toBe(end.recording_url);
    expect(statusesOf(ofFirst.broadcasts)).toEqual(life);
    expect(statusesOf(ofSecond.broadcasts)).toEqual(life);
  }, 180_000);

  test("the end of the other person's row does not stop a recording that was begun on mine; the end of mine does", async () => {
    const { people, engine, sql } = under;
    const pair = await people.pair();
    const [mine, theirs] = await meet(pair);
    const view = await watchCall(pair.mentor.client, mine.id);
    await wish(pair.mentor.client, mine.id, "starting");
    await view.until("recording");

    const end = (id: string) =>
      people.service
        .from("video_calls")
        .update({ status: "ended", end_time: new Date().toISOString() })
        .eq("id", id);
    await end(theirs.id);
    const [recording] = await sql`select status from public.recordings where call_id = ${mine.id}`;
    expect(recording?.status).toBe("recording");
    expect(await engine.running(pair.mentorshipId)).toHaveLength(1);
    await end(mine.id);
    await view.until("stopping");
    await engine.untilNothingRuns(pair.mentorshipId, 60_000);
    expect((await view.until("recorded")).recording_error).toBeNull();
    // The row that ended earlier tells the end too, not for ever what it saw when it ended.
    await eventually(() => statusOf(theirs.id), "recorded");
  }, 180_000);
});
