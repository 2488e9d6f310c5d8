import { z } from "zod";
import { RecorderFailure } from "../errors.ts";
import { engineError } from "./errors.ts";
import { EVENT_FACTS, type EventFacts, SIGNS_OF_LIFE } from "./event-facts.ts";
import { optionalTimeMs, uidText } from "./file-list.ts";
import { issuesOf } from "./requests.ts";

/** Agora's number for Cloud Recording; other products number their events anew. */
const CLOUD_RECORDING = 3;
/** The channel name of the console's health check. */
const TEST_CHANNEL = "test_webhook";

/** What every notification tells. All but the first three may be missing, above all in the console's test events. */
export interface EventEnvelope {
  /** The key to drop a repeated delivery by; `notifiedAtMs` changes with each. */
  noticeId: string;
  eventType: number;
  productId: number;
  /** When this delivery was sent, ms UTC. */
  notifiedAtMs?: number;
  /** When it happened, ms UTC. */
  happenedAtMs?: number;
  /** The task. Correlate by it: after a failover the uid is another one. */
  sid?: string;
  channel?: string;
  recorderUid?: string;
  /** From 0 per recording; shows order and gaps. Whether all modules of a task share one count is not documented. */
  sequence?: number;
  /** `mix_record`, `rtc_record`, `rtsc/raw-recording` ... */
  scene?: string;
  /** Proves that the engine lives and changes nothing else: may be merged, sampled or dropped. */
  isMereSignOfLife: boolean;
  /** Sent by the console when the address is saved, about no real recording. */
  isTest: boolean;
}

/** `kind` is Agora's own msgName, or "unknown" with the reason why it is not more. */
export type AgoraEvent = EventEnvelope & (EventFacts | { kind: "unknown"; msgName?: string; why: string });

const payload = z.looseObject({
  cname: z.string().optional().catch(undefined),
  channelName: z.string().optional().catch(undefined),
  uid: uidText.optional().catch(undefined),
  sid: z.string().optional().catch(undefined),
  sequence: z.number().int().optional().catch(undefined),
  sendts: optionalTimeMs.catch(undefined),
  serviceScene: z.string().optional().catch(undefined),
  details: z
    .looseObject({ msgName: z.string().optional().catch(undefined) })
    .catch({})
    .default({}),
});

const envelope = z.looseObject({
  noticeId: z.string().min(1).max(200),
  eventType: z.number().int(),
  productId: z.number().int(),
  notifyMs: optionalTimeMs.catch(undefined),
  // Real events carry it here too, though no page says so.
  sid: z.string().optional().catch(undefined),
  payload: payload.prefault({}),
});

/**
 * Reads one notification, after its signature was verified. Members may be added at any time and are ignored; a type
 * we do not know, another product's event, or a known type without its facts is kind "unknown". Throws RecorderFailure
 * `engine_event_malformed` for what is no envelope at all.
 */
export function parseAgoraEvent(json: unknown): AgoraEvent {
  const parsed = envelope.safeParse(json);
  if (!parsed.success) {
    throw new RecorderFailure(engineError("engine_event_malformed", { detail: issuesOf(parsed.error) }));
  }
  const { noticeId, eventType, productId, notifyMs, sid: outerSid, payload: body } = parsed.data;
  const sid = body.sid ?? outerSid;
  const channel = body.cname ?? body.channelName;
  const common: EventEnvelope = {
    noticeId,
    eventType,
    productId,
    ...(notifyMs === undefined ? {} : { notifiedAtMs: notifyMs }),
    ...(body.sendts === undefined ? {} : { happenedAtMs: body.sendts }),
    ...(sid === undefined ? {} : { sid }),
    ...(channel === undefined ? {} : { channel }),
    ...(body.uid === undefined ? {} : { recorderUid: body.uid }),
    ...(body.sequence === undefined ? {} : { sequence: body.sequence }),
    ...(body.serviceScene === undefined ? {} : { scene: body.serviceScene }),
    isMereSignOfLife: productId === CLOUD_RECORDING && SIGNS_OF_LIFE.has(eventType),
    isTest: channel === TEST_CHANNEL,
  };
  const unknown = (why: string): AgoraEvent => ({
    ...common,
    kind: "unknown",
    ...(body.details.msgName === undefined ? {} : { msgName: body.details.msgName }),
    why,
  });
  if (productId !== CLOUD_RECORDING) return unknown(`product ${productId} is not Cloud Recording`);
  const schema = EVENT_FACTS.get(eventType);
  if (schema === undefined) return unknown(`event type ${eventType} is not documented`);
  const facts = schema.safeParse(body.details);
  return facts.success ? { ...common, ...facts.data } : unknown(issuesOf(facts.error));
}
