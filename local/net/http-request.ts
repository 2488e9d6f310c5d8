import http from "node:http";
import https from "node:https";
import { CURL, curlWordsFor, type ExchangeTimes, timeoutMessage } from "./curl-words.ts";

/** One row of the queue, as libcurl gets it. */
export interface OutgoingRequest {
  method: "GET" | "POST" | "DELETE";
  url: string;
  /** Name and value, in order; a name may come twice. */
  headers: [name: string, value: string][];
  body: Buffer | null;
  /** For the whole exchange, redirects too; 0 = no limit. */
  timeoutMs: number;
}

/** What goes into the response row. */
export type Outcome =
  | {
      ok: true;
      statusCode: number;
      /** Of the last answer. */
      contentType: string | null;
      /** Of the first answer where there were redirects (pg_net asks libcurl for request 0); repeated: last wins. */
      headers: Record<string, string>;
      content: string | null;
    }
  | { ok: false; timedOut: boolean; errorMessage: string };

interface Answer {
  statusCode: number;
  rawHeaders: string[];
  location: string | undefined;
  contentType: string | undefined;
  body: Buffer;
}

const MAX_REDIRECTS = 30;
/** Only these bodies survive a redirect. */
const KEEPS_METHOD = new Set([307, 308]);
/** libcurl does not hand these to another host, even where they were set by hand. */
const CREDENTIALS = new Set(["authorization", "cookie"]);

class CurlFailure extends Error {}

/** Connections stay open between requests, as in libcurl's cache. */
export interface Connections {
  http: http.Agent;
  https: https.Agent;
}

export function openConnections(): Connections {
  return { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
}

export function closeConnections(connections: Connections): void {
  connections.http.destroy();
  connections.https.destroy();
}

/**
 * Sends one request and waits for the whole answer, as libcurl does under pg_net: follows redirects, never tries a
 * second time, speaks http and https only. Never throws: what goes wrong is the outcome, in curl's words.
 *
 * @param stopped aborts the exchange; its outcome is then of no use.
 */
export async function sendRequest(
  request: OutgoingRequest,
  connections: Connections,
  stopped: AbortSignal,
): Promise<Outcome> {
  const start = performance.now();
  const times: ExchangeTimes = {};
  const since = () => performance.now() - start;
  const limit = request.timeoutMs > 0 ? AbortSignal.timeout(request.timeoutMs) : undefined;
  const signal = limit ? AbortSignal.any([limit, stopped]) : stopped;
  try {
    return await follow(request, connections, signal, times, since);
  } catch (error) {
    if (limit?.aborted && !(error instanceof CurlFailure)) {
      return { ok: false, timedOut: true, errorMessage: timeoutMessage(request.timeoutMs, since(), times) };
    }
    const errorMessage = error instanceof CurlFailure ? error.message : curlWordsFor(error);
    return { ok: false, timedOut: false, errorMessage };
  }
}

async function follow(
  request: OutgoingRequest,
  connections: Connections,
  signal: AbortSignal,
  times: ExchangeTimes,
  since: () => number,
): Promise<Outcome> {
  let current = request;
  let first: Answer | undefined;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await exchange(current, connections, signal, times, since);
    first ??= answer;
    if (answer.location === undefined) {
      return {
        ok: true,
        statusCode: answer.statusCode,
        contentType: answer.contentType ?? null,
        headers: namedHeaders(first.rawHeaders),
        content: textOf(answer.body),
      };
    }
    if (redirects === MAX_REDIRECTS) throw new CurlFailure(CURL.tooManyRedirects);
    current = redirected(current, answer.statusCode, answer.location);
  }
}

/** The request that follows a redirect: POST becomes GET, DELETE stays DELETE, both without a body, except after 307 and 308. */
function redirected(request: OutgoingRequest, statusCode: number, location: string): OutgoingRequest {
  if (!URL.canParse(location, request.url)) throw new CurlFailure(CURL.badUrl);
  const from = new URL(request.url);
  const to = new URL(location, from);
  const keeps = KEEPS_METHOD.has(statusCode);
  return {
    ...request,
    url: to.href,
    method: !keeps && request.method === "POST" ? "GET" : request.method,
    body: keeps ? request.body : null,
    headers:
      to.origin === from.origin
        ? request.headers
        : request.headers.filter(([name]) => !CREDENTIALS.has(name.toLowerCase())),
  };
}

async function exchange(
  request: OutgoingRequest,
  connections: Connections,
  signal: AbortSignal,
  times: ExchangeTimes,
  since: () => number,
): Promise<Answer> {
  try {
    return await exchangeOnce(request, connections, signal, times, since);
  } catch (error) {
    // A kept connection that the server closed meanwhile: libcurl, too, takes a fresh one. Nothing was processed.
    if (!(error instanceof StaleConnection)) throw error;
    return exchangeOnce(request, undefined, signal, times, since);
  }
}

class StaleConnection extends Error {}

function exchangeOnce(
  request: OutgoingRequest,
  connections: Connections | undefined,
  signal: AbortSignal,
  times: ExchangeTimes,
  since: () => number,
): Promise<Answer> {
  if (!URL.canParse(request.url)) throw new CurlFailure(CURL.badUrl);
  const url = new URL(request.url);
  const secure = url.protocol === "https:";
  if (!secure && url.protocol !== "http:") throw new CurlFailure(CURL.unsupportedProtocol);
  const agent = secure ? connections?.https : connections?.http;

  return new Promise((resolve, reject) => {
    const options = { method: request.method, signal, agent: agent ?? false };
    const outgoing = secure ? https.request(url, options) : http.request(url, options);
    outgoing.on("socket", (socket) => {
      if (!socket.connecting) {
        times.resolved = times.connected = times.sending = since();
        return;
      }
      socket.once("lookup", () => {
        times.resolved = since();
      });
      socket.once("connect", () => {
        times.connected = since();
        // An address in digits is never looked up.
        times.resolved ??= times.connected;
        if (!secure) times.sending = times.connected;
      });
      socket.once("secureConnect", () => {
        times.secured = times.sending = since();
      });
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      const stale = outgoing.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      reject(stale ? new StaleConnection() : error);
    });
    outgoing.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("error", reject);
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const statusCode = response.statusCode ?? 0;
        resolve({
          statusCode,
          rawHeaders: response.rawHeaders,
          location: statusCode >= 300 && statusCode < 400 ? response.headers.location : undefined,
          contentType: response.headers["content-type"],
          body: Buffer.concat(chunks),
        });
      });
    });
    try {
      for (const [name, value] of headersToSend(request)) {
        // Node has set Host already; a name given twice goes out twice.
        if (name.toLowerCase() === "host") outgoing.setHeader(name, value);
        else outgoing.appendHeader(name, value);
      }
    } catch (error) {
      outgoing.destroy();
      reject(error);
      return;
    }
    outgoing.end(request.body ?? undefined);
  });
}

/** The caller's headers plus what libcurl adds on its own. The bytes on the wire are those of the UTF-8 text. */
function headersToSend({ method, headers, body }: OutgoingRequest): [string, string][] {
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const added: [string, string][] = [];
  if (!given.has("accept")) added.push(["Accept", "*/*"]);
  if (body !== null && !given.has("content-type"))
    added.push(["Content-Type", "application/x-www-form-urlencoded"]);
  if (!given.has("content-length") && (body !== null || method === "POST")) {
    added.push(["Content-Length", String(body?.length ?? 0)]);
  }
  const own = headers
    // A name without a value tells libcurl to leave that header out.
    .filter(([, value]) => value.trim() !== "")
    .map(([name, value]): [string, string] => [name, Buffer.from(value, "utf8").toString("latin1")]);
  return [...added, ...own];
}

function namedHeaders(rawHeaders: string[]): Record<string, string> {
  const named: Record<string, string> = {};
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    named[rawHeaders[index] ?? ""] = Buffer.from(rawHeaders[index + 1] ?? "", "latin1").toString("utf8");
  }
  return named;
}

/** The body as pg_net stores it: a C string, so it ends at the first zero byte, and nothing at all is NULL. */
function textOf(body: Buffer): string | null {
  const end = body.indexOf(0);
  const text = (end === -1 ? body : body.subarray(0, end)).toString("utf8");
  return text === "" ? null : text;
}
