import { expect, test } from "vitest";
import { countJunit, countOfCheck, countVitest, withExitCode } from "../counts.ts";
import { summaryOf } from "../summary.ts";

const vitestReport = (testResults: unknown[], numbers: Record<string, number> = {}) =>
  JSON.stringify({
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    ...numbers,
    testResults,
  });

test("vitest's passed, failed and skipped tests are taken from its report", () => {
  const report = vitestReport([{ status: "failed", assertionResults: [{ status: "failed" }] }], {
    numPassedTests: 5,
    numFailedTests: 1,
    numPendingTests: 2,
    numTodoTests: 1,
  });
  expect(countVitest(report)).toMatchObject({ passed: 5, failed: 1, skipped: 3 });
});

test("a test file that cannot be loaded is a failure, though it has no tests", () => {
  expect(countVitest(vitestReport([{ status: "failed", assertionResults: [] }]))).toMatchObject({
    passed: 0,
    failed: 1,
    skipped: 0,
  });
});

test("deno's tests are summed over all files, failures and ignored ones apart", () => {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="0" time="0.1">
  <testsuite name="./a.test.ts" tests="3" disabled="1" errors="0" failures="1"><testcase name="x"/></testsuite>
  <testsuite name="./b.test.ts" tests="2" disabled="0" errors="0" failures="0"></testsuite>
</testsuites>`;
  expect(countJunit(xml)).toMatchObject({ passed: 3, failed: 1, skipped: 1 });
});

test("a failed test is named with its file and the beginning of its reason", () => {
  const reason = Array.from({ length: 20 }, (_, index) => `line ${index}`).join("\n");
  const { failures } = countVitest(
    vitestReport([
      {
        name: "a.test.ts",
        status: "failed",
        assertionResults: [
          { status: "passed", fullName: "what holds" },
          { status: "failed", fullName: "what does not", failureMessages: [reason] },
        ],
      },
      { name: "b.test.ts", status: "failed", message: "cannot be loaded", assertionResults: [] },
    ]),
  );
  expect(failures).toHaveLength(2);
  expect(failures[0]).toMatch(/^a\.test\.ts > what does not\n {2}line 0\n/);
  expect(failures[0]).not.toContain("line 19");
  expect(failures[1]).toBe("b.test.ts\n  cannot be loaded");

  const xml = `<testsuites name="deno test"><testsuite name="./c.test.ts" tests="2" disabled="0" errors="0" failures="1">
    <testcase name="fails"><failure message="Uncaught Error">Error: it is broken</failure></testcase><testcase name="holds"/>
  </testsuite></testsuites>`;
  expect(countJunit(xml).failures).toEqual(["./c.test.ts > fails\n  Error: it is broken"]);
});

test("a runner that ends badly without a failed test has failed", () => {
  const allGood = { passed: 3, failed: 0, skipped: 0, failures: [] };
  expect(withExitCode(allGood, 1)).toEqual({ passed: 3, failed: 1, skipped: 0, failures: [] });
  expect(withExitCode(allGood, 0)).toEqual(allGood);
  expect(countOfCheck(2)).toEqual({ passed: 0, failed: 1, skipped: 0, failures: [] });
});

test("something that is no report is refused, not counted as nothing", () => {
  expect(() => countVitest("{}")).toThrow();
  expect(() => countVitest("")).toThrow();
  expect(() => countJunit("<html></html>")).toThrow();
});

test("the last line of the summary has the sums", () => {
  const summary = summaryOf(
    [
      { name: "lint", counts: { passed: 1, failed: 0, skipped: 0, failures: [] }, ms: 420 },
      { name: "vitest", counts: { passed: 40, failed: 2, skipped: 1, failures: [] }, ms: 12_300 },
    ],
    12_700,
  );
  expect(summary.split("\n").at(-1)).toBe("41 passed, 2 failed");
  expect(summary).toContain("vitest      40       2        1     12.3");
});
