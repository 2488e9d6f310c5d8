import { expect, it } from "vitest";
import { gapMarksOf } from "../../src/pages/player/gap-marks.ts";

it("gaps stand in playing order, at their share of the bar, with how much is missing", () => {
  const marks = gapMarksOf(
    [
      { from_ms: 60_000, to_ms: 60_000, missing_ms: null },
      { from_ms: 0, to_ms: 0, missing_ms: 1500 },
      { from_ms: 120_000, to_ms: 120_000, missing_ms: 14_000 },
    ],
    120,
  );
  expect(marks).toEqual([
    { atSeconds: 0, percent: 0, missingSeconds: 1.5, place: "beginning" },
    { atSeconds: 60, percent: 50, missingSeconds: null, place: "middle" },
    { atSeconds: 120, percent: 100, missingSeconds: 14, place: "end" },
  ]);
});

it("a gap beyond the end is at the end, and without a length there is no bar to mark", () => {
  expect(gapMarksOf([{ from_ms: 999_000, to_ms: 999_000, missing_ms: 1 }], 10)[0]?.percent).toBe(100);
  expect(gapMarksOf([{ from_ms: 5, to_ms: 5, missing_ms: 1 }], null)).toEqual([]);
});
