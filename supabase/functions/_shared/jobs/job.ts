import { z } from "zod";
import type { RecorderError } from "../errors.ts";

const instant = z.string().transform((value, context) => {
  const time = Date.parse(value);
  if (Number.isNaN(time)) {
    context.addIssue({ code: "custom", message: "not a time" });
    return z.NEVER;
  }
  return time;
});
const optionalInstant = instant.nullable().transform((value) => value ?? undefined);

/** One file as the engine names it. */
export const namedFile = z.looseObject({ fileName: z.string() });

export const engineTask = z.object({
  id: z.uuid(),
  attempt: z.number().int(),
  channel: z.string(),
  uid: z.string(),
  state: z.enum(["preparing", "requested", "running", "gone"]),
  resource_id: z.string().nullable(),
  sid: z.string().nullable(),
  start_sent_at: optionalInstant,
  started_at: optionalInstant,
  confirmed_at: optionalInstant,
  last_seen_at: optionalInstant,
  suspect_since: optionalInstant,
  left_at: optionalInstant,
  gone_at: optionalInstant,
  files: z.array(namedFile).nullable(),
  is_empty: z.boolean(),
  superseded: z.boolean(),
});
/** One try to start the engine. Times are milliseconds since 1970. */
export type EngineTask = z.output<typeof engineTask>;

export const jobRecording = z.object({
  id: z.uuid(),
  channel: z.string(),
  status: z.enum(["starting", "recording", "stopping", "processing", "recorded", "failed", "expired"]),
  phase: z.enum(["queued", "requested"]).nullable(),
  attempt: z.number().int(),
  quality: z.enum(["audio", "480p", "720p", "1080p"]),
  layout: z.enum(["best_fit", "floating", "vertical"]),
  requested_at: instant,
  started_at: optionalInstant,
  stop_requested_at: optionalInstant,
  stopped_at: optionalInstant,
  mentorship_id: z.uuid().nullable(),
  call_id: z.uuid().nullable(),
  instructor_id: z.uuid().nullable(),
  mentee_id: z.uuid().nullable(),
});
/** What a handler needs to know about the recording it works for. */
export type JobRecording = z.output<typeof jobRecording>;

export const job = z.object({
  id: z.number().int(),
  lease: z.uuid(),
  kind: z.string(),
  recording_id: z.uuid(),
  engine_task_id: z.uuid().nullable(),
  attempts: z.number().int(),
  max_attempts: z.number().int(),
  /** Milliseconds until the engine's slot that was reserved for this run. */
  wait_ms: z.number(),
  recording: jobRecording,
  tasks: z.array(engineTask),
  events: z.array(z.object({ notice_id: z.string(), event: z.unknown(), received_at: instant })).nullable(),
});
/** One claimed piece of work with everything its handler needs, fetched in the round trip of the claim. */
export type Job = z.output<typeof job>;

/**
 * What a handler says should happen next. `snooze` is waiting and not counted as a try; `retry` backs off (or waits
 * `afterMs`); `give_up` ends the job and puts the error on the recording.
 */
export type Outcome =
  | { outcome: "done" }
  | { outcome: "snooze"; afterMs: number }
  | { outcome: "retry"; error: RecorderError; afterMs?: number }
  | { outcome: "give_up"; error: RecorderError };

export const done: Outcome = { outcome: "done" };

/** Try again after this error: when the other side asked for, or as the job's backoff says. */
export function retryAfter(error: RecorderError): Outcome {
  return error.retryAfterMs === undefined
    ? { outcome: "retry", error }
    : { outcome: "retry", error, afterMs: error.retryAfterMs };
}

/** Settings of the database by name, in the units of recorder.settings. */
export type Settings = Record<string, number>;

/** Does one kind of work. Whatever it throws becomes a retry, or a give-up where trying again cannot help. */
export type Handler = (job: Job, settings: Settings) => Promise<Outcome>;
