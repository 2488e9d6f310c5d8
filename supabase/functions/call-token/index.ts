import { answerCallToken, type CallTokenDeps } from "../_shared/calls/answer.ts";
import { callSettings, supabaseSettings } from "../_shared/config.ts";
import { createRecorderDatabase } from "../_shared/jobs/database.ts";
import { createOverdueWaker } from "../_shared/jobs/send-wake-up.ts";
import { createLog } from "../_shared/log.ts";
import { userOfToken } from "../_shared/people/user.ts";

const environment = { get: (name: string) => Deno.env.get(name) };
const log = createLog((line) => console.log(line));
const wakeOverdueLanes = createOverdueWaker({
  environment,
  fetch,
  now: Date.now,
  newId: () => crypto.randomUUID(),
  log,
  database: () => createRecorderDatabase(supabaseSettings(environment), { fetch }),
});

let made: CallTokenDeps | undefined;
function deps(): CallTokenDeps {
  if (made === undefined) {
    const supabase = supabaseSettings(environment);
    const database = createRecorderDatabase(supabase, { fetch });
    made = {
      settings: callSettings(environment),
      database,
      userOf: (accessToken) => userOfToken(accessToken, supabase, { fetch }),
      now: Date.now,
      random: Math.random,
      wakeOverdueLanes: () => EdgeRuntime.waitUntil(wakeOverdueLanes()),
    };
  }
  return made;
}

Deno.serve((request) => answerCallToken(request, deps, log));
