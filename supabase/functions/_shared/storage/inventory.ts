import { type EngineFileName, parseEngineFileName } from "../agora/files.ts";
import { durationMsOf, type Playlist, type Segment } from "../playback/playlist.ts";

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
  key: string;
  segments: (Segment & { key: string; sizeBytes: number })[];
  missing: string[];
  isEnded: boolean;
}

export interface Inventory {
  parts: PlaylistPart[];
  mp4s: RecordingObject[];
  storedBytes: number;
}

/** Objects whose names the engine makes, in folders of attempts; everything else in the folder is not ours to judge. */
export function recordingObjects(prefix: string, objects: readonly StoredObject[]): RecordingObject[] {
  return objects.flatMap((object) => {
    const match = /^a(\d+)\/([^/]+)$/.exec(object.key.slice(prefix.length));
    const name = match?.[2] === undefined ? undefined : parseEngineFileName(match[2]);
    return name === undefined ? [] : [{ ...object, attempt: Number(match?.[1]), name }];
  });
}

/**
 * Puts objects and the playlists among them together. Of several playlists of one server (the engine's backup cloud
 * writes its own) the longest holds. Slices are looked up beside their playlist; a URI that is not a bare name is
 * counted as missing, never followed.
 */
export function takeInventory(
  objects: readonly RecordingObject[],
  playlists: ReadonlyMap<string, Playlist>,
): Inventory {
  const byKey = new Map(objects.map((object) => [object.key, object]));
  const parts = new Map<string, PlaylistPart>();
  for (const object of objects) {
    const playlist = playlists.get(object.key);
    if (object.name.kind !== "playlist" || playlist === undefined) continue;
    const folder = object.key.slice(0, object.key.lastIndexOf("/") + 1);
    const part: PlaylistPart = {
      attempt: object.attempt,
      failover: object.name.failover ?? -1,
      key: object.key,
      segments: [],
      missing: [],
      isEnded: playlist.isEnded,
    };
    for (const segment of playlist.segments) {
      const stored = byKey.get(folder + segment.uri);
      if (stored === undefined || stored.sizeBytes === 0) part.missing.push(segment.uri);
      else part.segments.push({ ...segment, key: stored.key, sizeBytes: stored.sizeBytes });
    }
    const place = `${part.attempt} ${part.failover}`;
    const other = parts.get(place);
    if (other === undefined || durationMsOf(part.segments) > durationMsOf(other.segments))
      parts.set(place, part);
  }
  return {
    parts: [...parts.values()]
      .filter((part) => part.segments.length + part.missing.length > 0)
      .sort((a, b) => a.attempt - b.attempt || a.failover - b.failover),
    mp4s: objects
      .filter((object) => object.name.kind === "mp4" && object.sizeBytes > 0)
      .sort(
        (a, b) =>
          a.attempt - b.attempt ||
          (a.name.failover ?? -1) - (b.name.failover ?? -1) ||
          (a.name.index ?? 0) - (b.name.index ?? 0),
      ),
    storedBytes: objects.reduce((sum, object) => sum + object.sizeBytes, 0),
  };
}

/** What is still awaited, as words for the log; empty when everything that was named is there. */
export function awaited(
  inventory: Inventory,
  tasks: readonly {
    attempt: number;
    is_empty: boolean;
    superseded: boolean;
    files: { fileName: string }[] | null;
  }[],
  objects: readonly RecordingObject[],
): string[] {
  const names = new Set(objects.map((object) => object.key.slice(object.key.lastIndexOf("/") + 1)));
  const missing: string[] = [];
  for (const part of inventory.parts) {
    if (part.missing.length > 0) missing.push(`${part.missing.length} slices of attempt ${part.attempt}`);
    const isLast = !inventory.parts.some(
      (other) => other.attempt === part.attempt && other.failover > part.failover,
    );
    if (isLast && !part.isEnded) missing.push(`the end of the playlist of attempt ${part.attempt}`);
  }
  for (const task of tasks) {
    if (task.is_empty || task.superseded) continue;
    for (const file of task.files ?? []) {
      const base = file.fileName.slice(file.fileName.lastIndexOf("/") + 1);
      if (!names.has(base)) missing.push(`a file of attempt ${task.attempt} that the engine named`);
    }
    const hasMp4 = inventory.mp4s.some((mp4) => mp4.attempt === task.attempt);
    // Without a list from the engine we only know what was ordered: playlist and MP4.
    if (task.files === null && !hasMp4) missing.push(`the MP4 of attempt ${task.attempt}`);
  }
  return missing;
}
