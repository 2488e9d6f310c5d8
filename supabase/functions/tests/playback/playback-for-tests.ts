import type { Playback } from "../../_shared/jobs/database.ts";
import type { MediaAddresses } from "../../_shared/playback/media-addresses.ts";
import { RECORDING_ID } from "../jobs/jobs-for-tests.ts";
import { mp4File, PREFIX, playlistFile } from "../storage/bucket-in-memory.ts";

export const VIEWER_ID = "44444444-4444-4444-8444-444444444444";
export const HOUR = 3_600;
/** A quarter past an hour. */
export const NOW = Date.UTC(2026, 10, 22, 18, 15) / 1000;

type File = Playback["files"][number];

const file = (kind: File["kind"], name: string, content_type: string): File => ({
  kind,
  object_key: `${PREFIX}${name}`,
  content_type,
  size_bytes: 5_000,
  duration_ms: null,
});
export const PLAYLIST = file("playlist", `a1/${playlistFile}`, "application/vnd.apple.mpegurl");
export const MP4 = file("mp4", `a1/${mp4File()}`, "video/mp4");
export const SECOND_MP4 = file("mp4", `a1/${mp4File(1)}`, "video/mp4");
export const THUMBNAIL = file("thumbnail", "thumbnail.jpg", "image/jpeg");
export const PHONE = file("playlist", "phone-360p/all.m3u8", "application/vnd.apple.mpegurl");
export const PHONE_MP4 = file("mp4", "phone-360p.mp4", "video/mp4");

/** A recorded hour. */
export function playbackForTest(change: Partial<Playback> = {}): Playback {
  return {
    recording_id: RECORDING_ID,
    status: "recorded",
    quality: "720p",
    duration_ms: HOUR * 1000,
    size_bytes: 5_000,
    started_at: "2026-11-22T16:00:00.5+00:00",
    expires_at: null,
    is_partial: false,
    gaps: [],
    people: ["Amara", "Chidi"],
    position_ms: null,
    files: [PLAYLIST, MP4],
    ...change,
  };
}

/** Signs by naming what was asked for, so that a test can read it. */
export const readableMedia: MediaAddresses = {
  prepare:
    ({ signedAt, expiresInSeconds }, { method, contentType, downloadName }) =>
    (key) =>
      `https://store.example/${key}?${new URLSearchParams({
        method,
        from: String(signedAt.getTime() / 1000),
        seconds: String(expiresInSeconds),
        type: contentType,
        ...(downloadName === undefined ? {} : { name: downloadName }),
      })}`,
};
