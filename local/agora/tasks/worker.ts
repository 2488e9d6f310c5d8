import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MediaServer } from "../calls/media-server.ts";
import { CaptureProcess } from "../capture/capture-process.ts";
import type { CaptureLayout, CaptureOrder } from "../capture/messages.ts";
import { type TaskFiles, taskFiles, unfinished } from "../file-names.ts";
import { type MediaMaker, PreparedRecorder } from "../media/prepared-recorder.ts";
import { Recorder, type RecordingOrder } from "../media/recorder.ts";
import type { RecordingSink, Slice } from "../media/recording-files.ts";
import { type PlaylistSlice, type PlaylistStyle, playlistText } from "../playlist.ts";
import type { Layout, StartRequest } from "../request-rules.ts";
import type { AgoraSettings } from "../settings.ts";
import { tracksOf } from "../tracks.ts";
import type { TaskRecord } from "./task-store.ts";
import type { UploadQueue } from "./upload-queue.ts";

export interface WorkerDeps {
  settings: AgoraSettings;
  mediaServer: MediaServer;
  uploads: UploadQueue;
  /** Working folder of the task. */
  folder: string;
  /** A playlist or an MP4 is in the bucket; `startedAt` in UTC ms. */
  onFile(name: string, startedAt: number): void;
  /** True when this file goes to the backup cloud instead of the bucket; it then stays where it is. */
  detours(name: string): boolean;
  /** A slice is complete and will be uploaded. */
  onSlice(): void;
  onFailed(error: unknown): void;
  /** The process that recorded is gone, with what it had not handed over. */
  onDied(why: string): void;
}

/** Whoever makes the media of a task: of a call, or simulated. */
type AnyMaker = Omit<MediaMaker, "finish"> & {
  finish(): Promise<{ endedAt: number }>;
  rearrange?(layout: CaptureLayout): void;
};

/** What one task does on one server: it records, cuts, and uploads what is finished. */
export class Worker {
  readonly #deps: WorkerDeps;
  readonly #files: TaskFiles;
  readonly #style: PlaylistStyle;
  readonly #slices: PlaylistSlice[] = [];
  #recorder: AnyMaker | null = null;
  #uploaded = 0;
  #hasMedia = false;
  startedAt = 0;

  private constructor(record: TaskRecord, deps: WorkerDeps) {
    this.#deps = deps;
    this.#files = taskFiles(record.sid, record.cname, record.failovers);
    this.#style = styleOf(record.request);
  }

  /** Opens the recorder. Throws when the media library cannot. */
  static async open(record: TaskRecord, source: "call" | "synthetic", deps: WorkerDeps): Promise<Worker> {
    const worker = new Worker(record, deps);
    const { request } = record;
    const { transcodingConfig, audioProfile } = request.recordingConfig;
    const { video, audio } = tracksOf(request);
    const even = (pixels: number) => Math.max(2, pixels - (pixels % 2));
    const order: RecordingOrder = {
      channel: record.cname,
      video: video
        ? {
            width: even(transcodingConfig.width),
            height: even(transcodingConfig.height),
            fps: transcodingConfig.fps,
            bitrate: transcodingConfig.bitrate,
          }
        : null,
      audio: audio ? audioProfile : null,
      sliceSeconds: deps.settings.sliceSeconds,
      mp4: request.recordingFileConfig.avFileType.includes("mp4")
        ? {
            maxSeconds: deps.settings.mp4Seconds,
            pathOf: (index) => join(deps.folder, `${worker.#files.mp4(index)}${unfinished}`),
          }
        : null,
    };
    const sink: RecordingSink = {
      slice: (slice) => worker.#sliceDone(slice),
      mp4: ({ index, path, startedAt }) => worker.#mp4Done(worker.#files.mp4(index), path, startedAt),
      failed: (error) => deps.onFailed(error),
    };
    const simulated = deps.settings.media === "prepared" ? PreparedRecorder : Recorder;
    worker.#recorder =
      source === "synthetic"
        ? await simulated.open(order, sink)
        : await CaptureProcess.open(captureOrder(order, record.layout, deps), {
            mediaServer: deps.mediaServer,
            channel: record.cname,
            sink,
            onDied: deps.onDied,
          });
    return worker;
  }

  /** True once somebody's media has been recorded. */
  get hasMedia(): boolean {
    return this.#hasMedia;
  }

  /** For event 33: the share of finished slices that is uploaded, 0 to 10000. */
  get progress(): number {
    return this.#slices.length === 0 ? 0 : Math.floor((this.#uploaded * 10_000) / this.#slices.length);
  }

  begin(paused: boolean): number {
    this.#hasMedia = !paused;
    this.startedAt = this.#open().begin(paused);
    return this.startedAt;
  }

  /** Draws a call in another layout from now on; a simulated picture stays the same. */
  rearrange(layout: Layout): void {
    this.#recorder?.rearrange?.(captureLayout(layout));
  }

  pause(): void {
    this.#open().pause();
  }

  resume(): void {
    this.#hasMedia = true;
    this.#open().resume();
  }

  /** Ends the recording and queues what is left, the completed playlist last. */
  async finish(): Promise<{ endedAt: number }> {
    const recorder = this.#open();
    const { endedAt } = await recorder.finish();
    this.#recorder = null;
    if (this.#slices.length > 0) this.#uploadPlaylist(true);
    return { endedAt };
  }

  async abandon(): Promise<void> {
    const recorder = this.#recorder;
    this.#recorder = null;
    await recorder?.abandon();
  }

  #open(): AnyMaker {
    if (!this.#recorder) throw new Error("the recorder is closed");
    return this.#recorder;
  }

  #sliceDone(slice: Slice): void {
    const name = this.#files.slice(slice.startedAt);
    const path = join(this.#deps.folder, name);
    const { seconds, startedAt, isFirstAfterGap } = slice;
    writeFileSync(path, slice.data);
    this.#slices.push({ name, seconds, startedAt, isFirstAfterGap });
    this.#deps.onSlice();
    this.#upload(name, path, () => {
      this.#uploaded += 1;
    });
    this.#uploadPlaylist(false);
  }

  #mp4Done(name: string, writtenAt: string, startedAt: number): void {
    const path = join(this.#deps.folder, name);
    renameSync(writtenAt, path);
    this.#upload(name, path, () => this.#deps.onFile(name, startedAt));
  }

  #uploadPlaylist(isComplete: boolean): void {
    const { playlist } = this.#files;
    const text = playlistText(this.#slices, this.#style, isComplete);
    // Kept on disk too, so that it can be completed after a kill.
    writeFileSync(join(this.#deps.folder, playlist), text);
    const startedAt = this.#slices[0]?.startedAt ?? this.startedAt;
    if (isComplete) {
      const late = this.#files.latePlaylist(Date.now(), 0);
      if (this.#deps.detours(late)) {
        writeFileSync(join(this.#deps.folder, late), text);
        return;
      }
    }
    this.#deps.uploads.add(playlist, { text }, () => this.#deps.onFile(playlist, startedAt));
  }

  #upload(name: string, path: string, done: () => void): void {
    if (this.#deps.detours(name)) {
      // Out of our hands, as far as anybody is told: the backup cloud forwards it by itself.
      done();
      return;
    }
    this.#deps.uploads.add(name, { path }, () => {
      rmSync(path, { force: true });
      done();
    });
  }
}

function captureOrder(order: RecordingOrder, layout: Layout, deps: WorkerDeps): CaptureOrder {
  const { video, audio, sliceSeconds, mp4 } = order;
  return {
    video,
    audio,
    sliceSeconds,
    layout: captureLayout(layout),
    mp4: mp4 && { maxSeconds: mp4.maxSeconds, folder: deps.folder },
    delayMs: deps.settings.calls.recordingDelayMs,
  };
}

function captureLayout({ mixedVideoLayout, maxResolutionUid, backgroundColor }: Layout): CaptureLayout {
  return {
    mixedVideoLayout,
    maxResolutionUid: maxResolutionUid === undefined ? undefined : Number(maxResolutionUid),
    backgroundColor,
  };
}

function styleOf(request: StartRequest): PlaylistStyle {
  const { transcodingConfig, privateParams } = request.recordingConfig;
  const { video, audio } = tracksOf(request);
  const wished: unknown = privateParams ? JSON.parse(privateParams) : {};
  return {
    correctExtinf:
      typeof wished === "object" &&
      wished !== null &&
      "correctEXTINF" in wished &&
      wished.correctEXTINF === true,
    trackTypes: [...(audio ? (["AUDIO"] as const) : []), ...(video ? (["VIDEO"] as const) : [])],
    width: transcodingConfig.width,
    height: transcodingConfig.height,
  };
}
