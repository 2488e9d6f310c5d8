// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { hidePresence, listen, showPresence } from "../src/backend/channels.ts";
import { type StagedChannel, stageRealtime } from "./realtime-stage.ts";

let channels: StagedChannel[];
let topic: string;

beforeEach(() => {
  vi.useFakeTimers();
  channels = stageRealtime();
  topic = `call:${crypto.randomUUID()}`;
});
afterEach(async () => {
  await vi.runAllTimersAsync();
  vi.useRealTimers();
});

test("two listeners share a private channel, and both hear", () => {
  const heard: string[] = [];
  const leave = [1, 2].map((who) => listen(topic, { heard: (event) => void heard.push(`${who} ${event}`) }));
  expect(channels).toHaveLength(1);
  expect(channels[0]?.options).toMatchObject({ config: { private: true } });
  channels[0]?.send("call.changed", {});
  expect(heard).toEqual(["1 call.changed", "2 call.changed"]);
  for (const go of leave) go();
});

test("one leaving takes nothing from the other; the last one's leaving closes it, after a moment", async () => {
  const heard: unknown[] = [];
  const first = listen(topic, {});
  const second = listen(topic, { heard: (_event, payload) => void heard.push(payload) });
  first();
  // An effect that runs twice leaves twice.
  first();
  await vi.advanceTimersByTimeAsync(5_000);
  channels[0]?.send("call.changed", 1);
  expect(heard).toEqual([1]);
  expect(channels[0]?.wasRemoved).toBe(false);
  second();
  expect(channels[0]?.wasRemoved).toBe(false);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(channels[0]?.wasRemoved).toBe(true);
});

test("leaving and coming at once, as in StrictMode, keeps the channel", async () => {
  listen(topic, {})();
  const leave = listen(topic, {});
  await vi.advanceTimersByTimeAsync(5_000);
  expect(channels).toHaveLength(1);
  expect(channels[0]?.wasRemoved).toBe(false);
  leave();
});

test("who comes to a live channel is told so, and everybody at each rejoin", async () => {
  const told: string[] = [];
  const first = listen(topic, {
    joined: () => void told.push("first joined"),
    lost: () => void told.push("first lost"),
  });
  channels[0]?.state?.("SUBSCRIBED");
  const second = listen(topic, { joined: () => void told.push("second joined") });
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(["first joined", "second joined"]);
  channels[0]?.state?.("CHANNEL_ERROR");
  expect(told).toEqual(["first joined", "second joined", "first lost"]);
  channels[0]?.state?.("SUBSCRIBED");
  expect(told).toEqual(["first joined", "second joined", "first lost", "first joined", "second joined"]);
  first();
  second();
});

test("a channel that was closed is opened anew, later each time", async () => {
  let joins = 0;
  const leave = listen(topic, { joined: () => void joins++ });
  channels[0]?.state?.("SUBSCRIBED");
  channels[0]?.state?.("CLOSED");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(channels).toHaveLength(2);
  channels[1]?.state?.("CLOSED");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(channels).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(channels).toHaveLength(3);
  // What the old one still says is not heard.
  channels[0]?.state?.("SUBSCRIBED");
  expect(joins).toBe(1);
  leave();
});

test("presence is said again after each rejoin, until it is taken back", () => {
  const seen: unknown[] = [];
  const leave = listen(topic, { present: (people) => void seen.push(people) });
  showPresence(topic, { name: "Amara" });
  expect(channels[0]?.tracked).toEqual([]);
  channels[0]?.state?.("SUBSCRIBED");
  channels[0]?.state?.("CHANNEL_ERROR");
  channels[0]?.state?.("SUBSCRIBED");
  expect(channels[0]?.tracked).toEqual([{ name: "Amara" }, { name: "Amara" }]);
  channels[0]?.meet({ tab: [{ name: "Chidi" }] });
  expect(seen).toEqual([{ tab: [{ name: "Chidi" }] }]);
  hidePresence(topic);
  channels[0]?.state?.("SUBSCRIBED");
  expect(channels[0]?.tracked).toHaveLength(2);
  leave();
});
