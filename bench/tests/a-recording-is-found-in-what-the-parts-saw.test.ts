import { expect, test } from "vitest";
import type { Observation } from "../observations.ts";
import { pathOf } from "../path-steps.ts";
import type { RecordingTimes } from "../recording-path.ts";

const times: RecordingTimes = {
  wishedAt: 1000,
  wishAnsweredAt: 1019,
  transactionBeganAt: 1004,
  recordingAt: 2300,
  stopWishedAt: 3000,
  stopAnsweredAt: 3015,
  stoppingAt: 3012,
  processingAt: 3200,
  recordedAt: 3400,
  doneAt: 3500,
};

const lines: [atMs: number, part: string, kind: Observation["kind"], path: string][] = [
  // The drain of the recording before this one.
  [990, "gateway", "received", "/rest/v1/rpc/work"],
  [1002, "gateway", "received", "/rest/v1/video_calls?id=eq.1"],
  [1020, "net", "sent", "/functions/v1/run-control"],
  [1021, "gateway", "received", "/functions/v1/run-control"],
  [1022, "functions", "received", "/run-control"],
  [1026, "gateway", "received", "/rest/v1/rpc/work"],
  [1033, "gateway", "received", "/rest/v1/rpc/begin_attempt"],
  [1042, "agora", "received", "/v1/apps/x/cloud_recording/acquire"],
  [3001, "gateway", "received", "/rest/v1/video_calls?id=eq.1"],
  [3010, "gateway", "received", "/rest/v1/rpc/work"],
  [3080, "gateway", "received", "/rest/v1/rpc/work"],
  [3087, "agora", "received", "/v1/apps/x/cloud_recording/resourceid/r/sid/s/mode/mix/stop"],
];
const observations = lines.map(([atMs, part, kind, path]) => ({ atMs, part, kind, path, method: "POST" }));
const without = (path: string) => observations.filter((seen) => !seen.path.endsWith(path));

const sum = (steps: Record<string, number> = {}) => Object.values(steps).reduce((total, ms) => total + ms, 0);

test("the steps to acquire and to stop add up to the whole", () => {
  const path = pathOf(times, observations);
  expect(path.toAcquireMs).toBe(42);
  expect(path.toStopMs).toBe(87);
  expect(sum(path.acquireSteps)).toBe(42);
  expect(sum(path.stopSteps)).toBe(87);
});

test("what was under way before the wish is not taken for a step of it", () => {
  expect(pathOf(times, observations).acquireSteps?.["function verifies it and asks for work"]).toBe(4);
});

test("the stop is given by the last look for work before it, not by one that found nothing", () => {
  expect(pathOf(times, observations).stopSteps?.["update received, function looks for work"]).toBe(79);
});

test("a recording that went another way counts as a whole, without steps", () => {
  const path = pathOf(times, without("/functions/v1/run-control"));
  expect(path.toAcquireMs).toBe(42);
  expect(path.acquireSteps).toBeUndefined();
});

test("an engine that was never asked is an error, not a figure", () => {
  expect(() => pathOf(times, without("/acquire"))).toThrow("the engine never received acquire");
  expect(() => pathOf(times, without("/stop"))).toThrow("the engine never received stop");
});
