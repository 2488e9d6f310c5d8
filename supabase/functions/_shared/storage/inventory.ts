import { type EngineFileName, isSegmentName, parseEngineFileName } from "../agora/files.ts";
import type { Segment } from "../playback/playlist.ts";
import { type EnginePlaylist, playingMs } from "./engine-playlist.ts";

/** One object of a recording's folder in the bucket. */
export interface StoredObject {
  key: string;
  sizeBytes: number;
}

/** What the name of an object tells beside the engine's part: which attempt it belongs to. */
export interface RecordingObject extends StoredObject {
  attempt: number;
  name: EngineFileName;
}

/** The playing order of one server's part of a recording. */
export interface PlaylistPart {
  attempt: number;
  /** -1 for the first server, n for the n-th one that took over. */
  failover: number;
  sid: string;
  key: string;
  /** What is there. One that follows missing ones is a discontinuity. */
  segments: (Segment & { key: string; sizeBytes: number })[];
  /** URIs of slices that are not there. */
  missing: string[];
  /** Where in the playing time of `segments` slices are missing, and how long they were, ms. */
  holes: { atMs: number; missingMs: number }[];
  isEnded: boolean;
  /** When the first slice that the playlist names began and the last one ended, ms UTC; slices are named by their time. */
  beganAtMs?: number;
  endedAtMs?: number;
}

export interface Inventory {
  parts: PlaylistPart[];
  mp4s: RecordingObject[];
  /** Keys of playlists that are none. */
  unreadable: string[];
  storedBytes: number;
}

/** Objects whose names the engine makes, in folders of attempts; everything else in the folder is not ours to judge. */
export function recordingObjects<Listed extends StoredObject>(
  prefix: string,
  objects: readonly Listed[],
): (Listed & RecordingObject)[] {
  return objects.flatMap((object) => {
    if (!object.key.startsWith(prefix)) return [];
    const match = /^a(\d{1,6})\/([^/]+)$/.exec(object.key.slice(prefix.length));
    const name = match?.[2] === undefined ? undefined : parseEngineFileName(match[2]);
    return name === undefined ? [] : [{ ...object, attempt: Number(match?.[1]), name }];
  });
}

/** Whether a key has the form of a segment of the recording with this prefix: nothing else may be signed as one. */
export function isSegmentKey(prefix: string, key: string): boolean {
  const nameAt = key.lastIndexOf("/") + 1;
  return (
    key.startsWith(prefix) &&
    /^a\d{1,6}\/$/.test(key.slice(prefix.length, nameAt)) &&
    isSegmentName(key.slice(nameAt))
  );
}

/**
 * Puts objects and the playlists among them (by key; undefined where the object is no playlist) together. Of several
 * playlists of one server (the engine's backup cloud writes its own) the longest holds, and of equals the ended one.
 * Slices are looked up beside their playlist; a URI that is not a bare name is counted as missing, never followed.
 */
export function takeInventory(
  objects: readonly RecordingObject[],
  playlists: ReadonlyMap<string, EnginePlaylist | undefined>,
): Inventory {
  const byKey = new Map(objects.map((object) => [object.key, object]));
  const chosen = new Map<string, { object: RecordingObject; playlist: EnginePlaylist }>();
  const unreadable: string[] = [];
  for (const object of objects) {
    if (object.name.kind !== "playlist") continue;
    const playlist = playlists.get(object.key);
    if (playlist === undefined) {
      unreadable.push(object.key);
      continue;
    }
    const place = `${object.attempt} ${object.name.sid} ${object.name.failover ?? -1}`;
    const other = chosen.get(place)?.playlist;
    // By what they list, not by what is there of it: the longer one tells what is still to come.
    if (other === undefined || isLonger(playlist, other)) chosen.set(place, { object, playlist });
  }
  const parts = [...chosen.values()]
    .filter(({ playlist }) => playlist.segments.length > 0)
    .map(({ object, playlist }) => partOf(object, playlist, byKey))
    .sort((a, b) => a.attempt - b.attempt || compare(a.sid, b.sid) || a.failover - b.failover);
  return {
    parts: parts.map((part, index) => withoutRepeated(part, parts[index - 1])),
    mp4s: objects
      .filter((object) => object.name.kind === "mp4" && object.sizeBytes > 0)
      .sort(
        (a, b) =>
          a.attempt - b.attempt ||
          compare(a.name.sid, b.name.sid) ||
          (a.name.failover ?? -1) - (b.name.failover ?? -1) ||
          (a.name.index ?? 0) - (b.name.index ?? 0),
      ),
    unreadable,
    storedBytes: objects.reduce((sum, object) => sum + object.sizeBytes, 0),
  };
}

function isLonger(one: EnginePlaylist, other: EnginePlaylist): boolean {
  const difference = playingMs(one.segments) - playingMs(other.segments);
  return difference > 0 || (difference === 0 && one.isEnded && !other.isEnded);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function partOf(
  object: RecordingObject,
  playlist: EnginePlaylist,
  byKey: ReadonlyMap<string, RecordingObject>,
): PlaylistPart {
  const folder = object.key.slice(0, object.key.lastIndexOf("/") + 1);
  const part: PlaylistPart = {
    attempt: object.attempt,
    failover: object.name.failover ?? -1,
    sid: object.name.sid,
    key: object.key,
    segments: [],
    missing: [],
    holes: [],
    isEnded: playlist.isEnded,
  };
  let hole: { atMs: number; missingSeconds: number } | undefined;
  const close = () => {
    if (hole !== undefined) {
      part.holes.push({ atMs: hole.atMs, missingMs: Math.round(hole.missingSeconds * 1000) });
    }
    hole = undefined;
  };
  for (const segment of playlist.segments) {
    const startsAtMs = parseEngineFileName(segment.uri)?.startsAtMs;
    if (startsAtMs !== undefined) {
      part.beganAtMs ??= startsAtMs;
      part.endedAtMs = startsAtMs + segment.durationSeconds * 1000;
    }
    const stored = segment.uri.includes("/") ? undefined : byKey.get(folder + segment.uri);
    if (stored === undefined || stored.name.kind !== "segment" || stored.sizeBytes === 0) {
      hole ??= { atMs: playingMs(part.segments), missingSeconds: 0 };
      hole.missingSeconds += segment.durationSeconds;
      part.missing.push(segment.uri);
      continue;
    }
    part.segments.push({
      ...segment,
      isDiscontinuity: segment.isDiscontinuity || (hole !== undefined && part.segments.length > 0),
      key: stored.key,
      sizeBytes: stored.sizeBytes,
    });
    close();
  }
  close();
  return part;
}

/**
 * A server that takes over may write down seconds that the one before it had written too (Agora, "Manage recorded files"):
 * slices of which every moment is in the part before are not played a second time. One that reaches beyond it stays whole.
 */
function withoutRepeated(part: PlaylistPart, before: PlaylistPart | undefined): PlaylistPart {
  const isOfSameTask = before?.attempt === part.attempt && before.sid === part.sid;
  // Where the part before has holes, they may be just what is repeated here.
  if (before?.endedAtMs === undefined || !isOfSameTask || before.missing.length > 0) return part;
  const { endedAtMs } = before;
  const endOf = ({ uri, durationSeconds }: Segment) => {
    const startsAtMs = parseEngineFileName(uri)?.startsAtMs;
    return startsAtMs === undefined ? Number.POSITIVE_INFINITY : startsAtMs + durationSeconds * 1000;
  };
  const from = part.segments.findIndex((segment) => endOf(segment) > endedAtMs);
  const repeated = from === -1 ? part.segments : part.segments.slice(0, from);
  // One that is repeated whole tells rather of a clock that is wrong: it is played.
  if (repeated.length === 0 || repeated.length === part.segments.length) return part;
  const repeatedMs = playingMs(repeated);
  const segments = part.segments.slice(repeated.length);
  const beganAtMs = parseEngineFileName(segments[0]?.uri ?? "")?.startsAtMs;
  return {
    ...part,
    segments,
    holes: part.holes.map((hole) => ({ ...hole, atMs: Math.max(0, hole.atMs - repeatedMs) })),
    ...(beganAtMs === undefined ? {} : { beganAtMs }),
  };
}

/** Whether no server wrote on after this part: only the last one's playlist has an end. */
export function isLastOfItsTask(part: PlaylistPart, inventory: Pick<Inventory, "parts">): boolean {
  return !inventory.parts.some(
    (other) => other.attempt === part.attempt && other.sid === part.sid && other.failover > part.failover,
  );
}

/** What the engine told of one task, as far as files go. */
export interface ToldOfFiles {
  attempt: number;
  is_empty: boolean;
  superseded: boolean;
  files: { fileName: string }[] | null;
}

/**
 * What is still awaited, as words for the log; empty when everything that was named is there. As long as `isUsual` (the
 * engine's normal time for uploads has not passed) more is hoped for: what was ordered (playlist and MP4) where the
 * engine gave no list, and the rest of attempts that were given up.
 */
export function awaited(
  inventory: Inventory,
  tasks: readonly ToldOfFiles[],
  objects: readonly RecordingObject[],
  isUsual: boolean,
): string[] {
  const names = new Set(
    objects.map((object) => `${object.attempt} ${object.key.slice(object.key.lastIndexOf("/") + 1)}`),
  );
  const missing: string[] = inventory.unreadable.map((key) => `a playlist that can be read at ${key}`);
  const givenUp = new Set(tasks.filter((task) => task.superseded).map((task) => task.attempt));
  for (const part of inventory.parts) {
    if (!isUsual && givenUp.has(part.attempt)) continue;
    if (part.missing.length > 0) missing.push(`${part.missing.length} slices of attempt ${part.attempt}`);
    if (isLastOfItsTask(part, inventory) && !part.isEnded) {
      missing.push(`the end of the playlist of attempt ${part.attempt}`);
    }
  }
  for (const task of tasks) {
    if (task.is_empty || task.superseded) continue;
    for (const file of task.files ?? []) {
      const base = file.fileName.slice(file.fileName.lastIndexOf("/") + 1);
      if (!names.has(`${task.attempt} ${base}`)) {
        missing.push(`a file of attempt ${task.attempt} that the engine named`);
      }
    }
    if (task.files !== null || !isUsual) continue;
    if (!inventory.mp4s.some((mp4) => mp4.attempt === task.attempt)) {
      missing.push(`the MP4 of attempt ${task.attempt}`);
    }
    if (!inventory.parts.some((part) => part.attempt === task.attempt)) {
      missing.push(`the playlist of attempt ${task.attempt}`);
    }
  }
  return missing;
}
