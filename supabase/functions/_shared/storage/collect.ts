import type { B2Client } from "../b2/client.ts";
import { asRecorderError } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import { done, type EngineTask, type Job, type Outcome, retryAfter, type Settings } from "../jobs/job.ts";
import type { Log } from "../log.ts";
import { type Playlist, parsePlaylist } from "../playback/playlist.ts";
import { manifestKey, recordingPrefix } from "../recording-folder.ts";
import { awaited, type Inventory, recordingObjects, type StoredObject, takeInventory } from "./inventory.ts";
import { manifestOf, publishedFiles, totalsOf } from "./manifest.ts";

/** What the handlers of the storage lane reach the world through. */
export interface StorageDeps {
  database: Pick<RecorderDatabase, "publish" | "filesFailed">;
  bucket: Pick<B2Client, "list" | "getText" | "put">;
  now(): number;
  log: Log;
}

/** A day at slices of 2 s is about 4 MB of playlist. */
const LONGEST_PLAYLIST_BYTES = 8 * 1024 * 1024;
/** The engine's own "normal ceiling" for an upload after the end. */
const NORMAL_UPLOAD_MS = 20 * 60_000;
/** The last look is taken this long before the database ends the waiting, or a tenth of it where that is shorter. */
const LAST_CHANCE_MS = 60 * 60_000;

/**
 * Looks into the bucket until everything that the engine made is there, then publishes it: manifest last, rows after
 * it. The bucket is the truth; lists from stop and events only say what to wait for. What is late is waited for up to
 * the deadline of `processing`, then published as partial if anything can be played.
 */
export async function collectFiles(job: Job, settings: Settings, deps: StorageDeps): Promise<Outcome> {
  if (job.recording.status !== "processing") return done;
  try {
    return await lookOnce(job, settings, deps);
  } catch (thrown) {
    const error = asRecorderError(thrown);
    // A wrong key or a full bucket is mended by people: that must not cost a recording whose files are safe.
    if (error.blame === "storage" || error.blame === "configuration") return retryAfter(error);
    throw thrown;
  }
}

async function lookOnce(job: Job, settings: Settings, deps: StorageDeps): Promise<Outcome> {
  const { recording } = job;
  const objects = recordingObjects(recordingPrefix(recording.id), await listAll(recording.id, deps));
  const playlists = new Map<string, Playlist | undefined>();
  for (const { key, name } of objects) {
    if (name.kind !== "playlist") continue;
    playlists.set(key, parsePlaylist(await deps.bucket.getText(key, LONGEST_PLAYLIST_BYTES)));
  }
  const inventory = takeInventory(objects, playlists);

  const waitedMs = deps.now() - (recording.stopped_at ?? deps.now());
  const deadlineMs = (settings.processing_deadline ?? 259_200) * 1000;
  const isLastChance = waitedMs >= deadlineMs - Math.min(LAST_CHANCE_MS, deadlineMs / 10);
  const isUsual = waitedMs < NORMAL_UPLOAD_MS;
  const wait = (what: string): Outcome => {
    // Every second at first: that would be more log than news.
    if (waitedMs >= 60_000) deps.log("files.awaited", { recording_id: recording.id, what });
    return { outcome: "snooze", afterMs: pauseMs(waitedMs) };
  };

  if (!hasMedia(inventory)) {
    if (saidEmpty(job.tasks) || (namedNothing(job.tasks) && !isUsual)) {
      await deps.database.filesFailed(recording.id, "files.empty");
      return done;
    }
    if (!isLastChance) return wait("any file");
    await deps.database.filesFailed(recording.id, "files.missing");
    return done;
  }
  const missing = awaited(inventory, job.tasks, objects, isUsual);
  if (missing.length > 0 && !isLastChance) return wait(missing.slice(0, 5).join("; "));

  const files = publishedFiles(inventory);
  const totals = totalsOf(inventory, files);
  const manifest = new TextEncoder().encode(manifestOf(recording, inventory, files, totals));
  await deps.bucket.put(manifestKey(recording.id), manifest, { contentType: "application/json" });
  await deps.database.publish(recording.id, files, {
    ...totals,
    stored_bytes: totals.stored_bytes + manifest.byteLength,
  });
  return done;
}

async function listAll(recordingId: string, { bucket }: StorageDeps): Promise<StoredObject[]> {
  const listed: StoredObject[] = [];
  for await (const page of bucket.list(recordingPrefix(recordingId))) {
    for (const { key, sizeBytes } of page.objects) listed.push({ key, sizeBytes });
  }
  return listed;
}

function hasMedia({ parts, mp4s }: Inventory): boolean {
  return mp4s.length > 0 || parts.some((part) => part.segments.length > 0);
}

/** Every recorder that ever came says that nobody sent anything. */
function saidEmpty(tasks: readonly EngineTask[]): boolean {
  return tasks.every((task) => task.is_empty || task.sid === null);
}

/** An engine that named no file and wrote none within its normal time for uploads has recorded nothing. */
function namedNothing(tasks: readonly EngineTask[]): boolean {
  return tasks.every((task) => (task.files ?? []).length === 0);
}

/** Files come within seconds as a rule, within 20 minutes by the engine's word, else some time in three days. */
function pauseMs(waitedMs: number): number {
  if (waitedMs < 60_000) return 1_000;
  return waitedMs < NORMAL_UPLOAD_MS ? 10_000 : 300_000;
}
