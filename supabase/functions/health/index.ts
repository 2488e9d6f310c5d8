import { healthSecrets, supabaseSettings } from "../_shared/config.ts";
import { createHealthAnswerer } from "../_shared/health/answer.ts";
import { createRecorderDatabase } from "../_shared/jobs/database.ts";
import { edgeWorld } from "../_shared/jobs/edge-world.ts";
import { createWakeUpSender } from "../_shared/jobs/send-wake-up.ts";
import { createLog } from "../_shared/log.ts";

const world = edgeWorld();
const { environment, now, waitUntil } = world;
const log = createLog(world.write);

Deno.serve(
  createHealthAnswerer({
    secrets: () => healthSecrets(environment),
    database: () => createRecorderDatabase(supabaseSettings(environment), world),
    sendWakeUps: createWakeUpSender({ ...world, log }),
    waitUntil,
    log,
    now,
  }),
);
