import { supabaseSettings, webhookSecrets } from "../_shared/config.ts";
import { receiveAgoraEvent } from "../_shared/control/receive-event.ts";
import { createCountingLog } from "../_shared/health/verdict-counter.ts";
import { createRecorderDatabase } from "../_shared/jobs/database.ts";
import { edgeWorld } from "../_shared/jobs/edge-world.ts";
import { createWakeUpSender } from "../_shared/jobs/send-wake-up.ts";
import { createLog } from "../_shared/log.ts";

const world = edgeWorld();
const { environment, now, waitUntil } = world;
const log = createLog(world.write);
const database = () => createRecorderDatabase(supabaseSettings(environment), world);
const sendWakeUps = createWakeUpSender({ ...world, log });
const countingLog = createCountingLog({ ...world, database, log });

Deno.serve((request) =>
  receiveAgoraEvent(request, {
    secrets: () => webhookSecrets(environment),
    database,
    sendWakeUps,
    waitUntil,
    log: countingLog,
    now,
  }),
);
