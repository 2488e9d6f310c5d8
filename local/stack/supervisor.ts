import { type ChildProcess, spawn } from "node:child_process";
import { z } from "zod";
import { readLines } from "./part-log.ts";
import { childrenWithOwnGroup, endGroup, isAlive, type ProcessEntry, signal } from "./process-groups.ts";
import { PlainFailure } from "./sentence.ts";

export interface PartToRun {
  name: string;
  /** A file that speaks the protocol of part.ts. */
  entry: string;
  settings: unknown;
}

/** How patient the supervisor is; all in milliseconds but `failuresInARow`. */
export interface Patience {
  readyWithinMs: number;
  firstDelayMs: number;
  longestDelayMs: number;
  /** A part that served this long starts again with the first delay. */
  healthyAfterMs: number;
  /** So many starts in a row without becoming ready end the stack. */
  failuresInARow: number;
  /** A part's own clean end; part.ts gives itself 5 s. */
  endWithinMs: number;
}

export const usualPatience: Patience = {
  readyWithinMs: 60_000,
  firstDelayMs: 100,
  longestDelayMs: 5_000,
  healthyAfterMs: 30_000,
  failuresInARow: 5,
  endWithinMs: 8_000,
};

/** What the supervisor tells while a part lives. */
export interface PartEvents {
  /** A line that the part printed. */
  onLine(line: string): void;
  /** One sentence about the part's life: died, is back. */
  onNotice(sentence: string): void;
  /** A new process runs (`pid`), or none does. */
  onPid(pid: number | undefined): void;
  /** The part is given up; its processes are gone. Only after it was ready once: before that, `start` throws. */
  onGivenUp(failure: PlainFailure): void;
}

export interface SupervisedPart {
  readonly name: string;
  /** The pid of its present process; undefined while it is being restarted. */
  readonly pid: number | undefined;
  /** Ends it, and everything it started, the clean way; resolves when no process of it is left. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

const messageSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready"), address: z.string().optional() }),
  z.object({ type: z.literal("failed"), reason: z.string() }),
]);

/** One life of a part's process, from its start to its end. */
interface Life {
  ready: Promise<string | undefined>;
  ended: Promise<LifeEnd>;
}

interface LifeEnd {
  /** Undefined when it never became ready. */
  readyForMs: number | undefined;
  /** How it ended, in words: "SIGKILL", "exit code 1", or the reason it gave itself. */
  how: string;
  /** It said itself why it cannot start. */
  toldReason: boolean;
}

/**
 * Starts a part and keeps it alive: a process that dies is replaced, with the same settings (and so the same port).
 * Resolves when it is ready for the first time.
 *
 * A start for which the part itself names the reason (a taken port, a broken setting) fails at once; one that just
 * dies is tried again. Every process runs in a group of its own: Ctrl-C at the terminal reaches only the supervisor,
 * and what a killed part leaves behind (a database server, functions) is found and ended before the next one starts.
 *
 * @throws PlainFailure when it cannot be started.
 */
export function startPart(
  part: PartToRun,
  events: PartEvents,
  patience: Patience = usualPatience,
): { part: SupervisedPart; ready: Promise<void> } {
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  /** The present process' group, until nothing of it is left. */
  let group: number | undefined;
  /** Processes it has started in groups of their own. */
  let outside: ProcessEntry[] = [];
  let wasReady = false;
  const firstReady = Promise.withResolvers<void>();
  // Whoever started the part may have stopped waiting for it.
  firstReady.promise.catch(() => undefined);

  const live = (): Life => {
    const started = Date.now();
    const born = spawn(process.execPath, [part.entry], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, PART_SETTINGS: JSON.stringify(part.settings) },
    });
    child = born;
    group = born.pid;
    events.onPid(born.pid);
    if (born.stdout) readLines(born.stdout, events.onLine);
    if (born.stderr) readLines(born.stderr, events.onLine);

    const ready = Promise.withResolvers<string | undefined>();
    const ended = Promise.withResolvers<LifeEnd>();
    let readyAt: number | undefined;
    let reason: string | undefined;
    let tooSlow = false;
    const limit = setTimeout(() => {
      tooSlow = true;
      if (born.pid !== undefined) signal(-born.pid, "SIGKILL");
    }, patience.readyWithinMs);

    born.on("message", (raw) => {
      const message = messageSchema.safeParse(raw);
      if (!message.success) return;
      if (message.data.type === "failed") {
        reason = message.data.reason;
        return;
      }
      clearTimeout(limit);
      readyAt = Date.now();
      if (born.pid !== undefined) outside = childrenWithOwnGroup(born.pid);
      ready.resolve(message.data.address);
    });
    const end = (how: string) => {
      clearTimeout(limit);
      ended.resolve({
        readyForMs: readyAt === undefined ? undefined : Date.now() - readyAt,
        how: tooSlow ? `it was not ready within ${seconds(Date.now() - started)}` : (reason ?? how),
        toldReason: reason !== undefined,
      });
    };
    born.on("error", (error) => end(error.message));
    born.on("exit", (code, signalName) => end(signalName ?? `exit code ${code}`));
    return { ready: ready.promise, ended: ended.promise };
  };

  const keepAlive = async (): Promise<void> => {
    let failures = 0;
    let delay = patience.firstDelayMs;
    let diedAt = 0;
    while (!stopping.signal.aborted) {
      const life = live();
      void life.ready.then((address) => {
        if (wasReady) {
          const where = address === undefined ? "" : ` on ${address}`;
          events.onNotice(`${part.name} is back${where} after ${seconds(Date.now() - diedAt)}`);
        }
        wasReady = true;
        firstReady.resolve();
      });
      const end = await life.ended;
      diedAt = failures === 0 || end.readyForMs !== undefined ? Date.now() : diedAt;
      await clearUp();
      if (stopping.signal.aborted) break;

      failures = end.readyForMs === undefined ? failures + 1 : 0;
      if (end.readyForMs !== undefined && end.readyForMs >= patience.healthyAfterMs)
        delay = patience.firstDelayMs;
      if (!wasReady && end.toldReason) {
        throw new PlainFailure(`${part.name} could not start: ${end.how}.`);
      }
      if (failures >= patience.failuresInARow) {
        throw new PlainFailure(`${part.name} could not start ${failures} times in a row: ${end.how}.`);
      }
      const what = end.readyForMs === undefined ? "could not start" : "died";
      events.onNotice(`${part.name} ${what} (${end.how}), restarting`);
      await pause(delay, stopping.signal);
      delay = Math.min(delay * 2, patience.longestDelayMs);
    }
  };

  /** Ends what the process left behind; the present child is known to be gone or on its way. */
  const clearUp = async () => {
    child = undefined;
    events.onPid(undefined);
    if (group !== undefined) await endGroup(group, 3_000);
    for (const { pid, startedAt } of outside) {
      if (isAlive(pid, startedAt)) await endGroup(pid, 3_000);
    }
    group = undefined;
    outside = [];
  };

  const finished = keepAlive().catch((error: unknown) => {
    const failure =
      error instanceof PlainFailure ? error : new PlainFailure(`${part.name}: ${String(error)}`);
    if (wasReady) events.onGivenUp(failure);
    else firstReady.reject(failure);
  });

  const supervised: SupervisedPart = {
    name: part.name,
    get pid() {
      return child?.pid;
    },
    async stop() {
      stopping.abort();
      firstReady.reject(new PlainFailure(`${part.name} was stopped before it was ready.`));
      const pid = child?.pid;
      if (pid !== undefined) {
        signal(pid, "SIGTERM");
        const limit = setTimeout(() => signal(-pid, "SIGKILL"), patience.endWithinMs);
        await finished;
        clearTimeout(limit);
      }
      await finished;
    },
    kill() {
      stopping.abort();
      if (group !== undefined) signal(-group, "SIGKILL");
      for (const { pid, startedAt } of outside) {
        if (isAlive(pid, startedAt)) signal(-pid, "SIGKILL");
      }
    },
  };
  return { part: supervised, ready: firstReady.promise };
}

function pause(ms: number, until: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    until.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
    if (until.aborted) resolve();
  });
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
