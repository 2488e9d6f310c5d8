/** One slice of a recording as a playlist names it. */
export interface Segment {
  /** As it stands in the playlist: the engine writes bare file names. */
  uri: string;
  durationSeconds: number;
  /** The picture or sound starts anew here. */
  isDiscontinuity: boolean;
}

export interface Playlist {
  segments: Segment[];
  /** False while the engine is still writing it, or after it was cut off. */
  isEnded: boolean;
}

/**
 * Reads a media playlist in the engine's dialect: EXTINF may lack its comma, and unknown tags stand anywhere between a
 * tag and its slice. Undefined when it is not a playlist. Source: RFC 8216 section 4, and the engine's own sample.
 */
export function parsePlaylist(text: string): Playlist | undefined {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  if (lines[0]?.replace(/^\uFEFF/, "") !== "#EXTM3U") return undefined;
  const playlist: Playlist = { segments: [], isEnded: false };
  let durationSeconds: number | undefined;
  let isDiscontinuity = false;
  for (const line of lines.slice(1)) {
    if (line.startsWith("#EXTINF:")) {
      durationSeconds = Number.parseFloat(line.slice("#EXTINF:".length));
    } else if (line === "#EXT-X-DISCONTINUITY") {
      isDiscontinuity = true;
    } else if (line === "#EXT-X-ENDLIST") {
      playlist.isEnded = true;
    } else if (line !== "" && !line.startsWith("#")) {
      if (durationSeconds === undefined || !Number.isFinite(durationSeconds) || durationSeconds < 0) {
        return undefined;
      }
      // The engine opens every playlist with one; before the first slice there is nothing to be discontinuous with.
      playlist.segments.push({
        uri: line,
        durationSeconds,
        isDiscontinuity: isDiscontinuity && playlist.segments.length > 0,
      });
      durationSeconds = undefined;
      isDiscontinuity = false;
    }
  }
  return playlist;
}

/** Playing time in milliseconds. */
export function durationMsOf(segments: readonly Pick<Segment, "durationSeconds">[]): number {
  return Math.round(segments.reduce((sum, segment) => sum + segment.durationSeconds, 0) * 1000);
}

/** One finished playlist, every slice under the address that `addressOf` gives. Source: RFC 8216 section 4. */
export function renderPlaylist(
  segments: readonly Segment[],
  addressOf: (segment: Segment) => string,
): string {
  // Not Math.max(...): a day of slices is more arguments than a call can have.
  const longest = segments.reduce((most, segment) => Math.max(most, segment.durationSeconds), 1);
  const lines = [
    "#EXTM3U",
    "#EXT-X-VERSION:3",
    `#EXT-X-TARGETDURATION:${Math.ceil(longest)}`,
    "#EXT-X-PLAYLIST-TYPE:VOD",
    "#EXT-X-MEDIA-SEQUENCE:0",
  ];
  segments.forEach((segment, index) => {
    if (segment.isDiscontinuity && index > 0) lines.push("#EXT-X-DISCONTINUITY");
    lines.push(`#EXTINF:${segment.durationSeconds.toFixed(6)},`, addressOf(segment));
  });
  lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}
