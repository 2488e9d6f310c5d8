import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { readLines } from "../local/stack/part-log.ts";
import { isGroupAlive, memoryOf, signal as sendSignal } from "../local/stack/process-groups.ts";
import { findRunningStack } from "../local/stack/stack.ts";
import { monotonicMs } from "./clock.ts";
import { type Figure, figuresOfRows } from "./figures.ts";
import type { Suite } from "./suite.ts";

const projectDir = dirname(import.meta.dirname);
const startLimitMs = 60_000;
const endLimitMs = 20_000;
/** How long after the ready line memory is looked at. */
const idleMs = 5_000;
const mostBytes = 1.5e9;

/** What one `npm start` showed. */
interface Start {
  readyMs: number;
  /** As its ready line tells them; steps run side by side. */
  stepsMs: Record<string, number>;
  endMs: number;
  /** Bytes by part after idling; undefined where it was not looked at. */
  memory: Record<string, number> | undefined;
}

/** How long `npm start` takes on a new folder and on one that was used before, and what the idle stack holds. */
export const startup: Suite = async ({ starts, signal, say }) => {
  const first: Start[] = [];
  const again: Start[] = [];
  for (let round = 1; round <= starts; round += 1) {
    const folder = await mkdtemp(join(tmpdir(), "call-recording-bench-"));
    try {
      // Memory does not change from round to round as times do: one look at each kind of start is enough.
      const looksAtMemory = round === starts;
      for (const kind of [first, again]) {
        kind.push(await startOnce(folder, looksAtMemory, signal));
        say(
          `startup: round ${round} of ${starts}, ${kind === first ? "new" : "same"} folder, ${Math.round(kind.at(-1)?.readyMs ?? 0)} ms`,
        );
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return [
    ...timesOf("ready after npm start, new data folder", first, 10_000),
    ...timesOf("ready after npm start, same folder again", again, 5_000),
    {
      name: "end after Ctrl-C until no process is left",
      unit: "ms",
      values: [...first, ...again].map(({ endMs }) => endMs),
    },
    ...memoryFigures("idle memory 5 s after the first start", first),
    ...memoryFigures("idle memory 5 s after a start again", again),
  ];
};

function timesOf(name: string, starts: Start[], below: number): Figure[] {
  return [
    {
      name,
      unit: "ms",
      values: starts.map(({ readyMs }) => readyMs),
      target: { of: "median", below },
      note: "from spawning npm until its ready line; steps run side by side",
    },
    ...figuresOfRows(
      starts.map(({ stepsMs }) => stepsMs),
      { unit: "ms", partOf: name },
    ),
  ];
}

function memoryFigures(name: string, starts: Start[]): Figure[] {
  const seen = starts.flatMap(({ memory }) => (memory === undefined ? [] : [memory]));
  // A system without /proc does not tell; then there is no figure rather than a wrong one.
  if (seen.length === 0) return [];
  return [
    {
      name,
      unit: "bytes",
      values: seen.map((memory) => Object.values(memory).reduce((sum, bytes) => sum + bytes, 0)),
      target: { of: "max", below: mostBytes },
      note: "proportional share of every process, npm's own too",
    },
    ...figuresOfRows(seen, { unit: "bytes", partOf: name }).sort(
      (a, b) => (b.values[0] ?? 0) - (a.values[0] ?? 0),
    ),
  ];
}

async function startOnce(folder: string, looksAtMemory: boolean, signal: AbortSignal): Promise<Start> {
  signal.throwIfAborted();
  const spawnedAt = monotonicMs();
  const child = spawn(
    "npm",
    ["start", "--silent", "--", "--data", folder, "--free-ports", "--stand-ins", "--logs", "none"],
    // A group of its own, as a shell gives it: Ctrl-C goes to all of it.
    {
      cwd: projectDir,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    },
  );
  const group = child.pid;
  if (group === undefined) {
    const [error] = await once(child, "error");
    throw error;
  }
  let endMs = 0;
  try {
    const { readyMs, stepsMs } = await untilReady(child, spawnedAt, signal);
    let memory: Start["memory"];
    if (looksAtMemory) {
      await pause(idleMs, undefined, { signal });
      memory = await memoryByPart(folder, group);
    }
    endMs = await end(group);
    return { readyMs, stepsMs, endMs, memory };
  } finally {
    if (endMs === 0) await end(group);
  }
}

async function untilReady(
  child: ChildProcess,
  spawnedAt: number,
  signal: AbortSignal,
): Promise<Pick<Start, "readyMs" | "stepsMs">> {
  const result = Promise.withResolvers<Pick<Start, "readyMs" | "stepsMs">>();
  const said: string[] = [];
  let readyMs: number | undefined;
  const onLine = (line: string) => {
    said.push(line);
    if (line.startsWith("ready in ")) readyMs ??= monotonicMs() - spawnedAt;
    const steps = /^\s+started: (.+?)\. /.exec(line)?.[1];
    if (readyMs !== undefined && steps !== undefined) result.resolve({ readyMs, stepsMs: stepsOf(steps) });
  };
  if (child.stdout) readLines(child.stdout, onLine);
  if (child.stderr) readLines(child.stderr, onLine);
  child.once("exit", (code) => {
    result.reject(
      new Error(`npm start ended with ${code} before it was ready: ${said.slice(-5).join(" | ")}`),
    );
  });
  const limit = setTimeout(
    () => result.reject(new Error(`npm start was not ready within ${startLimitMs / 1000} s`)),
    startLimitMs,
  );
  const abort = () => result.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await result.promise;
  } finally {
    clearTimeout(limit);
    signal.removeEventListener("abort", abort);
  }
}

/** `postgres 3.3 s, migrations 2.0 s` as milliseconds by name. */
function stepsOf(text: string): Record<string, number> {
  return Object.fromEntries(
    [...text.matchAll(/(\w+) ([\d.]+) s/g)].map(([, name = "", seconds]) => [
      `of that ${name}`,
      Number(seconds) * 1000,
    ]),
  );
}

async function memoryByPart(folder: string, npm: number): Promise<Record<string, number> | undefined> {
  const stack = await findRunningStack(folder);
  if (stack === undefined) throw new Error("the stack that was just ready cannot be found");
  const all = memoryOf(npm);
  const supervisor = memoryOf(stack.supervisor.pid);
  if (all === undefined || supervisor === undefined) return undefined;
  const parts = Object.entries(stack.parts).map(([name, { pid }]) => [name, memoryOf(pid) ?? 0] as const);
  const inParts = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
  return {
    ...Object.fromEntries(parts),
    supervisor: Math.max(0, supervisor - inParts),
    npm: Math.max(0, all - supervisor),
  };
}

/** Presses Ctrl-C and waits until nothing of the group runs; gives the milliseconds that took. */
async function end(group: number): Promise<number> {
  const askedAt = monotonicMs();
  sendSignal(-group, "SIGINT");
  while (isGroupAlive(group)) {
    if (monotonicMs() - askedAt > endLimitMs) {
      // The parts are in groups of their own and end by themselves when their supervisor is gone.
      sendSignal(-group, "SIGKILL");
      throw new Error(`npm start did not end within ${endLimitMs / 1000} s of Ctrl-C`);
    }
    await pause(25);
  }
  return monotonicMs() - askedAt;
}
