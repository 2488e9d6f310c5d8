import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { MediaClock } from "./media-clock.ts";
import { Recorder, type RecordingOrder } from "./recorder.ts";
import type { RecordingSink } from "./recording-files.ts";

/** What a task needs of whoever makes its media. */
export type MediaMaker = Pick<Recorder, "begin" | "pause" | "resume" | "finish" | "abandon">;

/** Shape and length of the clip that every slice holds. */
const clipOrder = {
  channel: "prepared",
  video: { width: 320, height: 180, fps: 10, bitrate: 200 },
  audio: 0,
  sliceSeconds: 60,
} as const;
const clipMs = 1_000;

interface Clip {
  slice: Uint8Array;
  mp4: Uint8Array;
}

let clip: Promise<Clip> | undefined;

/** Encodes the clip, once per process. Called at the start of the service, so that no recorder waits for it. */
export function prepareClip(): Promise<Clip> {
  clip ??= encodeClip();
  return clip;
}

async function encodeClip(): Promise<Clip> {
  const folder = await mkdtemp(join(tmpdir(), "recording-clip-"));
  try {
    const path = join(folder, "clip.mp4");
    const slices: Uint8Array[] = [];
    const recorder = await Recorder.open(
      { ...clipOrder, mp4: { maxSeconds: clipOrder.sliceSeconds, pathOf: () => path } },
      { slice: ({ data }) => slices.push(data), mp4: () => undefined, failed: () => undefined },
    );
    recorder.begin(false);
    await pause(clipMs);
    await recorder.finish();
    const [slice] = slices;
    if (slice === undefined) throw new Error("the prepared clip has no slice");
    return { slice, mp4: await readFile(path) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A recorder that encodes nothing: every slice, whatever its length, holds the same real clip of a second, and so does the
 * MP4. Slices come at the same times and with the same names as from the real one. For measurements with more tasks at once
 * than a machine can encode.
 */
export class PreparedRecorder implements MediaMaker {
  readonly #order: RecordingOrder;
  readonly #sink: RecordingSink;
  readonly #clip: Clip;
  readonly #clock = new MediaClock();
  #sliceBegan = 0;
  #firstAt: number | null = null;
  #followsGap = true;
  #timer: NodeJS.Timeout | undefined;

  private constructor(order: RecordingOrder, sink: RecordingSink, prepared: Clip) {
    this.#order = order;
    this.#sink = sink;
    this.#clip = prepared;
  }

  static async open(order: RecordingOrder, sink: RecordingSink): Promise<PreparedRecorder> {
    return new PreparedRecorder(order, sink, await prepareClip());
  }

  begin(paused: boolean): number {
    const startedAt = this.#clock.start(paused);
    if (!paused) this.#openSlice();
    return startedAt;
  }

  pause(): void {
    this.#closeSlice();
    this.#clock.pause();
    this.#followsGap = true;
  }

  resume(): void {
    this.#sliceBegan = this.#clock.seconds();
    this.#clock.resume();
    this.#openSlice();
  }

  async finish(): Promise<{ seconds: number; endedAt: number }> {
    this.#closeSlice();
    const endedAt = this.#clock.stop();
    const { mp4 } = this.#order;
    if (mp4 !== null && this.#firstAt !== null) {
      const path = mp4.pathOf(0);
      await writeFile(path, this.#clip.mp4);
      this.#sink.mp4({ index: 0, path, startedAt: this.#firstAt });
    }
    return { seconds: this.#clock.seconds(), endedAt };
  }

  async abandon(): Promise<void> {
    clearTimeout(this.#timer);
    this.#clock.stop();
  }

  #openSlice(): void {
    this.#timer = setTimeout(() => {
      this.#closeSlice();
      this.#openSlice();
    }, this.#order.sliceSeconds * 1000);
  }

  #closeSlice(): void {
    clearTimeout(this.#timer);
    if (this.#clock.isPaused) return;
    const endsAt = this.#clock.seconds();
    const seconds = endsAt - this.#sliceBegan;
    const startedAt = this.#clock.wallAt(this.#sliceBegan);
    // The next one begins where this one ends, however long it takes to open it.
    this.#sliceBegan = endsAt;
    this.#firstAt ??= startedAt;
    this.#sink.slice({ startedAt, seconds, data: this.#clip.slice, isFirstAfterGap: this.#followsGap });
    this.#followsGap = false;
  }
}
