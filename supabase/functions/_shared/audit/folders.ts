import type { ListedVersion } from "../b2/xml.ts";
import { RECORDINGS_PREFIX } from "../recording-folder.ts";

/** All that the bucket holds of one key. */
export interface KeyVersions {
  key: string;
  /** What a reader gets, or the marker that hides it. */
  latest: ListedVersion;
  /** What an overwrite or a marker left behind it: nobody reads it, everybody pays for it. */
  old: ListedVersion[];
}

/** What is below `recordings/<name>/`, or one key that is in no folder. */
export interface Folder {
  /** `recordings/<name>/`, or the key itself. */
  path: string;
  /** Where a listing goes on after it. */
  end: string;
  /** Undefined where the name is not that of a recording. */
  recordingId: string | undefined;
  keys: Map<string, KeyVersions>;
  versions: number;
  bytes: number;
}

/** The part of a key that its folder is named by, and the key after which everything of that folder is past. */
function placeOf(key: string): { path: string; end: string } {
  const slash = key.indexOf("/", RECORDINGS_PREFIX.length);
  if (slash === -1) return { path: key, end: key };
  // "0" is the character after "/".
  return { path: key.slice(0, slash + 1), end: `${key.slice(0, slash)}0` };
}

function recordingIdOf(path: string): string | undefined {
  const [, a, b, c, d, e] =
    /^recordings\/([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})\/$/.exec(path) ?? [];
  return e === undefined ? undefined : `${a}-${b}-${c}-${d}-${e}`;
}

/**
 * Gathers pages of versions, which come in order of keys, into folders, and gives each one when it is whole: when
 * another one has begun, or the list has ended.
 */
export async function* foldersOf(
  pages: AsyncIterable<{ versions: ListedVersion[] }>,
): AsyncGenerator<Folder, void, undefined> {
  let folder: Folder | undefined;
  for await (const { versions } of pages) {
    // Within one page markers stand after all versions: by key first, so that a folder is met once.
    for (const version of [...versions].sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))) {
      const { path, end } = placeOf(version.key);
      if (folder?.path !== path) {
        if (folder !== undefined) yield folder;
        folder = { path, end, recordingId: recordingIdOf(path), keys: new Map(), versions: 0, bytes: 0 };
      }
      add(folder, version);
    }
  }
  if (folder !== undefined) yield folder;
}

function add(folder: Folder, version: ListedVersion): void {
  folder.versions += 1;
  folder.bytes += version.sizeBytes;
  const found = folder.keys.get(version.key);
  if (found === undefined) {
    folder.keys.set(version.key, { key: version.key, latest: version, old: [] });
  } else if (version.isLatest) {
    found.old.push(found.latest);
    found.latest = version;
  } else {
    found.old.push(version);
  }
}
