// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchForReturns } from "../src/backend/awake.ts";
import { pollMs, refetchMs, watch } from "../src/backend/live.ts";
import { type StagedChannel, stageRealtime } from "./realtime-stage.ts";

let channels: StagedChannel[];
let stop: (() => void) | undefined;
let taken: unknown[];
let snapshots: PromiseWithResolvers<void>[];
let isFinal: boolean;

watchForReturns();

beforeEach(() => {
  vi.useFakeTimers();
  channels = stageRealtime();
  taken = [];
  snapshots = [];
  isFinal = false;
  stop = watch({
    topic: `mentorship:${crypto.randomUUID()}`,
    take: (_event, payload) => void taken.push(payload),
    snapshot: () => {
      const asked = Promise.withResolvers<void>();
      snapshots.push(asked);
      return asked.promise;
    },
    isFinal: () => isFinal,
  });
});
afterEach(async () => {
  stop?.();
  await vi.runAllTimersAsync();
  vi.useRealTimers();
});

const join = () => channels[0]?.state?.("SUBSCRIBED");
const passes = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test("events wait for the snapshot that was asked for when the subscription became live, and follow it in order", async () => {
  join();
  channels[0]?.send("recording.changed", 1);
  channels[0]?.send("recording.changed", 2);
  expect(taken).toEqual([]);
  snapshots[0]?.resolve();
  await passes(0);
  expect(taken).toEqual([1, 2]);
  channels[0]?.send("recording.changed", 3);
  expect(taken).toEqual([1, 2, 3]);
});

test("a snapshot that fails holds back no event", async () => {
  join();
  channels[0]?.send("recording.changed", 1);
  snapshots[0]?.reject(new Error("the network is gone"));
  await passes(0);
  expect(taken).toEqual([1]);
});

test("a rejoin is trusted only after another snapshot, and no event of two of them is lost or doubled", async () => {
  join();
  channels[0]?.send("recording.changed", 1);
  channels[0]?.state?.("CHANNEL_ERROR");
  join();
  channels[0]?.send("recording.changed", 2);
  expect(snapshots).toHaveLength(2);
  snapshots[0]?.resolve();
  snapshots[1]?.resolve();
  await passes(0);
  expect(taken).toEqual([1, 2]);
});

test("while nothing is heard the page asks every half minute", async () => {
  expect(snapshots).toHaveLength(0);
  await passes(pollMs + 5_000);
  expect(snapshots).toHaveLength(1);
  await passes(pollMs + 5_000);
  expect(snapshots).toHaveLength(2);
});

test("while something is not final it asks every minute, and then no more", async () => {
  join();
  snapshots[0]?.resolve();
  await passes(refetchMs + 5_000);
  expect(snapshots).toHaveLength(2);
  isFinal = true;
  await passes(10 * refetchMs);
  expect(snapshots).toHaveLength(2);
});

test("coming back online, and into sight after more than a minute, asks at once", async () => {
  join();
  snapshots[0]?.resolve();
  isFinal = true;
  window.dispatchEvent(new Event("online"));
  await passes(0);
  expect(snapshots).toHaveLength(2);
  snapshots[1]?.resolve();
  await passes(0);

  const show = (state: "hidden" | "visible") => {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
    document.dispatchEvent(new Event("visibilitychange"));
  };
  show("hidden");
  await passes(10_000);
  show("visible");
  await passes(0);
  expect(snapshots).toHaveLength(2);
  show("hidden");
  await passes(61_000);
  show("visible");
  await passes(0);
  expect(snapshots).toHaveLength(3);
  vi.restoreAllMocks();
});
