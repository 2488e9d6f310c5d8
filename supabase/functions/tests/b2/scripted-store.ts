import { type B2Client, createB2Client } from "../../_shared/b2/client.ts";
import type { RetryPolicy } from "../../_shared/b2/retry-policy.ts";
import { B2_RETRY_POLICY } from "../../_shared/b2/retry-policy.ts";
import type { StoreSettings } from "../../_shared/b2/settings.ts";

export const SETTINGS = {
  endpoint: "https://s3.us-west-004.backblazeb2.com",
  bucket: "recordings-bucket",
  keyId: "0040000000000000000000001",
  applicationKey: "K004applicationkeyapplicationke",
} satisfies StoreSettings;

/** 2026-11-22T18:00:00Z: six hours before the daily caps end. */
export const NOW_MS = Date.UTC(2026, 10, 22, 18);

export type Step =
  | { http: number; body?: string; headers?: Record<string, string> }
  | "lost"
  | "silent"
  | { http: number; cutOffAfter: string; headers?: Record<string, string> };

export interface SentRequest {
  method: string;
  url: string;
  headers: Headers;
  body: unknown;
}

/** A store that follows a script, with a clock that only sleeping moves; it counts the bodies nobody took. */
export function scriptedStore(
  steps: Step[],
  policy: Partial<RetryPolicy> = {},
): { client: B2Client; sent: SentRequest[]; slept: number[]; cancelled: () => number } {
  const sent: SentRequest[] = [];
  const slept: number[] = [];
  let cancelled = 0;
  let nowMs = NOW_MS;

  const bodyOf = (step: Exclude<Step, string>) => {
    if (!("cutOffAfter" in step) && step.body === undefined) return null;
    let isSent = false;
    return new ReadableStream<Uint8Array>(
      {
        pull(stream) {
          if (!isSent) {
            isSent = true;
            stream.enqueue(new TextEncoder().encode("cutOffAfter" in step ? step.cutOffAfter : step.body));
          } else if ("cutOffAfter" in step) stream.error(new TypeError("connection reset"));
          else stream.close();
        },
        cancel() {
          cancelled += 1;
        },
      },
      { highWaterMark: 0 },
    );
  };

  const fetchStep: typeof fetch = async (input, init) => {
    const body = init?.body instanceof Blob ? await init.body.text() : init?.body;
    sent.push({
      method: init?.method ?? "GET",
      url: String(input),
      headers: new Headers(init?.headers),
      body,
    });
    const step = steps.shift();
    if (step === undefined) throw new Error("the script has no step left for this request");
    if (step === "lost") throw new TypeError("connection reset");
    if (step === "silent") {
      return await new Promise<never>((_, reject) => {
        if (init?.signal?.aborted) reject(init.signal.reason);
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    }
    return new Response(bodyOf(step), { status: step.http, headers: step.headers ?? {} });
  };

  const client = createB2Client(
    SETTINGS,
    {
      fetch: fetchStep,
      now: () => nowMs,
      sleep: (ms) => {
        slept.push(ms);
        nowMs += ms;
        return Promise.resolve();
      },
      random: () => 0.5,
    },
    { ...B2_RETRY_POLICY, ...policy },
  );
  return { client, sent, slept, cancelled: () => cancelled };
}

/** An S3 error as B2 writes it. */
export function errorXml(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>\n<Error>\n    <Code>${code}</Code>\n    <Message>${message}</Message>\n</Error>\n`;
}

/** The headers of an object of `bytes` bytes. */
export function objectHeaders(bytes: number, more: Record<string, string> = {}): Record<string, string> {
  return {
    "content-length": String(bytes),
    "content-type": "video/mp4",
    etag: '"8b1a9953c4611296a827abf8c47804d7"',
    "last-modified": "Sun, 22 Nov 2026 17:00:00 GMT",
    "x-amz-version-id": "4_z1_f2_d20261122_m170000_c004_v0402000_t0001_u01700000000000",
    "x-amz-request-id": "r-1",
    ...more,
  };
}
