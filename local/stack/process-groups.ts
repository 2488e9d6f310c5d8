import { readdirSync, readFileSync } from "node:fs";

/** One line of the system's process table. */
export interface ProcessEntry {
  pid: number;
  parent: number;
  group: number;
  /** Ticks since the machine started: with the pid, it tells a process from a later one of the same number. */
  startedAt: number;
  /** Ended, but not yet collected by its parent. */
  isZombie: boolean;
}

/**
 * The processes of this machine, from /proc; undefined where there is none (macOS), where callers fall back to
 * asking about single pids.
 */
export function processTable(): ProcessEntry[] | undefined {
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return undefined;
  }
  if (!names.includes("self")) return undefined;
  return names.filter((name) => /^\d+$/.test(name)).flatMap((name) => readProcess(Number(name)) ?? []);
}

/** One process, or undefined when it is gone (or the machine has no /proc). */
export function readProcess(pid: number): ProcessEntry | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The command's name stands in brackets and may itself hold brackets and spaces: the fields follow the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    startedAt: Number(fields[19]),
    isZombie: fields[0] === "Z" || fields[0] === "X",
  };
}

/** True when a process of this number runs; `startedAt` makes sure that it is still the same one. */
export function isAlive(pid: number, startedAt?: number): boolean {
  const entry = readProcess(pid);
  if (entry !== undefined) {
    return !entry.isZombie && (startedAt === undefined || entry.startedAt === startedAt);
  }
  return processTable() === undefined && signal(pid, 0);
}

/** True while any process of the group runs. Ended ones that nobody collected (a container without init) do not count. */
export function isGroupAlive(group: number): boolean {
  const table = processTable();
  if (table === undefined) return signal(-group, 0);
  return table.some((entry) => entry.group === group && !entry.isZombie);
}

/** Sends a signal to a process (or, with a negative number, to a group). False when there is none left. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EPERM") return true;
    return false;
  }
}

/**
 * Ends all that is left of a process group: SIGINT first (for Postgres that is the fast, clean shutdown, where SIGTERM
 * would wait for its clients), SIGKILL after `graceMs`. Resolves when no process of it runs.
 */
export async function endGroup(group: number, graceMs: number): Promise<void> {
  const killAt = Date.now() + graceMs;
  let asked = false;
  for (let wait = 5; isGroupAlive(group); wait = Math.min(wait * 2, 100)) {
    if (Date.now() >= killAt) signal(-group, "SIGKILL");
    else if (!asked) signal(-group, "SIGINT");
    asked = true;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/**
 * The children of a process that lead a group of their own: ending the process' group does not reach them. (Postgres
 * is started that way.) Empty without /proc.
 */
export function childrenWithOwnGroup(pid: number): ProcessEntry[] {
  return (processTable() ?? []).filter((entry) => entry.parent === pid && entry.group === entry.pid);
}

/**
 * The memory of a process and all its descendants, in bytes: the proportional share where the system tells it (pages
 * that Postgres' processes share count once), the resident size otherwise. Undefined without /proc.
 */
export function memoryOf(root: number): number | undefined {
  const table = processTable();
  if (table === undefined) return undefined;
  const children = Map.groupBy(table, (entry) => entry.parent);
  let bytes = 0;
  const open = [root];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    bytes += ownMemory(pid);
    open.push(...(children.get(pid) ?? []).map((entry) => entry.pid));
  }
  return bytes;
}

function ownMemory(pid: number): number {
  const sources = [
    { file: `/proc/${pid}/smaps_rollup`, line: /^Pss:\s+(\d+) kB/m },
    { file: `/proc/${pid}/status`, line: /^VmRSS:\s+(\d+) kB/m },
  ];
  for (const { file, line } of sources) {
    try {
      const found = line.exec(readFileSync(file, "utf8"))?.[1];
      if (found !== undefined) return Number(found) * 1024;
    } catch {
      // Gone since the table was read, or not ours to look into: the next source, else it counts as nothing.
    }
  }
  return 0;
}
