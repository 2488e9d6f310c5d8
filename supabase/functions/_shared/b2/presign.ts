import type { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import { RecorderFailure } from "../errors.ts";
import { storeError } from "./errors.ts";
import { encodeKey, encodeRfc3986 } from "./keys.ts";
import { parseStoreSettings, type StoreSettings } from "./settings.ts";

/** B2's and S3's longest life of a presigned URL: 7 days. */
export const LONGEST_URL_SECONDS = 604_800;

/** The content types a URL of ours may promise. Markup is not among them: on the store's origin it would be a script. */
export const SIGNABLE_CONTENT_TYPES: ReadonlySet<string> = new Set([
  "application/vnd.apple.mpegurl",
  "application/x-mpegURL",
  "application/json",
  "application/octet-stream",
  "video/mp2t",
  "video/mp4",
  "video/webm",
  "video/iso.segment",
  "audio/aac",
  "audio/mp4",
  "audio/mpeg",
  "image/jpeg",
  "image/png",
  "image/webp",
  "text/vtt",
]);

export interface PresignOptions {
  /** 1 to 604800, counted from `signedAt`. */
  expiresInSeconds: number;
  /** Round it down (to the hour, say) and the same file has the same URL, which browsers can then cache. */
  signedAt: Date;
  /** Overrides a wrong stored type; one of SIGNABLE_CONTENT_TYPES. */
  responseContentType?: string;
  /** `inline` or `attachment`, with a file name if wanted. */
  responseContentDisposition?: string;
  /** What the store keeps tells no cache anything; `private` or `no-store`, with an age if wanted. */
  responseCacheControl?: string;
}

/** Gives the URL of one object after the other. Throws RecorderFailure `object_key_invalid`. */
export type Sign = (key: string) => string;

export interface Presigner {
  /**
   * URLs that give an object to whoever has them, by this method only: a store refuses HEAD on a URL signed for GET.
   * What many have in common is prepared once. Throws RecorderFailure `store_request_invalid`.
   */
  presigning(method: "GET" | "HEAD", options: PresignOptions): Sign;
  /** The URL of one object, by GET. Throws RecorderFailure `store_request_invalid` or `object_key_invalid`. */
  presignGet(key: string, options: PresignOptions): string;
}

/**
 * Signs URLs (Signature Version 4 in the query, path style) synchronously: the day's key is derived once, then each
 * URL costs three short hashes, so that a playlist of thousands of lines fits a function's CPU limit. A URL lives
 * no longer than the key that signed it. Throws RecorderFailure `store_settings_invalid`.
 */
export function createPresigner(settings: StoreSettings): Presigner {
  const { endpoint, region, bucket, keyId, applicationKey } = parseStoreSettings(settings);
  const host = new URL(endpoint).host;
  let ofDay: { day: string; under: UnderKey } | undefined;

  const underKeyOf = (day: string): UnderKey => {
    if (ofDay?.day !== day) {
      const key = ["aws4_request", "s3", region, day].reduceRight<Uint8Array | string>(
        (secret, part) => hmac(secret, part),
        `AWS4${applicationKey}`,
      );
      ofDay = { day, under: underKey(typeof key === "string" ? new TextEncoder().encode(key) : key) };
    }
    return ofDay.under;
  };

  const presigning: Presigner["presigning"] = (method, options) => {
    check(options);
    const time = options.signedAt.toISOString().replace(/[:-]|\.\d{3}/g, "");
    const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
    const query = Object.entries({
      ...overridesOf(options),
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-Credential": `${keyId}/${scope}`,
      "X-Amz-Date": time,
      "X-Amz-Expires": String(options.expiresInSeconds),
      "X-Amz-SignedHeaders": "host",
    })
      .map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`)
      .sort()
      .join("&");
    const beforeKey = createHash("sha256").update(`${method}\n/${bucket}/`);
    const behindKey = new TextEncoder().encode(`\n${query}\nhost:${host}\n\nhost\nUNSIGNED-PAYLOAD`);
    const signatureOf = underKeyOf(time.slice(0, 8))(`AWS4-HMAC-SHA256\n${time}\n${scope}\n`);
    const [before, behind] = [`${endpoint}/${bucket}/`, `?${query}&X-Amz-Signature=`];
    return (key) => {
      const encodedKey = encodeKey(key);
      const hash = beforeKey.copy().update(asciiBytes(encodedKey)).update(behindKey).digest("hex");
      return before + encodedKey + behind + signatureOf(hash);
    };
  };

  return { presigning, presignGet: (key, options) => presigning("GET", options)(key) };
}

function overridesOf(options: PresignOptions): Record<string, string> {
  const overrides = {
    "response-content-type": options.responseContentType,
    "response-content-disposition": options.responseContentDisposition,
    "response-cache-control": options.responseCacheControl,
  };
  return Object.fromEntries(
    Object.entries(overrides).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function hmac(key: Uint8Array | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** HMAC-SHA256 as hexadecimal digits of texts that begin alike: given the beginning, then the ASCII rest of each. */
type UnderKey = (beginning: string) => (rest: string) => string;

/**
 * HMAC-SHA256 under one key of 32 bytes, many times. node:crypto prepares the key anew for every one, which costs
 * several times the hashing; here prepared hashes are copied (RFC 2104).
 */
function underKey(key: Uint8Array): UnderKey {
  const prepared = (pad: number) => {
    const block = new Uint8Array(64).fill(pad);
    for (const [index, byte] of key.entries()) block[index] = byte ^ pad;
    return createHash("sha256").update(block);
  };
  const outer = prepared(0x5c);
  const between = new Uint8Array(32);
  return (beginning) => {
    const inner = prepared(0x36).update(beginning);
    return (rest) => {
      // A digest as bytes makes a Buffer each time, which costs more than reading its text.
      readHex(inner.copy().update(asciiBytes(rest)).digest("hex"), between);
      return outer.copy().update(between).digest("hex");
    };
  };
}

const encoder = new TextEncoder();
const scratch = new Uint8Array(4096);

/** The bytes of an ASCII text, valid until the next call: what is hashed as text is converted by a slower way. */
function asciiBytes(text: string): Uint8Array {
  if (text.length > scratch.length) return encoder.encode(text);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

const digitValues = new Uint8Array(128);
for (let value = 0; value < 16; value++) digitValues[value.toString(16).charCodeAt(0)] = value;

/** Reads lower-case hexadecimal digits into `bytes`, two for each. */
function readHex(text: string, bytes: Uint8Array): void {
  const valueAt = (index: number) => digitValues[text.charCodeAt(index)] ?? 0;
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = (valueAt(2 * index) << 4) | valueAt(2 * index + 1);
  }
}

function check(options: PresignOptions): void {
  const { expiresInSeconds, signedAt, responseContentType, responseContentDisposition } = options;
  const { responseCacheControl } = options;
  if (!Number.isInteger(expiresInSeconds) || expiresInSeconds < 1 || expiresInSeconds > LONGEST_URL_SECONDS) {
    refuse(`expiresInSeconds: must be 1 to ${LONGEST_URL_SECONDS}`);
  }
  if (Number.isNaN(signedAt.getTime())) refuse("signedAt: not a time");
  if (responseContentType !== undefined && !SIGNABLE_CONTENT_TYPES.has(responseContentType)) {
    refuse("responseContentType: not one of the types we sign");
  }
  if (
    responseContentDisposition !== undefined &&
    !/^(?:inline|attachment)(?:;[\x20-\x7e]+)?$/.test(responseContentDisposition)
  ) {
    refuse("responseContentDisposition: must be inline or attachment, in printable ASCII");
  }
  // Never public: what a person may see must not be kept for others.
  if (
    responseCacheControl !== undefined &&
    !/^(?:no-store|private(?:, max-age=\d{1,6})?(?:, immutable)?)$/.test(responseCacheControl)
  ) {
    refuse("responseCacheControl: must be no-store, or private with an age");
  }
}

function refuse(detail: string): never {
  throw new RecorderFailure(storeError("store_request_invalid", { detail }));
}
