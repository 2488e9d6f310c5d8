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

/** As many objects as one call to the database carries. */
const BATCH = 1_000;

/**
 * Plans a copy of everything of a recording that its source store has and our bucket has not. Gives how many copies are
 * under way now. What is no file of the engine stays where it is. Throws what the stores and the database throw.
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
  const planned = copyPlan(
    await sourceObjects(recordingId, source),
    copies,
    settings.transfer_part_bytes ?? 16 * 1024 * 1024,
  );
  let openCount = 0;
  for (let index = 0; index === 0 || index < planned.length; index += BATCH) {
    const plan = await deps.database.planTransfers(
      recordingId,
      source.name,
      planned.slice(index, index + BATCH),
    );
    openCount = plan.open_count;
    // Of a source that is another one by now. Should this not come to pass, the audit finds them.
    for (const { key, upload_id } of plan.given_up) await deps.bucket.abortMultipartUpload(key, upload_id);
  }
  return openCount;
}

async function sourceObjects(recordingId: string, source: SourceStore): Promise<SourceObject[]> {
  const prefix = recordingPrefix(recordingId);
  const found: SourceObject[] = [];
  await readingSource(source, async () => {
    for await (const page of source.store.list(prefix)) {
      for (const listed of page.objects) {
        const [object] = recordingObjects(prefix, [listed]);
        if (object !== undefined)
          found.push({ ...object, etag: listed.etag, lastModified: listed.lastModified });
      }
    }
  });
  return found;
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
