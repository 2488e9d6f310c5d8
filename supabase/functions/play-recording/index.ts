import { createB2Client } from "../_shared/b2/client.ts";
import { createPresigner } from "../_shared/b2/presign.ts";
import { bucketSettings, playbackSettings, supabaseSettings } from "../_shared/config.ts";
import { createRecorderDatabase } from "../_shared/jobs/database.ts";
import { createLog } from "../_shared/log.ts";
import { answerPlayback, type PlaybackDeps } from "../_shared/playback/answer.ts";
import { userOfToken } from "../_shared/playback/user.ts";

const environment = { get: (name: string) => Deno.env.get(name) };
const log = createLog((line) => console.log(line));
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

let made: PlaybackDeps | undefined;
function deps(): PlaybackDeps {
  if (made === undefined) {
    const supabase = supabaseSettings(environment);
    const bucket = bucketSettings(environment, "playback");
    made = {
      ...playbackSettings(environment),
      database: createRecorderDatabase(supabase, { fetch }),
      bucket: createB2Client(bucket, { fetch, now: Date.now, sleep, random: Math.random }),
      presigner: createPresigner(bucket),
      userOf: (accessToken) => userOfToken(accessToken, supabase, { fetch }),
      now: Date.now,
    };
  }
  return made;
}

Deno.serve((request) => answerPlayback(request, deps, log));
