import { createHmac, timingSafeEqual } from "node:crypto";
import { inflateSync } from "node:zlib";
import { type RefusalId, Refusals } from "./refusals/list.ts";
import { unconfirmedRules } from "./unconfirmed.ts";

/** Codes of event 1 for a recorder that cannot join its channel. */
export const tokenExpired = 109;
export const tokenInvalid = 110;

/** Agora caps the validity of a token at 24 hours. */
const longestSeconds = 86_400;
const rtcService = 1;
const joinPrivilege = 1;
/** To publish sound and pictures. */
const publishPrivileges = [2, 3];

export interface TokenWanted {
  appId: string;
  appCertificate: string;
  channel: string;
  uid: string;
  /** UTC, ms since 1970. */
  nowMs: number;
  /** What is done about a validity of more than a day: undocumented. */
  beyondADay?: "a day" | "refused";
}

export type TokenVerdict = { ok: true; expiresAtMs: number } | { ok: false; code: number; why: RefusalId };

/**
 * Checks an AccessToken2 (`007…`) as the media servers do when a recorder joins: signature by the App Certificate,
 * App ID, channel, uid (an empty uid in the token admits any), the join privilege, and the validity.
 * Never throws: a token that cannot be read is invalid.
 */
export function verifyRtcToken(
  token: string | undefined,
  wanted: TokenWanted,
  refusals = new Refusals(unconfirmedRules.parse({})),
): TokenVerdict {
  const read = readOrNull(token);
  const rtc = read?.rtc;
  const join = rtc?.privileges.get(joinPrivilege);
  const isLimited = join !== undefined && join !== 0;
  const seconds = Math.min(read?.expire ?? longestSeconds, longestSeconds, isLimited ? join : longestSeconds);
  const expiresAtMs = ((read?.issuedAt ?? wanted.nowMs / 1000) + seconds) * 1000;
  const late = (id: RefusalId, isMet: () => boolean) => refusals.late(id, isMet);
  const refusal =
    late("recorder.token_missing", () => !token) ??
    late("recorder.token_unreadable", () => Boolean(token) && read === null) ??
    late("recorder.token_of_another_app", () => read !== null && read.appId !== wanted.appId) ??
    late("recorder.token_signature", () => read !== null && !isSignedBy(read, wanted.appCertificate)) ??
    late("recorder.token_without_rtc", () => read !== null && rtc === undefined) ??
    late("recorder.token_channel", () => rtc !== undefined && rtc.channel !== wanted.channel) ??
    late("recorder.token_uid", () => rtc !== undefined && rtc.uid !== "" && rtc.uid !== wanted.uid) ??
    late("recorder.token_join", () => rtc !== undefined && join === undefined) ??
    late(
      "recorder.token_too_long",
      () => wanted.beyondADay === "refused" && (read?.expire ?? 0) > longestSeconds,
    ) ??
    late("recorder.token_expired", () => expiresAtMs <= wanted.nowMs);
  if (!refusal) return { ok: true, expiresAtMs };
  return { ok: false, code: refusal.event?.errorCode ?? tokenInvalid, why: refusal.id };
}

/** Whether a token that was verified lets its bearer publish sound and pictures too: a recorder's does not. */
export function mayPublish(token: string, nowMs: number): boolean {
  const read = readOrNull(token);
  return publishPrivileges.every((privilege) => {
    const seconds = read?.rtc?.privileges.get(privilege);
    return read && seconds !== undefined && (seconds === 0 || (read.issuedAt + seconds) * 1000 > nowMs);
  });
}

function readOrNull(token: string | undefined): ReadToken | null {
  if (!token) return null;
  try {
    return readToken(token);
  } catch {
    // Whatever it is: no token that can be read.
    return null;
  }
}

function isSignedBy(token: ReadToken, certificate: string): boolean {
  return timingSafeEqual(token.signature, signatureOf(token, certificate));
}

interface ReadToken {
  signature: Buffer;
  signed: Buffer;
  appId: string;
  issuedAt: number;
  expire: number;
  salt: number;
  rtc?: { channel: string; uid: string; privileges: Map<number, number> };
}

function readToken(token: string): ReadToken {
  if (!token.startsWith("007")) throw new Error("does not begin with 007");
  const content = inflateSync(Buffer.from(token.slice(3), "base64"), { maxOutputLength: 16_384 });
  const reader = new LittleEndianReader(content);
  const signature = reader.bytes();
  if (signature.length !== 32) throw new Error("has no signature");
  const signed = content.subarray(reader.position);
  const head = {
    appId: reader.bytes().toString("latin1"),
    issuedAt: reader.u32(),
    expire: reader.u32(),
    salt: reader.u32(),
  };
  const services = reader.u16();
  // Services stand in ascending order and RTC is the first; the others are of no interest here.
  if (services > 0 && reader.u16() === rtcService) {
    const privileges = reader.privileges();
    const channel = reader.bytes().toString("utf8");
    return { signature, signed, ...head, rtc: { channel, uid: reader.bytes().toString("utf8"), privileges } };
  }
  return { signature, signed, ...head };
}

function signatureOf(token: ReadToken, certificate: string): Buffer {
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const issued = createHmac("sha256", u32(token.issuedAt)).update(certificate, "ascii").digest();
  const key = createHmac("sha256", u32(token.salt)).update(issued).digest();
  return createHmac("sha256", key).update(token.signed).digest();
}

class LittleEndianReader {
  position = 0;
  readonly #buffer: Buffer;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  u16(): number {
    this.position += 2;
    return this.#buffer.readUInt16LE(this.position - 2);
  }

  u32(): number {
    this.position += 4;
    return this.#buffer.readUInt32LE(this.position - 4);
  }

  bytes(): Buffer {
    const length = this.u16();
    const end = this.position + length;
    if (end > this.#buffer.length) throw new Error("ends too early");
    const found = this.#buffer.subarray(this.position, end);
    this.position = end;
    return found;
  }

  privileges(): Map<number, number> {
    const count = this.u16();
    const found = new Map<number, number>();
    for (let seen = 0; seen < count; seen++) found.set(this.u16(), this.u32());
    return found;
  }
}
