import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import type { Log } from "../stack/part.ts";
import { reasonOf } from "../stack/part.ts";

const run = promisify(execFile);

const POLL_MS = 25;
const FAST_SHUTDOWN_MS = 10_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;

/** What the system says about a running process. */
interface ProcessFacts {
  /** Command line, words joined by spaces. */
  command: string;
  parent: number;
}

/** Notes in `dataDir` which process started the server, so that a later start can tell an orphan from a rival. */
export async function noteOwner(dataDir: string): Promise<void> {
  await writeFile(join(dataDir, "owner.pid"), `${process.pid}\n`);
}

/**
 * Ends the server that an earlier, killed process left running on the cluster, and waits until it is gone. A pid file
 * that points to some other program (numbers are used again after a reboot) is removed.
 *
 * @throws Error when the server is not left over but in use by another process, or does not end.
 */
export async function endLeftoverServer(dataDir: string, cluster: string, log: Log): Promise<void> {
  const pidFile = join(cluster, "postmaster.pid");
  if (!existsSync(pidFile)) return;
  const pid = Number((await readFile(pidFile, "utf8")).split("\n")[0]);
  const facts = await factsOf(pid);
  // Postgres itself would take a zombie, which nobody reaps in many containers, for a running server.
  if (!(facts?.command.includes("postgres") && facts.command.includes(cluster))) {
    await rm(pidFile, { force: true });
    return;
  }
  // The kernel gives orphans a new parent: a server that still has the one that started it is no orphan.
  const owner = await readFile(join(dataDir, "owner.pid"), "utf8").catch(() => "");
  if (facts.parent === Number(owner)) {
    throw new Error(`the database in ${dataDir} is already in use by process ${facts.parent}`);
  }
  log(`a Postgres left over from an earlier run is ended first`, { pid });
  for (const [signal, patienceMs] of [
    ["SIGINT", FAST_SHUTDOWN_MS],
    ["SIGQUIT", IMMEDIATE_SHUTDOWN_MS],
    ["SIGKILL", IMMEDIATE_SHUTDOWN_MS],
  ] as const) {
    sendSignal(pid, signal);
    if (await isGoneWithin(pid, patienceMs)) return;
  }
  throw new Error(`the Postgres left over from an earlier run (process ${pid}) cannot be ended`);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const gone = error instanceof Error && "code" in error && error.code === "ESRCH";
    if (!gone)
      throw new Error(`the Postgres of process ${pid} cannot be ended: ${reasonOf(error)}`, { cause: error });
  }
}

/** True for a process that does or may do something, so not for a zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  return (await factsOf(pid)) !== undefined;
}

async function isGoneWithin(pid: number, patienceMs: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    if (!(await isRunning(pid))) return true;
    await pause(POLL_MS);
  }
  return false;
}

/** Undefined when there is no such process, or only what is left of it until its parent asks (a zombie). */
async function factsOf(pid: number): Promise<ProcessFacts | undefined> {
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  try {
    if (process.platform === "linux") {
      const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ");
      // The name in parentheses may hold anything, so the fields are counted from its end: state, then parent.
      const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /s, "").split(" ");
      return command === "" ? undefined : { command, parent: Number(fields[1]) };
    }
    const { stdout } = await run("ps", ["-o", "ppid=,command=", "-p", String(pid)]);
    const [, parent = "", command = ""] = /^\s*(\d+)\s+(.*)$/s.exec(stdout) ?? [];
    return command === "" ? undefined : { command, parent: Number(parent) };
  } catch {
    // Both ways fail when the process is not there.
    return undefined;
  }
}
