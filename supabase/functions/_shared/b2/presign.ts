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
}

export interface Presigner {
  /**
   * A URL that gives this one object to whoever has it, by GET only (HEAD needs its own signature). Throws
   * RecorderFailure `store_request_invalid` or `object_key_invalid`.
   */
  presignGet(key: string, options: PresignOptions): string;
}

/**
 * Signs URLs (Signature Version 4 in the query, path style) synchronously: the day's key is derived once, then each
 * URL costs one SHA-256 and one HMAC, so that a playlist of a thousand lines fits a function's CPU limit. A URL lives
 * no longer than the key that signed it. Throws RecorderFailure `store_settings_invalid`.
 */
export function createPresigner(settings: StoreSettings): Presigner {
  const { endpoint, region, bucket, keyId, applicationKey } = parseStoreSettings(settings);
  const host = new URL(endpoint).host;
  let keyOfDay: { day: string; key: Uint8Array } = { day: "", key: new Uint8Array() };

  const signingKey = (day: string): Uint8Array => {
    if (keyOfDay.day !== day) {
      const key = ["aws4_request", "s3", region, day].reduceRight<Uint8Array | string>(
        (secret, part) => hmac(secret, part),
        `AWS4${applicationKey}`,
      );
      keyOfDay = { day, key: typeof key === "string" ? new TextEncoder().encode(key) : key };
    }
    return keyOfDay.key;
  };

  const presign = (
    method: string,
    key: string,
    query: Record<string, string>,
    signedAt: Date,
    seconds: number,
  ) => {
    const path = `/${bucket}/${encodeKey(key)}`;
    const time = signedAt.toISOString().replace(/[:-]|\.\d{3}/g, "");
    const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
    const canonicalQuery = Object.entries({
      ...query,
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-Credential": `${keyId}/${scope}`,
      "X-Amz-Date": time,
      "X-Amz-Expires": String(seconds),
      "X-Amz-SignedHeaders": "host",
    })
      .map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`)
      .sort()
      .join("&");
    const request = [method, path, canonicalQuery, `host:${host}`, "", "host", "UNSIGNED-PAYLOAD"].join("\n");
    const toSign = ["AWS4-HMAC-SHA256", time, scope, createHash("sha256").update(request).digest("hex")].join(
      "\n",
    );
    const signature = createHmac("sha256", signingKey(time.slice(0, 8)))
      .update(toSign)
      .digest("hex");
    return `${endpoint}${path}?${canonicalQuery}&X-Amz-Signature=${signature}`;
  };

  return {
    presignGet(key, options) {
      check(options);
      const overrides = {
        ...(options.responseContentType === undefined
          ? {}
          : { "response-content-type": options.responseContentType }),
        ...(options.responseContentDisposition === undefined
          ? {}
          : { "response-content-disposition": options.responseContentDisposition }),
      };
      return presign("GET", key, overrides, options.signedAt, options.expiresInSeconds);
    },
  };
}

function hmac(key: Uint8Array | string, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

function check(options: PresignOptions): void {
  const { expiresInSeconds, signedAt, responseContentType, responseContentDisposition } = options;
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
}

function refuse(detail: string): never {
  throw new RecorderFailure(storeError("store_request_invalid", { detail }));
}
