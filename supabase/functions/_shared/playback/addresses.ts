import type { Presigner } from "../b2/presign.ts";
import type { Playback } from "../jobs/database.ts";
import { signPlaylistToken } from "./token.ts";

/** How long a playlist token lives, seconds: long enough to press play, too short to be passed on. */
export const PLAYLIST_TOKEN_SECONDS = 15 * 60;
/** Media addresses outlive the recording by the pauses a viewer makes, but never half a day. */
const MEDIA_SLACK_SECONDS = 2 * 3600;
const LONGEST_MEDIA_SECONDS = 12 * 3600;
/** Signing times are rounded down to this, so that a second visit within the hour finds its slices in the cache. */
const SIGNING_GRAIN_SECONDS = 3600;

export interface PlaybackAddresses {
  recording_id: string;
  status: string;
  duration_seconds: number | null;
  size_bytes: number | null;
  is_partial: boolean;
  hls: { url: string; expires_at: string } | null;
  mp4: { url: string; size_bytes: number; expires_at: string }[];
  download: { url: string; file_name: string; expires_at: string } | null;
}

/** Whether there is anything to play now: what is past its end may not have been deleted yet. */
export function isPlayable(playback: Pick<Playback, "status" | "expires_at">, nowSeconds: number): boolean {
  return playback.status === "recorded" && nowSeconds < endSeconds(playback);
}

function endSeconds({ expires_at }: Pick<Playback, "expires_at">): number {
  return expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(expires_at) / 1000;
}

/** From when and for how long an address of this recording's media is signed; never past the recording's own end. */
export function mediaLifetime(
  playback: Pick<Playback, "duration_ms" | "expires_at">,
  nowSeconds: number,
): { signedAt: Date; expiresInSeconds: number; expiresAt: Date } {
  const wanted = Math.min((playback.duration_ms ?? 0) / 1000 + MEDIA_SLACK_SECONDS, LONGEST_MEDIA_SECONDS);
  const signedAtSeconds = nowSeconds - (nowSeconds % SIGNING_GRAIN_SECONDS);
  // Rounded up to the grain as well, or the rounding of the start would shorten the life of the address.
  const wantedEnd = Math.ceil((nowSeconds + wanted) / SIGNING_GRAIN_SECONDS) * SIGNING_GRAIN_SECONDS;
  const expiresAtSeconds = Math.floor(
    Math.min(wantedEnd, nowSeconds + LONGEST_MEDIA_SECONDS, endSeconds(playback)),
  );
  return {
    signedAt: new Date(signedAtSeconds * 1000),
    expiresInSeconds: Math.max(1, expiresAtSeconds - signedAtSeconds),
    expiresAt: new Date(expiresAtSeconds * 1000),
  };
}

/** A file name a person recognises; letters, digits and hyphens only, so that no header can be broken with it. */
export function downloadName(playback: Pick<Playback, "started_at" | "recording_id">): string {
  const day =
    playback.started_at === null ? "" : `-${new Date(playback.started_at).toISOString().slice(0, 10)}`;
  return `recording${day}-${playback.recording_id.slice(0, 8)}.mp4`;
}

/** Everything a player needs for one viewer: a playlist address of ours, and signed addresses of the MP4 files. */
export function playbackAddresses(
  playback: Playback,
  viewerId: string,
  settings: { baseUrl: string; tokenSecrets: readonly string[]; presigner: Presigner; nowSeconds: number },
): PlaybackAddresses {
  const { nowSeconds, presigner } = settings;
  const { signedAt, expiresInSeconds, expiresAt } = mediaLifetime(playback, nowSeconds);
  const tokenExpiresAt = Math.floor(
    Math.min(nowSeconds + PLAYLIST_TOKEN_SECONDS, expiresAt.getTime() / 1000),
  );
  const token = signPlaylistToken(
    { recordingId: playback.recording_id, viewerId, expiresAtSeconds: tokenExpiresAt },
    settings.tokenSecrets,
  );
  const playable = isPlayable(playback, nowSeconds) ? playback.files : [];
  const mp4s = playable.filter((file) => file.kind === "mp4");
  const first = mp4s[0];
  const fileName = downloadName(playback);
  return {
    recording_id: playback.recording_id,
    status: playback.status,
    duration_seconds: playback.duration_ms === null ? null : playback.duration_ms / 1000,
    size_bytes: playback.size_bytes,
    is_partial: playback.is_partial,
    hls: playable.some((file) => file.kind === "playlist")
      ? {
          url: `${settings.baseUrl}/playlist.m3u8?token=${token}`,
          expires_at: new Date(tokenExpiresAt * 1000).toISOString(),
        }
      : null,
    mp4: mp4s.map((file) => ({
      url: presigner.presignGet(file.object_key, {
        signedAt,
        expiresInSeconds,
        responseContentType: "video/mp4",
      }),
      size_bytes: file.size_bytes,
      expires_at: expiresAt.toISOString(),
    })),
    download:
      first === undefined
        ? null
        : {
            url: presigner.presignGet(first.object_key, {
              signedAt,
              expiresInSeconds,
              responseContentType: "video/mp4",
              responseContentDisposition: `attachment; filename="${fileName}"`,
            }),
            file_name: fileName,
            expires_at: expiresAt.toISOString(),
          },
  };
}
