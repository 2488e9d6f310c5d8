import type { PublishedFile, Totals } from "../jobs/database.ts";
import type { JobRecording } from "../jobs/job.ts";
import { durationMsOf } from "../playback/playlist.ts";
import type { Inventory } from "./inventory.ts";

/** The files of an inventory as the database keeps them: one row per playlist set and per MP4. */
export function publishedFiles(inventory: Inventory): PublishedFile[] {
  return [
    ...inventory.parts.map((part) => ({
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

/** Duration, sizes and what is missing. The primary file is the MP4 where one file holds everything, else the slices. */
export function totalsOf(inventory: Inventory, files: readonly PublishedFile[]): Totals {
  const playlists = files.filter((file) => file.kind === "playlist");
  const mp4s = files.filter((file) => file.kind === "mp4");
  const onlyMp4 = mp4s.length === 1 && playlists.length <= 1 ? mp4s[0] : undefined;
  const missingCount = inventory.parts.reduce((sum, part) => sum + part.missing.length, 0);
  return {
    duration_ms: playlists.reduce((sum, file) => sum + (file.duration_ms ?? 0), 0),
    size_bytes: onlyMp4?.size_bytes ?? playlists.reduce((sum, file) => sum + file.size_bytes, 0),
    stored_bytes: inventory.storedBytes,
    is_partial: missingCount > 0 || inventory.parts.length > 1,
    gaps: gapsOf(inventory),
  };
}

/** Where the picture jumps in playing time: between two servers' parts. How much is lost there nobody can measure. */
function gapsOf(inventory: Inventory): Totals["gaps"] {
  let at = 0;
  return inventory.parts.flatMap((part, index) => {
    const from = at;
    at += durationMsOf(part.segments);
    return index === 0 ? [] : [{ from_ms: from, to_ms: from }];
  });
}

/** Enough to rebuild the rows of a recording from its folder in the bucket alone; written last. */
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
      segments: inventory.parts.flatMap((part) =>
        part.segments.map(({ key, sizeBytes, durationSeconds }) => ({
          object_key: key,
          size_bytes: sizeBytes,
          duration_ms: Math.round(durationSeconds * 1000),
        })),
      ),
    },
    null,
    1,
  )}\n`;
}
