import { supabaseSettings, wakeUpSecrets } from "../config.ts";
import { createLog } from "../log.ts";
import { createRecorderDatabase, type RecorderDatabase } from "./database.ts";
import { type DrainSettings, drainLane } from "./drain.ts";
import type { Handler } from "./job.ts";
import { answerWakeUp } from "./wake-up.ts";

/** The world below a lane's handlers; the only place where it is read from globals. */
export interface LaneDeps {
  environment: { get(name: string): string | undefined };
  database: RecorderDatabase;
  fetch: typeof fetch;
  now(): number;
  sleep(ms: number): Promise<void>;
  random(): number;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * The whole body of a lane's function: verifies the wake-up, then drains. One drain per process; a wake-up that finds
 * it busy only nudges it, so that new work is seen without waiting for the next look.
 */
export function serveLane(
  settings: Omit<DrainSettings, "lane"> & { lane: string },
  makeHandlers: (deps: LaneDeps) => Record<string, Handler>,
): (request: Request) => Promise<Response> {
  const environment = { get: (name: string) => Deno.env.get(name) };
  const log = createLog((line) => console.log(line), { lane: settings.lane });
  let nudge = Promise.withResolvers<void>();
  let active: Promise<void> | undefined;

  async function drain(): Promise<void> {
    if (active) {
      nudge.resolve();
      nudge = Promise.withResolvers<void>();
      return active;
    }
    const database = createRecorderDatabase(supabaseSettings(environment), { fetch });
    const handlers = makeHandlers({
      environment,
      database,
      fetch,
      now: Date.now,
      sleep,
      random: Math.random,
    });
    active = drainLane(settings, handlers, {
      database,
      now: Date.now,
      sleep,
      newId: () => crypto.randomUUID(),
      log,
      nudged: () => nudge.promise,
    });
    try {
      await active;
    } catch (error) {
      log("drain.failed", { reason: error instanceof Error ? error.message : String(error) });
    } finally {
      active = undefined;
    }
  }

  return (request) =>
    answerWakeUp(request, {
      secrets: () => wakeUpSecrets(environment),
      now: Date.now,
      waitUntil: (work) => EdgeRuntime.waitUntil(work),
      drain,
      log,
    });
}
