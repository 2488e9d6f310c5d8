import { createB2Client } from "../_shared/b2/client.ts";
import { createPresigner } from "../_shared/b2/presign.ts";
import { bucketSettings, playbackSettings, supabaseSettings } from "../_shared/config.ts";
import { createRecorderDatabase } from "../_shared/jobs/database.ts";
import { createOverdueWaker } from "../_shared/jobs/send-wake-up.ts";
import { createLog } from "../_shared/log.ts";
import { userOfToken } from "../_shared/people/user.ts";
import { answerPlayback, type PlaybackDeps } from "../_shared/playback/answer.ts";
import { storeAddresses } from "../_shared/playback/store-addresses.ts";

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
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

let made: PlaybackDeps | undefined;
function deps(): PlaybackDeps {
  if (made === undefined) {
    const supabase = supabaseSettings(environment);
    const database = createRecorderDatabase(supabase, { fetch });
    const bucket = bucketSettings(environment, "playback");
    made = {
      ...playbackSettings(environment),
      database,
      bucket: createB2Client(bucket, { fetch, now: Date.now, sleep, random: Math.random }),
      media: storeAddresses(createPresigner(bucket)),
      userOf: (accessToken) => userOfToken(accessToken, supabase, { fetch }),
      now: Date.now,
      wakeOverdueLanes: () => EdgeRuntime.waitUntil(wakeOverdueLanes()),
    };
  }
  return made;
}

Deno.serve((request) => answerPlayback(request, deps, log));
