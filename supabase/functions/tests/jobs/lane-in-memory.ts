import type { Finished, RecorderDatabase, Step } from "../../_shared/jobs/database.ts";
import type { DrainDeps } from "../../_shared/jobs/drain.ts";
import type { Job } from "../../_shared/jobs/job.ts";
import type { LogFields } from "../../_shared/log.ts";
import { BEGIN_MS, virtualClock } from "./virtual-clock.ts";

export interface Look {
  /** ms since the beginning. */
  atMs: number;
  finished: Finished[];
  limit: number;
}

export interface LaneOptions {
  /** False once all places are taken. */
  hasPlace?: () => boolean;
  /** When a place could be free, as the database tells who has none. */
  nextPlaceInMs?: number;
  /** Asked before each look: what the database fails with. */
  fails?: (look: number) => Error | undefined;
  leaveFails?: boolean;
  batch?: number;
  unreadable?: Finished[];
  refusesResultOf?: number;
}

/** The database side of one lane in memory, with a clock nobody waits for; it records every look and what was left with. */
export function laneInMemory(
  jobs: { job: Job; dueInMs?: number; isBlocked?: () => boolean }[],
  options: LaneOptions = {},
) {
  const clock = virtualClock();
  const queue = jobs.map(({ job, dueInMs = 0, isBlocked = () => false }) => ({ job, dueInMs, isBlocked }));
  const looks: Look[] = [];
  const left: Finished[][] = [];
  const logged: (LogFields & { step: string })[] = [];
  const unreadable = [...(options.unreadable ?? [])];
  let nudge = Promise.withResolvers<void>();

  const sinceBegin = () => clock.now() - BEGIN_MS;
  const database: Pick<RecorderDatabase, "work" | "leave"> = {
    async work(_lane, _drain, finished, limit): Promise<Step> {
      looks.push({ atMs: sinceBegin(), finished, limit });
      const failure = options.fails?.(looks.length);
      if (failure !== undefined) throw failure;
      if (options.hasPlace?.() === false) {
        return {
          hasPlace: false,
          jobs: [],
          unreadable: [],
          refused: [],
          nextRunInMs: options.nextPlaceInMs,
          settings: {},
        };
      }
      const claimed = queue
        .filter((entry) => entry.dueInMs <= sinceBegin() && !entry.isBlocked())
        .slice(0, Math.min(limit, options.batch ?? 10));
      for (const entry of claimed) queue.splice(queue.indexOf(entry), 1);
      const nextAt = Math.min(...queue.map((entry) => entry.dueInMs));
      return {
        hasPlace: true,
        jobs: claimed.map((entry) => entry.job),
        unreadable: unreadable.splice(0),
        refused: finished.flatMap(({ id }) =>
          id === options.refusesResultOf ? [{ id, code: "lease_lost" }] : [],
        ),
        nextRunInMs: queue.length === 0 ? undefined : Math.max(0, nextAt - sinceBegin()),
        settings: { death_after: 90 },
      };
    },
    async leave(_lane, _drain, finished) {
      if (options.leaveFails) throw new Error("connection reset");
      left.push(finished);
      return false;
    },
  };
  const deps: DrainDeps = {
    database,
    now: clock.now,
    sleep: clock.sleep,
    newId: () => "66666666-6666-4666-8666-666666666666",
    log: (step, fields = {}) => logged.push({ step, ...fields }),
    nudged: () => nudge.promise,
  };
  return {
    deps,
    clock,
    looks,
    left,
    logged,
    sinceBegin,
    /** New work that nobody here knows of yet. */
    enqueue: (job: Job, dueInMs = 0) => queue.push({ job, dueInMs, isBlocked: () => false }),
    nudge() {
      nudge.resolve();
      nudge = Promise.withResolvers<void>();
    },
    /** Every result that reached the database, in order. */
    results: () => [...looks.flatMap((look) => look.finished), ...left.flat()],
  };
}
