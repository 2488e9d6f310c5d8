import * as z from "zod/mini";
import { recordingError, unreadable } from "./errors.ts";

/**
 * A moment, ISO 8601 with microseconds. PostgREST says 2026-11-22T14:33:33.755461+00:00; Postgres' own text, which comes over
 * Realtime and from some REST servers, has a blank and a short offset, which no browser has to understand.
 */
export const moment = z.pipe(
  z.string(),
  z.transform((text: string) => text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00")),
);
export const maybeMoment = z.nullable(moment);

const recordingStatuses = [
  "starting",
  "recording",
  "stopping",
  "processing",
  "recorded",
  "failed",
  "expired",
] as const;
export type RecordingStatus = (typeof recordingStatuses)[number];
export const recordingStatus = z.enum(recordingStatuses);
const finalStatuses: ReadonlySet<string> = new Set(["recorded", "failed", "expired"]);

/** Whether nothing more happens to a recording of this status by itself. */
export const isFinal = (status: string): boolean => finalStatuses.has(status);

export const byteCount = z.number().check(z.nonnegative());

/** How far the copying of a recording's files is; `estimated_end_at` is null while nothing moves. */
export const progress = z.object({
  bytes: byteCount,
  total_bytes: byteCount,
  percent: z.number(),
  estimated_end_at: maybeMoment,
  measured_at: moment,
});

/** Where the picture jumps, in playing time; `missing_ms` is how much is lost there, null where nobody knows. */
export const gap = z.object({ from_ms: z.number(), to_ms: z.number(), missing_ms: z.nullable(z.number()) });
export type Gap = z.output<typeof gap>;

/** One press of record. Sizes in bytes, lengths in ms, moments ISO 8601 in UTC. */
export const recording = z.object({
  id: z.uuid(),
  call_id: z.nullable(z.uuid()),
  mentorship_id: z.nullable(z.uuid()),
  status: recordingStatus,
  phase: z.nullable(z.string()),
  queue_place: z.nullable(z.number()),
  quality: z.string(),
  layout: z.string(),
  attempt: z.number(),
  requested_by: z.nullable(z.uuid()),
  requested_at: moment,
  started_at: maybeMoment,
  stop_requested_at: maybeMoment,
  stop_reason: z.nullable(z.string()),
  stopped_at: maybeMoment,
  finished_at: maybeMoment,
  expires_at: maybeMoment,
  deletion_began_at: maybeMoment,
  held_at: maybeMoment,
  hold_reason: z.nullable(z.string()),
  deadline_at: maybeMoment,
  error: z.nullable(recordingError),
  is_partial: z.boolean(),
  gaps: z.array(gap),
  duration_ms: z.nullable(z.number()),
  size_bytes: z.nullable(byteCount),
  stored_bytes: z.nullable(byteCount),
  progress: z.nullable(progress),
  version: z.number(),
  created_at: moment,
});
export type Recording = z.output<typeof recording>;

/** The columns of `recording`, for select. */
export const recordingColumns = Object.keys(recording.shape).join(",");

/** What `recording.changed` on mentorship:<id> says: some columns, never all. */
export const recordingChange = z.pipe(
  z.object({
    recording_id: z.uuid(),
    call_id: z.nullable(z.uuid()),
    mentorship_id: z.uuid(),
    status: recordingStatus,
    phase: z.nullable(z.string()),
    queue_place: z.nullable(z.number()),
    attempt: z.number(),
    error: z.nullable(recordingError),
    requested_at: moment,
    started_at: maybeMoment,
    stop_requested_at: maybeMoment,
    stopped_at: maybeMoment,
    finished_at: maybeMoment,
    expires_at: maybeMoment,
    duration_ms: z.nullable(z.number()),
    size_bytes: z.nullable(byteCount),
    is_partial: z.boolean(),
    progress: z.nullable(progress),
    version: z.number(),
  }),
  z.transform(({ recording_id, ...change }) => ({ id: recording_id, ...change })),
);
export type RecordingChange = z.output<typeof recordingChange>;

/** A call with what it mirrors of its newest recording. `version` is recording_version. */
export const call = z.pipe(
  z.object({
    id: z.uuid(),
    mentorship_id: z.uuid(),
    channel: z.string(),
    status: z.string(),
    start_time: moment,
    end_time: maybeMoment,
    duration_seconds: z.nullable(z.number()),
    recording_id: z.nullable(z.uuid()),
    recording_status: z.nullable(z.string()),
    recording_phase: z.nullable(z.string()),
    recording_queue_place: z.nullable(z.number()),
    recording_quality: z.string(),
    recording_layout: z.string(),
    recording_error: z.nullable(recordingError),
    recording_progress: z.nullable(progress),
    recording_url: z.nullable(z.string()),
    recording_size: z.nullable(byteCount),
    recording_duration_seconds: z.nullable(z.number()),
    recording_metadata: z.nullable(
      z.looseObject({ started_at: z.optional(maybeMoment), stopped_at: z.optional(maybeMoment) }),
    ),
    recording_version: z.number(),
  }),
  z.transform(({ recording_version, ...row }) => ({ ...row, version: recording_version })),
);
export type Call = z.output<typeof call>;
export const callColumns = [
  "id",
  "mentorship_id",
  "channel",
  "status",
  "start_time",
  "end_time",
  "duration_seconds",
  "recording_id",
  "recording_status",
  "recording_phase",
  "recording_queue_place",
  "recording_quality",
  "recording_layout",
  "recording_error",
  "recording_progress",
  "recording_url",
  "recording_size",
  "recording_duration_seconds",
  "recording_metadata",
  "recording_version",
].join(",");

/** What `call.changed` on call:<id> says. */
export const callChange = z.pipe(
  z.object({
    call_id: z.uuid(),
    mentorship_id: z.uuid(),
    call_status: z.string(),
    recording_id: z.nullable(z.uuid()),
    recording_status: z.nullable(z.string()),
    recording_phase: z.nullable(z.string()),
    recording_queue_place: z.nullable(z.number()),
    recording_error: z.nullable(recordingError),
    recording_url: z.nullable(z.string()),
    recording_progress: z.nullable(progress),
    recording_size: z.nullable(byteCount),
    recording_duration_seconds: z.nullable(z.number()),
    version: z.number(),
  }),
  z.transform(({ call_id, call_status, ...change }) => ({ id: call_id, status: call_status, ...change })),
);

/** Reads one row. Throws BackendError answer_unreadable for what is none. */
export function readRow<Schema extends z.ZodMiniType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const read = z.safeParse(schema, value);
  if (!read.success) throw unreadable(what, read.error);
  return read.data;
}

/** Reads a list of rows. Throws as `readRow`. */
export function readRows<Schema extends z.ZodMiniType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema>[] {
  return readRow(z.array(schema), value, what) as z.output<Schema>[];
}
