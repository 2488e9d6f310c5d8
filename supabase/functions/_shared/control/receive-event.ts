import { type AgoraEvent, parseAgoraEvent } from "../agora/events.ts";
import { verifyAgoraSignature } from "../agora/signature.ts";
import { asRecorderError } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import { readLimitedBody } from "../limited-body.ts";
import type { Log } from "../log.ts";

/** The largest event that is read; real ones are a few kilobytes. */
const LONGEST_BODY_BYTES = 64 * 1024;

export interface ReceiveEventDeps {
  /** Secrets that may have signed. Throws while none is configured. */
  secrets(): string[];
  database(): Pick<RecorderDatabase, "receiveEvent">;
  log: Log;
}

/**
 * Takes one event of the engine: verifies it over the raw bytes, stores it once, answers 200 with JSON, which is what
 * Agora counts as delivered. Before a webhook secret is known everything is answered 200 and nothing is believed, or
 * the console's health check, which comes before the secret, could never succeed. 400 not an event, 401 not signed
 * by Agora, 405, 413 too long, 503 not stored: Agora sends it again.
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
  try {
    const { is_known, is_new } = await deps.database().receiveEvent({
      noticeId: event.noticeId,
      eventType: event.eventType,
      sid: event.sid,
      channel: event.channel,
      uid: event.recorderUid,
      isSignOfLife: event.isMereSignOfLife,
      event: json,
    });
    deps.log("agora_event", { kind: event.kind, sid: event.sid, is_known, is_new });
    return answer(200, { stored: is_new });
  } catch (error) {
    deps.log("agora_event.not_stored", { reason: asRecorderError(error).detail });
    return answer(503, { code: "database_unavailable" });
  }
}

function answer(
  status: number,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): Response {
  return Response.json(body, { status, headers });
}
