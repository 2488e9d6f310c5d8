import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";

/** What Slack takes of a message, as far as we send it: text, and blocks within its limits. */
const plainText = z.strictObject({
  type: z.literal("plain_text"),
  text: z.string().min(1).max(150),
  emoji: z.boolean(),
});
const mrkdwn = z.strictObject({ type: z.literal("mrkdwn"), text: z.string().min(1).max(3_000) });
const messageForm = z.strictObject({
  text: z.string().min(1).max(40_000),
  blocks: z
    .array(
      z.discriminatedUnion("type", [
        z.strictObject({ type: z.literal("header"), text: plainText }),
        z.strictObject({ type: z.literal("section"), text: mrkdwn }),
        z.strictObject({ type: z.literal("context"), elements: z.array(mrkdwn).min(1).max(10) }),
      ]),
    )
    .min(1)
    .max(50),
});
export type ChatMessage = z.output<typeof messageForm>;

/** A chat with an incoming webhook, on this machine. */
export interface Chat {
  env: { ALERT_WEBHOOK_URL: string };
  messages: ChatMessage[];
  /** What came and was no message of Slack's form. */
  refused: string[];
  /** Answers the next ones with this status. */
  failNext(status: number, times: number): void;
  close(): Promise<void>;
}

/** Takes what Slack would take, and answers as it does: ok, or 400 invalid_blocks. */
export async function startChat(): Promise<Chat> {
  const messages: ChatMessage[] = [];
  const refused: string[] = [];
  const failures: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const failure = failures.shift();
      if (failure !== undefined) return response.writeHead(failure).end();
      const text = Buffer.concat(chunks).toString("utf8");
      const message = messageForm.safeParse(JSON.parse(text));
      if (!message.success) {
        refused.push(`${message.error.message} ${text}`);
        return response.writeHead(400).end("invalid_blocks");
      }
      messages.push(message.data);
      return response.writeHead(200).end("ok");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    env: { ALERT_WEBHOOK_URL: `http://127.0.0.1:${port}/services/T0/B0/secret` },
    messages,
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
