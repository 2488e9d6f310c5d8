import { type AgoraEvent, parseAgoraEvent } from "../agora/events.ts";
import { verifyAgoraSignature } from "../agora/signature.ts";
import { asRecorderError } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import type { SendWakeUps } from "../jobs/send-wake-up.ts";
import { readLimitedBody } from "../limited-body.ts";
import type { Log } from "../log.ts";

/** The largest event that is read; real ones are a few kilobytes. */
const LONGEST_BODY_BYTES = 64 * 1024;

/**
 * An event that says it was sent longer ago is a replay: Agora renews notifyMs with each resend, and gives up within
 * minutes. Shorter than the inbox is kept, where a younger one is found by its noticeId.
 */
const OLDEST_EVENT_MS = 24 * 3_600_000;
/** How far another clock may be ahead of ours. */
const CLOCK_SKEW_MS = 10 * 60_000;
/** A sign of life is not kept, so a replayed one is told by its age: as old as the silence that makes us ask. */
const OLDEST_SIGN_OF_LIFE_MS = 150_000;

export interface ReceiveEventDeps {
  /** Secrets that may have signed. Throws while none is configured. */
  secrets(): string[];
  database(): Pick<RecorderDatabase, "receiveEvent" | "noteUnverifiedEvent">;
  /** Wakes lanes that Postgres does not wake, behind the answer. */
  sendWakeUps: SendWakeUps;
  waitUntil(work: Promise<unknown>): void;
  log: Log;
  /** Milliseconds since 1970. */
  now(): number;
}

/**
 * Takes one event of the engine: verifies it over the raw bytes, stores it once, answers 200 with JSON, which is what
 * Agora counts as delivered. Before a webhook secret is known everything is answered 200, nothing is believed and
 * recorder.health turns red, or the console's health check, which comes before the secret, could never succeed. A mere sign of life is not stored. While
 * the database wakes nobody by itself, this does it. A replay, told by its age or by its noticeId, is answered 200 and
 * changes nothing. 400 not an event, 401 not signed by Agora, 405, 413 too long, 503 not stored: Agora sends it again.
 */
export async function receiveAgoraEvent(request: Request, deps: ReceiveEventDeps): Promise<Response> {
  if (request.method !== "POST") return answer(405, { code: "method_not_allowed" }, { Allow: "POST" });
  const rawBody = await readLimitedBody(request, LONGEST_BODY_BYTES);
  if (rawBody === undefined) return answer(413, { code: "event_too_long" });

  let secrets: string[];
  try {
    secrets = deps.secrets();
  } catch (error) {
    deps.log("agora_event.secret_missing", { reason: asRecorderError(error).detail });
    // Behind the answer: the console's check must succeed, also while the database cannot be told.
    deps.waitUntil(noteUnverified(deps));
    return answer(200, { stored: false });
  }
  const isGenuine = await verifyAgoraSignature(
    rawBody,
    { v1: request.headers.get("agora-signature"), v2: request.headers.get("agora-signature-v2") },
    secrets,
  );
  if (!isGenuine) {
    deps.log("agora_event.refused", { reason: "signature" });
    return answer(401, { code: "signature_invalid" });
  }

  let json: unknown;
  let event: AgoraEvent;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(rawBody));
    event = parseAgoraEvent(json);
  } catch (error) {
    deps.log("agora_event.malformed", { reason: asRecorderError(error).detail });
    return answer(400, { code: "engine_event_malformed" });
  }
  if (event.isTest) return answer(200, { stored: false });
  if (isStale(event, deps.now())) {
    deps.log("agora_event.stale", { kind: event.kind, sid: event.sid, notified_at_ms: event.notifiedAtMs });
    return answer(200, { stored: false });
  }
  try {
    const { is_known, is_stored, lanes_to_wake } = await deps.database().receiveEvent({
      noticeId: event.noticeId,
      eventType: event.eventType,
      sid: event.sid,
      channel: event.channel,
      uid: event.recorderUid,
      isSignOfLife: event.isMereSignOfLife,
      event: json,
    });
    deps.log("agora_event", { kind: event.kind, sid: event.sid, is_known, is_stored });
    if (lanes_to_wake.length > 0) deps.waitUntil(deps.sendWakeUps(lanes_to_wake));
    return answer(200, { stored: is_stored });
  } catch (error) {
    deps.log("agora_event.not_stored", { reason: asRecorderError(error).detail });
    return answer(503, { code: "database_unavailable" });
  }
}

/** An event that tells no time cannot be judged by it; the noticeId still is. */
function isStale(event: AgoraEvent, now: number): boolean {
  const age = now - (event.notifiedAtMs ?? now);
  if (age > OLDEST_EVENT_MS || age < -CLOCK_SKEW_MS) return true;
  return event.isMereSignOfLife && now - (event.happenedAtMs ?? now) > OLDEST_SIGN_OF_LIFE_MS;
}

async function noteUnverified({ database, log }: ReceiveEventDeps): Promise<void> {
  try {
    await database().noteUnverifiedEvent();
  } catch (error) {
    log("agora_event.unverified_not_noted", { reason: asRecorderError(error).detail });
  }
}

function answer(
  status: number,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): Response {
  return Response.json(body, { status, headers });
}
