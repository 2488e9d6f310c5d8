import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import postgres from "postgres";
import { WebSocketServer } from "ws";
import { type Log, type RunningPart, reasonOf } from "../stack/part.ts";
import { Topics } from "./broadcasts.ts";
import { ChangeFeed } from "./change-feed.ts";
import type { RealtimeContext } from "./channels.ts";
import { Connection } from "./connections.ts";
import { databaseBroadcast, isMessage } from "./database-broadcasts.ts";
import type { Vsn } from "./frames.ts";
import { type Answer, HttpBroadcasts } from "./http-broadcasts.ts";
import { keepPartitions } from "./partitions.ts";
import { PresenceRate } from "./presence-limits.ts";
import { Presences } from "./presences.ts";
import { startReplication, type Transaction } from "./replication.ts";
import { ensureRealtimeSchema } from "./schema.ts";
import { type RealtimeSettingsInput, realtimeSettings } from "./settings.ts";
import { tokenReader } from "./tokens.ts";

const publications = ["supabase_realtime", "supabase_realtime_messages_publication"];
/** The real server's frame limit; a larger frame closes the socket. */
const largestFrameBytes = 5_000_000;
const partitionCheckMs = 60 * 60 * 1000;

/**
 * Supabase Realtime on one machine: Broadcast (between clients, over HTTP, from the database), Postgres Changes under
 * row level security, Presence, and private channels, for the unmodified @supabase/realtime-js.
 *
 * Not done: replay and storing of broadcasts,
 * limits per second of messages, joins and connections, many projects in one server, ES256/RS256 tokens, the 100 ms of
 * polling by which hosted Postgres Changes are later, and the table realtime.subscription.
 *
 * Gives the address `http://127.0.0.1:PORT`; the socket is at /realtime/v1/websocket and /socket/websocket.
 * Throws when the database does not answer or the port is taken.
 */
export async function startRealtime(
  input: RealtimeSettingsInput,
  log: Log,
): Promise<RunningPart & { address: string }> {
  const settings = realtimeSettings.parse(input);
  await ensureRealtimeSchema(settings.databaseUrl);
  const sql = postgres(settings.databaseUrl, {
    max: 6,
    // Asking again soon costs little here, and a restarted database is to be served at once.
    backoff: () => 0.2,
    onnotice: () => undefined,
    // A policy that does not come to an end must not hold up the changes of everybody else for ever.
    connection: { application_name: "realtime", TimeZone: "UTC", statement_timeout: 10_000 },
  });
  const connections = new Set<Connection>();
  const topics = new Topics();
  const feed = new ChangeFeed(sql, log);
  let streams = 0;
  const replication = startReplication(
    settings.databaseUrl,
    publications,
    (transaction) => take(transaction, topics, feed, log),
    () => {
      if (streams++ > 0) for (const connection of connections) connection.replicationIsBack();
    },
    log,
  );
  const tokens = tokenReader(settings.jwtSecret, settings.publishableKey, settings.secretKey);
  const presences = new Presences();
  const presenceRate = new PresenceRate(settings.presenceMessagesPerSecond);
  const shared = { settings, sql, tokens, topics, presences, presenceRate };
  const context: RealtimeContext = { ...shared, feed, replication, log };
  const http = new HttpBroadcasts(sql, tokens, topics, settings.maxBroadcastBytes);

  const server = createServer((request, response) => {
    answer(request, http)
      .catch((error: unknown): Answer => {
        log("an HTTP call failed", { path: request.url, reason: reasonOf(error) });
        return { status: 500, body: { message: "Internal Server Error" } };
      })
      .then((reply) => write(response, reply));
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: largestFrameBytes });
  server.on("upgrade", (request, stream, head) => {
    stream.on("error", (error) => log("a socket failed before it was open", { reason: error.message }));
    void openSocket(request, stream, context)
      .then((opening) => {
        if (opening === undefined) return;
        sockets.handleUpgrade(request, stream, head, (socket) => {
          const connection = new Connection(context, socket, opening);
          connections.add(connection);
          socket.once("close", () => connections.delete(connection));
        });
      })
      .catch((error: unknown) => {
        log("a connection could not be opened", { reason: reasonOf(error) });
        stream.destroy();
      });
  });

  const idleTimer = setInterval(() => {
    for (const connection of connections) connection.closeIfIdle(Date.now());
  }, settings.idleTimeoutMs / 4);
  const partitionTimer = setInterval(() => {
    keepPartitions(sql, new Date()).catch((error: unknown) => {
      log("partitions of realtime.messages could not be kept", { reason: reasonOf(error) });
    });
  }, partitionCheckMs);

  const stop = async () => {
    clearInterval(idleTimer);
    clearInterval(partitionTimer);
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await replication.stop();
    await feed.settled();
    await sql.end({ timeout: 2 });
  };
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(settings.port, "127.0.0.1", resolve);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, stop };
}

function take(transaction: Transaction, topics: Topics, feed: ChangeFeed, log: Log): void {
  for (const change of transaction.changes) {
    if (!isMessage(change)) continue;
    const message = databaseBroadcast(change);
    if (message !== undefined) topics.broadcast(message.topic, message.isPrivate, message.broadcast);
    else log("a row of realtime.messages is no broadcast", { topic: change.row.topic, id: change.row.id });
  }
  feed.push({ ...transaction, changes: transaction.changes.filter((change) => !isMessage(change)) });
}

/** Checks a request for a socket. Refuses it itself, late, and then gives undefined. */
async function openSocket(
  request: IncomingMessage,
  stream: Duplex,
  { settings, tokens }: RealtimeContext,
): Promise<{ vsn: Vsn; key: string; headers: Record<string, string> } | undefined> {
  const { path, query } = addressOf(request);
  // Policies on a socket see the x- headers only, as on hosted.
  const headers = Object.fromEntries(
    Object.entries(headersOf(request)).filter(([name]) => name.startsWith("x-")),
  );
  const key = headers["x-api-key"] ?? query.get("apikey");
  const vsn = query.get("vsn") ?? "1.0.0";
  let refusal: { status: number; error: string } | undefined;
  if (path !== "/websocket" && path !== "/socket/websocket") refusal = { status: 404, error: "Not Found" };
  else if (vsn !== "1.0.0" && vsn !== "2.0.0") refusal = { status: 403, error: `Unsupported vsn ${vsn}` };
  else if (key === null || key === "") refusal = { status: 401, error: "Missing API key" };
  else {
    const verdict = await tokens.readKey(key);
    if (verdict.refusal === undefined) return { vsn, key, headers };
    refusal = { status: 401, error: `${verdict.refusal.code}: ${verdict.refusal.message}` };
  }
  await new Promise((resolve) => setTimeout(resolve, settings.refusalDelayMs).unref());
  const body = JSON.stringify({ error: refusal.error });
  stream.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  return undefined;
}

async function answer(request: IncomingMessage, http: HttpBroadcasts): Promise<Answer> {
  const { path, query } = addressOf(request);
  if (request.method === "OPTIONS") return { status: 204 };
  const one = /^\/api\/broadcast\/([^/]+)\/events\/([^/]+)$/.exec(path);
  if (request.method !== "POST" || (one === null && path !== "/api/broadcast")) {
    return { status: 404, body: { message: "Not found" } };
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunks.at(chunks.push(chunk as Buffer) - 1)?.length ?? 0;
    if (bytes > largestFrameBytes) return { status: 413, body: { message: "Request Entity Too Large" } };
  }
  const call = { headers: headersOf(request), body: Buffer.concat(chunks) };
  if (one === null) return http.sendBatch(call);
  const names = [one[1] ?? "", one[2] ?? ""].map(decoded);
  const [topic, event] = names;
  if (topic === undefined || event === undefined) return { status: 400, body: { message: "Bad Request" } };
  return http.sendOne(call, topic, event, query.get("private") === "true");
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    // Not of our making: the caller answers 400.
    return undefined;
  }
}

function write(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "authorization, apikey, content-type, x-client-info",
    "access-control-allow-methods": "POST, OPTIONS",
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

/** The path without the gateway's prefix, which may or may not have been taken off on the way here. */
function addressOf(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  return { path: url.pathname.replace(/^\/realtime\/v1(?=\/)/, ""), query: url.searchParams };
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const entries = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
  return Object.fromEntries(entries);
}
