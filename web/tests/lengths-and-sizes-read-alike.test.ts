// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { formatBytes, formatClock, formatDuration, formatRelative } from "../src/design/format.ts";

test.each([
  [0, "0:00"],
  [61_999, "1:01"],
  [3_600_000, "1:00:00"],
  [36_061_000, "10:01:01"],
  [-5, "0:00"],
])("%i ms are %s on a clock", (ms, text) => expect(formatClock(ms)).toBe(text));

test.each([
  [34_000, "34 sec"],
  [59_600, "59 sec"],
  [2_935_000, "49 min"],
  [3_600_000, "1 hr"],
  [5_400_000, "1 hr 30 min"],
])("%i ms last %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

test.each([
  [0, "0 byte"],
  [999, "999 byte"],
  [999_600, "1 MB"],
  [701_824_512, "702 MB"],
  [1_440_000_000, "1.4 GB"],
])("%i bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test("how long ago is counted in the largest unit that fits", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  const at = (seconds: number) => new Date(now + seconds * 1000).toISOString();
  expect(
    [-10, -170, -7_200, -86_400 * 3, 86_400 * 6].map((seconds) => formatRelative(at(seconds), now)),
  ).toEqual(["now", "3 minutes ago", "2 hours ago", "3 days ago", "in 6 days"]);
});
