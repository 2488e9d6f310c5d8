import { type Environment, supabaseSettings, wakeUpSecrets } from "../config.ts";
import { asRecorderError } from "../errors.ts";
import type { Log } from "../log.ts";
import { type After, timeLimit } from "../time-limit.ts";
import { signStandardWebhook } from "../webhooks/standard-webhooks.ts";
import type { LaneToWake, RecorderDatabase } from "./database.ts";

/** A function answers a wake-up at once; nobody waits longer for one that does not, ms. */
const TIMEOUT_MS = 5_000;

export interface WakeUpSenderDeps {
  environment: Environment;
  fetch: typeof fetch;
  now(): number;
  newId(): string;
  log: Log;
  after?: After;
}

/** Sends the functions of these lanes a signed wake-up. Never rejects: a wake-up that is lost costs one sweep. */
export type SendWakeUps = (lanes: readonly LaneToWake[]) => Promise<void>;

/**
 * The way to wake a lane without Postgres: the very message that the database sends, with the same secret. For the time
 * when pg_net, Vault or the scheduler is out of order, and where a lane follows another so closely that pg_net's rest of
 * 1 s would be felt. Settings are read per message.
 */
export function createWakeUpSender(deps: WakeUpSenderDeps): SendWakeUps {
  async function send({ lane, function_name: name }: LaneToWake): Promise<void> {
    const timestampSeconds = Math.floor(deps.now() / 1000);
    const limit = timeLimit(TIMEOUT_MS, `no answer within ${TIMEOUT_MS} ms`, { after: deps.after });
    try {
      const [secret = ""] = wakeUpSecrets(deps.environment);
      const body = new TextEncoder().encode(JSON.stringify({ lane, sent_at: timestampSeconds }));
      const id = `wake_${deps.newId().replaceAll("-", "")}`;
      const response = await deps.fetch(`${supabaseSettings(deps.environment).url}/functions/v1/${name}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...signStandardWebhook({ id, timestampSeconds, body, secret }),
        },
        body: new Blob([body]),
        redirect: "manual",
        signal: limit.signal,
      });
      await response.body?.cancel();
      deps.log("wake_up.sent", { to: lane, http: response.status });
    } catch (error) {
      deps.log("wake_up.not_sent", { to: lane, reason: asRecorderError(error).detail });
    } finally {
      limit.end();
    }
  }
  return async (lanes) => void (await Promise.all(lanes.map(send)));
}

/** How often one process asks the database at most, ms: a stranger's requests must not become questions to it. */
const ASK_REST_MS = 5_000;

/**
 * Wakes the lanes that nobody in Postgres wakes: their work has been due for longer than a sweep takes, or the sweep
 * itself does not run. To be called behind every answer of a function that is called from outside anyway. Never rejects.
 */
export function createOverdueWaker(
  deps: WakeUpSenderDeps & { database(): Pick<RecorderDatabase, "lanesToWake"> },
): () => Promise<void> {
  const sendWakeUps = createWakeUpSender(deps);
  let askedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (deps.now() - askedAt < ASK_REST_MS) return;
    askedAt = deps.now();
    try {
      await sendWakeUps(await deps.database().lanesToWake());
    } catch (error) {
      deps.log("wake_up.unknown", { reason: asRecorderError(error).detail });
    }
  };
}
