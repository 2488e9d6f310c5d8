import type { RealtimeChannel, SupabaseClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ann, bob, publishableKey, Seen, type Stage, setStage, token } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ maxBroadcastBytes: 1_000 });
});
afterAll(() => stage.end());

interface Told {
  event: "sync" | "join" | "leave";
  key?: string;
  names: string[];
}

/** A channel of the real client, with everything that it is told about who is there. */
function watch(client: SupabaseClient, topic: string, config: { key?: string; private?: boolean } = {}) {
  const told = new Seen<Told>();
  const statuses = new Seen<string>();
  const system = new Seen<string>();
  const namesOf = (list: readonly object[]) =>
    list.map((presence) => ("name" in presence ? String(presence.name) : "?"));
  const channel = client.channel(topic, {
    config: { private: config.private ?? true, presence: { key: config.key ?? "" } },
  });
  channel
    .on("presence", { event: "sync" }, () => told.add({ event: "sync", names: present(channel) }))
    .on("presence", { event: "join" }, ({ key, newPresences }) =>
      told.add({ event: "join", key, names: namesOf(newPresences) }),
    )
    .on("presence", { event: "leave" }, ({ key, leftPresences }) =>
      told.add({ event: "leave", key, names: namesOf(leftPresences) }),
    )
    .on("system", {}, ({ message }) => system.add(String(message)))
    .subscribe((status) => statuses.add(status));
  return {
    channel,
    told,
    statuses,
    system,
    present: () => present(channel),
    /** Waits until it has joined and was told who is there. */
    async ready() {
      await statuses.find((status) => status === "SUBSCRIBED");
      await told.find(({ event }) => event === "sync");
    },
    sees: (...names: string[]) =>
      told.find(({ event }) => event === "sync" && String(present(channel)) === String(names)),
  };
}

function present(channel: RealtimeChannel): string[] {
  return Object.values(channel.presenceState<{ name: string }>())
    .flatMap((list) => list.map(({ name }) => name))
    .sort();
}

test("who comes is announced, who was there is told, who goes is announced", async () => {
  const first = watch(await stage.clientOf(ann), "lobby", { key: "ann" });
  await first.ready();
  expect(first.present()).toEqual([]);
  expect(await first.channel.track({ name: "Ann" })).toBe("ok");
  await first.sees("Ann");

  const second = watch(await stage.clientOf(bob), "lobby", { key: "bob" });
  await second.sees("Ann");
  expect(await second.channel.track({ name: "Bob" })).toBe("ok");
  await Promise.all([first.sees("Ann", "Bob"), second.sees("Ann", "Bob")]);
  expect(await first.told.find(({ event, key }) => event === "join" && key === "bob")).toEqual({
    event: "join",
    key: "bob",
    names: ["Bob"],
  });

  expect(await second.channel.untrack()).toBe("ok");
  await first.sees("Ann");
  expect(await first.told.find(({ event }) => event === "leave")).toEqual({
    event: "leave",
    key: "bob",
    names: ["Bob"],
  });
  await first.channel.unsubscribe();
  await second.told.find(({ event, key }) => event === "leave" && key === "ann");
  expect(second.present()).toEqual([]);
});

test("what somebody says anew replaces what was said; the same again is told to nobody", async () => {
  const ear = watch(await stage.clientWith(), "changing", { private: false });
  await ear.ready();
  const speaker = watch(await stage.clientWith(), "changing", { private: false, key: "me" });
  await speaker.ready();
  await speaker.channel.track({ name: "before" });
  await ear.sees("before");
  await speaker.channel.track({ name: "after" });
  await ear.sees("after");
  const heard = ear.told.items.length;
  expect(await speaker.channel.track({ name: "after" })).toBe("ok");
  await speaker.channel.untrack();
  await ear.sees();
  expect(ear.told.items.slice(heard).map(({ event }) => event)).toEqual(["leave", "sync"]);
});

test("two tabs of one person are one key, which stays until both are gone", async () => {
  const ear = watch(await stage.clientOf(bob), "lobby");
  await ear.ready();
  const [one, two] = [await stage.clientOf(ann), await stage.clientOf(ann)].map((client) =>
    watch(client, "lobby", { key: "ann" }),
  );
  await Promise.all([one?.ready(), two?.ready()]);
  await one?.channel.track({ name: "first tab" });
  await two?.channel.track({ name: "second tab" });
  await ear.sees("first tab", "second tab");
  expect(Object.keys(ear.channel.presenceState())).toEqual(["ann"]);
  await one?.channel.unsubscribe();
  await ear.sees("second tab");
  await two?.channel.unsubscribe();
  await ear.sees();
});

test("a tab that dies without a word has left", async () => {
  const ear = watch(await stage.clientOf(ann), "lobby");
  await ear.ready();
  const client = await stage.clientOf(bob);
  const dying = watch(client, "lobby", { key: "bob" });
  await dying.ready();
  await dying.channel.track({ name: "Bob" });
  await ear.sees("Bob");
  // No leave, no close of the channel: only the socket is gone.
  await client.realtime.disconnect();
  await ear.sees();
});

test("a stranger may not join, a listener without the right may not show itself, and nobody learns of either", async () => {
  const ear = watch(await stage.clientOf(ann), "lobby");
  await ear.ready();
  const stranger = watch(await stage.clientOf(bob), `notes:${ann}`);
  await stranger.statuses.find((status) => status === "CHANNEL_ERROR");

  const hidden = watch(
    await stage.clientWith(await token({ sub: bob, hidden: true }), publishableKey),
    "lobby",
    { key: "bob" },
  );
  await hidden.ready();
  expect(await hidden.channel.track({ name: "Bob" })).toBe("error");
  // Others are still seen by it, and it by nobody.
  const third = watch(await stage.clientOf(ann), "lobby", { key: "third" });
  await third.ready();
  await third.channel.track({ name: "Third" });
  await Promise.all([hidden.sees("Third"), ear.sees("Third")]);
  await third.channel.unsubscribe();
});

test("where presence may not be read, nobody is seen although broadcasts are heard", async () => {
  const channel = watch(await stage.clientOf(ann), "announcements");
  await channel.statuses.find((status) => status === "SUBSCRIBED");
  expect(await channel.channel.track({ name: "Ann" })).toBe("error");
  expect(channel.told.items).toEqual([]);
});

test("a public and a private topic of one name have different people", async () => {
  const open = watch(await stage.clientOf(ann), "lobby", { private: false, key: "open" });
  await open.ready();
  const closed = watch(await stage.clientOf(bob), "lobby", { key: "closed" });
  await closed.ready();
  await open.channel.track({ name: "outside" });
  await open.sees("outside");
  await closed.channel.track({ name: "inside" });
  await closed.sees("inside");
  expect(open.present()).toEqual(["outside"]);
  await closed.channel.unsubscribe();
});

test("who shows itself without having asked for presence hears of the others from then on", async () => {
  const other = watch(await stage.clientOf(ann), "lobby", { key: "ann" });
  await other.ready();
  await other.channel.track({ name: "Ann" });
  const client = await stage.clientOf(bob);
  const silent = client.channel("lobby", { config: { private: true } });
  const joined = new Seen<string>();
  silent.subscribe(joined.add);
  await joined.find((status) => status === "SUBSCRIBED");
  expect(await silent.track({ name: "Bob" })).toBe("ok");
  await other.sees("Ann", "Bob");
  await expect.poll(() => present(silent), { timeout: 30_000 }).toEqual(["Ann", "Bob"]);
});

test("what is no map or has too many keys is refused, what is too large ends the channel", async () => {
  const channel = watch(await stage.clientWith(), "shapes", { private: false });
  await channel.ready();
  expect(await channel.channel.track(["no", "map"] as unknown as { name: string })).toBe("error");
  const keys = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 1]));
  expect(await channel.channel.track(keys(11))).toBe("error");
  expect(await channel.channel.track(keys(10))).toBe("ok");
  void channel.channel.track({ name: "x".repeat(1_000) });
  await channel.system.find((message) => message === "Track message size exceeded");
});

test("the sixth call within half a minute ends the channel", async () => {
  const channel = watch(await stage.clientWith(), "busy", { private: false, key: "me" });
  await channel.ready();
  for (let round = 1; round <= 5; round += 1) {
    expect(await channel.channel.track({ name: `round ${round}` })).toBe("ok");
  }
  void channel.channel.track({ name: "round 6" });
  await channel.system.find((message) => message === "Client presence rate limit exceeded");
  await channel.statuses.find((status) => status === "CLOSED");
});
