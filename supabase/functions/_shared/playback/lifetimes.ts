import type { Playback } from "../jobs/database.ts";

/** How long a playlist token lives, seconds: long enough to press play, too short to be passed on. */
export const PLAYLIST_TOKEN_SECONDS = 15 * 60;
/** Media addresses outlive the recording by the pauses a viewer makes, but never half a day. */
const MEDIA_SLACK_SECONDS = 2 * 3600;
const LONGEST_MEDIA_SECONDS = 12 * 3600;
/** Beginnings and ends are rounded to this, so that a second visit within the hour finds its slices in the cache. */
const GRAIN_SECONDS = 3600;
/** Before something ends a player asks again this much earlier, seconds: a request takes its time, clocks differ. */
const REFRESH_SLACK_SECONDS = 60;
/** While files are still arriving a player looks this often, seconds. */
const ARRIVAL_SECONDS = 60;

/** From when and for how long addresses are signed; the same for everybody who asks within the hour. */
export interface Lifetime {
  signedAt: Date;
  /** Counted from `signedAt`. */
  expiresInSeconds: number;
  expiresAt: Date;
}

/** When nothing of it may be played any more, whole seconds since 1970: addresses know no others. */
function endSeconds({ expires_at }: Pick<Playback, "expires_at">): number {
  return expires_at === null ? Number.POSITIVE_INFINITY : Math.floor(Date.parse(expires_at) / 1000);
}

/** Whether there is anything to play now. The database has judged the status; its answer may be a moment old. */
export function isPlayable(playback: Pick<Playback, "files" | "expires_at">, nowSeconds: number): boolean {
  return playback.files.length > 0 && nowSeconds < endSeconds(playback);
}

/**
 * The life of this recording's media addresses: its length and two hours, rounded up to the full hour, never past
 * twelve hours nor the recording's own end.
 */
export function mediaLifetime(
  playback: Pick<Playback, "duration_ms" | "expires_at">,
  nowSeconds: number,
): Lifetime {
  const wantedSeconds = (playback.duration_ms ?? 0) / 1000 + MEDIA_SLACK_SECONDS;
  const signedAtSeconds = nowSeconds - (nowSeconds % GRAIN_SECONDS);
  const expiresAtSeconds = Math.min(
    // Up, or the rounding of the beginning would shorten the life of the address.
    Math.ceil((nowSeconds + wantedSeconds) / GRAIN_SECONDS) * GRAIN_SECONDS,
    signedAtSeconds + LONGEST_MEDIA_SECONDS,
    endSeconds(playback),
  );
  return {
    signedAt: new Date(signedAtSeconds * 1000),
    expiresInSeconds: Math.max(1, expiresAtSeconds - signedAtSeconds),
    expiresAt: new Date(expiresAtSeconds * 1000),
  };
}

/** When a playlist token that is made now ends, seconds since 1970: never after the media it leads to. */
export function tokenEndSeconds(life: Lifetime, nowSeconds: number): number {
  return Math.min(nowSeconds + PLAYLIST_TOKEN_SECONDS, life.expiresAt.getTime() / 1000);
}

/** When a player should ask again: shortly before the first address ends, sooner while files are still arriving. */
export function refreshSeconds(playback: Pick<Playback, "status">, endsSeconds: number, nowSeconds: number) {
  const beforeTheEnd = Math.max(endsSeconds - REFRESH_SLACK_SECONDS, nowSeconds + 1);
  return playback.status === "processing"
    ? Math.min(beforeTheEnd, nowSeconds + ARRIVAL_SECONDS)
    : beforeTheEnd;
}
