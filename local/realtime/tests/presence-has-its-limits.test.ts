import { expect, test } from "vitest";
import { PresenceCalls, PresenceRate } from "../presence-limits.ts";

test("a channel has five calls in a window, and five again in the next", () => {
  const calls = new PresenceCalls(5, 30_000);
  const at = (times: number[]) => times.map((time) => calls.take(time));
  expect(at([0, 1, 2, 3, 4, 5, 30_000])).toEqual([true, true, true, true, true, false, false]);
  expect(at([30_001, 30_002])).toEqual([true, true]);
});

test("a project has so many presence messages in any second", () => {
  const rate = new PresenceRate(2);
  expect([0, 500, 999, 1_000, 1_499, 1_500].map((time) => rate.take(time))).toEqual([
    true,
    true,
    false,
    true,
    false,
    true,
  ]);
});
