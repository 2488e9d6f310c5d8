import WebSocket from "ws";
import { buildRtcToken } from "../../../supabase/functions/_shared/agora/token.ts";
import type { ClientMessage, ServerMessage } from "../../../web/src/calls/local/messages.ts";
import type { CallCredentials } from "../../../web/src/calls/transport.ts";
import { account, until } from "./stage.ts";

/** Address of the media server beside the REST API. */
export function callsUrl(address: string): string {
  return `${address.replace("http", "ws")}/calls`;
}

/** A token as call-token gives it. */
export function callerToken(
  channel: string,
  uid: number,
  more: Partial<Parameters<typeof buildRtcToken>[0]> = {},
): Promise<string> {
  return buildRtcToken({
    appId: account.appId,
    appCertificate: account.appCertificate,
    channel,
    uid,
    role: "publisher",
    expiresInSeconds: 3_600,
    issuedAtSeconds: Math.floor(Date.now() / 1000),
    salt: 1 + uid,
    ...more,
  });
}

/** What call-token answers to one person of a call. */
export async function credentialsFor(
  address: string,
  channel: string,
  uid: number,
): Promise<CallCredentials> {
  return {
    transport: "local",
    url: callsUrl(address),
    app_id: account.appId,
    channel,
    uid,
    token: await callerToken(channel, uid),
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    mode: "live",
  };
}

/** A page without a browser: speaks the protocol and remembers what it is told. */
export async function openSocket(address: string) {
  const socket = new WebSocket(callsUrl(address));
  const heard: ServerMessage[] = [];
  let closedWith: { code: number; reason: string } | undefined;
  socket.on("message", (data) => heard.push(JSON.parse(String(data))));
  socket.on("close", (code, reason) => {
    closedWith = { code, reason: String(reason) };
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => undefined);
  const page = {
    heard,
    socket,
    send: (message: ClientMessage) => socket.send(JSON.stringify(message)),
    async join(channel: string, uid: number, more: Record<string, unknown> = {}) {
      const token = await callerToken(channel, uid);
      const join = { type: "join", app_id: account.appId, channel, uid, token, name: "", ...more };
      socket.send(JSON.stringify(join));
    },
    hears: <Type extends ServerMessage["type"]>(type: Type) =>
      until(`the message ${type}`, () =>
        heard.find((message): message is Extract<ServerMessage, { type: Type }> => message.type === type),
      ),
    isClosed: () => until("the end of the socket", () => closedWith),
    /** Sends signs of life from now on, as every real page does. */
    beat() {
      const timer = setInterval(() => page.send({ type: "ping" }), 100);
      socket.once("close", () => clearInterval(timer));
    },
    close: () => socket.terminate(),
  };
  return page;
}
