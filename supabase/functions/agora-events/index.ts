import { supabaseSettings, webhookSecrets } from "../_shared/config.ts";
import { receiveAgoraEvent } from "../_shared/control/receive-event.ts";
import { createCountingLog } from "../_shared/health/verdict-counter.ts";
import { createRecorderDatabase } from "../_shared/jobs/database.ts";
import { createWakeUpSender } from "../_shared/jobs/send-wake-up.ts";
import { createLog } from "../_shared/log.ts";

const environment = { get: (name: string) => Deno.env.get(name) };
const log = createLog((line) => console.log(line));
const sendWakeUps = createWakeUpSender({
  environment,
  fetch,
  now: Date.now,
  newId: () => crypto.randomUUID(),
  log,
});

const database = () => createRecorderDatabase(supabaseSettings(environment), { fetch });
const waitUntil = (work: Promise<unknown>) => EdgeRuntime.waitUntil(work);
const countingLog = createCountingLog({
  database,
  now: Date.now,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  waitUntil,
  log,
});

Deno.serve((request) =>
  receiveAgoraEvent(request, {
    secrets: () => webhookSecrets(environment),
    database,
    sendWakeUps,
    waitUntil,
    log: countingLog,
    now: Date.now,
  }),
);
