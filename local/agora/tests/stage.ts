import { createHmac, randomInt } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { deflateSync } from "node:zlib";
import type { z } from "zod";
import { quietLog } from "../../stack/part.ts";
import type { RefusalList } from "../refusals/list.ts";
import { type RunningAgora, startAgora } from "../server.ts";
import { agoraSettings } from "../settings.ts";

export const account = {
  appId: "970ca35de60c44645bbae8a215061b33",
  appCertificate: "5cfd2fd1755d40ecb72977518be15d3b",
  customerId: "customer",
  customerSecret: "customer-secret",
};
export const webhookSecret = "webhook-secret";

/** Waits until `found` gives something; fails with `what` after `ms`. */
export async function until<T>(
  what: string,
  found: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  ms = 30_000,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await found();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export interface StoredPut {
  key: string;
  body: Buffer;
  headers: http.IncomingHttpHeaders;
  at: number;
}

/** An object store that takes every PUT (or answers as told) and remembers it. */
export async function openSink(): Promise<{
  host: string;
  puts: StoredPut[];
  answer: { status: number; body: string };
  /** Takes nothing from now on, until what this gives is called. */
  hold(): () => void;
  get(key: string): Buffer | undefined;
  close(): Promise<void>;
}> {
  const puts: StoredPut[] = [];
  const answer = { status: 200, body: "" };
  let held: Promise<void> = Promise.resolve();
  const server = await listen(async (request, response) => {
    const body = await bytesOf(request);
    await held;
    const key = decodeURIComponent((request.url ?? "").slice(1));
    if (answer.status === 200) puts.push({ key, body, headers: request.headers, at: Date.now() });
    response.writeHead(answer.status).end(answer.body);
  });
  return {
    host: `127.0.0.1:${server.port}`,
    puts,
    answer,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = Promise.resolve();
        resolve();
      };
    },
    get: (key) => puts.findLast((put) => put.key === key)?.body,
    close: server.close,
  };
}

export interface ReceivedEvent {
  raw: Buffer;
  headers: http.IncomingHttpHeaders;
  at: number;
  notifyMs: number;
  noticeId: string;
  eventType: number;
  productId: number;
  sid: string;
  payload: {
    cname: string;
    uid: string;
    sid: string;
    sequence: number;
    sendts: number;
    serviceType: number;
    serviceScene: string;
    details: Record<string, unknown>;
  };
}

/** A receiver of notifications that answers 200 with JSON, or as told. */
export async function openReceiver(): Promise<{
  url: string;
  events: ReceivedEvent[];
  answer: { status: number; body: string; afterMs: number };
  of(type: number): ReceivedEvent[];
  connections(): number;
  close(): Promise<void>;
}> {
  const events: ReceivedEvent[] = [];
  const answer = { status: 200, body: "{}", afterMs: 0 };
  const sockets = new Set<unknown>();
  const server = await listen(async (request, response) => {
    const raw = await bytesOf(request);
    sockets.add(request.socket);
    const event: Omit<ReceivedEvent, "raw" | "headers" | "at"> = JSON.parse(raw.toString("utf8"));
    events.push({ raw, headers: request.headers, at: Date.now(), ...event });
    if (answer.afterMs) await new Promise((resolve) => setTimeout(resolve, answer.afterMs));
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
  });
  return {
    url: `http://127.0.0.1:${server.port}/agora-events`,
    events,
    answer,
    of: (type) => events.filter(({ eventType }) => eventType === type),
    connections: () => sockets.size,
    close: server.close,
  };
}

type Settings = z.input<typeof agoraSettings>;

/** Quick settings for tests, with a receiver if one is given. */
export function testSettings(more: Partial<Settings> = {}): z.output<typeof agoraSettings> {
  return agoraSettings.parse({
    ...account,
    sliceSeconds: 1,
    requestsPerSecond: 1000,
    storageRegion: "us-west-004",
    uploadRetryMs: [10],
    joinMs: 30,
    exitMs: 150,
    failoverMs: 300,
    ...more,
  });
}

/** Starts the service in this process. */
export function startEngine(more: Partial<Settings> = {}, list?: RefusalList): Promise<RunningAgora> {
  return startAgora(testSettings(more), quietLog, list);
}

/** An AccessToken2 for a recorder, written after Agora's published format. Times in seconds. */
export function rtcToken(given: {
  cname: string;
  uid: string;
  appId?: string;
  appCertificate?: string;
  issuedAt?: number;
  expire?: number;
  /** Leaves out the service for calls, or its one privilege. */
  strip?: "no service" | "no privilege";
}): string {
  const u16 = (value: number) => Buffer.from([value & 255, value >> 8]);
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const text = (value: string | Buffer) => Buffer.concat([u16(Buffer.byteLength(value)), Buffer.from(value)]);
  const issuedAt = given.issuedAt ?? Math.floor(Date.now() / 1000);
  const expire = given.expire ?? 3600;
  const salt = randomInt(1, 99_999_999);
  const privileges = given.strip === "no privilege" ? [u16(0)] : [u16(1), u16(1), u32(expire)];
  const signed = Buffer.concat([
    text(given.appId ?? account.appId),
    u32(issuedAt),
    u32(expire),
    u32(salt),
    u16(given.strip === "no service" ? 0 : 1),
    ...(given.strip === "no service" ? [] : [u16(1), ...privileges, text(given.cname), text(given.uid)]),
  ]);
  const mac = (key: Buffer, message: Buffer) => createHmac("sha256", key).update(message).digest();
  const certificate = Buffer.from(given.appCertificate ?? account.appCertificate);
  const signature = mac(mac(u32(salt), mac(u32(issuedAt), certificate)), signed);
  return `007${deflateSync(Buffer.concat([text(signature), signed])).toString("base64")}`;
}

export interface Reply {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the shape of an answer is what the tests assert
  body: any;
}

/** The REST API as a client sees it. */
export function clientOf(address: string) {
  const base = `${address}/v1/apps/${account.appId}/cloud_recording`;
  const authorization = `Basic ${btoa(`${account.customerId}:${account.customerSecret}`)}`;
  async function send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const response = await fetch(path.startsWith("http") ? path : `${base}${path}`, {
      method,
      headers: { authorization, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }
  const client = {
    base,
    send,
    acquire: (cname: string, uid: string, clientRequest: unknown = {}) =>
      send("POST", "/acquire", { cname, uid, clientRequest }),
    start: (resourceId: string, cname: string, uid: string, clientRequest: unknown) =>
      send("POST", `/resourceid/${resourceId}/mode/mix/start`, { cname, uid, clientRequest }),
    query: ({ resourceId, sid }: { resourceId: string; sid: string }) =>
      send("GET", `/resourceid/${resourceId}/sid/${sid}/mode/mix/query`),
    stop: (
      task: { resourceId: string; sid: string; cname: string; uid: string },
      clientRequest: unknown = {},
    ) =>
      send("POST", `/resourceid/${task.resourceId}/sid/${task.sid}/mode/mix/stop`, {
        cname: task.cname,
        uid: task.uid,
        clientRequest,
      }),
    /** acquire and start; throws unless both are accepted. */
    async begin(cname: string, uid: string, request: Record<string, unknown>) {
      const acquired = await client.acquire(cname, uid);
      const { resourceId } = acquired.body;
      const started = await client.start(resourceId, cname, uid, request);
      if (started.status !== 200) throw new Error(JSON.stringify(started));
      const sid: string = started.body.sid;
      return { resourceId: String(resourceId), sid, cname, uid };
    },
    /** Waits until the task has reached this status. */
    reaches: (task: { resourceId: string; sid: string }, status: number) =>
      until(`status ${status}`, async () => {
        const { body } = await client.query(task);
        return body.serverResponse?.status >= status;
      }),
    isGone: (task: { resourceId: string; sid: string }) =>
      until("404", async () => (await client.query(task)).status === 404),
  };
  return client;
}

/** A start request that the service accepts; parts can be replaced. */
export function startRequestFor(
  cname: string,
  uid: string,
  endpoint: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    token: rtcToken({ cname, uid }),
    recordingConfig: {
      channelType: 1,
      transcodingConfig: { width: 320, height: 180, fps: 15, bitrate: 200, mixedVideoLayout: 1 },
    },
    recordingFileConfig: { avFileType: ["hls", "mp4"] },
    storageConfig: storageFor(endpoint),
    ...more,
  };
}

export function storageFor(endpoint: string) {
  return {
    vendor: 11,
    region: 0,
    bucket: "calls",
    accessKey: "key",
    secretKey: "secret",
    fileNamePrefix: ["recordings", "abc123"],
    extensionParams: { endpoint },
  };
}

async function bytesOf(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function listen(
  handle: (request: http.IncomingMessage, response: http.ServerResponse) => Promise<void>,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = http.createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
