import { createHash } from "node:crypto";
import type { Promised } from "./blobs.ts";
import { MAX_PUT_BYTES } from "./multipart.ts";
import { refuse } from "./refusals/refuse.ts";
import type { Query } from "./request-target.ts";
import type { ApplicationKey, B2Settings } from "./settings.ts";
import type { Store } from "./store.ts";

/** A request that is verified, entitled and free of headers B2 refuses: all an operation gets to see. */
export interface Exchange {
  bucket: string;
  key: string;
  query: Query;
  /** Single values by lower-case name. */
  headers: Record<string, string | undefined>;
  body: AsyncIterable<Buffer>;
  /** What the signed body must hash to, hex. */
  payloadSha256?: string | undefined;
  applicationKey: ApplicationKey;
  store: Store;
  settings: B2Settings;
  /** Milliseconds since 1970, one value for the whole request. */
  nowMs: number;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** XML text, or bytes whose number is told by a `content-length` header. */
  body?: string | AsyncIterable<Buffer>;
}

export type Operation = (exchange: Exchange) => Answer | Promise<Answer>;

/** An answer of one XML document. */
export const xmlAnswer = (body: string, headers: Record<string, string> = {}): Answer => ({
  status: 200,
  headers: { "content-type": "application/xml", ...headers },
  body,
});

/**
 * What the headers promise about the body.
 * @throws S3Error MissingContentLength (a chunked body, which is what Deno's fetch makes of every stream),
 * EntityTooLarge, InvalidDigest.
 */
export function promisedBody(exchange: Exchange): Promised {
  const { headers } = exchange;
  const length = headers["content-length"];
  if (length === undefined || headers["transfer-encoding"] !== undefined) refuse("body-without-length");
  if (Number(length) > MAX_PUT_BYTES) {
    refuse("body-too-large", {
      details: { ProposedSize: String(length), MaxSizeAllowed: String(MAX_PUT_BYTES) },
    });
  }
  const md5 = headers["content-md5"];
  if (md5 !== undefined && !/^[A-Za-z0-9+/]{22}==$/.test(md5)) refuse("md5-malformed");
  return { length: length === undefined ? undefined : Number(length), md5, sha256: exchange.payloadSha256 };
}

/**
 * Reads a whole body as text: only for XML, which is small.
 * @param limit bytes
 * @throws S3Error MalformedXML over the limit, BadDigest, XAmzContentSHA256Mismatch.
 */
export async function readText(exchange: Exchange, limit: number): Promise<string> {
  const promised = promisedBody(exchange);
  if ((promised.length ?? 0) > limit) refuse("xml-too-long");
  const chunks: Buffer[] = [];
  for await (const chunk of exchange.body) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest();
  if (promised.md5 !== undefined && digest("md5").toString("base64") !== promised.md5) refuse("md5-wrong");
  if (promised.sha256 !== undefined && digest("sha256").toString("hex") !== promised.sha256) {
    refuse("sha256-wrong");
  }
  return bytes.toString("utf8");
}
