import { supabaseSettings, webhookSecrets } from "../_shared/config.ts";
import { receiveAgoraEvent } from "../_shared/control/receive-event.ts";
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

Deno.serve((request) =>
  receiveAgoraEvent(request, {
    secrets: () => webhookSecrets(environment),
    database: () => createRecorderDatabase(supabaseSettings(environment), { fetch }),
    sendWakeUps,
    waitUntil: (work) => EdgeRuntime.waitUntil(work),
    log,
    now: Date.now,
  }),
);
