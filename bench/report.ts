import type { Summary } from "./figures.ts";
import type { Load, Machine } from "./machine.ts";

/** What came of one suite: figures, or the reason why it could not measure. */
export interface SuiteResult {
  name: string;
  /** Of the machine just before, with nothing of ours running: what others use is missing to what is measured. */
  loadBefore: Load;
  figures: Summary[];
  failure?: string;
}

/** Everything one run found out. */
export interface Report {
  measuredAt: string;
  machine: Machine;
  loadAfter: Load;
  suites: SuiteResult[];
}

const columns = ["median", "p95", "min", "max"] as const;

/** The report for people: one line per figure, steps indented below what they are steps of. */
export function textOf(report: Report): string {
  const { machine, loadAfter } = report;
  const changed = machine.changedFiles ? ` with ${machine.changedFiles} files changed since` : "";
  const lines = [
    `measured ${report.measuredAt} at commit ${machine.commit}${changed}`,
    `${machine.cores} cores (${machine.processor}), ${(machine.memoryBytes / 1e9).toFixed(1)} GB, ${machine.system}, node ${machine.node}, deno ${machine.deno}, postgres ${machine.postgres}`,
    `load after all of it: ${loadText(loadAfter)}`,
  ];
  for (const suite of report.suites) {
    lines.push("", `${suite.name.toUpperCase()}  (load before: ${loadText(suite.loadBefore)})`);
    if (suite.failure !== undefined) lines.push(`  could not measure: ${suite.failure}`);
    if (suite.figures.length > 0) lines.push(...tableOf(suite.figures));
  }
  return lines.join("\n");
}

function tableOf(figures: Summary[]): string[] {
  const notes = [...new Set(figures.flatMap(({ note }) => (note === undefined ? [] : [note])))];
  const rows = figures.map((figure) => ({
    name: `${figure.partOf === undefined ? "" : "    "}${figure.name}`,
    cells: [...columns.map((column) => valueText(figure[column], figure.unit)), String(figure.count)],
    mark: figure.note === undefined ? "" : `[${notes.indexOf(figure.note) + 1}]`,
    verdict: verdictOf(figure),
  }));
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const header = `  ${"".padEnd(nameWidth)}${[...columns, "count"].map((name) => name.padStart(10)).join("")}`;
  const lines = rows.map(({ name, cells, mark, verdict }) =>
    `  ${name.padEnd(nameWidth)}${cells.map((cell) => cell.padStart(10)).join("")}  ${mark.padEnd(4)} ${verdict}`.trimEnd(),
  );
  return [header, ...lines, ...notes.map((note, index) => `  [${index + 1}] ${note}`)];
}

function verdictOf({ target, met, unit, ...figure }: Summary): string {
  if (target === undefined) return "";
  const [sign, wanted] = "below" in target ? ["<", target.below] : ["≥", target.atLeast];
  const limit = `${target.of} ${sign} ${valueText(wanted, unit)}`;
  return met === true
    ? `met (${limit})`
    : `MISSED (${limit}) by ${valueText(Math.abs(figure[target.of] - wanted), unit)}`;
}

function valueText(value: number, unit: Summary["unit"]): string {
  switch (unit) {
    case "bytes":
      return `${Math.round(value / 1e6)} MB`;
    case "count":
      return String(value);
    case "per s":
      return `${value.toFixed(2)} /s`;
    case "ms":
      return Math.abs(value) < 100 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
  }
}

function loadText({ average, busy }: Load): string {
  return `${average.map((value) => value.toFixed(2)).join(" ")} (1, 5, 15 min), ${Math.round(busy * 100)} % of the processors in use`;
}
