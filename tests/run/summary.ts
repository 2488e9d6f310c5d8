import type { Counts } from "./counts.ts";

export interface StepResult {
  name: string;
  counts: Counts;
  ms: number;
}

/** The table of all steps and, as its last line, `N passed, N failed`. */
export function summaryOf(results: StepResult[], totalMs: number): string {
  const rows = [
    ["step", "passed", "failed", "skipped", "seconds"],
    ...results.map(({ name, counts, ms }) => [
      name,
      String(counts.passed),
      String(counts.failed),
      String(counts.skipped),
      (ms / 1000).toFixed(1),
    ]),
    ["all", ...totals(results).map(String), (totalMs / 1000).toFixed(1)],
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
  const [passed, failed] = totals(results);
  return [...lines, "", `${passed} passed, ${failed} failed`].join("\n");
}

function totals(results: StepResult[]): [passed: number, failed: number, skipped: number] {
  const sum = (pick: (counts: Counts) => number) =>
    results.reduce((total, { counts }) => total + pick(counts), 0);
  return [sum((counts) => counts.passed), sum((counts) => counts.failed), sum((counts) => counts.skipped)];
}
