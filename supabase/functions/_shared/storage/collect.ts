import type { B2Client } from "../b2/client.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import { done, type Job, type Outcome, type Settings } from "../jobs/job.ts";
import { type Playlist, parsePlaylist } from "../playback/playlist.ts";
import { awaited, recordingObjects, type StoredObject, takeInventory } from "./inventory.ts";
import { manifestOf, publishedFiles, totalsOf } from "./manifest.ts";

/** What the handlers of the storage lane reach the world through. */
export interface StorageDeps {
  database: Pick<RecorderDatabase, "publish" | "filesFailed">;
  bucket: Pick<B2Client, "list" | "getText" | "put">;
  now(): number;
}

/** A day at slices of 2 s is about 3 MB of playlist. */
const LONGEST_PLAYLIST_BYTES = 8 * 1024 * 1024;
/** The engine's own "normal ceiling" for an upload after the end. */
const NORMAL_UPLOAD_MS = 20 * 60_000;
/** An engine that was there and wrote nothing within this time recorded nothing. */
const NOTHING_AFTER_MS = 3 * 60_000;

/**
 * Looks into the bucket until everything that the engine made is there, then publishes it: manifest last, rows after
 * it. The bucket is the truth; lists from stop and events only say what to wait for. What is late is waited for up to
 * the deadline of `processing`, then published as partial if anything can be played.
 */
export async function collectFiles(job: Job, settings: Settings, deps: StorageDeps): Promise<Outcome> {
  const { recording } = job;
  if (recording.status !== "processing") return done;
  const prefix = `recordings/${recording.id.replaceAll("-", "")}/`;
  const listed: StoredObject[] = [];
  for await (const page of deps.bucket.list(prefix)) {
    for (const { key, sizeBytes } of page.objects) listed.push({ key, sizeBytes });
  }
  const objects = recordingObjects(prefix, listed);

  const playlists = new Map<string, Playlist>();
  for (const object of objects) {
    if (object.name.kind !== "playlist") continue;
    const playlist = parsePlaylist(await deps.bucket.getText(object.key, LONGEST_PLAYLIST_BYTES));
    if (playlist !== undefined) playlists.set(object.key, playlist);
  }
  const inventory = takeInventory(objects, playlists);

  const waitedMs = deps.now() - (recording.stopped_at ?? deps.now());
  const isLastChance = waitedMs >= (settings.processing_deadline ?? 259_200) * 1000 - 60 * 60_000;
  const hasMedia = inventory.parts.some((part) => part.segments.length > 0) || inventory.mp4s.length > 0;

  if (!hasMedia) {
    const saysEmpty = job.tasks.every((task) => task.is_empty || task.superseded || task.sid === null);
    const namedNothing = job.tasks.every((task) => (task.files ?? []).length === 0);
    if (saysEmpty || (namedNothing && waitedMs >= NOTHING_AFTER_MS)) {
      await deps.database.filesFailed(recording.id, "files.empty");
      return done;
    }
    if (isLastChance) {
      await deps.database.filesFailed(recording.id, "files.missing");
      return done;
    }
    return { outcome: "snooze", afterMs: pauseMs(waitedMs) };
  }
  if (awaited(inventory, job.tasks, objects).length > 0 && !isLastChance) {
    return { outcome: "snooze", afterMs: pauseMs(waitedMs) };
  }

  const files = publishedFiles(inventory);
  const totals = totalsOf(inventory, files);
  const manifest = new TextEncoder().encode(manifestOf(recording, inventory, files, totals));
  await deps.bucket.put(`${prefix}manifest.json`, manifest, { contentType: "application/json" });
  totals.stored_bytes += manifest.byteLength;
  await deps.database.publish(recording.id, files, totals);
  return done;
}

/** Files come within seconds as a rule, within 20 minutes by the engine's word, else some time in three days. */
function pauseMs(waitedMs: number): number {
  if (waitedMs < 60_000) return 1_000;
  return waitedMs < NORMAL_UPLOAD_MS ? 10_000 : 300_000;
}
