import type { SupabaseClient } from "@supabase/supabase-js";
import { expect, test } from "vitest";
import { joinCall, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { changesFlow, eventually, subscribed, watchCall } from "./watching.ts";

const under = useStack();

/** Listens to every change of both published tables, without and with a filter; gives what arrives. */
async function overhear(client: SupabaseClient, callId: string) {
  const heard: { new: unknown; old: unknown; errors: unknown }[] = [];
  const channel = client
    .channel("everything")
    .on(
      "postgres_changes",
      { event: "*", schema: "public", table: "video_calls" },
      (change) => void heard.push(change),
    )
    .on(
      "postgres_changes",
      { event: "*", schema: "public", table: "recordings" },
      (change) => void heard.push(change),
    );
  const flow = changesFlow(channel);
  await Promise.all([subscribed(channel), flow]);
  const filtered = client
    .channel("one call")
    .on(
      "postgres_changes",
      { event: "*", schema: "public", table: "video_calls", filter: `id=eq.${callId}` },
      (change) => void heard.push(change),
    );
  const answer = changesFlow(filtered).then(
    () => "flows",
    () => "refused",
  );
  await subscribed(filtered);
  return { heard, filter: await answer };
}

test.concurrent("a private topic is refused to a stranger, to people of another mentorship, and to whoever has not signed in", async () => {
  const { people } = under;
  const { mentor, mentorshipId } = await people.pair();
  const call = await joinCall(mentor, mentorshipId);
  const [stranger, other] = await Promise.all([people.stranger(), people.pair()]);
  const topics = [
    `call:${call.id}`,
    `mentorship:${mentorshipId}`,
    `call:${call.id.toUpperCase()}`,
    `call:${call.id} `,
    "call:*",
    "call:",
    "recordings",
  ];
  const listeners = [stranger.client, other.mentee.client, people.anonymous()];
  const joinings = listeners.flatMap((client) =>
    topics.map((topic) => subscribed(client.channel(topic, { config: { private: true } }))),
  );
  for (const joining of await Promise.allSettled(joinings)) {
    expect(joining).toMatchObject({
      status: "rejected",
      reason: {
        message: expect.stringContaining("You do not have permissions to read from this Channel topic"),
      },
    });
  }
  // The two people may, and so is shown that the refusals are not everybody's.
  await subscribed(mentor.client.channel(`call:${call.id}`, { config: { private: true } }));
});

test.concurrent("a public channel of the same name hears nothing of the private one, and nobody can speak on that", async () => {
  const { people } = under;
  const { mentor, mentee, mentorshipId } = await people.pair();
  const call = await joinCall(mentor, mentorshipId);
  const stranger = await people.stranger();
  const heard: unknown[] = [];
  const listen = (client: SupabaseClient) =>
    client.channel(`call:${call.id}`).on("broadcast", { event: "*" }, (message) => void heard.push(message));
  const open = listen(stranger.client);
  await Promise.all([subscribed(open), subscribed(listen(people.anonymous()))]);
  const view = await watchCall(mentee.client, call.id);

  // A made-up status, said on the public channel by a stranger and on the private one by the mentor.
  const lie = {
    type: "broadcast",
    event: "call.changed",
    payload: { recording_status: "recorded" },
  } as const;
  await open.send(lie);
  const own = mentor.client.channel(`call:${call.id}`, { config: { private: true } });
  await subscribed(own);
  await own.send(lie);
  await wish(mentor.client, call.id, "starting");
  await view.until("recording");

  // What people say to each other there is their own affair; of what the database tells, nothing.
  expect(heard).toEqual([expect.objectContaining({ payload: lie.payload })]);
  expect(view.broadcasts.map((pushed) => pushed.recording_status)).not.toContain("recorded");
  await wish(mentor.client, call.id, "stopping");
});

test.concurrent("changes of calls and recordings bring a stranger nothing and nobody not a single value", async () => {
  const { people } = under;
  const { mentor, mentee, mentorshipId } = await people.pair();
  const call = await joinCall(mentor, mentorshipId);
  const stranger = await people.stranger();
  const view = await watchCall(mentee.client, call.id);
  const [ofStranger, ofNobody] = await Promise.all([
    overhear(stranger.client, call.id),
    overhear(people.anonymous(), call.id),
  ]);
  expect(ofStranger.filter).toBe("flows");
  // Whoever may not read the column may not filter by it.
  expect(ofNobody.filter).toBe("refused");

  await wish(mentor.client, call.id, "starting");
  await view.until("recording");
  await wish(mentor.client, call.id, "stopping");
  await view.until("processing");
  await eventually(() => view.changes.at(-1)?.recording_status, "processing");

  // A change that the stranger may see comes later than all of these on the same channel, so nothing is still on its way.
  const own = await people.pair();
  const ownCall = await joinCall(own.mentor, own.mentorshipId);
  const ownHeard = await overhear(own.mentor.client, ownCall.id);
  await wish(own.mentor.client, ownCall.id, "starting");
  await eventually(() => ownHeard.heard.length > 0, true);

  expect(ofStranger.heard).toEqual([]);
  for (const change of ofNobody.heard) {
    expect(change).toMatchObject({ new: {}, old: {}, errors: ["Error 401: Unauthorized"] });
    expect([Object.keys(change.new ?? {}), Object.keys(change.old ?? {})]).toEqual([[], []]);
  }
});

test.concurrent("a topic is refused to a person who is no longer one of the two", async () => {
  const { people } = under;
  const { mentee, mentor, mentorshipId } = await people.pair();
  const call = await joinCall(mentor, mentorshipId);
  await watchCall(mentee.client, call.id);
  await mentee.client.removeAllChannels();
  await people.service.from("mentees").update({ user_id: null }).eq("user_id", mentee.id);
  const joining = subscribed(mentee.client.channel(`call:${call.id}`, { config: { private: true } }));
  await expect(joining).rejects.toThrow("You do not have permissions");
});
