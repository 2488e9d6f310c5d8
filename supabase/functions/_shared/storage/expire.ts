import type { B2Client } from "../b2/client.ts";
import { asRecorderError, RecorderFailure } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import type { FoundFiles } from "../jobs/deletion-calls.ts";
import { done, type Job, type Outcome, retryAfter } from "../jobs/job.ts";
import type { Log } from "../log.ts";
import { manifestKey, recordingPrefix } from "../recording-folder.ts";

/** A store that recordings may be in, as far as deleting needs it. */
export type DeletingStore = Pick<
  B2Client,
  "listVersions" | "deleteVersions" | "listMultipartUploads" | "abortMultipartUpload"
>;

/** What a deletion reaches the world through. */
export interface ExpireDeps {
  database: Pick<RecorderDatabase, "beginDeletion" | "finishDeletion">;
  /** Every store that can hold something of a recording. */
  stores: readonly DeletingStore[];
  now(): number;
  log: Log;
}

/** How long one run deletes before it makes room for others, ms: a page of a thousand versions takes about a second. */
const SLICE_MS = 20_000;
/** What is listed again after it was deleted is given a minute: a store that keeps it must not be asked in a circle. */
const LISTED_AGAIN_MS = 60_000;
/** A wrong key or a locked bucket is mended by people; until then it is tried again at this pace, ms. */
const MENDED_BY_PEOPLE_MS = 600_000;

/**
 * Deletes everything below the folder of a recording: every version and hide marker of every file, every unfinished
 * upload. Counts first, then asks the database, which asks the rights once more (a hold or a later date wins) and from
 * then on lets nobody play it; deletes until the folder's own listing is empty, and only then says so. Every step may be
 * repeated: a run that died is followed by one that goes on. The manifest goes first, so that half a recording can
 * never be taken for a whole one.
 */
export async function expireRecording(job: Job, deps: ExpireDeps): Promise<Outcome> {
  const { id, status, deletion_began_at } = job.recording;
  if (status !== "recorded" && status !== "failed" && status !== "expired") return done;
  try {
    if (status !== "expired" && deletion_began_at === undefined) {
      const verdict = await deps.database.beginDeletion(
        id,
        await countFiles(recordingPrefix(id), deps.stores),
      );
      if (verdict !== "begun") {
        deps.log("deletion.not_begun", { recording_id: id, verdict });
        return done;
      }
    }
    return await deleteFolder(id, deps);
  } catch (thrown) {
    const error = asRecorderError(thrown);
    if (error.blame !== "storage" && error.blame !== "configuration") throw thrown;
    return error.retry === "never"
      ? { outcome: "retry", error, afterMs: MENDED_BY_PEOPLE_MS }
      : retryAfter(error);
  }
}

/** What stores hold below a prefix, hidden or not. */
async function countFiles(prefix: string, stores: readonly DeletingStore[]): Promise<FoundFiles> {
  const found: FoundFiles = { objects: 0, versions: 0, uploads: 0, bytes: 0 };
  for (const store of stores) {
    const keys = new Set<string>();
    for await (const { versions } of store.listVersions(prefix)) {
      for (const { key, sizeBytes } of versions) {
        keys.add(key);
        found.versions += 1;
        found.bytes += sizeBytes;
      }
    }
    found.objects += keys.size;
    for await (const { uploads } of store.listMultipartUploads(prefix)) found.uploads += uploads.length;
  }
  return found;
}

async function deleteFolder(id: string, deps: ExpireDeps): Promise<Outcome> {
  const { stores, now } = deps;
  const untilMs = now() + SLICE_MS;
  const deleted = { versions: 0, bytes: 0 };
  for (const store of stores) {
    for (const prefix of [manifestKey(id), recordingPrefix(id)]) {
      for await (const { versions } of store.listVersions(prefix)) {
        await deleteAll(versions, store);
        deleted.versions += versions.length;
        deleted.bytes += versions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        if (now() > untilMs) return { outcome: "snooze", afterMs: 0 };
      }
    }
    for await (const { uploads } of store.listMultipartUploads(recordingPrefix(id))) {
      for (const { key, uploadId } of uploads) await store.abortMultipartUpload(key, uploadId);
      if (now() > untilMs) return { outcome: "snooze", afterMs: 0 };
    }
  }
  const left = await countFiles(recordingPrefix(id), stores);
  if (left.versions + left.uploads > 0) {
    deps.log("deletion.listed_again", { recording_id: id, versions: left.versions, uploads: left.uploads });
    return { outcome: "snooze", afterMs: LISTED_AGAIN_MS };
  }
  await deps.database.finishDeletion(id, deleted);
  deps.log("deletion.finished", { recording_id: id, ...deleted });
  return done;
}

async function deleteAll(
  versions: readonly { key: string; versionId: string }[],
  store: DeletingStore,
): Promise<void> {
  if (versions.length === 0) return;
  const { failed } = await store.deleteVersions(versions.map(({ key, versionId }) => ({ key, versionId })));
  const [first] = failed;
  if (first !== undefined) throw new RecorderFailure(first.error);
}
