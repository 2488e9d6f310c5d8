import * as z from "zod/mini";
import { gap, recordingStatus } from "./rows.ts";

const address = z.object({ url: z.url(), expires_at: z.string() });

/** What play-recording answers (supabase/functions/_shared/playback/addresses.ts). What is not there is null or an empty list. */
export const playbackAddresses = z.object({
  recording_id: z.uuid(),
  status: recordingStatus,
  /** False while files are still arriving: what is here can be played meanwhile. */
  is_complete: z.boolean(),
  quality: z.string(),
  duration_seconds: z.nullable(z.number()),
  size_bytes: z.nullable(z.number()),
  is_partial: z.boolean(),
  gaps: z.array(gap),
  position_seconds: z.nullable(z.number()),
  expires_at: z.nullable(z.string()),
  refresh_at: z.nullable(z.string()),
  hls: z.nullable(address),
  mp4: z.array(
    z.object({
      url: z.url(),
      expires_at: z.string(),
      size_bytes: z.number(),
      duration_seconds: z.nullable(z.number()),
      download_url: z.url(),
      file_name: z.string(),
    }),
  ),
  thumbnail: z.nullable(address),
});
export type PlaybackAddresses = z.output<typeof playbackAddresses>;

/** Whether there is anything to play at all. */
export function isPlayable(addresses: PlaybackAddresses): boolean {
  return addresses.hls !== null || addresses.mp4.length > 0;
}
