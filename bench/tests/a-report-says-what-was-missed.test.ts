import { expect, test } from "vitest";
import { summarize } from "../figures.ts";
import { type Report, textOf } from "../report.ts";

const report: Report = {
  measuredAt: "2026-11-22T12:00:00.000Z",
  machine: {
    cores: 2,
    processor: "a processor",
    memoryBytes: 4e9,
    system: "Linux 6",
    node: "24.0.0",
    deno: "2.9.6",
    postgres: "17.10",
    commit: "abc1234",
    changedFiles: 3,
  },
  loadAfter: { average: [2, 2, 3], busy: 0.5 },
  suites: [
    {
      name: "latency",
      loadBefore: { average: [1, 2, 3], busy: 0.25 },
      figures: [
        summarize({ name: "slow", unit: "ms", values: [150], target: { of: "median", below: 100 } }),
        summarize({ name: "small", unit: "bytes", values: [5e8], target: { of: "max", below: 1e9 } }),
        summarize({ name: "a step", unit: "ms", values: [1], partOf: "slow", note: "why" }),
      ],
    },
    {
      name: "demo",
      loadBefore: { average: [2, 2, 3], busy: 0 },
      figures: [],
      failure: "the demo ended with 1",
    },
  ],
};

test("a missed target is said with how far, a met one with its limit", () => {
  const text = textOf(report);
  expect(text).toMatch(/slow .* MISSED \(median < 100 ms\) by 50\.0 ms/);
  expect(text).toMatch(/small .* met \(max < 1000 MB\)/);
});

test("what could not be measured is said with its reason", () => {
  expect(textOf(report)).toContain("could not measure: the demo ended with 1");
});

test("the machine and the commit stand above the figures", () => {
  const head = textOf(report).split("\n").slice(0, 3).join("\n");
  for (const fact of ["abc1234 with 3 files changed", "2 cores", "4.0 GB", "node 24.0.0", "deno 2.9.6"]) {
    expect(head).toContain(fact);
  }
});

test("the load of the machine is said before each suite", () => {
  expect(textOf(report)).toMatch(
    /LATENCY .*1\.00 2\.00 3\.00 \(1, 5, 15 min\), 25 % of the processors in use/,
  );
  expect(textOf(report)).toMatch(/DEMO .*2\.00 2\.00 3\.00 .*0 % of the processors in use/);
});

test("a note stands below the table, marked where it belongs", () => {
  const text = textOf(report);
  expect(text).toMatch(/ {4}a step .*\[1\]/);
  expect(text).toContain("[1] why");
});
