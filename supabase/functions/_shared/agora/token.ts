import { RecorderFailure } from "../errors.ts";
import { engineError } from "./errors.ts";

/** Agora's longest validity; a recorder cannot renew its token and leaves when it runs out. */
export const LONGEST_TOKEN_SECONDS = 86_400;

export interface RtcTokenRequest {
  /** 32 hex digits each. */
  appId: string;
  appCertificate: string;
  channel: string;
  /** A uid from 1 to 4294967295, or the number 0: then any uid may use the token. */
  uid: string | number;
  /** A recorder only has to join: "subscriber". */
  role: "publisher" | "subscriber";
  /** Seconds of validity from `issuedAtSeconds` on, at most 86400. Not a point in time. */
  expiresInSeconds: number;
  /** Seconds since 1970. */
  issuedAtSeconds: number;
  /** Random, 1 to 99999999. */
  salt: number;
}

const RTC_SERVICE = 1;
// joinChannel, publishAudio, publishVideo, publishData
const PRIVILEGES = { subscriber: [1], publisher: [1, 2, 3, 4] } as const;

/**
 * An RTC token, AccessToken2 ("007"): signed facts, zlib-compressed, in base64. Which compressed bytes come out
 * depends on the zlib in use; only the inflated ones are comparable. Throws RecorderFailure (`engine_settings_invalid`
 * for App ID and certificate, `channel_name_invalid`, `engine_request_invalid`): Agora's own builder returns "" then,
 * and a wrong token is noticed only seconds after a start that answered 200.
 */
export async function buildRtcToken(request: RtcTokenRequest): Promise<string> {
  check(request);
  const { appId, appCertificate, channel, role, expiresInSeconds, issuedAtSeconds, salt } = request;
  // Token and privileges expire together: which of the two ends a stay differs between Agora's pages.
  const privileges = PRIVILEGES[role].flatMap((privilege) => [...u16(privilege), ...u32(expiresInSeconds)]);
  const signedFacts = Uint8Array.from([
    ...packed(utf8(appId)),
    ...u32(issuedAtSeconds),
    ...u32(expiresInSeconds),
    ...u32(salt),
    ...u16(1),
    ...u16(RTC_SERVICE),
    ...u16(PRIVILEGES[role].length),
    ...privileges,
    ...packed(utf8(channel)),
    ...packed(utf8(request.uid === 0 ? "" : String(request.uid))),
  ]);
  const keyOfIssue = await hmacSha256(Uint8Array.from(u32(issuedAtSeconds)), utf8(appCertificate));
  const key = await hmacSha256(Uint8Array.from(u32(salt)), keyOfIssue);
  const signature = await hmacSha256(key, signedFacts);
  const content = await deflate(Uint8Array.from([...packed(signature), ...signedFacts]));
  return `007${btoa(String.fromCharCode(...content))}`;
}

function check({
  appId,
  appCertificate,
  channel,
  uid,
  expiresInSeconds,
  issuedAtSeconds,
  salt,
}: RtcTokenRequest) {
  if (!/^[0-9a-fA-F]{32}$/.test(appId)) fail("engine_settings_invalid", "appId: must be 32 hex digits");
  if (!/^[0-9a-fA-F]{32}$/.test(appCertificate)) {
    fail("engine_settings_invalid", "appCertificate: must be 32 hex digits");
  }
  const channelBytes = utf8(channel).length;
  if (channelBytes < 1 || channelBytes > 63) fail("channel_name_invalid", "channel: must be 1 to 63 bytes");
  // The text "0" would be signed as the user "0", not as "anybody" like the number 0.
  const uidText = String(uid);
  if (uid !== 0 && !(/^[1-9]\d{0,9}$/.test(uidText) && Number(uidText) <= 4_294_967_295)) {
    fail("engine_request_invalid", "uid: must be the number 0 or decimal, 1 to 4294967295");
  }
  if (!whole(expiresInSeconds, 1, LONGEST_TOKEN_SECONDS)) {
    fail("engine_request_invalid", `expiresInSeconds: must be 1 to ${LONGEST_TOKEN_SECONDS}`);
  }
  if (!whole(issuedAtSeconds, 0, 4_294_967_295)) {
    fail("engine_request_invalid", "issuedAtSeconds: must be seconds since 1970");
  }
  if (!whole(salt, 1, 99_999_999)) fail("engine_request_invalid", "salt: must be 1 to 99999999");
}

function fail(
  code: "engine_settings_invalid" | "channel_name_invalid" | "engine_request_invalid",
  detail: string,
) {
  throw new RecorderFailure(engineError(code, { detail }));
}

function whole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function u16(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff];
}

function u32(value: number): number[] {
  return [...u16(value & 0xffff), ...u16(value >>> 16)];
}

function packed(bytes: Uint8Array): number[] {
  return [...u16(bytes.length), ...bytes];
}

async function hmacSha256(key: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>) {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, hmac, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
}

async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  // In the web platform's words "deflate" is zlib's form (RFC 1950), which is the one Agora reads.
  const compressed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(compressed).arrayBuffer());
}
