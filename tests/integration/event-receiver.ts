import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { verifyStandardWebhook } from "../../supabase/functions/_shared/webhooks/standard-webhooks.ts";

const eventForm = z.object({
  type: z.string(),
  timestamp: z.string(),
  data: z.looseObject({ recording_id: z.uuid(), status: z.string(), version: z.number() }),
});
export type ReceivedEvent = z.output<typeof eventForm> & { id: string };

/** Somebody who wants to hear of recordings, on this machine. */
export interface EventReceiver {
  env: { NOTIFY_WEBHOOK_URL: string; NOTIFY_WEBHOOK_SECRET: string };
  /** What was signed rightly, each id once. */
  events: ReceivedEvent[];
  /** What was not. */
  refused: string[];
  /** Answers the next ones with this status. */
  failNext(status: number, times: number): void;
  close(): Promise<void>;
}

/** Verifies as the Standard Webhooks specification wants it, and drops what it has seen. */
export async function startEventReceiver(): Promise<EventReceiver> {
  const secret = `whsec_${Buffer.from("the secret of the events of this test").toString("base64")}`;
  const events: ReceivedEvent[] = [];
  const refused: string[] = [];
  const failures: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const failure = failures.shift();
      if (failure !== undefined) return response.writeHead(failure).end();
      const rawBody = Buffer.concat(chunks);
      const verdict = verifyStandardWebhook({
        headers: new Headers(request.headers as Record<string, string>),
        rawBody,
        secrets: [secret],
        nowSeconds: Math.floor(Date.now() / 1000),
      });
      if (!verdict.ok) {
        refused.push(verdict.reason);
        return response.writeHead(401).end();
      }
      if (!events.some(({ id }) => id === verdict.id)) {
        events.push({ id: verdict.id, ...eventForm.parse(JSON.parse(rawBody.toString("utf8"))) });
      }
      return response.writeHead(204).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    env: { NOTIFY_WEBHOOK_URL: `http://127.0.0.1:${port}/events`, NOTIFY_WEBHOOK_SECRET: secret },
    events,
    refused,
    failNext(status, times) {
      for (let count = 0; count < times; count++) failures.push(status);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
