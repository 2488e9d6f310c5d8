import { parseEngineFileName } from "../agora/files.ts";
import type { KeyVersion } from "../b2/versions.ts";
import { attemptPrefix, manifestKey } from "../recording-folder.ts";
import type { Finding, FindingKind, RecordingFacts } from "./facts.ts";
import type { Folder, KeyVersions } from "./folders.ts";

/** What the audit may do by itself about something it found. */
export type Remedy =
  | { do: "delete_versions"; versions: KeyVersion[] }
  | { do: "delete_leftovers"; recordingId: string }
  | { do: "delete_sources"; recordingId: string }
  | { do: "collect_again"; recordingId: string }
  | { do: "abort_upload"; key: string; uploadId: string };

export interface Judgement {
  finding: Finding;
  remedy?: Remedy;
}

/** A slice as a manifest names it. */
export interface NamedSlice {
  key: string;
  sizeBytes: number;
}

/** What was published or deleted while the bucket was being listed proves nothing, ms. */
const JUST_NOW_MS = 10 * 60_000;
/** An old version may be that of a write whose reply was lost and which is being repeated, ms. */
const OLD_ENOUGH_MS = 60 * 60_000;
/** A recording that has lost a thousand slices is found by its first ones. */
const MOST_FILES_NAMED = 50;

/** Whether slices seem to be lost: then its manifest says which, and the recording is judged with it. */
export function isShortOfSlices(folder: Folder | undefined, recording: RecordingFacts): boolean {
  for (const { attempt, expectedBytes } of slicesByAttempt(recording)) {
    if (bytesOfSlices(folder, recording.id, attempt) < expectedBytes) return true;
  }
  return false;
}

/**
 * Compares the folder of one recording (undefined: the bucket has none) with its rows (undefined: there are none). Pure;
 * `listedAtMs` is when the listing began. `slices` are those of its manifest, where isShortOfSlices.
 */
export function judge(
  folder: Folder | undefined,
  recording: RecordingFacts | undefined,
  listedAtMs: number,
  slices: readonly NamedSlice[] = [],
): Judgement[] {
  if (recording === undefined) return folder === undefined ? [] : [judgeUnknown(folder)];
  switch (recording.status) {
    case "recorded": {
      if (recording.is_being_deleted || isFresh(recording.finished_at, listedAtMs)) return [];
      return [
        ...judgeFiles(folder, recording, slices),
        ...judgeAttempts(folder, recording),
        ...judgeUnpublished(folder, recording),
        ...judgeOldVersions(folder, recording, listedAtMs),
      ];
    }
    case "failed":
      if (recording.is_being_deleted) return [];
      return [...judgeLateFiles(folder, recording), ...judgeOldVersions(folder, recording, listedAtMs)];
    case "expired":
      return judgeLeftovers(folder, recording, listedAtMs);
    default:
      // Under way: its own jobs look after it.
      return [];
  }
}

/**
 * Compares what a source store holds of one recording with its rows. A source goes when its copy is published: what is
 * still there was forgotten, came later, or belongs to nobody. Pure; `store` is the store's name.
 */
export function judgeSource(
  folder: Folder,
  recording: RecordingFacts | undefined,
  listedAtMs: number,
  store: string,
): Judgement[] {
  const key = `${store}:${folder.path}`;
  const detail = { versions: folder.versions, bytes: folder.bytes };
  if (recording === undefined) return [found("source_unknown", key, undefined, detail)];
  const { id: recordingId } = recording;
  switch (recording.status) {
    case "recorded": {
      if (recording.is_being_deleted || isFresh(recording.finished_at, listedAtMs)) return [];
      const late = lateMedia(folder, recording.finished_at);
      return [
        // What was not there when it was published has no copy: it is named, and stays.
        ...(late.objects === 0 ? [] : [found("late_files", key, recording, late)]),
        { ...found("source_left", key, recording, detail), remedy: { do: "delete_sources", recordingId } },
      ];
    }
    case "failed":
      return judgeLateFiles(folder, recording).map((one) => ({ ...one, finding: { ...one.finding, key } }));
    case "expired":
      return judgeLeftovers(folder, recording, listedAtMs).map((one) => ({
        ...one,
        finding: { ...one.finding, key },
      }));
    default:
      return [];
  }
}

function isFresh(at: number | null, listedAtMs: number): boolean {
  return at !== null && at > listedAtMs - JUST_NOW_MS;
}

function found(
  kind: FindingKind,
  key: string,
  recording: RecordingFacts | undefined,
  detail: Finding["detail"] = {},
): Judgement {
  return { finding: { kind, key, recording_id: recording?.id ?? null, detail } };
}

function judgeUnknown(folder: Folder): Judgement {
  return found("unknown_object", folder.path, undefined, {
    objects: folder.keys.size,
    versions: folder.versions,
    bytes: folder.bytes,
  });
}

function judgeFiles(
  folder: Folder | undefined,
  recording: RecordingFacts,
  slices: readonly NamedSlice[],
): Judgement[] {
  const judgements: Judgement[] = [];
  const look = (key: string, sizeBytes: number | undefined) => {
    const there = folder?.keys.get(key)?.latest;
    if (there === undefined) judgements.push(found("file_missing", key, recording));
    else if (there.isDeleteMarker) judgements.push(found("file_hidden", key, recording));
    else if (sizeBytes !== undefined && there.sizeBytes !== sizeBytes) {
      const detail = { expected_bytes: sizeBytes, found_bytes: there.sizeBytes };
      judgements.push(found("file_size_differs", key, recording, detail));
    }
  };
  look(manifestKey(recording.id), undefined);
  // The size in the row of a playlist is that of its slices.
  for (const { kind, object_key, size_bytes } of recording.files) {
    look(object_key, kind === "playlist" ? undefined : size_bytes);
  }
  for (const { key, sizeBytes } of slices) look(key, sizeBytes);
  for (const { attempt, expectedBytes } of slicesByAttempt(recording)) {
    const foundBytes = bytesOfSlices(folder, recording.id, attempt);
    if (foundBytes >= expectedBytes || slices.length > 0) continue;
    // The manifest does not say which.
    const detail = { expected_bytes: expectedBytes, found_bytes: foundBytes };
    judgements.push(found("file_missing", attemptPrefix(recording.id, attempt), recording, detail));
  }
  const [first] = judgements;
  if (first === undefined || judgements.length <= MOST_FILES_NAMED) return judgements;
  const more = judgements.length - MOST_FILES_NAMED;
  first.finding.detail.and_more = more;
  return judgements.slice(0, MOST_FILES_NAMED);
}

function slicesByAttempt({ files }: RecordingFacts): { attempt: number; expectedBytes: number }[] {
  const expected = new Map<number, number>();
  for (const { kind, attempt, size_bytes } of files) {
    if (kind === "playlist") expected.set(attempt, (expected.get(attempt) ?? 0) + size_bytes);
  }
  return [...expected].map(([attempt, expectedBytes]) => ({ attempt, expectedBytes }));
}

function* liveKeysOf(folder: Folder | undefined, prefix: string): Generator<KeyVersions> {
  for (const versions of folder?.keys.values() ?? []) {
    if (versions.key.startsWith(prefix) && !versions.latest.isDeleteMarker) yield versions;
  }
}

function engineKindOf(key: string) {
  return parseEngineFileName(key.slice(key.lastIndexOf("/") + 1))?.kind;
}

function bytesOfSlices(folder: Folder | undefined, recordingId: string, attempt: number): number {
  let bytes = 0;
  for (const { key, latest } of liveKeysOf(folder, attemptPrefix(recordingId, attempt))) {
    if (engineKindOf(key) === "segment") bytes += latest.sizeBytes;
  }
  return bytes;
}

/** Engine tasks and folders of attempts belong together. A recording that was rebuilt has no tasks to compare with. */
function judgeAttempts(folder: Folder | undefined, recording: RecordingFacts): Judgement[] {
  if (recording.tasks.length === 0) return [];
  const judgements: Judgement[] = [];
  for (const task of recording.tasks) {
    if (!task.has_recorded || task.is_empty || task.superseded) continue;
    const prefix = attemptPrefix(recording.id, task.attempt);
    if (liveKeysOf(folder, prefix).next().done)
      judgements.push(found("task_without_files", prefix, recording));
  }
  const known = new Set(recording.tasks.map(({ attempt }) => attemptPrefix(recording.id, attempt)));
  const unknown = new Map<string, { versions: number; bytes: number }>();
  for (const { key, latest, old } of folder?.keys.values() ?? []) {
    const prefix = /^recordings\/[0-9a-f]{32}\/a\d{1,6}\//.exec(key)?.[0];
    if (prefix === undefined || known.has(prefix)) continue;
    const sum = unknown.get(prefix) ?? { versions: 0, bytes: 0 };
    for (const { sizeBytes } of [latest, ...old]) {
      sum.versions += 1;
      sum.bytes += sizeBytes;
    }
    unknown.set(prefix, sum);
  }
  for (const [prefix, sum] of unknown) judgements.push(found("unknown_attempt", prefix, recording, sum));
  return judgements;
}

/** Bytes behind the newest version. Deleted only where the newest one is a file, and never of what is held. */
function judgeOldVersions(
  folder: Folder | undefined,
  recording: RecordingFacts,
  listedAtMs: number,
): Judgement[] {
  const judgements: Judgement[] = [];
  for (const { key, latest, old } of folder?.keys.values() ?? []) {
    if (old.length === 0 || latest.lastModified.getTime() > listedAtMs - OLD_ENOUGH_MS) continue;
    const judgement = found("old_versions", key, recording, {
      versions: old.length,
      bytes: old.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    });
    if (!latest.isDeleteMarker && !recording.is_held) {
      const versions = old.map(({ versionId }) => ({ key, versionId }));
      judgement.remedy = { do: "delete_versions", versions };
    }
    judgements.push(judgement);
  }
  return judgements;
}

/** What of a folder is picture and sound, came after a moment, and is wanted. */
function lateMedia(
  folder: Folder,
  afterMs: number | null,
  isWanted: (key: string, kind: "segment" | "mp4") => boolean = () => true,
): { objects: number; bytes: number } {
  let objects = 0;
  let bytes = 0;
  for (const { key, latest } of liveKeysOf(folder, folder.path)) {
    const kind = engineKindOf(key);
    if (kind !== "segment" && kind !== "mp4") continue;
    if (afterMs === null || latest.lastModified.getTime() <= afterMs || !isWanted(key, kind)) continue;
    objects += 1;
    bytes += latest.sizeBytes;
  }
  return { objects, bytes };
}

/**
 * Files of the engine that came after the recording had been published without them: slices where an attempt has more
 * bytes than were published, and MP4s that no row names. They can be seen by nobody; whether they are taken in is for a
 * person to say.
 */
function judgeUnpublished(folder: Folder | undefined, recording: RecordingFacts): Judgement[] {
  if (folder === undefined) return [];
  const named = new Set(recording.files.map(({ object_key }) => object_key));
  const grown = new Set(
    slicesByAttempt(recording)
      .filter(({ attempt, expectedBytes }) => bytesOfSlices(folder, recording.id, attempt) > expectedBytes)
      .map(({ attempt }) => attemptPrefix(recording.id, attempt)),
  );
  const late = lateMedia(folder, recording.finished_at, (key, kind) =>
    kind === "mp4" ? !named.has(key) : grown.has(key.slice(0, key.lastIndexOf("/") + 1)),
  );
  return late.objects === 0 ? [] : [found("late_files", folder.path, recording, late)];
}

/** A recording that failed for want of files, which have come since. */
function judgeLateFiles(folder: Folder | undefined, recording: RecordingFacts): Judgement[] {
  const { finished_at: failedAt, error_code: code } = recording;
  if (folder === undefined || failedAt === null) return [];
  if (code !== "files_missing" && code !== "nothing_recorded") return [];
  const { objects, bytes } = lateMedia(folder, failedAt);
  if (objects === 0) return [];
  const judgement = found("late_files", folder.path, recording, { objects, bytes });
  return [{ ...judgement, remedy: { do: "collect_again", recordingId: recording.id } }];
}

function judgeLeftovers(
  folder: Folder | undefined,
  recording: RecordingFacts,
  listedAtMs: number,
): Judgement[] {
  if (folder === undefined || isFresh(recording.deleted_at, listedAtMs)) return [];
  const { versions, bytes } = folder;
  const judgement = found("expired_left", folder.path, recording, { versions, bytes });
  return [{ ...judgement, remedy: { do: "delete_leftovers", recordingId: recording.id } }];
}
