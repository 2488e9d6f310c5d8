import { asRecorderError } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import type { Log } from "../log.ts";

/** However many events come, one process writes its counts at most once in this time, ms. */
const REST_MS = 10_000;

export interface VerdictCounterDeps {
  database(): Pick<RecorderDatabase, "countWebhookVerdicts">;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
  waitUntil(work: Promise<unknown>): void;
  log: Log;
}

/** The verdict that a logged step of agora-events means; undefined for steps that judge no event. */
function verdictOf(step: string, isStored: unknown): string | undefined {
  switch (step) {
    case "agora_event":
      return isStored === true ? "stored" : "not_kept";
    case "agora_event.stale":
      return "stale";
    case "agora_event.not_stored":
      return "not_stored";
    case "agora_event.malformed":
      return "malformed";
    case "agora_event.refused":
      return "refused";
    case "agora_event.secret_missing":
      return "unverified";
    default:
      return undefined;
  }
}

/**
 * A log that also counts what became of events, so that a line and a number cannot disagree. Counts go to the database
 * behind the answers, at once and then once in 10 s; those of the last seconds of a process that dies are lost. What
 * could not be written is tried with the next.
 */
export function createCountingLog({ database, now, sleep, waitUntil, log }: VerdictCounterDeps): Log {
  const counts = new Map<string, number>();
  let wroteAt = Number.NEGATIVE_INFINITY;
  let isWriting = false;

  async function writeOnce(): Promise<void> {
    const restMs = wroteAt + REST_MS - now();
    if (restMs > 0) await sleep(restMs);
    wroteAt = now();
    const written = new Map(counts);
    counts.clear();
    try {
      await database().countWebhookVerdicts(Object.fromEntries(written));
    } catch (error) {
      for (const [verdict, count] of written) counts.set(verdict, (counts.get(verdict) ?? 0) + count);
      throw error;
    }
  }

  async function write(): Promise<void> {
    try {
      while (counts.size > 0) await writeOnce();
    } catch (error) {
      log("verdicts.not_written", { reason: asRecorderError(error).detail });
    } finally {
      isWriting = false;
    }
  }

  return (step, fields) => {
    log(step, fields);
    const verdict = verdictOf(step, fields?.is_stored);
    if (verdict === undefined) return;
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
    if (isWriting) return;
    isWriting = true;
    waitUntil(write());
  };
}
