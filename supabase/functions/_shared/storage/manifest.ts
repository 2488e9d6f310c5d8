import type { B2Client } from "../b2/client.ts";
import { RecorderFailure } from "../errors.ts";
import type { PublishedFile, Totals } from "../jobs/database.ts";
import type { JobRecording } from "../jobs/job.ts";
import type { Segment } from "../playback/playlist.ts";
import { manifestKey, recordingPrefix } from "../recording-folder.ts";
import { playingMs } from "./engine-playlist.ts";
import { gapsOf } from "./gaps.ts";
import { type Inventory, isLastOfItsTask, isSegmentKey } from "./inventory.ts";
import { type Manifest, manifestForm, playableForm } from "./manifest-form.ts";

/** A day of slices of 2 s, with room. */
const LONGEST_MANIFEST_BYTES = 16 * 1024 * 1024;

/**
 * The whole manifest of a recording, as it is in the bucket. Throws RecorderFailure `playlist_unreadable` where it is
 * none, is another recording's, or names an object outside of its folder; else what the bucket throws.
 */
export async function readManifest(
  recordingId: string,
  bucket: Pick<B2Client, "getText">,
): Promise<Manifest> {
  return await read(recordingId, bucket, (json) => {
    const manifest = manifestForm.parse(json);
    if (manifest.recording.id !== recordingId) throw new Error("the manifest of another recording");
    for (const { object_key: key } of manifest.files) {
      if (!key.startsWith(recordingPrefix(recordingId)))
        throw new Error("a file that is not one of this recording");
    }
    assertSlices(recordingId, manifest.segments);
    return manifest;
  });
}

/**
 * The slices of a recording in playing order, as its manifest lists them; the URI of each is its object's key. Throws
 * RecorderFailure `playlist_unreadable`, and what the bucket throws.
 */
export async function readManifestSegments(
  recordingId: string,
  bucket: Pick<B2Client, "getText">,
): Promise<Segment[]> {
  const segments = await read(recordingId, bucket, (json) => {
    const manifest = playableForm.parse(json);
    assertSlices(recordingId, manifest.segments);
    return manifest.segments;
  });
  return segments.map((segment) => ({
    uri: segment.object_key,
    durationSeconds: segment.duration_ms / 1000,
    isDiscontinuity: segment.is_discontinuity,
  }));
}

async function read<T>(
  recordingId: string,
  bucket: Pick<B2Client, "getText">,
  parse: (json: unknown) => T,
): Promise<T> {
  const text = await bucket.getText(manifestKey(recordingId), LONGEST_MANIFEST_BYTES);
  try {
    return parse(JSON.parse(text));
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

/** Who can write into the bucket must not be able to have somebody else's object signed. */
function assertSlices(recordingId: string, segments: readonly { object_key: string }[]): void {
  const prefix = recordingPrefix(recordingId);
  for (const { object_key: key } of segments) {
    if (!isSegmentKey(prefix, key)) throw new Error("a slice that is not one of this recording");
  }
}

/** The files of an inventory as the database keeps them: one row per playlist set and per MP4. */
export function publishedFiles(
  inventory: Inventory,
  mp4DurationsMs: ReadonlyMap<string, number | undefined> = new Map(),
): PublishedFile[] {
  return [
    ...inventory.parts
      .filter((part) => part.segments.length > 0)
      .map((part) => ({
        kind: "playlist" as const,
        attempt: part.attempt,
        object_key: part.key,
        content_type: "application/vnd.apple.mpegurl",
        size_bytes: part.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0),
        duration_ms: playingMs(part.segments),
        segment_count: part.segments.length,
      })),
    ...inventory.mp4s.map((mp4) => ({
      kind: "mp4" as const,
      attempt: mp4.attempt,
      object_key: mp4.key,
      content_type: "video/mp4",
      size_bytes: mp4.sizeBytes,
      duration_ms: mp4DurationsMs.get(mp4.key) ?? null,
      segment_count: null,
    })),
  ];
}

/**
 * Duration, sizes and what is missing. The primary file is the MP4 where one file holds everything, else the slices,
 * else all MP4s. Partial: slices that never came, several servers, a playlist that was cut off, or no playlist at all.
 */
export function totalsOf(inventory: Inventory, files: readonly PublishedFile[]): Totals {
  const playlists = files.filter((file) => file.kind === "playlist");
  const mp4s = files.filter((file) => file.kind === "mp4");
  const onlyMp4 = mp4s.length === 1 && playlists.length <= 1 ? mp4s[0] : undefined;
  const isCutOff = inventory.parts.some((part) => isLastOfItsTask(part, inventory) && !part.isEnded);
  const gaps = gapsOf(inventory);
  // What is played where there is no playlist is the MP4s, one after the other.
  const played = playlists.length > 0 ? playlists : mp4s;
  return {
    duration_ms: played.reduce((sum, file) => sum + (file.duration_ms ?? 0), 0),
    size_bytes: onlyMp4?.size_bytes ?? played.reduce((sum, file) => sum + file.size_bytes, 0),
    stored_bytes: inventory.storedBytes,
    is_partial: gaps.length > 0 || isCutOff || playlists.length === 0,
    gaps,
  };
}

/**
 * Enough to rebuild the rows of a recording from its folder in the bucket alone, and what playback is made from: it
 * lists the slices that are there, in playing order. Written last; `isComplete` is false while more is awaited.
 */
export function manifestOf(
  recording: JobRecording,
  inventory: Inventory,
  files: readonly PublishedFile[],
  totals: Totals,
  written: { atMs: number; isComplete: boolean },
): string {
  const iso = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());
  const manifest: Manifest = {
    version: 1,
    is_complete: written.isComplete,
    written_at: new Date(written.atMs).toISOString(),
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
      // The account of who pressed is not written down: who asks to be forgotten is taken out of rows, and must not stay here.
      requested_by: null,
      requested_at: iso(recording.requested_at),
      started_at: iso(recording.started_at),
      stop_requested_at: iso(recording.stop_requested_at),
      stop_reason: recording.stop_reason,
      stopped_at: iso(recording.stopped_at),
    },
    totals,
    files: [...files],
    segments: inventory.parts.flatMap((part, partIndex) =>
      part.segments.map(({ key, sizeBytes, durationSeconds, isDiscontinuity }, index) => ({
        object_key: key,
        size_bytes: sizeBytes,
        duration_ms: Math.round(durationSeconds * 1000),
        is_discontinuity: isDiscontinuity || (partIndex > 0 && index === 0),
      })),
    ),
  };
  return `${JSON.stringify(manifest, null, 1)}\n`;
}
