import { Buffer } from "node:buffer";
import * as http from "node:http";
import * as https from "node:https";
import { chunksOf } from "./bodies.ts";

/** A request whose body goes out as it comes in, with a Content-Length. */
export interface StreamedRequest {
  method: string;
  url: URL;
  headers: Headers;
  body: ReadableStream<Uint8Array>;
  sizeBytes: number;
  signal: AbortSignal;
}

export type SendStream = (request: StreamedRequest) => Promise<Response>;

/** What a store says about an upload is short; more than this is not read. */
const LONGEST_ANSWER_BYTES = 64 * 1024;

/**
 * Sends by node:http(s), because Deno's fetch drops the Content-Length of a stream and the store then answers 411
 * (denoland/deno #20274). Holds a chunk at a time. An answer that comes before the body is out ends the sending; the
 * stream is always read to its end or cancelled. Throws what the connection throws, `upload_source_failed`, or the
 * signal's reason.
 */
export function createStreamSender(): SendStream {
  const agents = {
    "http:": new http.Agent({ keepAlive: true, maxSockets: 32 }),
    "https:": new https.Agent({ keepAlive: true, maxSockets: 32 }),
  };
  return async ({ method, url, headers, body, sizeBytes, signal }) => {
    signal.throwIfAborted();
    const options = {
      method,
      headers: { ...Object.fromEntries(headers), "content-length": String(sizeBytes) },
    };
    const request =
      url.protocol === "https:"
        ? https.request(url, { ...options, agent: agents["https:"] })
        : http.request(url, { ...options, agent: agents["http:"] });
    const stop = () => request.destroy(asError(signal.reason));
    signal.addEventListener("abort", stop, { once: true });
    const ended = new AbortController();
    try {
      const answer = new Promise<Response>((resolve, reject) => {
        request.once("error", reject);
        request.once("response", (message) => {
          ended.abort();
          readAnswer(message).then(resolve, reject);
        });
        request.once("close", () => {
          // With an answer begun, reading it tells how it ends.
          if (!ended.signal.aborted) reject(new Error("the connection was closed without an answer"));
        });
      });
      // Awaited below; until then its failure must not count as nobody's.
      answer.catch(() => ended.abort());
      await pump(request, chunksOf(body, sizeBytes, ended.signal), ended.signal);
      const response = await answer;
      // The next attempt is meant to meet another vault: not over this connection.
      if (!response.ok) request.destroy();
      return response;
    } catch (thrown) {
      request.destroy();
      throw signal.aborted ? signal.reason : thrown;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };
}

/** Writes one chunk while the next is read; a chunk's buffer is free again when it was written. */
async function pump(
  request: http.ClientRequest,
  chunks: AsyncGenerator<Uint8Array, void, undefined>,
  ended: AbortSignal,
): Promise<void> {
  const over = new Promise<void>((resolve) => {
    ended.addEventListener("abort", () => resolve(), { once: true });
  });
  let previous: Promise<void> | undefined;
  for await (const chunk of chunks) {
    if (ended.aborted) return;
    // What a write fails with, the request tells too.
    const written = new Promise<void>((resolve) => request.write(chunk, () => resolve()));
    await Promise.race([previous, over]);
    previous = written;
  }
  if (!ended.aborted) request.end();
}

async function readAnswer(message: http.IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += chunk.length;
    if (bytes > LONGEST_ANSWER_BYTES) break;
    chunks.push(chunk);
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  const status = message.statusCode ?? 0;
  const hasBody = chunks.length > 0 && ![204, 205, 304].includes(status);
  return new Response(hasBody ? new Uint8Array(Buffer.concat(chunks)) : null, { status, headers });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
