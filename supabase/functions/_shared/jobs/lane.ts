import { type Environment, supabaseSettings, wakeUpSecrets } from "../config.ts";
import { asRecorderError } from "../errors.ts";
import { createLog, type Log } from "../log.ts";
import { createRecorderDatabase, type RecorderDatabase } from "./database.ts";
import { type DrainSettings, drainLane } from "./drain.ts";
import type { Handler } from "./job.ts";
import { answerWakeUp } from "./wake-up.ts";

/** The world as a function finds it. */
export interface World {
  environment: Environment;
  fetch: typeof fetch;
  now(): number;
  sleep(ms: number): Promise<void>;
  random(): number;
  newId(): string;
  waitUntil(work: Promise<unknown>): void;
  /** Takes one line of the log. */
  write(line: string): void;
}

/** What handlers of a lane are made from. */
export interface LaneDeps extends Pick<World, "environment" | "fetch" | "now" | "sleep" | "random"> {
  database: RecorderDatabase;
  log: Log;
}

/** The only place of a lane where globals are read. */
const theWorld = (): World => ({
  environment: { get: (name) => Deno.env.get(name) },
  fetch,
  now: Date.now,
  sleep: (ms) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  random: Math.random,
  newId: () => crypto.randomUUID(),
  waitUntil: (work) => EdgeRuntime.waitUntil(work),
  write: (line) => console.log(line),
});

/**
 * The whole body of a lane's function: verifies the wake-up, then drains. One drain per process; a wake-up that finds
 * it busy only nudges it, so that new work is seen without waiting for the next look; one that comes after its last
 * look is followed by another drain.
 */
export function serveLane(
  settings: DrainSettings,
  makeHandlers: (deps: LaneDeps) => Record<string, Handler>,
  world: World = theWorld(),
): (request: Request) => Promise<Response> {
  const { environment, now, sleep } = world;
  const log = createLog(world.write, { lane: settings.lane });
  let nudge = Promise.withResolvers<void>();
  let active: Promise<void> | undefined;
  let isLeaving = false;
  let isWantedAgain = false;

  async function drainOnce(): Promise<void> {
    isLeaving = false;
    isWantedAgain = false;
    const database = createRecorderDatabase(supabaseSettings(environment), world);
    const handlers = makeHandlers({ ...world, database, log });
    await drainLane(settings, handlers, {
      database,
      now,
      sleep,
      newId: world.newId,
      log,
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
