import { asRecorderError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Finished, RecorderDatabase } from "./database.ts";
import type { Handler, Job, Outcome, Settings } from "./job.ts";

export interface DrainSettings {
  lane: string;
  /** No job is claimed later than this after the start; a hosted worker may be killed after 150 s. */
  budgetMs: number;
  /** Longer than pg_net's rest of 1 s after each pass: what is enqueued meanwhile needs no wake-up. */
  lingerMs: number;
  /** A job due within this time is waited for; for a later one the sweep wakes the lane again. */
  patienceMs: number;
  /** How often an unfinished or lingering drain looks for new work; also renews its place (10 s lease). */
  tickMs: number;
  /** Jobs under way at once. */
  concurrency: number;
}

export interface DrainDeps {
  database: Pick<RecorderDatabase, "work" | "leave">;
  now(): number;
  sleep(ms: number): Promise<void>;
  newId(): string;
  log: Log;
  /** Resolves when somebody in this process knows of new work; lets a lingering drain look at once. */
  nudged(): Promise<void>;
}

/**
 * Works off one lane: claims due jobs, runs them side by side, brings their results back with the next claim, lingers,
 * and gives its place back. Ends at once when the lane's places are all taken. Never throws; a database that does not
 * answer ends it after a few tries, and the leases of what was under way bring that back.
 */
export async function drainLane(
  settings: DrainSettings,
  handlers: Record<string, Handler>,
  deps: DrainDeps,
): Promise<void> {
  const { lane, budgetMs, lingerMs, patienceMs, tickMs, concurrency } = settings;
  const drain = deps.newId();
  const startedAt = deps.now();
  const running = new Set<Promise<void>>();
  const finished: Finished[] = [];
  let lastWorkAt = startedAt;
  let failures = 0;
  let count = 0;
  let hasPlace = false;

  while (true) {
    const isOver = deps.now() - startedAt >= budgetMs;
    let nextRunInMs: number | undefined;
    const bringing = finished.splice(0);
    try {
      const step = await deps.database.work(lane, drain, bringing, isOver ? 0 : concurrency - running.size);
      failures = 0;
      if (!step.hasPlace) break;
      hasPlace = true;
      nextRunInMs = step.nextRunInMs;
      for (const job of step.jobs) {
        count += 1;
        lastWorkAt = deps.now();
        const run = runJob(job, handlers, step.settings, deps).then((outcome) => {
          finished.push({ id: job.id, lease: job.lease, ...outcome });
          lastWorkAt = deps.now();
          running.delete(run);
        });
        running.add(run);
      }
    } catch (error) {
      finished.unshift(...bringing);
      failures += 1;
      deps.log("drain.database_failed", { lane, failures, reason: asRecorderError(error).detail });
      if (failures >= 5) break;
      await deps.sleep(250 * 2 ** failures);
      continue;
    }

    if (running.size === 0 && finished.length === 0) {
      const idleMs = deps.now() - lastWorkAt;
      const isAwaited = nextRunInMs !== undefined && nextRunInMs <= patienceMs;
      if (isOver || (idleMs >= lingerMs && !isAwaited)) break;
    }
    // A finished job is brought back at once: what follows from it may be waiting for the result.
    const pause = Math.max(5, Math.min(tickMs, nextRunInMs ?? tickMs));
    if (finished.length === 0) await Promise.race([deps.sleep(pause), deps.nudged(), ...running]);
  }

  await Promise.all(running);
  if (hasPlace) {
    try {
      await deps.database.leave(lane, drain, finished);
    } catch (error) {
      deps.log("drain.leave_failed", { lane, reason: asRecorderError(error).detail });
    }
  }
  deps.log("drain.ended", { lane, has_place: hasPlace, jobs: count, ms: deps.now() - startedAt });
}

async function runJob(
  job: Job,
  handlers: Record<string, Handler>,
  settings: Settings,
  deps: DrainDeps,
): Promise<Outcome> {
  const startedAt = deps.now();
  let outcome: Outcome;
  try {
    if (job.wait_ms > 0) await deps.sleep(job.wait_ms);
    const handler = handlers[job.kind];
    if (handler === undefined) throw new Error(`lane has no handler for ${job.kind}`);
    outcome = await handler(job, settings);
  } catch (thrown) {
    const error = asRecorderError(thrown);
    outcome = error.retry === "never" ? { outcome: "give_up", error } : { outcome: "retry", error };
    if (error.retryAfterMs !== undefined && outcome.outcome === "retry") outcome.afterMs = error.retryAfterMs;
  }
  const error = "error" in outcome ? outcome.error : undefined;
  deps.log("job", {
    kind: job.kind,
    recording_id: job.recording_id,
    job_id: job.id,
    try: job.attempts,
    outcome: outcome.outcome,
    ms: deps.now() - startedAt,
    code: error?.code,
    detail: error?.detail,
  });
  return outcome;
}
