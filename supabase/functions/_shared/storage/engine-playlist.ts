import { parse, setOptions, types } from "hls-parser";
import type { Segment } from "../playback/playlist.ts";

export interface EnginePlaylist {
  segments: Segment[];
  /** False while the engine is still writing it, or after it was cut off. */
  isEnded: boolean;
}

// A slice that is longer than the target duration is common in the engine's playlists, and no reason to lose it.
setOptions({ strictMode: false, silent: true });

/**
 * Reads a media playlist of the engine; undefined when it is none. Its dialect (Agora, "Manage recorded files") leaves
 * the comma behind EXTINF out and has tags of its own between a tag and its slice. Source: RFC 8216 section 4.
 */
export function readEnginePlaylist(text: string): EnginePlaylist | undefined {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line) => line.trim());
  if (lines[0] !== "#EXTM3U") return undefined;
  // The parser takes whatever is no number for nothing.
  if (lines.some((line) => line.startsWith("#EXTINF:") && !/^#EXTINF:\d+(?:\.\d*)?\s*(?:,|$)/.test(line))) {
    return undefined;
  }
  const dialectFree = lines
    .filter((line) => !line.startsWith("#EXT-X-AGORA-"))
    .map((line) => (/^#EXTINF:[^,]*$/.test(line) ? `${line},` : line));
  let parsed: types.Playlist;
  try {
    parsed = parse(dialectFree.join("\n"));
  } catch {
    // Whatever it stumbled over: this is not a playlist that could be played.
    return undefined;
  }
  if (!(parsed instanceof types.MediaPlaylist)) return undefined;
  const segments = parsed.segments.map(
    (segment, index): Segment => ({
      uri: segment.uri,
      durationSeconds: segment.duration,
      // The engine opens every playlist with one; before the first slice there is nothing to be discontinuous with.
      isDiscontinuity: segment.discontinuity === true && index > 0,
    }),
  );
  const isReadable = segments.every(
    ({ uri, durationSeconds }) => uri !== "" && Number.isFinite(durationSeconds),
  );
  return isReadable ? { segments, isEnded: parsed.endlist === true } : undefined;
}

/** Playing time in milliseconds. */
export function playingMs(segments: readonly Pick<Segment, "durationSeconds">[]): number {
  return Math.round(segments.reduce((sum, segment) => sum + segment.durationSeconds, 0) * 1000);
}
