import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Authorization } from "./authorization.ts";
import { parseCredential, parseHeaderAuthorization, parseQueryAuthorization } from "./authorization.ts";
import { refusal, refuse } from "./refusals/refuse.ts";
import type { Query } from "./request-target.ts";
import { decode, encode, queryValue } from "./request-target.ts";

/** A request as it came over the wire. Header names are lower case, values in the order sent. */
export interface SignedRequest {
  method: string;
  /** Undecoded path. */
  rawPath: string;
  query: Query;
  headers: Record<string, readonly string[] | undefined>;
}

export interface VerificationRules {
  region: string;
  /** Milliseconds since 1970. */
  nowMs: number;
  /** How far a signer's clock may be off; S3's value is 900. */
  clockSkewSeconds: number;
  /** The application key of a key id; undefined when there is no such key. */
  secretOf(keyId: string): string | undefined;
}

export interface VerifiedRequest {
  keyId: string;
  /** Lower-case hex the body must hash to; absent for `UNSIGNED-PAYLOAD`. */
  payloadSha256?: string;
}

/** S3's ceiling for `X-Amz-Expires`, seven days in seconds. */
const MAX_EXPIRES_SECONDS = 604_800;
const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

/**
 * Verifies AWS Signature Version 4 in its header form and its presigned form.
 * Rules: "Authenticating Requests: Using the Authorization Header" and "Using Query Parameters" (S3 API reference).
 * @throws S3Error for every way a request can be wrong; a request without any authentication is AccessDenied.
 */
export function verifySignature(request: SignedRequest, rules: VerificationRules): VerifiedRequest {
  const authorization = authorizationOf(request);
  const { keyId, date, region, scope } = parseCredential(authorization, rules.region);
  const secret = rules.secretOf(keyId);
  if (secret === undefined) throw unknownKey(keyId);
  assertTimely(authorization, rules);
  assertSignedHeaders(request, authorization.signedHeaders);
  const payload = payloadHash(request, authorization);

  const canonical = canonicalRequest(request, authorization.signedHeaders, payload);
  const stringToSign = ["AWS4-HMAC-SHA256", authorization.timestamp, scope, sha256Hex(canonical)].join("\n");
  const expected = hmac(signingKey(secret, date, region), stringToSign).toString("hex");
  if (!equalInConstantTime(expected, authorization.signature)) {
    refuse("signature-wrong");
  }
  return payload === UNSIGNED_PAYLOAD ? { keyId } : { keyId, payloadSha256: payload };
}

/** B2 tells a key id of a wrong form from one that is unknown; the master key's id has the wrong form. */
function unknownKey(keyId: string): Error {
  if (!/^[0-9a-f]{25}$/.test(keyId)) return refusal("key-malformed");
  return refusal("key-unknown", { message: `The key '${keyId}' is not valid` });
}

function authorizationOf(request: SignedRequest): Authorization {
  const header = request.headers.authorization?.[0];
  const presigned = request.query.some(([name]) =>
    /^(X-Amz-(Algorithm|Signature|Credential)|Signature)$/.test(name),
  );
  if (header !== undefined && presigned) {
    refuse("signed-twice");
  }
  // Keys of B2 are static: there is no token service whose tokens could be valid.
  if (
    request.headers["x-amz-security-token"] !== undefined ||
    queryValue(request.query, "X-Amz-Security-Token") !== undefined
  ) {
    refuse("session-token");
  }
  if (presigned) return parseQueryAuthorization(request.query);
  if (header === undefined) throw refusal("nobody-asks");
  const date = request.headers["x-amz-date"]?.[0] ?? request.headers.date?.[0];
  return parseHeaderAuthorization(header, date);
}

function assertTimely(authorization: Authorization, rules: VerificationRules): void {
  const skewMs = rules.clockSkewSeconds * 1000;
  const serverTime = new Date(rules.nowMs).toISOString();
  if (authorization.expiresSeconds === undefined) {
    if (Math.abs(rules.nowMs - authorization.timestampMs) > skewMs) {
      refuse("clock-skewed", {
        details: {
          RequestTime: authorization.timestamp,
          ServerTime: serverTime,
          MaxAllowedSkewMilliseconds: String(skewMs),
        },
      });
    }
    return;
  }
  if (authorization.expiresSeconds > MAX_EXPIRES_SECONDS) {
    refuse("presign-life-too-long");
  }
  if (authorization.timestampMs > rules.nowMs + skewMs) {
    refuse("presign-not-yet", { details: { ServerTime: serverTime } });
  }
  const endMs = authorization.timestampMs + authorization.expiresSeconds * 1000;
  if (rules.nowMs > endMs) {
    refuse("presign-expired", {
      details: {
        "X-Amz-Expires": String(authorization.expiresSeconds),
        Expires: new Date(endMs).toISOString(),
        ServerTime: serverTime,
      },
    });
  }
}

/** `host` and every `x-amz-*` header sent must be signed, or they could be changed on the way. */
function assertSignedHeaders(request: SignedRequest, signed: readonly string[]): void {
  const unsigned = Object.keys(request.headers).filter(
    (name) => (name === "host" || name.startsWith("x-amz-")) && !signed.includes(name),
  );
  if (!signed.includes("host") && !unsigned.includes("host")) unsigned.push("host");
  if (unsigned.length > 0) {
    refuse("header-unsigned", {
      details: { HeadersNotSigned: unsigned.join(", ") },
    });
  }
}

/** What the signer put on the last line of the canonical request. */
function payloadHash(request: SignedRequest, authorization: Authorization): string {
  const declared = request.headers["x-amz-content-sha256"]?.[0];
  if (declared === undefined) {
    if (authorization.expiresSeconds !== undefined) return UNSIGNED_PAYLOAD;
    refuse("body-hash-missing");
    return UNSIGNED_PAYLOAD;
  }
  if (declared.startsWith("STREAMING-")) refuse("body-hash-streaming");
  if (declared !== UNSIGNED_PAYLOAD && !/^[0-9a-f]{64}$/.test(declared)) {
    refuse("body-hash-malformed");
  }
  return declared;
}

/** The canonical request of "Create a signed AWS API request", step 1; S3 encodes the path once. */
export function canonicalRequest(
  request: SignedRequest,
  signedHeaders: readonly string[],
  payload: string,
): string {
  const path = request.rawPath
    .split("/")
    .map((segment) => encode(decode(segment)))
    .join("/");
  const query = request.query
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  const headers = signedHeaders.map((name) => `${name}:${canonicalValue(request.headers[name] ?? [])}\n`);
  return [request.method, path, query, headers.join(""), signedHeaders.join(";"), payload].join("\n");
}

function canonicalValue(values: readonly string[]): string {
  // Node hands over header bytes as Latin-1; signers hash UTF-8.
  return values
    .map((value) => Buffer.from(value, "latin1").toString("utf8").trim().replace(/\s+/g, " "))
    .join(",");
}

/** Encoded text is ASCII, so the order of code units is the order of bytes. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function signingKey(secret: string, date: string, region: string): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), "s3"), "aws4_request");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function equalInConstantTime(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
