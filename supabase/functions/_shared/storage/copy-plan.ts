import type { PlannedCopy } from "../jobs/transfer-calls.ts";
import type { RecordingObject } from "./inventory.ts";

/** The stores' common ground: S3 and R2 count 5 MiB, B2 5 MB; and at most 10,000 parts, of one size but for the last. */
const SMALLEST_PART_BYTES = 5 * 1024 * 1024;
const MOST_PARTS = 10_000;

/** What is put as one object; above it an object goes in parts. */
export function partBytesFor(totalBytes: number, usualPartBytes: number): number | null {
  let partBytes = Math.max(SMALLEST_PART_BYTES, Math.floor(usualPartBytes));
  if (totalBytes <= partBytes) return null;
  while (partBytes * MOST_PARTS < totalBytes) partBytes *= 2;
  return partBytes;
}

/** An object of a source store, as far as a plan needs it. */
export interface SourceObject extends RecordingObject {
  etag: string;
  lastModified: Date;
}

/** Slices before the playlist that names them, then what is large: whatever was copied can be played by then. */
const ORDER = { segment: 0, thumbnail: 0, playlist: 1, mp4: 2 } as const;

/**
 * Which objects of a source store become copies, under the same keys. What our bucket has with the same size and etag
 * is left out; so is what is empty, because a copy of nothing proves nothing.
 */
export function copyPlan(
  source: readonly SourceObject[],
  ours: ReadonlyMap<string, { sizeBytes: number; etag: string }>,
  usualPartBytes: number,
): PlannedCopy[] {
  return source.flatMap((object): PlannedCopy[] => {
    const copy = ours.get(object.key);
    if (object.sizeBytes === 0 || (copy?.sizeBytes === object.sizeBytes && copy.etag === object.etag))
      return [];
    return [
      {
        attempt: object.attempt,
        source_key: object.key,
        source_etag: object.etag,
        source_modified_at: object.lastModified.toISOString(),
        total_bytes: object.sizeBytes,
        destination_key: object.key,
        content_type: contentTypeOf(object),
        copy_order: ORDER[object.name.kind],
        part_bytes: partBytesFor(object.sizeBytes, usualPartBytes),
      },
    ];
  });
}

function contentTypeOf({ key, name }: RecordingObject): string {
  switch (name.kind) {
    case "playlist":
      return "application/vnd.apple.mpegurl";
    case "mp4":
      return "video/mp4";
    case "thumbnail":
      return "image/jpeg";
    case "segment":
      return key.endsWith(".webm") ? "video/webm" : "video/mp2t";
  }
}
