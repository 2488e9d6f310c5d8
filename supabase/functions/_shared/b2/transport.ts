import { AwsV4Signer } from "aws4fetch";
import { RecorderFailure } from "../errors.ts";
import { isStreamed, type RequestBody, streamedBytes, wholeBytes } from "./bodies.ts";
import { storeError } from "./errors.ts";
import { encodeKey, encodeRfc3986 } from "./keys.ts";
import { type Refusal, refusalOf } from "./refusals.ts";
import { pauseAfter, type RetryPolicy, retryAfterMsOf } from "./retry-policy.ts";
import type { CheckedStoreSettings } from "./settings.ts";
import type { SendStream } from "./stream-sender.ts";
import { parseErrorXml } from "./xml.ts";

export interface B2Deps {
  fetch: typeof fetch;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** From 0 up to 1. */
  random(): number;
  /** Sends streamed bodies without holding them; absent, a streamed body is taken into memory first. */
  sendStream?: SendStream;
}

export interface StoreRequest {
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Absent: the bucket itself. */
  key?: string;
  query?: Record<string, string | undefined>;
  headers?: Record<string, string | undefined>;
  body?: RequestBody;
  /** The statuses that are no refusal. */
  expect: readonly number[];
  signal?: AbortSignal | undefined;
}

/** Thrown by whoever reads an answer of 200 that holds an S3 error: it counts as that error. */
export class ErrorInBody extends Error {
  readonly code: string | undefined;
  readonly says: string | undefined;
  constructor(told: { code: string | undefined; says: string | undefined }) {
    super(`${told.code}: ${told.says}`);
    this.code = told.code;
    this.says = told.says;
  }
}

export interface StoreTransport {
  /**
   * Sends until one attempt succeeds or the policy ends it; `use` reads the answer within the attempt's timeout and is
   * run again with a new answer when reading breaks off. Throws RecorderFailure, or the signal's reason when the
   * caller gave up.
   */
  send<T>(request: StoreRequest, use: (response: Response) => Promise<T>): Promise<T>;
  /** Whether any answer has shown that the bucket exists: only then does a bare 404 mean the object. */
  bucketSeen(): boolean;
}

type Attempt<T> = { kind: "done"; value: T } | { kind: "failed"; refusal: Refusal; cause?: unknown };

/** Signed requests to one bucket, path style, with our own retries; aws4fetch only signs. */
export function createStoreTransport(
  settings: CheckedStoreSettings,
  deps: B2Deps,
  policy: RetryPolicy,
): StoreTransport {
  const dayKeys = new Map<string, ArrayBuffer>();
  let bucketSeen = false;

  const sign = async (request: StoreRequest) => {
    const signed = await new AwsV4Signer({
      method: request.method,
      url: urlOf(settings, request),
      headers: definedOnly(request.headers ?? {}),
      accessKeyId: settings.keyId,
      secretAccessKey: settings.applicationKey,
      service: "s3",
      region: settings.region,
      cache: dayKeys,
      datetime: new Date(deps.now()).toISOString().replace(/[:-]|\.\d{3}/g, ""),
    }).sign();
    // After signing, since proxies may rewrite it: sizes must be those of the stored bytes.
    signed.headers.set("accept-encoding", "identity");
    return signed;
  };

  // Bytes and text that are given to Deno's fetch as such are sent again by it, unasked, when a kept connection breaks:
  // a put would leave a hidden version more, and no attempt would be counted. A Blob it sends once.
  const sendOnce = async (request: StoreRequest, url: URL, headers: Headers, signal: AbortSignal) => {
    const { method, body } = request;
    if (deps.sendStream !== undefined && body !== undefined && typeof body !== "string") {
      const { sizeBytes, open } = isStreamed(body) ? body : streamedBytes(body);
      return await deps.sendStream({ method, url, headers, body: await open(), sizeBytes, signal });
    }
    return await deps.fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: isStreamed(body) ? await wholeBytes(body) : new Blob([body]) }),
      redirect: "manual",
      signal,
    });
  };

  const attempt = async <T>(
    request: StoreRequest,
    use: (response: Response) => Promise<T>,
  ): Promise<Attempt<T>> => {
    const isWriting = request.method === "PUT" || request.method === "POST";
    const timeoutMs = isWriting ? policy.putTimeoutMs : policy.timeoutMs;
    const limit = new AbortController();
    const timer = setTimeout(
      () => limit.abort(new DOMException(`no answer within ${timeoutMs} ms`, "TimeoutError")),
      timeoutMs,
    );
    try {
      const { url, headers } = await sign(request);
      const signal =
        request.signal === undefined ? limit.signal : AbortSignal.any([limit.signal, request.signal]);
      const response = await sendOnce(request, url, headers, signal);
      if (request.expect.includes(response.status)) {
        bucketSeen = true;
        return { kind: "done", value: await use(response) };
      }
      const told = parseErrorXml((await readText(response, 16_384)).text);
      if (told?.code === "NoSuchKey") bucketSeen = true;
      const refusal = refusalOf({
        httpStatus: response.status,
        ...told,
        requestId: response.headers.get("x-amz-request-id") ?? undefined,
        retryAfterMs: retryAfterMsOf(response.headers.get("retry-after"), deps.now()),
        nowMs: deps.now(),
      });
      return { kind: "failed", refusal };
    } catch (thrown) {
      if (thrown instanceof ErrorInBody) {
        const { code, says } = thrown;
        return { kind: "failed", refusal: refusalOf({ httpStatus: 200, code, says, nowMs: deps.now() }) };
      }
      if (thrown instanceof RecorderFailure && thrown.error.code === "upload_source_failed") {
        return { kind: "failed", refusal: { error: thrown.error, repeat: true }, cause: thrown.cause };
      }
      if (thrown instanceof RecorderFailure) throw thrown;
      if (request.signal?.aborted === true) throw request.signal.reason;
      const error = storeError("store_unreachable", { detail: reasonOf(thrown) });
      return { kind: "failed", refusal: { error, repeat: true }, cause: thrown };
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    async send(request, use) {
      const startedAt = deps.now();
      const canRepeat = !isStreamed(request.body) || request.body.isReplayable;
      for (let number = 1; ; number++) {
        const outcome = await attempt(request, use);
        if (outcome.kind === "done") return outcome.value;
        const { error, repeat } = outcome.refusal;
        const pauseMs = pauseAfter(number, policy, error.retryAfterMs, deps.random());
        const isLast =
          !repeat ||
          !canRepeat ||
          number >= policy.attempts ||
          pauseMs > policy.longestPauseMs ||
          deps.now() - startedAt + pauseMs > policy.budgetMs;
        if (isLast) throw new RecorderFailure(error, { cause: outcome.cause });
        await deps.sleep(pauseMs);
      }
    },
    bucketSeen: () => bucketSeen,
  };
}

/**
 * At most `maxBytes` of an answer as text; the rest is cancelled unread. Cancelling also gives up the connection, and
 * after a 503 the next attempt is meant to go to another vault by a new one.
 */
export async function readText(
  response: Response,
  maxBytes: number,
): Promise<{ text: string; isWhole: boolean }> {
  if (response.body === null) return { text: "", isWhole: true };
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (bytes > maxBytes) return { text, isWhole: false };
    text += decoder.decode(chunk, { stream: true });
  }
  return { text: text + decoder.decode(), isWhole: true };
}

function urlOf({ endpoint, bucket }: CheckedStoreSettings, { key, query = {} }: StoreRequest): string {
  const path = key === undefined ? `/${bucket}` : `/${bucket}/${encodeKey(key)}`;
  const search = Object.entries(definedOnly(query))
    .map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`)
    .join("&");
  return `${endpoint}${path}${search === "" ? "" : `?${search}`}`;
}

function definedOnly(members: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause instanceof Error ? ` (${thrown.cause.message})` : "";
  return `${thrown.name}: ${thrown.message}${cause}`;
}
