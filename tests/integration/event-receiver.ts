import { z } from "zod";
import { verifyStandardWebhook } from "../../supabase/functions/_shared/webhooks/standard-webhooks.ts";
import { type ReceivingServer, startReceiving } from "./receiving-server.ts";

const eventForm = z.object({
  type: z.string(),
  timestamp: z.string(),
  data: z.looseObject({ recording_id: z.uuid(), status: z.string(), version: z.number() }),
});
export type ReceivedEvent = z.output<typeof eventForm> & { id: string };

/** Somebody who wants to hear of recordings, on this machine. */
export interface EventReceiver extends Pick<ReceivingServer, "failNext" | "close"> {
  env: { NOTIFY_WEBHOOK_URL: string; NOTIFY_WEBHOOK_SECRET: string };
  /** What was signed rightly, each id once. */
  events: ReceivedEvent[];
  /** What was not. */
  refused: string[];
}

/** Verifies as the Standard Webhooks specification wants it, and drops what it has seen. */
export async function startEventReceiver(): Promise<EventReceiver> {
  const secret = `whsec_${Buffer.from("the secret of the events of this test").toString("base64")}`;
  const events: ReceivedEvent[] = [];
  const refused: string[] = [];
  const server = await startReceiving((headers, rawBody) => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const verdict = verifyStandardWebhook({ headers, rawBody, secrets: [secret], nowSeconds });
    if (!verdict.ok) {
      refused.push(verdict.reason);
      return { status: 401 };
    }
    if (!events.some(({ id }) => id === verdict.id)) {
      events.push({ id: verdict.id, ...eventForm.parse(JSON.parse(rawBody.toString("utf8"))) });
    }
    return { status: 204 };
  });
  return {
    ...server,
    env: { NOTIFY_WEBHOOK_URL: `${server.address}/events`, NOTIFY_WEBHOOK_SECRET: secret },
    events,
    refused,
  };
}
