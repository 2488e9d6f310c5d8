import type { B2Client } from "../b2/client.ts";
import { asRecorderError, type RecorderError } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import { done, type EngineTask, type Job, type Outcome, retryAfter, type Settings } from "../jobs/job.ts";
import type { Log } from "../log.ts";
import { manifestKey, recordingPrefix } from "../recording-folder.ts";
import { type EnginePlaylist, readEnginePlaylist } from "./engine-playlist.ts";
import {
  awaited,
  type Inventory,
  type RecordingObject,
  recordingObjects,
  takeInventory,
} from "./inventory.ts";
import { manifestOf, publishedFiles, totalsOf } from "./manifest.ts";
import { mp4DurationInBucket } from "./mp4-duration.ts";
import { OBJECTS_AT_ONCE, planCopies, type SourceStore } from "./source-store.ts";

/** What collecting reaches the world through. */
export interface CollectDeps {
  database: Pick<RecorderDatabase, "publish" | "filesFailed" | "awaitFiles" | "planTransfers">;
  bucket: Pick<B2Client, "list" | "get" | "getText" | "put" | "abortMultipartUpload">;
  /** The store that the engine writes into, where that is not our bucket. */
  source: SourceStore | undefined;
  now(): number;
  log: Log;
}

/** A day at slices of 2 s is about 4 MB of playlist. */
const LONGEST_PLAYLIST_BYTES = 8 * 1024 * 1024;
/** The last look is taken this long before the database ends the waiting, or a tenth of it where that is shorter. */
const LAST_CHANCE_MS = 60 * 60_000;
/** As a rule everything is there by then; only what is later is worth a manifest of its own. */
const SAVE_AFTER_MS = 10_000;
/** While files are copied, the last copy asks for a look; this one is for what the engine adds meanwhile. */
const LOOK_WHILE_COPYING_MS = 60_000;

/**
 * Looks into the bucket until everything that the engine made is there, then publishes it: manifest last, rows after
 * it. The bucket is the truth; lists from stop and events only say what to wait for. Where the engine writes into
 * another store, what is there is planned to be copied first. What is late is waited for up to the deadline of
 * `processing` while what is there can be played, then published as partial if anything can be.
 */
export async function collectFiles(job: Job, settings: Settings, deps: CollectDeps): Promise<Outcome> {
  if (job.recording.status !== "processing") return done;
  try {
    return await lookOnce(job, settings, deps);
  } catch (thrown) {
    const error = asRecorderError(thrown);
    // A wrong key or a full bucket is mended by people: that must not cost a recording whose files are safe.
    if (error.blame !== "storage" && error.blame !== "configuration") throw thrown;
    return isLastTry(job, error, settings, deps.now()) ? { outcome: "give_up", error } : retryAfter(error);
  }
}

/**
 * Whether the database ends the waiting before this could be tried again, with nothing to play: then the recording fails
 * with what the store said, instead of with files that nobody could look for.
 */
function isLastTry({ recording }: Job, error: RecorderError, settings: Settings, nowMs: number): boolean {
  const pauseMs = Math.max(error.retryAfterMs ?? 0, settings.retry_longest_delay ?? 60_000);
  const { deadline_at: deadlineMs, size_bytes: sizeBytes } = recording;
  return sizeBytes === null && deadlineMs !== undefined && nowMs + pauseMs >= deadlineMs;
}

async function lookOnce(job: Job, settings: Settings, deps: CollectDeps): Promise<Outcome> {
  const { recording } = job;
  const prefix = recordingPrefix(recording.id);
  const stored = await listAll(prefix, deps);
  const openCopies =
    deps.source === undefined ? 0 : await planCopies(recording.id, deps.source, stored, settings, deps);
  const objects = recordingObjects(prefix, stored);
  const inventory = takeInventory(objects, await readPlaylists(objects, deps));

  const waitedMs = deps.now() - (recording.stopped_at ?? deps.now());
  const isLastChance = isLastChanceOf(job, settings, deps.now());
  const usualMs = (settings.usual_upload_limit ?? 1_200) * 1000;
  const isUsual = waitedMs < usualMs;
  const wait = async (what: string): Promise<Outcome> => {
    // Every second at first: that would be more log than news.
    if (waitedMs >= 60_000) deps.log("files.awaited", { recording_id: recording.id, what });
    if (hasMedia(inventory) && waitedMs >= SAVE_AFTER_MS) await publish(job, inventory, false, deps);
    else await deps.database.awaitFiles(recording.id, null, null);
    const afterMs =
      openCopies > 0
        ? Math.max(LOOK_WHILE_COPYING_MS, pauseMs(waitedMs, usualMs))
        : pauseMs(waitedMs, usualMs);
    return { outcome: "snooze", afterMs };
  };

  // What is copied is not lost: as long as it goes on, nothing is given up.
  if (openCopies > 0 && !isLastChance) return await wait(`${openCopies} copies`);
  if (!hasMedia(inventory)) {
    if (openCopies === 0 && (saidEmpty(job.tasks) || (namedNothing(job.tasks) && !isUsual))) {
      await deps.database.filesFailed(recording.id, "files.empty");
      return done;
    }
    // The database knows the engine's own words for it.
    if (!isLastChance && !neverCame(job.tasks)) return await wait("any file");
    await deps.database.filesFailed(recording.id, "files.missing");
    return done;
  }
  const missing = awaited(inventory, job.tasks, objects, isUsual);
  if (missing.length > 0 && !isLastChance) return await wait(missing.slice(0, 5).join("; "));
  await publish(job, inventory, true, deps);
  return done;
}

/** Writes the manifest, then the rows. While more is awaited only where something is there that was not before. */
async function publish(
  { recording }: Job,
  inventory: Inventory,
  isComplete: boolean,
  deps: CollectDeps,
): Promise<void> {
  const files = publishedFiles(inventory, isComplete ? await mp4Durations(inventory, deps) : undefined);
  const totals = totalsOf(inventory, files);
  if (!isComplete) totals.is_partial = true;
  const isKnown =
    recording.duration_ms === totals.duration_ms &&
    recording.size_bytes === totals.size_bytes &&
    // What was saved then counts the manifest too.
    recording.stored_bytes !== null &&
    recording.stored_bytes >= totals.stored_bytes;
  if (!isComplete && isKnown) {
    await deps.database.awaitFiles(recording.id, null, null);
    return;
  }
  const text = manifestOf(recording, inventory, files, totals, { atMs: deps.now(), isComplete });
  const manifest = new TextEncoder().encode(text);
  await deps.bucket.put(manifestKey(recording.id), manifest, { contentType: "application/json" });
  const stored = { ...totals, stored_bytes: totals.stored_bytes + manifest.byteLength };
  if (isComplete) await deps.database.publish(recording.id, files, stored);
  else await deps.database.awaitFiles(recording.id, files, stored);
}

async function listAll(prefix: string, { bucket }: CollectDeps) {
  const listed: { key: string; sizeBytes: number; etag: string }[] = [];
  for await (const page of bucket.list(prefix, { maxKeys: OBJECTS_AT_ONCE })) {
    for (const { key, sizeBytes, etag } of page.objects) listed.push({ key, sizeBytes, etag });
  }
  return listed;
}

async function readPlaylists(objects: readonly RecordingObject[], { bucket }: CollectDeps) {
  const playlists = new Map<string, EnginePlaylist | undefined>();
  for (const { key, name, sizeBytes } of objects) {
    if (name.kind !== "playlist") continue;
    // Nobody's playlist is that long: what calls itself one is not read into memory.
    const isTooLong = sizeBytes > LONGEST_PLAYLIST_BYTES;
    const text = isTooLong ? "" : await bucket.getText(key, LONGEST_PLAYLIST_BYTES);
    playlists.set(key, readEnginePlaylist(text));
  }
  return playlists;
}

async function mp4Durations({ mp4s }: Inventory, { bucket, log }: CollectDeps) {
  const durations = new Map<string, number | undefined>();
  for (const { key, sizeBytes, attempt } of mp4s) {
    const durationMs = await mp4DurationInBucket(bucket, key, sizeBytes);
    if (durationMs === undefined) log("mp4.unmeasured", { attempt, bytes: sizeBytes });
    durations.set(key, durationMs);
  }
  return durations;
}

function isLastChanceOf({ recording }: Job, settings: Settings, nowMs: number): boolean {
  const wholeMs = (settings.processing_deadline ?? 259_200) * 1000;
  const endsAtMs = recording.deadline_at ?? (recording.stopped_at ?? nowMs) + wholeMs;
  return nowMs >= endsAtMs - Math.min(LAST_CHANCE_MS, wholeMs / 10);
}

function hasMedia({ parts, mp4s }: Inventory): boolean {
  return mp4s.length > 0 || parts.some((part) => part.segments.length > 0);
}

/** Every recorder that ever came says that nobody sent anything. */
function saidEmpty(tasks: readonly EngineTask[]): boolean {
  return tasks.every((task) => task.is_empty || task.sid === null);
}

/** The engine itself told an end that no waiting mends, as a store that refused it: nothing is held back to come later. */
function neverCame(tasks: readonly EngineTask[]): boolean {
  return tasks.every((task) => task.error?.retry === "never" || task.is_empty || task.sid === null);
}

/**
 * An engine that named no file and wrote none within its normal time for uploads has recorded nothing. That is how an end is
 * known of which the engine said so in an answer to stop that died with the worker: it says so once.
 */
function namedNothing(tasks: readonly EngineTask[]): boolean {
  return tasks.every((task) => (task.files ?? []).length === 0);
}

/** Files come within seconds as a rule, within 20 minutes by the engine's word, else some time in three days. */
function pauseMs(waitedMs: number, usualMs: number): number {
  if (waitedMs < 60_000) return 1_000;
  // The look that decides is not late.
  return waitedMs < usualMs ? Math.min(10_000, usualMs - waitedMs) : 300_000;
}
