import type { PresignOptions } from "../../_shared/b2/presign.ts";
import type { Playback } from "../../_shared/jobs/database.ts";
import { RECORDING_ID } from "../jobs/jobs-for-tests.ts";
import { mp4File, PREFIX, playlistFile } from "../storage/bucket-in-memory.ts";

export const VIEWER_ID = "44444444-4444-4444-8444-444444444444";
export const HOUR = 3_600;
/** A quarter past an hour. */
export const NOW = Date.UTC(2026, 10, 22, 18, 15) / 1000;

type File = Playback["files"][number];

const file = (kind: File["kind"], name: string, content_type: string): File => ({
  kind,
  attempt: 1,
  object_key: `${PREFIX}a1/${name}`,
  content_type,
  size_bytes: 5_000,
  duration_ms: null,
});
export const PLAYLIST = file("playlist", playlistFile, "application/vnd.apple.mpegurl");
export const MP4 = file("mp4", mp4File(), "video/mp4");

/** A recorded hour. */
export function playbackForTest(change: Partial<Playback> = {}): Playback {
  return {
    recording_id: RECORDING_ID,
    status: "recorded",
    duration_ms: HOUR * 1000,
    size_bytes: 5_000,
    started_at: "2026-11-22T16:00:00.5+00:00",
    expires_at: null,
    is_partial: false,
    files: [PLAYLIST, MP4],
    ...change,
  };
}

/** Signs by naming what was asked for, so that a test can read it. */
export const readablePresigner = {
  presignGet: (key: string, { signedAt, expiresInSeconds, ...overrides }: PresignOptions) =>
    `https://store.example/${key}?${new URLSearchParams({
      from: String(signedAt.getTime() / 1000),
      seconds: String(expiresInSeconds),
      ...overrides,
    })}`,
};
