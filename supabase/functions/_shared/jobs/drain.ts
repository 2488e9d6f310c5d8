import { asRecorderError } from "../errors.ts";
import type { Log } from "../log.ts";
import { type After, timeLimit } from "../time-limit.ts";
import { traced } from "../trace.ts";
import type { Finished, RecorderDatabase, Step } from "./database.ts";
import { type AnyJob, type Handlers, handle, type Outcome, retryAfter, type Settings } from "./job.ts";

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
  /** Told when the drain has looked for the last time: whoever knows of new work from now on needs another drain. */
  leaving?(): void;
  /** Timers, where they are not the platform's. */
  after?: After;
}

/** Where the database does not say how long one job may take, s. */
const LONGEST_JOB_S = 48;

/** A database that fails this often in a row ends a drain; the pauses between are 0.5, 1, 2 and 4 s. */
const MOST_FAILURES = 5;
/** What is due at once is looked for after a breath, so that a mistake can never become a busy loop, ms. */
const SHORTEST_PAUSE_MS = 5;

/**
 * Works off one lane: claims due jobs, runs them side by side, brings their results back with the next claim, lingers,
 * and gives its place back. Ends when the lane's places are all taken by drains that are alive. Never throws; a database that does not
 * answer ends it after a few tries, and the leases of what was under way bring that back.
 */
export async function drainLane(settings: DrainSettings, handlers: Handlers, deps: DrainDeps): Promise<void> {
  const { lane, budgetMs, lingerMs, patienceMs, concurrency } = settings;
  const drain = deps.newId();
  const startedAt = deps.now();
  const running = new Set<Promise<void>>();
  const finished: Finished[] = [];
  let lastWorkAt = startedAt;
  let failures = 0;
  let count = 0;
  let hasPlace = false;
  let isUsedUp = false;
  let hasWaitedForPlace = false;

  while (true) {
    const isOver = isUsedUp || deps.now() - startedAt >= budgetMs;
    // Asked for before the look, so that a nudge during it is not lost.
    const nudged = deps.nudged();
    const bringing = finished.splice(0);
    // A lease begins later than the question for it, so a job that is limited from here on ends within its lease.
    const askedAt = deps.now();
    let step: Step;
    try {
      step = await deps.database.work(lane, drain, bringing, isOver ? 0 : concurrency - running.size);
    } catch (error) {
      finished.unshift(...bringing);
      failures += 1;
      deps.log("drain.database_failed", { lane, failures, reason: asRecorderError(error).detail });
      if (failures >= MOST_FAILURES) break;
      await deps.sleep(250 * 2 ** failures);
      continue;
    }
    failures = 0;
    for (const { id, code } of step.refused) deps.log("job.result_refused", { lane, job_id: id, code });
    if (!step.hasPlace) {
      // Whoever holds the places may be dead: the database says when that would show, and then one is free.
      if (hasPlace || hasWaitedForPlace || step.nextRunInMs === undefined) break;
      hasWaitedForPlace = true;
      await deps.sleep(step.nextRunInMs);
      continue;
    }
    hasPlace = true;
    for (const job of step.jobs) {
      count += 1;
      const longestMs = (step.settings[`longest_${lane}_call`] ?? LONGEST_JOB_S) * 1000;
      const leftMs = longestMs - (deps.now() - askedAt);
      const run = runJob(job, handlers, step.settings, leftMs, deps).then((outcome) => {
        finished.push({ id: job.id, lease: job.lease, ...outcome });
        if (outcome.outcome === "snooze" && outcome.endsInvocation === true) isUsedUp = true;
        lastWorkAt = deps.now();
        running.delete(run);
      });
      running.add(run);
    }
    for (const result of step.unreadable) {
      finished.push(result);
      deps.log("job.unreadable", {
        lane,
        job_id: result.id,
        detail: "error" in result ? result.error.detail : "",
      });
    }
    if (step.jobs.length + step.unreadable.length > 0) lastWorkAt = deps.now();

    if (running.size === 0 && finished.length === 0) {
      const idleMs = deps.now() - lastWorkAt;
      const isAwaited = step.nextRunInMs !== undefined && step.nextRunInMs <= patienceMs;
      if (isOver || (idleMs >= lingerMs && !isAwaited)) break;
    }
    // A finished job is brought back at once: what follows from it may be waiting for the result.
    if (finished.length === 0) {
      await Promise.race([deps.sleep(pauseMs(settings, step)), nudged, ...running]);
    }
  }

  deps.leaving?.();
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

/** How long until the next look, ms: a tick at most, less where a job is due before that. */
function pauseMs({ tickMs }: DrainSettings, { nextRunInMs, jobs }: Step): number {
  if (nextRunInMs === undefined) return tickMs;
  // Due, and yet not handed out: it waits for its twin, for a slot, or for one of ours to end. Asking faster helps nobody.
  if (nextRunInMs <= 0 && jobs.length === 0) return tickMs;
  return Math.max(SHORTEST_PAUSE_MS, Math.min(tickMs, nextRunInMs));
}

async function runJob(
  job: AnyJob,
  handlers: Handlers,
  settings: Settings,
  leftMs: number,
  deps: DrainDeps,
): Promise<Outcome> {
  const trace = {
    correlation_id: job.correlation_id,
    recording_id: job.recording_id ?? undefined,
    job_id: job.id,
    kind: job.kind,
    attempt: job.recording?.attempt,
  };
  return await traced(trace, async (store) => {
    const startedAt = deps.now();
    const limit = timeLimit(leftMs, "the time of this job is over", { after: deps.after });
    let outcome: Outcome;
    try {
      if (job.wait_ms > 0) await deps.sleep(job.wait_ms);
      outcome = await handle(handlers, job, settings, limit.signal);
    } catch (thrown) {
      const error = asRecorderError(thrown);
      outcome = error.retry === "never" ? { outcome: "give_up", error } : retryAfter(error);
    } finally {
      limit.end();
    }
    const error = "error" in outcome ? outcome.error : undefined;
    deps.log("job", {
      kind: job.kind,
      recording_id: job.recording_id ?? undefined,
      job_id: job.id,
      try: job.attempts,
      outcome: outcome.outcome,
      ms: deps.now() - startedAt,
      code: error?.code,
      detail: error?.detail,
      ...(store.requests === 0
        ? {}
        : { store_requests: store.requests, store_failed: store.failed, store_ms: store.ms }),
    });
    return outcome;
  });
}
