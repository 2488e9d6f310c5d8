import { supabaseSettings, wakeUpSecrets } from "../config.ts";
import { asRecorderError } from "../errors.ts";
import { createLog, type Log } from "../log.ts";
import { createRecorderDatabase, type LaneToWake, type RecorderDatabase } from "./database.ts";
import { type DrainSettings, drainLane } from "./drain.ts";
import type { Handlers } from "./job.ts";
import { createWakeUpSender } from "./send-wake-up.ts";
import { answerWakeUp } from "./wake-up.ts";
import type { World } from "./world.ts";

/** Within a job the database gets less patience than a drain has: several calls have to fit into its time, ms. */
const JOB_DATABASE_TIMEOUT_MS = 8_000;

/** What handlers of a lane are made from. */
export interface LaneDeps
  extends Pick<World, "environment" | "fetch" | "now" | "sleep" | "random" | "after"> {
  database: RecorderDatabase;
  /** The database for one job: every call ends with the job's limit. */
  databaseWithin(limit: AbortSignal): RecorderDatabase;
  /** Wakes other lanes by itself, behind the work. */
  wake(lanes: readonly LaneToWake[]): void;
  log: Log;
}

/**
 * The whole body of a lane's function: verifies the wake-up, then drains. One drain per process; a wake-up that finds
 * it busy only nudges it, so that new work is seen without waiting for the next look; one that comes after its last
 * look is followed by another drain.
 */
export function serveLane(
  settings: DrainSettings,
  makeHandlers: (deps: LaneDeps) => Handlers,
  world: World,
): (request: Request) => Promise<Response> {
  const { environment, now, sleep } = world;
  const log = createLog(world.write, { lane: settings.lane });
  const sendWakeUps = createWakeUpSender({ ...world, log });
  let nudge = Promise.withResolvers<void>();
  let active: Promise<void> | undefined;
  let isLeaving = false;
  let isWantedAgain = false;

  async function drainOnce(): Promise<void> {
    isLeaving = false;
    isWantedAgain = false;
    const supabase = supabaseSettings(environment);
    const database = createRecorderDatabase(supabase, world);
    const handlers = makeHandlers({
      ...world,
      database,
      databaseWithin: (signal) =>
        createRecorderDatabase(supabase, { ...world, timeoutMs: JOB_DATABASE_TIMEOUT_MS, signal }),
      wake: (lanes) => {
        if (lanes.length > 0) world.waitUntil(sendWakeUps(lanes));
      },
      log,
    });
    await drainLane(settings, handlers, {
      database,
      now,
      sleep,
      newId: world.newId,
      log,
      ...(world.after === undefined ? {} : { after: world.after }),
      nudged: () => nudge.promise,
      leaving: () => {
        isLeaving = true;
      },
    });
  }

  async function drainUntilNobodyAsks(): Promise<void> {
    try {
      do await drainOnce();
      while (isWantedAgain);
    } catch (error) {
      log("drain.failed", { reason: asRecorderError(error).detail });
    } finally {
      active = undefined;
    }
  }

  function drain(): Promise<void> {
    if (active === undefined) {
      active = drainUntilNobodyAsks();
    } else if (isLeaving) {
      isWantedAgain = true;
    } else {
      nudge.resolve();
      nudge = Promise.withResolvers<void>();
    }
    return active;
  }

  return (request) =>
    answerWakeUp(request, {
      secrets: () => wakeUpSecrets(environment),
      now,
      waitUntil: world.waitUntil,
      drain,
      log,
    });
}
