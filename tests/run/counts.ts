import { XMLParser } from "fast-xml-parser";
import { z } from "zod";

/** How many checks a step made and how they ended. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** Each failed test: its file, its title and the first lines of its reason. */
  failures: string[];
}

/** As much of a reason as tells what went wrong; the whole of it follows in the runner's own output. */
const LONGEST_REASON_LINES = 6;

/** The result of a step that has no report: it is one check, and its exit code decides. */
export function countOfCheck(exitCode: number): Counts {
  return exitCode === 0
    ? { passed: 1, failed: 0, skipped: 0, failures: [] }
    : { passed: 0, failed: 1, skipped: 0, failures: [] };
}

const vitestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string().default(""),
      status: z.string(),
      message: z.string().default(""),
      assertionResults: z.array(
        z.object({
          status: z.string(),
          fullName: z.string().default(""),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

/**
 * Counts in vitest's JSON report. A file that could not even be loaded has no tests and counts as one failure.
 *
 * @throws when the text is no such report.
 */
export function countVitest(json: string): Counts {
  const report = vitestReport.parse(JSON.parse(json));
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const failedTests = report.testResults.flatMap((file) =>
    file.assertionResults
      .filter((test) => test.status === "failed")
      .map((test) => failure(file.name, test.fullName, test.failureMessages?.join("\n") ?? "")),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: [...failedTests, ...brokenFiles.map((file) => failure(file.name, "", file.message))],
  };
}

function failure(file: string, title: string, reason: string): string {
  const lines = reason.split("\n").filter((line) => line.trim() !== "");
  return [
    [file, title].filter((part) => part !== "").join(" > "),
    ...lines.slice(0, LONGEST_REASON_LINES),
  ].join("\n  ");
}

const number = z.coerce.number().default(0);
const junitText = z.union([z.string(), z.looseObject({ "#text": z.string().default("") })]);
const junitReport = z.object({
  testsuites: z.object({
    testsuite: z
      .array(
        z.object({
          name: z.string().default(""),
          tests: number,
          failures: number,
          errors: number,
          disabled: number,
          testcase: z
            .array(z.object({ name: z.string().default(""), failure: junitText.optional() }))
            .default([]),
        }),
      )
      .default([]),
  }),
});

/**
 * Counts in the JUnit report of `deno test`.
 *
 * @throws when the text is no such report.
 */
export function countJunit(xml: string): Counts {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    isArray: (name) => name === "testsuite" || name === "testcase",
  });
  const suites = junitReport.parse(parser.parse(xml)).testsuites.testsuite;
  const sum = (pick: (suite: (typeof suites)[number]) => number) =>
    suites.reduce((total, suite) => total + pick(suite), 0);
  const failed = sum((suite) => suite.failures + suite.errors);
  const skipped = sum((suite) => suite.disabled);
  const failures = suites.flatMap((suite) =>
    suite.testcase.flatMap(({ name, failure: reason }) =>
      reason === undefined
        ? []
        : [failure(suite.name, name, typeof reason === "string" ? reason : reason["#text"])],
    ),
  );
  return { passed: sum((suite) => suite.tests) - failed - skipped, failed, skipped, failures };
}

/** A runner that ended badly without a failed test (a crash, a file that does not compile) has failed once. */
export function withExitCode(counts: Counts, exitCode: number): Counts {
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
