import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { chromiumMissing, findChromium } from "../local/browser/chromium.ts";
import { type Counts, countOfCheck } from "./run/counts.ts";
import { execute } from "./run/execute.ts";
import { endLeftovers, runMark } from "./run/leftovers.ts";
import { findSteps, type Step } from "./run/steps.ts";
import { type StepResult, summaryOf } from "./run/summary.ts";

const projectDir = dirname(import.meta.dirname);

/** Two runners side by side: the smallest machine we promise to work on has two cores. */
const sideBySide = 2;
const limitMs = 40 * 60_000;

const help = `Runs everything there is to test, with one summary at the end; no account and no network are needed.

  npm test -- [options]

  --only NAME   run only this step (can be given several times)
  --list        name the steps and run nothing
  --help        this text`;

process.exit(await main());

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === "string") {
    console.error(options);
    return 1;
  }
  if (options.help) {
    console.log(help);
    return 0;
  }
  // Short, because paths of sockets must be; open, because under root the database runs as another user.
  const runDir = await mkdtemp(join(tmpdir(), "crt-"));
  try {
    await chmod(runDir, 0o755);
    const steps = findSteps(projectDir, runDir);
    if (options.list) {
      console.log(steps.map((step) => step.name).join("\n"));
      return 0;
    }
    const unknown = options.only.find((name) => !steps.some((step) => step.name === name));
    if (unknown !== undefined) {
      console.error(`there is no step "${unknown}"; there are ${steps.map((step) => step.name).join(", ")}.`);
      return 1;
    }
    return await runAll(
      steps.filter((step) => options.only.length === 0 || options.only.includes(step.name)),
      runDir,
    );
  } finally {
    await rm(runDir, { recursive: true, force: true });
  }
}

async function runAll(steps: Step[], runDir: string): Promise<number> {
  const since = performance.now();
  const mark = `${process.pid}-${Date.now()}`;
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => interrupt.abort());
  const env = {
    ...process.env,
    PATH: [join(projectDir, "node_modules", ".bin"), process.env.PATH].join(delimiter),
    TMPDIR: runDir,
    [runMark]: mark,
    // Git-ignored, and kept: checking types again takes a tenth of the time.
    DENO_DIR: join(projectDir, "node_modules", ".cache", "deno"),
    NO_COLOR: "1",
    CI: "1",
  };

  const results: StepResult[] = [];
  const worker = async (waiting: Step[]) => {
    for (
      let step = waiting.shift();
      step !== undefined && !interrupt.signal.aborted;
      step = waiting.shift()
    ) {
      const { exitCode, output, ms } = await execute(step.command, {
        projectDir,
        env,
        limitMs,
        interrupt: interrupt.signal,
      });
      const counts = await step.count(exitCode);
      results.push({ name: step.name, counts, ms });
      report(step.name, counts, ms, output);
    }
  };
  const shared = steps.filter(({ isAlone }) => isAlone !== true);
  await Promise.all(Array.from({ length: sideBySide }, () => worker(shared)));
  await worker(steps.filter(({ isAlone }) => isAlone === true));

  const leftSince = performance.now();
  const left = await endLeftovers(mark, runDir, interrupt.signal.aborted ? 0 : 8_000);
  if (interrupt.signal.aborted) {
    console.error("interrupted");
    return 130;
  }
  const tidy = {
    name: "nothing left running",
    counts: countOfCheck(left.length === 0 ? 0 : 1),
    ms: performance.now() - leftSince,
  };
  results.push(tidy);
  report(tidy.name, tidy.counts, tidy.ms, left.join("\n"));

  const order = [...steps.map((step) => step.name), tidy.name];
  results.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  if (findChromium() === undefined) console.log(`left out  calls between real pages: ${chromiumMissing}`);
  console.log(`\n${summaryOf(results, performance.now() - since)}`);
  // Skipped tests are counted above; what they would have shown, and how to see it, is said here.
  if (findChromium() === undefined && steps.some(({ name }) => name === "vitest")) {
    console.log(
      `\nLEFT OUT: the portal and calls in a real browser (tests/browser and others), because ${chromiumMissing}.`,
    );
  }
  return results.every(({ counts }) => counts.failed === 0) ? 0 : 1;
}

/**
 * One line for what passed. For what did not, which tests and why, before everything that the runner printed: a log that
 * somebody cuts must not hide the one thing they look for.
 */
function report(name: string, { failed, failures }: Counts, ms: number, output: string): void {
  const seconds = (ms / 1000).toFixed(1);
  if (failed === 0) {
    console.log(`passed  ${name} (${seconds} s)`);
    return;
  }
  const lines = [`FAILED  ${name} (${seconds} s)`, ...failures, "", output.trimEnd(), ""];
  console.log(lines.join("\n").replaceAll(`${projectDir}/`, ""));
}

function readOptions(): { only: string[]; list: boolean; help: boolean } | string {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string", multiple: true, default: [] },
        list: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return values;
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${help}`;
  }
}
