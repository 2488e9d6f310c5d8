import type { ListedUpload } from "../b2/xml.ts";

/**
 * Unfinished uploads that nobody works on: not known to the database, and older than `oldestMs`, so that one that is
 * just being begun is none. They are billed until they are given up (abortMultipartUpload), which loses nothing.
 */
export function orphanUploads(
  listed: readonly ListedUpload[],
  openUploadIds: Iterable<string>,
  nowMs: number,
  oldestMs: number,
): ListedUpload[] {
  const open = new Set(openUploadIds);
  return listed.filter(
    ({ uploadId, initiated }) => !open.has(uploadId) && nowMs - initiated.getTime() > oldestMs,
  );
}
