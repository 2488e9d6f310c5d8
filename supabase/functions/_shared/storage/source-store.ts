import type { B2Client } from "../b2/client.ts";
import { asRecorderError, RecorderFailure } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import type { Settings } from "../jobs/job.ts";
import { recordingPrefix } from "../recording-folder.ts";
import { copyPlan, type SourceObject } from "./copy-plan.ts";
import { recordingObjects, type StoredObject } from "./inventory.ts";

/** A store of the configuration that the engine writes into, by its name: no address out of the world is ever read. */
export interface SourceStore {
  name: string;
  store: Pick<B2Client, "list" | "get" | "head" | "listVersions" | "deleteVersions">;
}

/** Rows of one listing: reading a thousand takes twice the memory for a moment, and a call costs next to nothing. */
export const OBJECTS_AT_ONCE = 500;

/** What is of use only when the slices are there. */
const FOLLOWS: ReadonlySet<string> = new Set(["playlist", "mp4"]);

/**
 * Plans a copy of everything of a recording that its source store has and our bucket has not. Gives how many copies are
 * under way now. What is no file of the engine stays where it is. Goes page by page, so that a recording of many slices
 * is never held whole. Throws what the stores and the database throw.
 */
export async function planCopies(
  recordingId: string,
  source: SourceStore,
  ours: readonly (StoredObject & { etag: string })[],
  settings: Settings,
  deps: {
    database: Pick<RecorderDatabase, "planTransfers">;
    bucket: Pick<B2Client, "abortMultipartUpload">;
  },
): Promise<number> {
  const copies = new Map(ours.map((object) => [object.key, object]));
  const partBytes = settings.transfer_part_bytes ?? 16 * 1024 * 1024;
  const followers: SourceObject[] = [];
  let openCount = 0;
  const plan = async (objects: SourceObject[]) => {
    const planned = copyPlan(objects, copies, partBytes);
    if (planned.length === 0 && objects !== followers) return;
    const { open_count, given_up } = await deps.database.planTransfers(recordingId, source.name, planned);
    openCount = open_count;
    // Of a source that is another one by now. Should this not come to pass, the audit finds them.
    for (const { key, upload_id } of given_up) await deps.bucket.abortMultipartUpload(key, upload_id);
  };
  for await (const objects of sourcePages(recordingId, source)) {
    await plan(objects.filter(({ name }) => !FOLLOWS.has(name.kind)));
    followers.push(...objects.filter(({ name }) => FOLLOWS.has(name.kind)));
  }
  // A playlist that is planned before the last of its slices could be copied before it.
  await plan(followers);
  return openCount;
}

/** The engine's files of a recording in its source store, page by page. */
async function* sourcePages(recordingId: string, source: SourceStore): AsyncGenerator<SourceObject[]> {
  const prefix = recordingPrefix(recordingId);
  const pages = source.store.list(prefix, { maxKeys: OBJECTS_AT_ONCE });
  while (true) {
    const page = await readingSource(source, () => pages.next());
    if (page.done === true) return;
    yield recordingObjects(prefix, page.value.objects);
  }
}

/** Marks what fails as a failure of the source: both stores refuse in the same words. */
export async function readingSource<T>(
  source: Pick<SourceStore, "name">,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    if (!(thrown instanceof RecorderFailure)) throw thrown;
    const error = asRecorderError(thrown);
    throw new SourceFailure(
      { ...error, detail: `source store ${source.name}: ${error.detail ?? error.code}` },
      { cause: thrown },
    );
  }
}

/** A failure of the store that is read from. */
export class SourceFailure extends RecorderFailure {}
