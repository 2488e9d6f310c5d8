import { z } from "zod";
import { type ReceivingServer, startReceiving } from "./receiving-server.ts";

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
export interface Chat extends Pick<ReceivingServer, "failNext" | "close"> {
  env: { ALERT_WEBHOOK_URL: string };
  messages: ChatMessage[];
  /** What came and was no message of Slack's form. */
  refused: string[];
}

/** Takes what Slack would take, and answers as it does: ok, or 400 invalid_blocks. */
export async function startChat(): Promise<Chat> {
  const messages: ChatMessage[] = [];
  const refused: string[] = [];
  const server = await startReceiving((_headers, body) => {
    const text = body.toString("utf8");
    const message = messageForm.safeParse(JSON.parse(text));
    if (!message.success) {
      refused.push(`${message.error.message} ${text}`);
      return { status: 400, text: "invalid_blocks" };
    }
    messages.push(message.data);
    return { status: 200, text: "ok" };
  });
  return {
    ...server,
    env: { ALERT_WEBHOOK_URL: `${server.address}/services/T0/B0/secret` },
    messages,
    refused,
  };
}
