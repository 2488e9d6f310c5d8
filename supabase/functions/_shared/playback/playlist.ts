/** One slice of a recording as a playlist names it. */
export interface Segment {
  /** As it stands in the playlist: the engine writes bare file names. */
  uri: string;
  durationSeconds: number;
  /** The picture or sound starts anew here. */
  isDiscontinuity: boolean;
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
