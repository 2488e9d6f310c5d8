import { playingMs } from "./engine-playlist.ts";
import type { Inventory, PlaylistPart } from "./inventory.ts";

/**
 * Where the picture jumps. `from_ms` = `to_ms` is the place in playing time, `missing_ms` how long what is missing
 * was; null where nobody can know.
 */
export interface Gap {
  from_ms: number;
  to_ms: number;
  missing_ms: number | null;
}

/**
 * The gaps of a recording: slices that the playlist names and that are not there, and the time between two servers'
 * parts, which the times in the slices' names tell. A pause within one server's part is none: while nobody sends
 * anything the engine writes nothing.
 */
export function gapsOf({ parts }: Pick<Inventory, "parts">): Gap[] {
  const missingAt = new Map<number, number | null>();
  const add = (atMs: number, missingMs: number | null) => {
    const other = missingAt.get(atMs);
    missingAt.set(atMs, other === undefined ? missingMs : sumOf(other, missingMs));
  };
  let beginMs = 0;
  let before: PlaylistPart | undefined;
  for (const part of parts) {
    if (before !== undefined) add(beginMs, missingBetween(before, part));
    for (const { atMs, missingMs } of part.holes) add(beginMs + atMs, missingMs);
    beginMs += playingMs(part.segments);
    before = part;
  }
  return [...missingAt]
    .sort(([one], [other]) => one - other)
    .map(([atMs, missingMs]) => ({ from_ms: atMs, to_ms: atMs, missing_ms: missingMs }));
}

function missingBetween(one: PlaylistPart, other: PlaylistPart): number | null {
  if (one.endedAtMs === undefined || other.beganAtMs === undefined) return null;
  // Two servers may have recorded the same seconds.
  return Math.max(0, Math.round(other.beganAtMs - one.endedAtMs));
}

function sumOf(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other;
}
