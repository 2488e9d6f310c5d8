import { z } from "zod";
import type { B2Client } from "../b2/client.ts";
import { RecorderFailure } from "../errors.ts";
import type { PublishedFile, Totals } from "../jobs/database.ts";
import type { JobRecording } from "../jobs/job.ts";
import { durationMsOf, type Segment } from "../playback/playlist.ts";
import { manifestKey, recordingPrefix } from "../recording-folder.ts";
import { type Inventory, isLastOfItsTask, recordingObjects } from "./inventory.ts";

/** A day of slices of 2 s, with room. */
const LONGEST_MANIFEST_BYTES = 16 * 1024 * 1024;

const writtenSegments = z.object({
  version: z.literal(1),
  segments: z.array(
    z.object({
      object_key: z.string(),
      duration_ms: z.number().nonnegative(),
      is_discontinuity: z.boolean().default(false),
    }),
  ),
});

/** The slices of a recording in playing order, as its manifest lists them; the URI of each is its object's key. */
export async function readManifestSegments(
  recordingId: string,
  bucket: Pick<B2Client, "getText">,
): Promise<Segment[]> {
  const text = await bucket.getText(manifestKey(recordingId), LONGEST_MANIFEST_BYTES);
  const prefix = recordingPrefix(recordingId);
  try {
    return writtenSegments.parse(JSON.parse(text)).segments.map((segment) => {
      // Who can write into the bucket must not be able to have somebody else's object signed.
      const [object] = recordingObjects(prefix, [{ key: segment.object_key, sizeBytes: 0 }]);
      if (object?.name.kind !== "segment") throw new Error("a slice that is not one of this recording");
      return {
        uri: object.key,
        durationSeconds: segment.duration_ms / 1000,
        isDiscontinuity: segment.is_discontinuity,
      };
    });
  } catch (cause) {
    throw new RecorderFailure(
      {
        code: "playlist_unreadable",
        blame: "storage",
        retry: "later",
        message: "The recording cannot be read right now.",
        detail: `${manifestKey(recordingId)} is not a manifest`,
      },
      { cause },
    );
  }
}

/** The files of an inventory as the database keeps them: one row per playlist set and per MP4. */
export function publishedFiles(inventory: Inventory): PublishedFile[] {
  return [
    ...inventory.parts
      .filter((part) => part.segments.length > 0)
      .map((part) => ({
        kind: "playlist" as const,
        attempt: part.attempt,
        object_key: part.key,
        content_type: "application/vnd.apple.mpegurl",
        size_bytes: part.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0),
        duration_ms: durationMsOf(part.segments),
        segment_count: part.segments.length,
      })),
    ...inventory.mp4s.map((mp4) => ({
      kind: "mp4" as const,
      attempt: mp4.attempt,
      object_key: mp4.key,
      content_type: "video/mp4",
      size_bytes: mp4.sizeBytes,
      duration_ms: null,
      segment_count: null,
    })),
  ];
}

/**
 * Duration, sizes and what is missing. The primary file is the MP4 where one file holds everything, else the slices.
 * Partial: slices that never came, several servers (what is lost between them nobody can measure), a playlist that
 * was cut off, or no playlist at all.
 */
export function totalsOf(inventory: Inventory, files: readonly PublishedFile[]): Totals {
  const playlists = files.filter((file) => file.kind === "playlist");
  const mp4s = files.filter((file) => file.kind === "mp4");
  const onlyMp4 = mp4s.length === 1 && playlists.length <= 1 ? mp4s[0] : undefined;
  const isCutOff = inventory.parts.some((part) => isLastOfItsTask(part, inventory) && !part.isEnded);
  const gaps = gapsOf(inventory);
  return {
    duration_ms: playlists.reduce((sum, file) => sum + (file.duration_ms ?? 0), 0),
    size_bytes: onlyMp4?.size_bytes ?? playlists.reduce((sum, file) => sum + file.size_bytes, 0),
    stored_bytes: inventory.storedBytes,
    is_partial: gaps.length > 0 || isCutOff || playlists.length === 0,
    gaps,
  };
}

/** Where the picture jumps, in playing time: at slices that are missing, and between two servers' parts. */
function gapsOf(inventory: Inventory): Totals["gaps"] {
  let beginMs = 0;
  const places = new Set<number>();
  inventory.parts.forEach((part, index) => {
    if (index > 0) places.add(beginMs);
    for (const atMs of part.gapsAtMs) places.add(beginMs + atMs);
    beginMs += durationMsOf(part.segments);
  });
  return [...places].sort((a, b) => a - b).map((atMs) => ({ from_ms: atMs, to_ms: atMs }));
}

/**
 * Enough to rebuild the rows of a recording from its folder in the bucket alone, and what playback is made from: it
 * lists the slices that are there, in playing order. Written last.
 */
export function manifestOf(
  recording: JobRecording,
  inventory: Inventory,
  files: readonly PublishedFile[],
  totals: Totals,
): string {
  const iso = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());
  return `${JSON.stringify(
    {
      version: 1,
      recording: {
        id: recording.id,
        call_id: recording.call_id,
        mentorship_id: recording.mentorship_id,
        instructor_id: recording.instructor_id,
        mentee_id: recording.mentee_id,
        channel: recording.channel,
        quality: recording.quality,
        layout: recording.layout,
        attempt: recording.attempt,
        requested_at: iso(recording.requested_at),
        started_at: iso(recording.started_at),
        stop_requested_at: iso(recording.stop_requested_at),
        stopped_at: iso(recording.stopped_at),
      },
      totals,
      files,
      segments: inventory.parts.flatMap((part, partIndex) =>
        part.segments.map(({ key, sizeBytes, durationSeconds, isDiscontinuity }, index) => ({
          object_key: key,
          size_bytes: sizeBytes,
          duration_ms: Math.round(durationSeconds * 1000),
          is_discontinuity: isDiscontinuity || (partIndex > 0 && index === 0),
        })),
      ),
    },
    null,
    1,
  )}\n`;
}
