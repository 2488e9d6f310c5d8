import { supabaseSettings, webhookSecrets } from "../_shared/config.ts";
import { receiveAgoraEvent } from "../_shared/control/receive-event.ts";
import { createRecorderDatabase } from "../_shared/jobs/database.ts";
import { createLog } from "../_shared/log.ts";

const environment = { get: (name: string) => Deno.env.get(name) };
const log = createLog((line) => console.log(line));

Deno.serve((request) =>
  receiveAgoraEvent(request, {
    secrets: () => webhookSecrets(environment),
    database: () => createRecorderDatabase(supabaseSettings(environment), { fetch }),
    log,
  }),
);
