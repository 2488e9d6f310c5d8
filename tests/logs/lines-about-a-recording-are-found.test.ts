import { describe, expect, test } from "vitest";
import { readLines } from "../../scripts/logs/read-lines.ts";
import { linesAbout, sentenceOf } from "../../scripts/logs/select-lines.ts";

const ID = "0f6c2f6e-5d5a-4a3e-9a51-0c9a4a1c7e11";
const CORRELATION = "66666666-6666-4666-8666-666666666666";
const job = {
  step: "job",
  recording_id: ID,
  correlation_id: CORRELATION,
  kind: "start",
  ms: 12,
  outcome: "done",
};

describe("a log is read", () => {
  test("as the local stack writes it, with words of others in between", () => {
    const text = [
      "2026-11-22T18:00:01.250Z functions: all of them are ready",
      `2026-11-22T18:00:02.500Z run-control: ${JSON.stringify(job)}`,
      "2026-11-22T18:00:03.000Z run-control: memory limit of 256 MB exceeded",
      "",
    ].join("\n");
    const { step, ...fields } = job;
    expect(readLines(text)).toEqual([
      { atMs: Date.UTC(2026, 10, 22, 18, 0, 2, 500), source: "run-control", step, fields },
    ]);
  });

  test("as a hosted project gives it for download, by lines or as an array, in microseconds or ISO", () => {
    const row = {
      event_message: `${JSON.stringify(job)}\n`,
      timestamp: 1_795_370_402_500_000,
      id: "x",
      metadata: [{ function_id: "f" }],
    };
    const iso = { event_message: JSON.stringify(job), timestamp: "2026-11-22T18:00:02.500Z" };
    const noise = { event_message: "booted (time: 29ms)", timestamp: 1_795_370_402_500_000 };
    for (const text of [
      [row, iso, noise].map((one) => JSON.stringify(one)).join("\n"),
      JSON.stringify([row, iso, noise], null, 2),
    ]) {
      expect(readLines(text).map(({ atMs, source, step }) => ({ atMs, source, step }))).toEqual([
        { atMs: 1_795_370_402_500, source: "f", step: "job" },
        { atMs: Date.UTC(2026, 10, 22, 18, 0, 2, 500), source: "", step: "job" },
      ]);
    }
  });

  test("as bare lines, which have no time", () => {
    expect(readLines(JSON.stringify(job))).toMatchObject([{ atMs: undefined, step: "job" }]);
  });

  test("what is no log at all gives nothing", () => {
    for (const text of ["", "[", "null", '{"step": 7}', "[1, null]"]) expect(readLines(text)).toEqual([]);
  });
});

const line = (step: string, fields: Record<string, unknown>) => ({ atMs: 0, source: "", step, fields });

test("a line belongs to a recording by its id, by the correlation id of such a line, or by an id that the database knows", () => {
  const lines = [
    line("engine", { correlation_id: CORRELATION, call: "acquire" }),
    line("job", { recording_id: ID, correlation_id: CORRELATION }),
    line("agora_event", { sid: "38f8e3cf" }),
    line("job", { recording_id: "11111111-1111-4111-8111-111111111111", correlation_id: "other" }),
    // An id in words is no id of the line.
    line("drain.failed", { reason: ID }),
    line("drain.ended", { jobs: 2 }),
  ];
  expect(linesAbout(ID, lines).map(({ step }) => step)).toEqual(["engine", "job"]);
  expect(linesAbout(ID, lines, ["38f8e3cf"]).map(({ step }) => step)).toEqual([
    "engine",
    "job",
    "agora_event",
  ]);
  expect(linesAbout("22222222-2222-4222-8222-222222222222", lines)).toEqual([]);
});

test("a line is told without what all lines of a story have in common", () => {
  const { step, ...fields } = job;
  expect(
    sentenceOf({ atMs: 0, source: "", step, fields: { ...fields, code: undefined, lane: "control" } }),
  ).toBe("job kind=start ms=12 outcome=done");
});
