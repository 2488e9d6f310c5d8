import type { MediaKind } from "../../../web/src/calls/transport.ts";
import type { Person } from "../calls/channel.ts";
import type { AudioProfile } from "../media/aac-blocks.ts";
import type { VideoShape } from "../media/video-encoder.ts";
import type { LayoutOrder } from "./layout.ts";

/**
 * What engine and recorder process say to each other. Both are ours and the same version, so messages are typed and not checked
 * again. All times are ms of the monotonic clock unless they are called media or wall.
 */
export interface CaptureLayout extends Pick<LayoutOrder, "mixedVideoLayout" | "maxResolutionUid"> {
  /** "#RRGGBB" */
  backgroundColor: string;
}

export interface CaptureOrder {
  video: VideoShape | null;
  audio: AudioProfile | null;
  layout: CaptureLayout;
  sliceSeconds: number;
  mp4: { maxSeconds: number; folder: string } | null;
  delayMs: number;
}

/** One packet or report on its way to the recorder. */
export type MediaItem =
  | {
      type: "packet";
      uid: number;
      kind: MediaKind;
      at: number;
      ssrc: number;
      sequence: number;
      rtpTime: number;
      marker: boolean;
      payload: Uint8Array;
    }
  | { type: "report"; uid: number; kind: MediaKind; at: number; rtpTime: number; capturedAt: number };

export type ToRecorder =
  | { type: "open"; order: CaptureOrder }
  /** `wallOffset` makes wall time (UTC ms) out of monotonic time. */
  | { type: "begin"; at: number; wallOffset: number; paused: boolean }
  | { type: "pause" | "resume" | "finish"; at: number }
  | { type: "rearrange"; layout: CaptureLayout }
  | { type: "people"; people: Person[]; at: number }
  /** Everything that arrived before `heardUntil` is in this bundle or in one before. */
  | { type: "media"; items: MediaItem[]; heardUntil: number };

export type FromRecorder =
  | { type: "opened" }
  | { type: "slice"; startedAt: number; seconds: number; data: Uint8Array; isFirstAfterGap: boolean }
  | { type: "mp4"; index: number; path: string; startedAt: number }
  | { type: "key_frame_wanted"; uid: number; kind: "camera" | "screen" }
  | { type: "finished"; seconds: number }
  | { type: "failed"; message: string }
  | { type: "alive" };
