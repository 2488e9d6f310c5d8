import * as z from "zod/mini";
import { recordingError } from "./errors.ts";
import {
  byteCount,
  gap,
  maybeMoment,
  moment,
  progress,
  type RecordingChange,
  recordingStatus,
} from "./rows.ts";

export const recordingQualities = ["1080p", "720p", "480p", "audio"] as const;

/** A recording as one of its two people sees it: its facts, who pressed record, and what the reader may do about it. */
export const recordingCard = z.object({
  id: z.uuid(),
  call_id: z.nullable(z.uuid()),
  mentorship_id: z.nullable(z.uuid()),
  status: recordingStatus,
  phase: z.nullable(z.string()),
  queue_place: z.nullable(z.number()),
  quality: z.string(),
  layout: z.string(),
  requested_at: moment,
  started_at: maybeMoment,
  stop_requested_at: maybeMoment,
  stop_reason: z.nullable(z.string()),
  stopped_at: maybeMoment,
  finished_at: maybeMoment,
  expires_at: maybeMoment,
  error: z.nullable(recordingError),
  is_partial: z.boolean(),
  gaps: z.array(gap),
  duration_ms: z.nullable(z.number()),
  size_bytes: z.nullable(byteCount),
  progress: z.nullable(progress),
  version: z.number(),
  created_at: moment,
  people: z.object({ mentor: z.optional(z.string()), mentee: z.optional(z.string()) }),
  /** Null where nobody knows any more: the person was forgotten, or the old portal did not say. */
  requested_by: z.nullable(
    z.object({ name: z.nullable(z.string()), role: z.enum(["mentor", "mentee"]), is_me: z.boolean() }),
  ),
  is_held: z.boolean(),
  hold_reason: z.nullable(z.string()),
  is_being_deleted: z.boolean(),
  has_thumbnail: z.boolean(),
  /** Until when its people may keep it, "infinity" where nothing sets an end; null where they cannot make it longer. */
  keepable_until: z.nullable(z.string()),
  may_delete: z.boolean(),
  may_retry: z.boolean(),
});

export const recordingPage = z.object({
  /** False: there is no such mentorship, or it is somebody else's; nobody learns which. */
  is_visible: z.boolean(),
  recordings: z.array(recordingCard),
  /** How many there are in all; with the first page only. */
  total: z.nullable(z.number()),
  next: z.nullable(z.object({ at: moment, id: z.uuid() })),
});

export type RecordingCard = z.output<typeof recordingCard>;
export type RecordingPage = z.output<typeof recordingPage>;

/** Whether it is there to be watched, also while the rest of it is still on its way. */
export function isWatchable(
  card: Pick<RecordingCard, "status" | "duration_ms" | "is_being_deleted">,
): boolean {
  if (card.is_being_deleted) return false;
  return card.status === "recorded" || (card.status === "processing" && card.duration_ms !== null);
}

/**
 * A card after a pushed change: the same object where the change is not newer. What only the database can judge (may_…)
 * is switched off where the status has moved: the next read of the card says it anew.
 */
export function withChange(card: RecordingCard, change: RecordingChange): RecordingCard {
  if (change.id !== card.id || change.version <= card.version) return card;
  const { attempt: _, ...facts } = change;
  const hasMoved = card.status !== change.status;
  return {
    ...card,
    ...facts,
    ...(hasMoved ? { may_delete: false, may_retry: false, keepable_until: null } : {}),
  };
}

/** The card that knows more: the newer one by version. Of the same version it is the one that was read last. */
export function newerCard(held: RecordingCard | undefined, read: RecordingCard): RecordingCard {
  return held !== undefined && held.version > read.version ? held : read;
}
