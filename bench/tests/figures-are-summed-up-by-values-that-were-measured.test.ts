import { expect, test } from "vitest";
import { type Figure, figuresOfRows, percentile, summarize } from "../figures.ts";

const figure = (values: number[], target?: Figure["target"]): Figure => ({
  name: "a figure",
  unit: "ms",
  values,
  ...(target === undefined ? {} : { target }),
});

test("median and p95 are values that were measured, whatever their order", () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(summarize(figure(values))).toMatchObject({ count: 100, median: 50, p95: 95, min: 1, max: 100 });
  expect(percentile([3, 1, 2], 0.5)).toBe(2);
  expect(percentile([7], 0.95)).toBe(7);
});

test("a target is met only below its limit, by the statistic it names", () => {
  expect(summarize(figure([1, 1, 9], { of: "median", below: 2 })).met).toBe(true);
  expect(summarize(figure([1, 1, 9], { of: "max", below: 9 })).met).toBe(false);
  expect(summarize(figure([1, 1, 9])).met).toBeUndefined();
});

test("a figure without values is refused", () => {
  expect(() => summarize(figure([]))).toThrow(RangeError);
});

test("rows become one figure per name, also where a row lacks one", () => {
  expect(figuresOfRows([{ a: 1, b: 2 }, { a: 3 }], { unit: "ms" })).toEqual([
    { name: "a", unit: "ms", values: [1, 3] },
    { name: "b", unit: "ms", values: [2] },
  ]);
});
