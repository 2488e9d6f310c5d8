import { supabaseSettings } from "../config.ts";
import { createRecorderDatabase, type RecorderDatabase } from "../jobs/database.ts";
import { createOverdueWaker } from "../jobs/send-wake-up.ts";
import type { World } from "../jobs/world.ts";
import { createLog, type Log } from "../log.ts";
import { userOfToken } from "./user.ts";

/** What every function that people ask needs, whatever they ask for. */
export interface Asked {
  /** Id of the user whose access token this is; undefined when Auth does not accept it. */
  userOf(accessToken: string): Promise<string | undefined>;
  now(): number;
  /** Begun behind an answer, never waited for: a person who asks is also somebody who can see that work lies about. */
  wakeOverdueLanes(): void;
}

type PeopleDeps = Asked & { database: RecorderDatabase };

/**
 * The whole body of a function that people ask: `answer` with what it needs, which `makeMore` completes. Made at the first request that
 * wants it, so that a setting that is missing is that request's answer.
 */
export function servePeople<More>(
  answer: (request: Request, deps: () => PeopleDeps & More, log: Log) => Promise<Response>,
  makeMore: (world: World) => More,
  world: World,
): (request: Request) => Promise<Response> {
  const { environment, now, waitUntil } = world;
  const log = createLog(world.write);
  const wakeOverdueLanes = createOverdueWaker({
    ...world,
    log,
    database: () => createRecorderDatabase(supabaseSettings(environment), world),
  });
  let made: (PeopleDeps & More) | undefined;
  const deps = () => {
    if (made === undefined) {
      const settings = supabaseSettings(environment);
      made = {
        ...makeMore(world),
        database: createRecorderDatabase(settings, world),
        userOf: (accessToken) => userOfToken(accessToken, settings, world),
        now,
        wakeOverdueLanes: () => waitUntil(wakeOverdueLanes()),
      };
    }
    return made;
  };
  return (request) => answer(request, deps, log);
}
