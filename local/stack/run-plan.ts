import { setTimeout as pause } from "node:timers/promises";
import { type Log, lineOf } from "./part.ts";
import { openPartLog, type PartLog } from "./part-log.ts";
import type { StackPlan } from "./plan.ts";
import { PlainFailure } from "./sentence.ts";
import { type Patience, type SupervisedPart, startPart, usualPatience } from "./supervisor.ts";

/** Where a stack tells what happens; both get one line without a line break. */
export interface StackOutput {
  /** A line that a part printed. */
  part(name: string, line: string): void;
  /** A sentence of the stack itself. */
  notice(sentence: string): void;
}

export interface RunPlanOptions {
  logsDir: string;
  output: StackOutput;
  /** Brings the database into shape once Postgres serves: migrations, seed, Vault. */
  prepareDatabase: (log: Log) => Promise<void>;
  /** Called whenever the process of a part changes. */
  onPid?: (name: string, pid: number | undefined) => void;
  /** Ends a start that is under way. */
  signal?: AbortSignal | undefined;
  patience?: Patience | undefined;
}

export interface RunningPlan {
  /** The present process of each part; a part that is just being restarted is missing. */
  pids(): Record<string, number>;
  /** How long each step of the start took, in ms. */
  timings: { step: string; ms: number }[];
  /** Ends all parts in reverse order, Postgres last; resolves when no process is left. */
  stop(): Promise<void>;
  /** Ends all parts at once, without a goodbye. */
  kill(): void;
  /** Resolves with the failure when a part had to be given up; never, while all goes well. */
  givenUp: Promise<PlainFailure>;
}

/** How long a failed start waits for the preparation of the database to come to an end, ms. */
const PREPARATION_GRACE_MS = 3_000;

/**
 * Starts every part of a plan: those that need no database at once, the others when it is prepared. If anything
 * fails, what runs already is ended before the failure is thrown.
 *
 * @throws PlainFailure in one sentence.
 */
export async function runPlan(plan: StackPlan, options: RunPlanOptions): Promise<RunningPlan> {
  const { output, logsDir, onPid } = options;
  const started = new Map<string, SupervisedPart>();
  const logs: PartLog[] = [];
  const timings: RunningPlan["timings"] = [];
  const givenUp = Promise.withResolvers<PlainFailure>();
  let stopped: Promise<void> | undefined;

  const timed = async (step: string, work: () => Promise<void>) => {
    const since = performance.now();
    await work();
    timings.push({ step, ms: Math.round(performance.now() - since) });
  };

  const launch = async (name: string) => {
    const part = plan.parts.find((candidate) => candidate.name === name);
    if (part === undefined) throw new Error(`the plan has no part ${name}`);
    if (stopped !== undefined) return;
    const log = await openPartLog(logsDir, name);
    logs.push(log);
    if (stopped !== undefined) return log.close();
    const { part: supervised, ready } = startPart(
      part,
      {
        onLine: (line) => {
          log.write(line);
          output.part(name, line);
        },
        onNotice: (sentence) => {
          log.write(`-- ${sentence}`);
          output.notice(sentence);
        },
        onPid: (pid) => onPid?.(name, pid),
        onGivenUp: givenUp.resolve,
      },
      options.patience ?? usualPatience,
    );
    started.set(name, supervised);
    await ready;
  };

  const stop = () => {
    stopped ??= (async () => {
      for (const turn of [3, 2, 1, 0]) {
        const now = plan.parts.filter((part) => part.endsAt === turn);
        await Promise.all(now.map((part) => started.get(part.name)?.stop()));
      }
      await Promise.all(logs.map((log) => log.close()));
    })();
    return stopped;
  };

  const database = (async () => {
    await timed("postgres", () => launch("postgres"));
    await timed("migrations", () =>
      options.prepareDatabase((message, fields) => output.part("postgres", lineOf(message, fields))),
    );
  })();
  const steps = plan.parts
    .filter((part) => part.name !== "postgres")
    .map(async (part) => {
      if (part.needsDatabase) await database;
      await timed(part.name, () => launch(part.name));
    });

  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(new PlainFailure("the start was interrupted."));
  aborted.promise.catch(() => undefined);
  options.signal?.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([Promise.all([database, ...steps]), aborted.promise]);
  } catch (error) {
    // Postgres is not pulled away under a migration: its client would neither end nor fail in a way that can be caught.
    await Promise.race([
      database.catch(() => undefined),
      pause(PREPARATION_GRACE_MS, undefined, { ref: false }),
    ]);
    await stop();
    // The others fail too, because they were ended; the first failure is the one to tell.
    await Promise.race([
      Promise.allSettled([database, ...steps]),
      pause(PREPARATION_GRACE_MS, undefined, { ref: false }),
    ]);
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }

  return {
    pids: () =>
      Object.fromEntries(
        [...started].flatMap(([name, { pid }]) => (pid === undefined ? [] : [[name, pid] as const])),
      ),
    timings,
    stop,
    kill: () => {
      for (const part of started.values()) part.kill();
    },
    givenUp: givenUp.promise,
  };
}
