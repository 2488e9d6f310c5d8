import { healthSecrets, supabaseSettings } from "../_shared/config.ts";
import { createHealthAnswerer } from "../_shared/health/answer.ts";
import { createRecorderDatabase } from "../_shared/jobs/database.ts";
import { createWakeUpSender } from "../_shared/jobs/send-wake-up.ts";
import { createLog } from "../_shared/log.ts";

const environment = { get: (name: string) => Deno.env.get(name) };
const log = createLog((line) => console.log(line));

Deno.serve(
  createHealthAnswerer({
    secrets: () => healthSecrets(environment),
    database: () => createRecorderDatabase(supabaseSettings(environment), { fetch }),
    sendWakeUps: createWakeUpSender({
      environment,
      fetch,
      now: Date.now,
      newId: () => crypto.randomUUID(),
      log,
    }),
    waitUntil: (work) => EdgeRuntime.waitUntil(work),
    log,
    now: Date.now,
  }),
);
