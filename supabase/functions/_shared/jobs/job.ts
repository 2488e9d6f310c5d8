import { z } from "zod";
import type { RecorderError } from "../errors.ts";

/** A time of the database as milliseconds since 1970. */
export const instant = z.string().transform((value, context) => {
  const time = Date.parse(value);
  if (Number.isNaN(time)) {
    context.addIssue({ code: "custom", message: "not a time" });
    return z.NEVER;
  }
  return time;
});
const optionalInstant = instant.nullable().transform((value) => value ?? undefined);

/** An error as people may read it. */
const toldError = z.object({
  code: z.string(),
  blame: z.enum(["user", "engine", "storage", "configuration", "us"]),
  retry: z.enum(["now", "later", "never"]),
  message: z.string(),
});

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
  /** The start without its secrets: what a repeated start has to say once more. */
  request: z.record(z.string(), z.unknown()).nullable(),
  token_expires_at: optionalInstant,
  start_sent_at: optionalInstant,
  /** A start was sent whose answer nobody knows: the task may run, whatever later answers say. */
  is_unanswered: z.boolean(),
  started_at: optionalInstant,
  confirmed_at: optionalInstant,
  last_seen_at: optionalInstant,
  suspect_since: optionalInstant,
  left_at: optionalInstant,
  gone_at: optionalInstant,
  /** What the engine itself reported as the end of this task, and when we heard of it. */
  error: toldError.nullable(),
  failed_at: optionalInstant,
  files: z.array(namedFile).nullable(),
  is_empty: z.boolean(),
  superseded: z.boolean(),
});
/** One try to start the engine. Times are milliseconds since 1970. */
export type EngineTask = z.output<typeof engineTask>;

/** A row of recorder.presets. */
const preset = z.union([
  z.object({
    is_audio_only: z.literal(false),
    width: z.number(),
    height: z.number(),
    fps: z.number(),
    bitrate_kbps: z.number(),
  }),
  z.object({ is_audio_only: z.literal(true) }),
]);

export const jobRecording = z.object({
  id: z.uuid(),
  channel: z.string(),
  status: z.enum(["starting", "recording", "stopping", "processing", "recorded", "failed", "expired"]),
  phase: z.enum(["queued", "requested", "waiting_for_upload", "transferring"]).nullable(),
  attempt: z.number().int(),
  quality: z.string(),
  layout: z.string(),
  /** The numbers behind the quality; only told to who starts a recorder. */
  preset: preset.nullish().transform((value) => value ?? null),
  /** The mentor's uid in calls; null for who has never joined one, and for who does not start a recorder. */
  mentor_uid: z
    .string()
    .nullish()
    .transform((value) => value ?? null),
  requested_at: instant,
  started_at: optionalInstant,
  stop_requested_at: optionalInstant,
  stopped_at: optionalInstant,
  deletion_began_at: optionalInstant.optional(),
  mentorship_id: z.uuid().nullable(),
  call_id: z.uuid().nullable(),
  instructor_id: z.uuid().nullable(),
  mentee_id: z.uuid().nullable(),
  requested_by: z.uuid().nullable(),
  stop_reason: z.string().nullable(),
  /** When the database ends the waiting if nothing else does. */
  deadline_at: optionalInstant,
  /** What was there when somebody last looked into the bucket. */
  duration_ms: z.number().nullable(),
  size_bytes: z.number().nullable(),
  stored_bytes: z.number().nullable(),
});
/** What a handler needs to know about the recording it works for. */
export type JobRecording = z.output<typeof jobRecording>;

export const job = z.object({
  id: z.number().int(),
  lease: z.uuid(),
  kind: z.string(),
  recording_id: z.uuid(),
  engine_task_id: z.uuid().nullable(),
  /** The same on all work that follows from one wish; every line of the log carries it. */
  correlation_id: z.uuid().optional(),
  attempts: z.number().int(),
  max_attempts: z.number().int(),
  /** Milliseconds until the engine's slot that was reserved for this run. */
  wait_ms: z.number(),
  /** Whose rate and ceiling at the engine it counts against; empty for work that asks nothing of the engine. */
  engine_account: z.string().default(""),
  /** How fast this account may be asked, by all workers together; null for work that asks nothing. */
  requests_per_second: z
    .number()
    .positive()
    .nullish()
    .transform((value) => value ?? null),
  recording: jobRecording,
  tasks: z.array(engineTask),
  events: z.array(z.object({ notice_id: z.string(), event: z.unknown(), received_at: instant })).nullable(),
  /** What its kind needs beside the recording; parsed by its handler. */
  payload: z.unknown().default(null),
});
/** One claimed piece of work with everything its handler needs, fetched in the round trip of the claim. */
export type Job = z.output<typeof job>;

export const jobWithoutRecording = job.extend({ recording_id: z.null(), recording: z.null() });
/** A piece of work that concerns no recording in particular, such as the nightly audit. */
export type JobWithoutRecording = z.output<typeof jobWithoutRecording>;

export type AnyJob = Job | JobWithoutRecording;

/** Reads a claimed job of either sort; what is wrong is told by the form it should have had. */
export function readJob(json: unknown): z.ZodSafeParseResult<AnyJob> {
  const isWithout = z.looseObject({ recording_id: z.null() }).safeParse(json).success;
  return (isWithout ? jobWithoutRecording : job).safeParse(json);
}

/**
 * What a handler says should happen next. `snooze` is waiting and not counted as a try; `retry` backs off (or waits
 * `afterMs`); `give_up` ends the job and puts the error on the recording. `endsInvocation`: this invocation has used up
 * what it may; the lane is woken again, and the work goes on in a fresh one.
 */
export type Outcome =
  | { outcome: "done" }
  | { outcome: "snooze"; afterMs: number; endsInvocation?: true }
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

/**
 * Does one kind of work. Whatever it throws becomes a retry, or a give-up where trying again cannot help. `limit` aborts
 * when the longest time of one job of the lane is over: every call that is awaited ends with it.
 */
export type Handler = (job: Job, settings: Settings, limit: AbortSignal) => Promise<Outcome>;

/** The same for a kind of work that concerns no recording. */
export interface HandlerWithoutRecording {
  withoutRecording(job: JobWithoutRecording, settings: Settings, limit: AbortSignal): Promise<Outcome>;
}

/** What a lane can do, by kind of job. */
export type Handlers = Record<string, Handler | HandlerWithoutRecording>;

/** Lets the handler of its kind do a job. Throws where the lane has none, or one for the other sort of job. */
export async function handle(
  handlers: Handlers,
  job: AnyJob,
  settings: Settings,
  limit: AbortSignal,
): Promise<Outcome> {
  const handler = Object.hasOwn(handlers, job.kind) ? handlers[job.kind] : undefined;
  if (handler === undefined) throw new Error(`lane has no handler for ${job.kind}`);
  if (typeof handler === "function") {
    if (job.recording === null) throw new Error(`${job.kind} needs a recording`);
    return await handler(job, settings, limit);
  }
  if (job.recording !== null) throw new Error(`${job.kind} is for no recording`);
  return await handler.withoutRecording(job, settings, limit);
}
