import { recordingPrefix } from "../recording-folder.ts";
import { readingSource } from "./source-store.ts";
import type { TransferDeps } from "./transfer.ts";

/** S3's limit for one DeleteObjects. */
const MOST_DELETES = 1_000;

/**
 * Deletes every version of the sources that are copied, verified and published. A source that is another version by now
 * is not the one that was copied: it stays. False where something stayed. Throws what the store throws.
 */
export async function deleteSources(recordingId: string, deps: TransferDeps): Promise<boolean> {
  const { source } = deps;
  const copied = await deps.database.sourcesToDelete(recordingId);
  if (copied.length === 0) return true;
  const here = new Map(
    copied.filter((one) => one.source_store === source?.name).map((one) => [one.source_key, one]),
  );
  if (source === undefined || here.size === 0) return false;
  const prefix = recordingPrefix(recordingId);
  const gone = await readingSource(source, async () => {
    const kept = new Set<string>();
    for await (const { objects } of source.store.list(prefix)) {
      for (const { key, etag } of objects) {
        if (here.has(key) && here.get(key)?.source_etag !== etag) kept.add(key);
      }
    }
    const versions: { key: string; versionId: string }[] = [];
    for await (const page of source.store.listVersions(prefix)) {
      for (const { key, versionId } of page.versions) {
        if (here.has(key) && !kept.has(key)) versions.push({ key, versionId });
      }
    }
    for (let index = 0; index < versions.length; index += MOST_DELETES) {
      const { failed } = await source.store.deleteVersions(versions.slice(index, index + MOST_DELETES));
      for (const { key, error } of failed) {
        kept.add(key);
        deps.log("source.kept", { recording_id: recordingId, code: error.code, detail: error.detail });
      }
    }
    return [...here.values()].filter(({ source_key }) => !kept.has(source_key));
  });
  // Several copies of one source were made where it changed: with its last version all of them are gone.
  if (gone.length > 0) {
    const keys = new Set(gone.map(({ source_key }) => source_key));
    await deps.database.noteSourcesDeleted(
      copied.filter(({ source_key }) => keys.has(source_key)).map(({ id }) => id),
    );
  }
  return gone.length === here.size && here.size === new Set(copied.map((one) => one.source_key)).size;
}
