import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { RecorderFailure } from "../errors.ts";

/** The headers of a signed message, by the Standard Webhooks specification 1.0. */
export interface StandardWebhookHeaders {
  "webhook-id": string;
  "webhook-timestamp": string;
  "webhook-signature": string;
}

/** Why a message was not accepted. For our log only: the sender of a forgery need not learn it. */
export type WebhookRefusal =
  | "id_missing"
  | "id_malformed"
  | "timestamp_missing"
  | "timestamp_malformed"
  | "too_old"
  | "too_new"
  | "signature_missing"
  | "signature_malformed"
  | "signature_wrong";

export type WebhookVerdict =
  | { ok: true; id: string; timestampSeconds: number }
  | { ok: false; reason: WebhookRefusal };

const SHORTEST_SECRET_BYTES = 24;
const LONGEST_SECRET_BYTES = 64;
const SIGNATURE_BYTES = 32;

/**
 * The headers for a message: HMAC-SHA256 over `id.timestamp.body` with the body's bytes as they will be sent.
 * `timestampSeconds` is the time of this sending, not of the event; `id` stays the same over all its repetitions. Throws
 * RecorderFailure `webhook_secret_malformed`, or `webhook_message_malformed` for an id that verification would refuse.
 */
export function signStandardWebhook(message: {
  id: string;
  timestampSeconds: number;
  body: Uint8Array;
  secret: string;
}): StandardWebhookHeaders {
  if (!isId(message.id))
    malformedMessage("id: must be 1 to 256 printable characters without a full stop or space");
  if (!Number.isSafeInteger(message.timestampSeconds) || message.timestampSeconds < 0) {
    malformedMessage("timestampSeconds: must be whole seconds since 1970");
  }
  const timestamp = String(message.timestampSeconds);
  const signature = signatureOf(keyOf(message.secret), message.id, timestamp, message.body);
  return {
    "webhook-id": message.id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature.toString("base64")}`,
  };
}

/**
 * Whether a message is from a holder of one of `secrets` (several: for the time of a rotation) and of our time. Verify
 * the raw bytes before parsing. Within the tolerance a message can be replayed: drop an id that was seen. Throws
 * RecorderFailure `webhook_secret_malformed`, also for an empty list: a missing setting must not look like a forgery.
 */
export function verifyStandardWebhook(message: {
  headers: { get(name: string): string | null };
  rawBody: Uint8Array;
  secrets: readonly string[];
  nowSeconds: number;
  toleranceSeconds?: number;
}): WebhookVerdict {
  const { headers, rawBody, nowSeconds, toleranceSeconds = 300 } = message;
  const keys = message.secrets.map(keyOf);
  if (keys.length === 0) malformedSecret("none is set");

  const id = headers.get("webhook-id");
  if (!id) return refused("id_missing");
  if (!isId(id)) return refused("id_malformed");
  const timestamp = headers.get("webhook-timestamp");
  if (!timestamp) return refused("timestamp_missing");
  // Exactly the digits that we would send: the signature is over the text, not over the number.
  if (!/^(?:0|[1-9]\d{0,14})$/.test(timestamp)) return refused("timestamp_malformed");
  const timestampSeconds = Number(timestamp);
  if (timestampSeconds < nowSeconds - toleranceSeconds) return refused("too_old");
  if (timestampSeconds > nowSeconds + toleranceSeconds) return refused("too_new");
  const header = headers.get("webhook-signature");
  if (!header) return refused("signature_missing");

  const given = header.split(" ").flatMap((entry) => symmetricSignature(entry));
  if (given.length === 0) return refused("signature_malformed");
  const expected = keys.map((key) => signatureOf(key, id, timestamp, rawBody));
  // All pairs are compared, so that the time taken does not tell which one fitted.
  const fitting = expected.flatMap((one) => given.filter((other) => timingSafeEqual(one, other)));
  return fitting.length > 0 ? { ok: true, id, timestampSeconds } : refused("signature_wrong");
}

/** The bytes of `v1,<base64>`; none for another version (v1a is asymmetric) or what is no SHA-256. */
function symmetricSignature(entry: string): Buffer[] {
  const base64 = /^v1,([A-Za-z0-9+/]{43}=)$/.exec(entry)?.[1];
  if (base64 === undefined) return [];
  const bytes = Buffer.from(base64, "base64");
  return bytes.length === SIGNATURE_BYTES ? [bytes] : [];
}

function signatureOf(key: Buffer, id: string, timestamp: string, body: Uint8Array): Buffer {
  return createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
}

/** A full stop in the id would let the border between id and timestamp be moved without changing what is signed. */
function isId(text: string): boolean {
  return /^[\x21-\x2d\x2f-\x7e]{1,256}$/.test(text);
}

function keyOf(secret: string): Buffer {
  const base64 = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(secret)?.[1];
  if (base64 === undefined) malformedSecret("must be whsec_ and base64");
  const key = Buffer.from(base64, "base64");
  if (key.length < SHORTEST_SECRET_BYTES || key.length > LONGEST_SECRET_BYTES) {
    malformedSecret(`must hold ${SHORTEST_SECRET_BYTES} to ${LONGEST_SECRET_BYTES} bytes`);
  }
  return key;
}

function refused(reason: WebhookRefusal): WebhookVerdict {
  return { ok: false, reason };
}

function malformedSecret(detail: string): never {
  throw new RecorderFailure({
    code: "webhook_secret_malformed",
    blame: "configuration",
    retry: "never",
    message: "The secret for signed messages is missing or malformed.",
    detail,
  });
}

function malformedMessage(detail: string): never {
  throw new RecorderFailure({
    code: "webhook_message_malformed",
    blame: "us",
    retry: "never",
    message: "A message could not be signed.",
    detail,
  });
}
