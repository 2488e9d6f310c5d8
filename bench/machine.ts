import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { findNativeFolder } from "../local/postgres/binaries.ts";

const run = promisify(execFile);
const projectDir = dirname(import.meta.dirname);

/** Where and on what the figures were measured: without it a figure says nothing. */
export interface Machine {
  cores: number;
  processor: string;
  memoryBytes: number;
  system: string;
  node: string;
  deno: string;
  postgres: string;
  commit: string;
  /** Files that differ from the commit; undefined without git. */
  changedFiles: number | undefined;
}

/** Reads what this machine is and which versions are installed. */
export async function describeMachine(): Promise<Machine> {
  const [deno, postgres, commit, status] = await Promise.all([
    denoVersion(),
    postgresVersion(),
    git("rev-parse", "--short", "HEAD"),
    git("status", "--porcelain", "--untracked-files=all"),
  ]);
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? "unknown",
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.version.slice(1),
    deno,
    postgres,
    commit: commit?.trim() ?? "unknown",
    changedFiles: status?.split("\n").filter((line) => line !== "").length,
  };
}

/** How busy a machine is. */
export interface Load {
  /** The system's load average over 1, 5 and 15 minutes. */
  average: number[];
  /** Share of all processors (0 to 1) in use during the second that was looked at. */
  busy: number;
}

/** Looks for one second, in which this process does nothing. */
export async function lookAtLoad(): Promise<Load> {
  const before = processorTimes();
  await pause(1_000);
  const after = processorTimes();
  const total = after.total - before.total;
  return { average: loadavg(), busy: total === 0 ? 0 : 1 - (after.idle - before.idle) / total };
}

function processorTimes(): { idle: number; total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, total };
}

async function denoVersion(): Promise<string> {
  const binary = join(dirname(createRequire(import.meta.url).resolve("deno/package.json")), "deno");
  const { stdout } = await run(binary, ["--version"]);
  return /^deno (\S+)/.exec(stdout)?.[1] ?? "unknown";
}

async function postgresVersion(): Promise<string> {
  const { path } = await findNativeFolder();
  const { stdout } = await run(join(path, "bin", "postgres"), ["--version"]);
  return /(\d+\.\d+)/.exec(stdout)?.[1] ?? "unknown";
}

/** What git answers; undefined in a copy without its repository, or without git. */
async function git(...args: string[]): Promise<string | undefined> {
  try {
    return (await run("git", args, { cwd: projectDir })).stdout;
  } catch {
    return undefined;
  }
}
