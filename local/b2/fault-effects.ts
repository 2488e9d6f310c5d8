import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { ErrorCode } from "./errors.ts";
import { S3Error } from "./errors.ts";
import type { Answer, Exchange } from "./exchange.ts";
import type { Fault, FaultKind } from "./faults.ts";
import { OPERATIONS } from "./operations.ts";
import type { OperationName } from "./routes.ts";
import { xmlErrorDocument } from "./xml.ts";

/** A connection that was cut on purpose: nothing can be answered any more. */
export class ConnectionCut extends Error {}

interface Refusing {
  code: ErrorCode;
  says?: string;
  /** Where it is not the code's own. */
  status?: number;
  /** Where it is known from. The Code of B2's caps is not documented, their text is reported by users. */
  source: string;
}

const RATE_LIMITS = "Backblaze documentation, Rate Limits";

/** Faults that consist of a refusal. */
export const REFUSING_FAULTS: Partial<Record<FaultKind, Refusing>> = {
  "slow-down": { code: "SlowDown", source: RATE_LIMITS },
  "too-many-requests": { code: "TooManyRequests", source: RATE_LIMITS },
  "no-tomes": {
    code: "ServiceUnavailable",
    source: "Backblaze blog, B2 503 500 Server Error; mastodon #30030",
  },
  "internal-error": { code: "InternalError", source: "nextcloud-S3-migration #9" },
  "request-timeout": { code: "RequestTimeout", status: 408, source: "Backblaze SDK, retryable statuses" },
  unauthorized: { code: "InvalidAccessKeyId", status: 401, source: "ai-dock/comfyui #22" },
  "key-deleted": { code: "InvalidAccessKeyId", source: "S3 API reference, Error Responses" },
  "signature-refused": { code: "SignatureDoesNotMatch", source: "S3 API reference, Error Responses" },
  "access-denied": {
    code: "AccessDenied",
    says: "not entitled",
    source: "Backblaze documentation, App Keys",
  },
  "length-required": { code: "MissingContentLength", source: "S3 API reference, Error Responses" },
  "transaction-cap": {
    code: "AccessDenied",
    says: "Transaction cap exceeded, see the Caps & Alerts page to increase your cap",
    source: "Backblaze documentation, Caps & Alerts; text from a third party's fixture",
  },
  "storage-cap": {
    code: "AccessDenied",
    says: "Cannot upload files, storage cap exceeded. See the Caps & Alerts page to increase your cap.",
    source: "Backblaze documentation, Caps & Alerts; text as users report it",
  },
  "download-cap": {
    code: "AccessDenied",
    says: "Cannot download file, download bandwidth or transaction (Class B) cap exceeded. See the Caps & Alerts page to increase your cap.",
    source: "Backblaze documentation, Caps & Alerts; share-note #63",
  },
};

/** What a proxy in front of the store says is no XML. */
const PROXY_ANSWERS: Partial<Record<FaultKind, readonly [status: number, reason: string]>> = {
  "bad-gateway": [502, "Bad Gateway"],
  "gateway-timeout": [504, "Gateway Timeout"],
};

/** Lets a fault happen to a request. @throws S3Error, or ConnectionCut when nothing more can be said. */
export async function meetFault(
  fault: Fault,
  operation: OperationName,
  exchange: Exchange,
  request: IncomingMessage,
): Promise<Answer> {
  const refusal = refusalOf(fault);
  if (refusal !== undefined) throw refusal;
  const proxy = PROXY_ANSWERS[fault.kind];
  if (proxy !== undefined) {
    const [status, reason] = proxy;
    return { status, headers: { "content-type": "text/html" }, body: `<html><h1>${reason}</h1></html>` };
  }
  const run = OPERATIONS[operation];
  // Kept now: a request whose body was read to its end has given its socket back.
  const { socket } = request;
  switch (fault.kind) {
    case "delay":
      await pause(fault.delayMs);
      return run(exchange);
    case "lost-reply":
      await run(exchange);
      socket.destroy();
      throw new ConnectionCut("the reply was lost");
    case "error-in-200": {
      // As Complete and Copy do it: the status was sent before the work was done, which then failed.
      const text = xmlErrorDocument([
        ["Code", "InternalError"],
        ["Message", "We encountered an internal error. Please try again."],
      ]);
      return { status: 200, headers: { "content-type": "application/xml" }, body: text };
    }
    case "wrong-etag":
      return withWrongEtag(await run(exchange));
    case "slow":
      return throttled(
        await run({ ...exchange, body: paced(exchange.body, fault.bytesPerSecond, socket) }),
        (bytes) => paced(bytes, fault.bytesPerSecond, socket),
      );
    default: {
      const cut = (): never => {
        if (fault.kind === "truncated") socket.destroySoon();
        else socket.resetAndDestroy();
        throw new ConnectionCut("the connection was cut");
      };
      return cutting(fault, exchange, (changed) => run(changed), cut);
    }
  }
}

function refusalOf(fault: Fault): S3Error | undefined {
  const refusing = REFUSING_FAULTS[fault.kind];
  if (refusing === undefined) return undefined;
  const asksToWait = fault.kind === "slow-down" || fault.kind === "too-many-requests";
  return new S3Error(refusing.code, refusing.says, {
    ...(asksToWait ? { headers: { "retry-after": String(fault.retryAfterSeconds) } } : {}),
    ...(refusing.status === undefined ? {} : { status: refusing.status }),
  });
}

function withWrongEtag(answer: Answer): Answer {
  if (answer.headers?.etag === undefined) return answer;
  const etag = `"${createHash("md5").update(answer.headers.etag).digest("hex")}"`;
  return { ...answer, headers: { ...answer.headers, etag } };
}

async function cutting(
  fault: Fault,
  exchange: Exchange,
  run: (exchange: Exchange) => Answer | Promise<Answer>,
  cut: () => never,
): Promise<Answer> {
  const uploads = Number(exchange.headers["content-length"] ?? 0) > 0;
  if (uploads) return run({ ...exchange, body: cutAfter(exchange.body, fault.afterBytes, cut) });
  const answer = await run(exchange);
  if (answer.body === undefined) return cut();
  const { headers, bytes } = asBytes(answer, answer.body);
  return { ...answer, headers, body: cutAfter(bytes, fault.afterBytes, cut) };
}

function throttled(answer: Answer, pace: (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer>): Answer {
  if (answer.body === undefined) return answer;
  const { headers, bytes } = asBytes(answer, answer.body);
  return { ...answer, headers, body: pace(bytes) };
}

/** A text's length has to be told before it is sent in pieces. */
function asBytes(answer: Answer, body: string | AsyncIterable<Buffer>) {
  if (typeof body !== "string") return { headers: answer.headers ?? {}, bytes: body };
  const bytes = Buffer.from(body);
  const headers = { ...answer.headers, "content-length": String(bytes.length) };
  return {
    headers,
    bytes: (async function* () {
      yield bytes;
    })(),
  };
}

/** Lets `limit` bytes pass, then calls `cut`, which throws. A shorter stream is cut at its end. */
async function* cutAfter(
  stream: AsyncIterable<Buffer>,
  limit: number,
  cut: () => never,
): AsyncGenerator<Buffer> {
  let left = limit;
  for await (const chunk of stream) {
    if (chunk.length >= left) {
      if (left > 0) yield chunk.subarray(0, left);
      cut();
    }
    left -= chunk.length;
    yield chunk;
  }
  cut();
}

/** A stream at a pace, in strokes of a tenth of a second, until the caller has hung up. */
async function* paced(
  stream: AsyncIterable<Buffer>,
  bytesPerSecond: number,
  socket: Socket,
): AsyncGenerator<Buffer> {
  const stroke = Math.max(1, Math.round(bytesPerSecond / 10));
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; at += stroke) {
      const piece = chunk.subarray(at, at + stroke);
      await pause((1000 * piece.length) / bytesPerSecond);
      if (socket.destroyed) throw new ConnectionCut("the caller hung up");
      yield piece;
    }
  }
}
