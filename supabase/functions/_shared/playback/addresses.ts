import type { Playback } from "../jobs/database.ts";
import { isInAttempt, recordingPrefix } from "../recording-folder.ts";
import { downloadName } from "./download-name.ts";
import { isPlayable, type Lifetime, mediaLifetime, refreshSeconds, tokenEndSeconds } from "./lifetimes.ts";
import type { MediaAddresses } from "./media-addresses.ts";
import { signPlaylistToken } from "./token.ts";

interface Address {
  url: string;
  expires_at: string;
}

interface Mp4Address extends Address {
  /** The same file for HEAD: `url` answers GET only, whole or by ranges. */
  head_url: string;
  size_bytes: number;
  duration_seconds: number | null;
}

/** Another form of the same recording, made from it. */
export type RenditionAddress = { name: string } & (
  | ({ kind: "hls" } & Address)
  | ({ kind: "mp4" } & Mp4Address)
);

/** Everything a player needs. What is not there is null or an empty list, never a broken address. */
export interface PlaybackAddresses {
  recording_id: string;
  status: string;
  /** False while files are still arriving: what is here can be played meanwhile. */
  is_complete: boolean;
  /** "audio", or the height of the picture. */
  quality: string;
  duration_seconds: number | null;
  size_bytes: number | null;
  is_partial: boolean;
  /** Where the picture jumps, in playing time; `missing_ms` is how much is lost there, null where nobody knows. */
  gaps: { from_ms: number; to_ms: number; missing_ms: number | null }[];
  /** Where this viewer stopped, as their player saved it in playback_positions. */
  position_seconds: number | null;
  started_at: string | null;
  /** When the recording itself is deleted. */
  expires_at: string | null;
  /** When to ask again; until then all these addresses hold. Null when there is nothing to play. */
  refresh_at: string | null;
  hls: Address | null;
  /** In playing order: a long recording is several files. */
  mp4: (Mp4Address & { download_url: string; file_name: string })[];
  /** The first MP4 to save; the others' are in `mp4`. */
  download: (Address & { file_name: string; size_bytes: number }) | null;
  thumbnail: Address | null;
  renditions: RenditionAddress[];
}

type File = Playback["files"][number];

export interface AddressSettings {
  /** Where viewers reach this function. */
  baseUrl: string;
  tokenSecrets: readonly string[];
  media: MediaAddresses;
  nowSeconds: number;
}

/** What one viewer is given: playlist addresses of ours with a token of theirs, and addresses of the files. */
export function playbackAddresses(
  playback: Playback,
  viewerId: string,
  settings: AddressSettings,
): PlaybackAddresses {
  const { nowSeconds } = settings;
  const life = mediaLifetime(playback, nowSeconds);
  const files = isPlayable(playback, nowSeconds) ? playback.files : [];
  const give = giverFor(playback, viewerId, life, settings);

  const original = files.filter((file) => isInAttempt(playback.recording_id, file.object_key));
  const mp4s = original.filter((file) => file.kind === "mp4");
  const mp4 = mp4s.map((file, index) => {
    const file_name = downloadName(playback, { number: index + 1, count: mp4s.length });
    return { ...give.mp4(file), download_url: give.download(file, file_name), file_name };
  });
  const first = mp4[0];
  const thumbnail = files.find((file) => file.kind === "thumbnail");
  const hls = original.some((file) => file.kind === "playlist") ? give.hls() : null;
  const made = files.filter((file) => !original.includes(file) && file.kind !== "thumbnail");
  const renditions = made.map((file): RenditionAddress => {
    const name = file.object_key.slice(file.object_key.lastIndexOf("/") + 1).replace(/\.[^.]*$/, "");
    return file.kind === "mp4"
      ? { name, kind: "mp4", ...give.mp4(file) }
      : { name, kind: "hls", ...give.hls(file) };
  });
  const hasPlaylist = hls !== null || renditions.some(({ kind }) => kind === "hls");
  const endsSeconds = hasPlaylist ? tokenEndSeconds(life, nowSeconds) : life.expiresAt.getTime() / 1000;
  return {
    recording_id: playback.recording_id,
    status: playback.status,
    is_complete: playback.status === "recorded",
    quality: playback.quality,
    duration_seconds: secondsOf(playback.duration_ms),
    size_bytes: playback.size_bytes,
    is_partial: playback.is_partial,
    gaps: playback.gaps,
    position_seconds: secondsOf(playback.position_ms),
    started_at: playback.started_at,
    expires_at: playback.expires_at,
    refresh_at: files.length === 0 ? null : isoOf(refreshSeconds(playback, endsSeconds, nowSeconds)),
    hls,
    mp4,
    download:
      first === undefined
        ? null
        : {
            url: first.download_url,
            file_name: first.file_name,
            size_bytes: first.size_bytes,
            expires_at: first.expires_at,
          },
    thumbnail: thumbnail === undefined ? null : give.thumbnail(thumbnail),
    renditions,
  };
}

function giverFor(playback: Playback, viewerId: string, life: Lifetime, settings: AddressSettings) {
  const { baseUrl, tokenSecrets, media, nowSeconds } = settings;
  const expiresAtSeconds = tokenEndSeconds(life, nowSeconds);
  const token = { recordingId: playback.recording_id, viewerId, expiresAtSeconds };
  const playlistUrl = `${baseUrl}/playlist.m3u8?token=${signPlaylistToken(token, tokenSecrets)}`;
  const expires_at = life.expiresAt.toISOString();
  const [getMp4, headMp4] = (["GET", "HEAD"] as const).map((method) =>
    media.prepare(life, { method, contentType: "video/mp4" }),
  ) as [(key: string) => string, (key: string) => string];
  return {
    /** Without a file: the recording as it was recorded. */
    hls: (file?: File): Address => ({
      url: file === undefined ? playlistUrl : `${playlistUrl}&file=${pathOf(playback, file)}`,
      expires_at: isoOf(expiresAtSeconds),
    }),
    mp4: (file: File): Mp4Address => ({
      url: getMp4(file.object_key),
      head_url: headMp4(file.object_key),
      size_bytes: file.size_bytes,
      duration_seconds: secondsOf(file.duration_ms),
      expires_at,
    }),
    download: (file: File, name: string): string =>
      media.prepare(life, { method: "GET", contentType: "video/mp4", downloadName: name })(file.object_key),
    thumbnail: (file: File): Address => ({
      url: media.prepare(life, { method: "GET", contentType: file.content_type })(file.object_key),
      expires_at,
    }),
  };
}

/** A file's place in its recording's folder, as it stands in an address. */
function pathOf(playback: Playback, file: File): string {
  return encodeURIComponent(file.object_key.slice(recordingPrefix(playback.recording_id).length));
}

function secondsOf(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
