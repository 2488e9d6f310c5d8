import { XMLParser } from "fast-xml-parser";
import { z } from "zod";

/** How many checks a step made and how they ended. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The result of a step that has no report: it is one check, and its exit code decides. */
export function countOfCheck(exitCode: number): Counts {
  return exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

const vitestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) }),
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
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

const number = z.coerce.number().default(0);
const junitReport = z.object({
  testsuites: z.object({
    testsuite: z
      .array(z.object({ tests: number, failures: number, errors: number, disabled: number }))
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
    isArray: (name) => name === "testsuite",
  });
  const suites = junitReport.parse(parser.parse(xml)).testsuites.testsuite;
  const sum = (pick: (suite: (typeof suites)[number]) => number) =>
    suites.reduce((total, suite) => total + pick(suite), 0);
  const failed = sum((suite) => suite.failures + suite.errors);
  const skipped = sum((suite) => suite.disabled);
  return { passed: sum((suite) => suite.tests) - failed - skipped, failed, skipped };
}

/** A runner that ended badly without a failed test (a crash, a file that does not compile) has failed once. */
export function withExitCode(counts: Counts, exitCode: number): Counts {
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
