import { z } from "zod";

const bytes = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();
const instant = z.iso.datetime().nullable();

/** A file as a row of recording_files. */
export const manifestFile = z.object({
  kind: z.enum(["playlist", "mp4", "thumbnail"]),
  attempt: z.number().int().nonnegative(),
  object_key: z.string().min(1),
  content_type: z.string().min(1),
  size_bytes: bytes,
  duration_ms: milliseconds.nullable(),
  segment_count: z.number().int().nonnegative().nullable(),
});

/** A slice as it is played. */
const manifestSegment = z.strictObject({
  object_key: z.string().min(1),
  size_bytes: bytes,
  duration_ms: milliseconds,
  is_discontinuity: z.boolean(),
});

/**
 * `manifest.json`, version 1: what the bucket has to tell by itself, so that the rows of a recording can be made again
 * from its folder alone. Whoever writes or reads one goes by this form; a member that is not in it is refused.
 */
export const manifestForm = z.strictObject({
  version: z.literal(1),
  /** False: written while files were still awaited, so that what is there can be played. */
  is_complete: z.boolean(),
  written_at: z.iso.datetime(),
  /** The row of recordings, as far as it is known when its files are. */
  recording: z.strictObject({
    id: z.uuid(),
    call_id: z.uuid().nullable(),
    mentorship_id: z.uuid().nullable(),
    instructor_id: z.uuid().nullable(),
    mentee_id: z.uuid().nullable(),
    channel: z.string().min(1),
    quality: z.string().min(1),
    layout: z.string().min(1),
    attempt: z.number().int().nonnegative(),
    requested_by: z.uuid().nullable(),
    requested_at: instant,
    started_at: instant,
    stop_requested_at: instant,
    stop_reason: z.string().nullable(),
    stopped_at: instant,
  }),
  /** As in recordings; stored_bytes without this manifest itself. */
  totals: z.strictObject({
    duration_ms: milliseconds,
    size_bytes: bytes,
    stored_bytes: bytes,
    is_partial: z.boolean(),
    gaps: z.array(
      z.strictObject({ from_ms: milliseconds, to_ms: milliseconds, missing_ms: milliseconds.nullable() }),
    ),
  }),
  files: z.array(manifestFile),
  /** The slices that are there, in playing order over all parts. */
  segments: z.array(manifestSegment),
});
export type Manifest = z.output<typeof manifestForm>;

/** As much of it as a player needs: whatever else may be wrong with a manifest, its recording can be seen. */
export const playableForm = z.object({
  version: manifestForm.shape.version,
  segments: z.array(
    z.object({
      object_key: manifestSegment.shape.object_key,
      duration_ms: manifestSegment.shape.duration_ms,
      is_discontinuity: manifestSegment.shape.is_discontinuity.default(false),
    }),
  ),
});
