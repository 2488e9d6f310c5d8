import { utc17 } from "./file-names.ts";

export interface PlaylistSlice {
  name: string;
  /** Seconds. */
  seconds: number;
  /** UTC, ms since 1970. */
  startedAt: number;
  isFirstAfterGap: boolean;
}

/** Last line of a playlist to which nothing will be added. */
export const endMark = "#EXT-X-ENDLIST";

export interface PlaylistStyle {
  /** `privateParams` asked for `correctEXTINF`: a comma after each EXTINF, as RFC 8216 wants. */
  correctExtinf: boolean;
  trackTypes: ("AUDIO" | "VIDEO")[];
  width: number;
  height: number;
}

/**
 * The playlist in the recording service's own dialect: EXTINF without its comma unless it was asked for, and Agora's
 * tags for the start of tracks and for rotation (Agora, "Manage recorded files").
 */
export function playlistText(slices: PlaylistSlice[], style: PlaylistStyle, isComplete: boolean): string {
  const longest = slices.reduce((most, slice) => Math.max(most, slice.seconds), 0);
  const lines = [
    "#EXTM3U",
    "#EXT-X-VERSION:3",
    "#EXT-X-MEDIA-SEQUENCE:0",
    "#EXT-X-ALLOW-CACHE:YES",
    `#EXT-X-TARGETDURATION:${Math.ceil(longest)}`,
  ];
  for (const slice of slices) {
    if (slice.isFirstAfterGap) lines.push("#EXT-X-DISCONTINUITY", ...trackTags(slice.startedAt, style));
    lines.push(`#EXTINF:${slice.seconds.toFixed(6)}${style.correctExtinf ? "," : ""}`, slice.name);
  }
  if (isComplete) lines.push(endMark);
  return `${lines.join("\n")}\n`;
}

function trackTags(startedAt: number, style: PlaylistStyle): string[] {
  const time = utc17(startedAt);
  const tags = style.trackTypes.map(
    (type) => `#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=${type},TIME=${time}`,
  );
  if (style.trackTypes.includes("VIDEO")) {
    tags.push(`#EXT-X-AGORA-ROTATE:WIDTH=${style.width},HEIGHT=${style.height},ROTATE=0,TIME=${time}`);
  }
  return tags;
}
