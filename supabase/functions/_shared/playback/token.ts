import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";

/** Who may fetch which playlist, until when. */
export interface PlaylistToken {
  recordingId: string;
  viewerId: string;
  /** Seconds since 1970. */
  expiresAtSeconds: number;
}

const content = z.tuple([z.uuid(), z.uuid(), z.number().int()]);
const FORM = /^([A-Za-z0-9_-]{1,400})\.([A-Za-z0-9_-]{43})$/;

function signatureOf(body: string, secret: string): Buffer {
  return createHmac("sha256", secret).update(`playlist.${body}`).digest();
}

/** A token for one viewer and one recording, signed with the first secret. URL-safe, no padding. */
export function signPlaylistToken(token: PlaylistToken, secrets: readonly string[]): string {
  const secret = secrets[0];
  if (secret === undefined) throw new Error("no secret to sign a playlist token with");
  const body = Buffer.from(
    JSON.stringify([token.recordingId, token.viewerId, token.expiresAtSeconds]),
  ).toString("base64url");
  return `${body}.${signatureOf(body, secret).toString("base64url")}`;
}

/** The token's content if one of the secrets signed exactly this text and it has not expired; undefined otherwise. */
export function readPlaylistToken(
  text: string,
  secrets: readonly string[],
  nowSeconds: number,
): PlaylistToken | undefined {
  const [, body, signature] = FORM.exec(text) ?? [];
  if (body === undefined || signature === undefined) return undefined;
  const given = Buffer.from(signature, "base64url");
  // The last character of 43 carries two unused bits: only the canonical spelling counts.
  if (given.toString("base64url") !== signature) return undefined;
  let isSigned = false;
  for (const secret of secrets) {
    const expected = signatureOf(body, secret);
    if (given.length === expected.length && timingSafeEqual(given, expected)) isSigned = true;
  }
  if (!isSigned) return undefined;
  // The secret may have signed something else under another roof: only our own form is a token.
  const parsed = content.safeParse(jsonOf(body));
  if (!parsed.success) return undefined;
  const [recordingId, viewerId, expiresAtSeconds] = parsed.data;
  return expiresAtSeconds > nowSeconds ? { recordingId, viewerId, expiresAtSeconds } : undefined;
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(Buffer.from(body, "base64url").toString());
  } catch {
    // Signed, and yet not JSON: no token of ours.
    return undefined;
  }
}
