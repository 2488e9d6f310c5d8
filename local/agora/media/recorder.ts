import { BufferTarget, FilePathTarget, Mp4OutputFormat, MpegTsOutputFormat } from "mediabunny";
import { type AudioProfile, beepTrack, blockSeconds } from "./beeps.ts";
import { Container, type Tracks } from "./container.ts";
import { MediaClock } from "./media-clock.ts";
import { Picture } from "./picture.ts";
import { type EncodedPicture, VideoEncoder, type VideoShape } from "./video-encoder.ts";

/** What one recorder is to produce. */
export interface RecordingOrder {
  channel: string;
  video: VideoShape | null;
  audio: AudioProfile | null;
  /** Wanted length of a slice, seconds; a slice ends at the first picture at or after it. */
  sliceSeconds: number;
  /** Where MP4 files are written and when the next one begins; null for HLS alone. */
  mp4: { maxSeconds: number; pathOf(index: number): string } | null;
}

export interface Slice {
  /** UTC, ms since 1970. */
  startedAt: number;
  seconds: number;
  /** MPEG-TS. */
  data: Uint8Array;
  /** True when the media before it was interrupted (or there was none). */
  isFirstAfterGap: boolean;
}

/** Who takes what a recorder produces. Calls come in order; the recorder does not wait for them. */
export interface RecordingSink {
  slice(slice: Slice): void;
  mp4(file: { index: number; path: string; startedAt: number }): void;
  failed(error: unknown): void;
}

interface Held {
  picture: EncodedPicture;
  at: number;
}

interface OpenSlice {
  container: Container;
  target: BufferTarget;
  /** Media seconds. */
  start: number;
  startedAt: number;
  afterGap: boolean;
}

interface OpenMp4 {
  container: Container;
  index: number;
  path: string;
  start: number;
  startedAt: number;
}

/** Steps per second where there is no picture to pace the work. */
const soundStepsPerSecond = 5;

/**
 * Records the synthetic picture and sound in real time: media time is wall time minus pauses. When the machine cannot
 * keep up, pictures are left out; the length never changes.
 */
export class Recorder {
  readonly #order: RecordingOrder;
  readonly #sink: RecordingSink;
  readonly #tracks: Tracks;
  readonly #encoder: VideoEncoder | null;
  readonly #picture: Picture | null;
  readonly #clock = new MediaClock();
  #slice: OpenSlice | null = null;
  #mp4: OpenMp4 | null = null;
  #mp4Count = 0;
  #held: Held | null = null;
  #nextBlock = 0;
  #lastStep = -1;
  /** Set by a pause until the next picture: that one begins a slice, even if the pause was over before it was seen. */
  #followsGap = true;
  #ending = false;
  #wake: () => void = () => undefined;
  #work: Promise<void> = Promise.resolve();

  private constructor(
    order: RecordingOrder,
    sink: RecordingSink,
    tracks: Tracks,
    encoder: VideoEncoder | null,
  ) {
    this.#order = order;
    this.#sink = sink;
    this.#tracks = tracks;
    this.#encoder = encoder;
    this.#picture = order.video ? new Picture(order.video, order.channel) : null;
  }

  /** Opens the encoders, so that `begin` starts on time. Throws when the media library lacks one. */
  static async open(order: RecordingOrder, sink: RecordingSink): Promise<Recorder> {
    const audio = order.audio === null ? null : await beepTrack(order.audio);
    const encoder = order.video ? await VideoEncoder.open(order.video) : null;
    return new Recorder(order, sink, { video: order.video, audio }, encoder);
  }

  /** Starts the clock; gives the moment of the first picture, UTC ms. `paused`: nobody publishes yet. */
  begin(paused: boolean): number {
    const startedAt = this.#clock.start(paused);
    this.#work = this.#run().catch((error: unknown) => this.#sink.failed(error));
    return startedAt;
  }

  /** Nobody publishes any more: the current slice ends, media time stands still. */
  pause(): void {
    this.#clock.pause();
    this.#followsGap = true;
    this.#wake();
  }

  /** Somebody publishes again: a new slice begins, marked as following a gap. */
  resume(): void {
    this.#clock.resume();
    this.#wake();
  }

  /** Ends the recording now and completes every file. Gives the recorded seconds and the moment of the end, UTC ms. */
  async finish(): Promise<{ seconds: number; endedAt: number }> {
    const endedAt = this.#clock.stop();
    const seconds = this.#clock.seconds();
    this.#ending = true;
    this.#wake();
    await this.#work;
    await this.#closeSlice(seconds, blockSeconds / 2);
    await this.#closeMp4();
    this.#encoder?.close();
    return { seconds, endedAt };
  }

  /** Ends like a killed process: open files are given up. */
  async abandon(): Promise<void> {
    this.#clock.stop();
    this.#ending = true;
    this.#wake();
    await this.#work;
    await this.#slice?.container.abandon();
    await this.#mp4?.container.abandon();
    this.#slice = null;
    this.#mp4 = null;
    this.#encoder?.close();
  }

  async #run(): Promise<void> {
    const rate = this.#order.video?.fps ?? soundStepsPerSecond;
    while (!this.#ending) {
      if (this.#clock.isPaused) {
        await this.#closeSlice(this.#clock.seconds(), 0);
        await this.#rest(1000);
        continue;
      }
      const step = Math.floor(this.#clock.seconds() * rate + 1e-6);
      if (step > this.#lastStep) {
        this.#lastStep = step;
        await this.#step(step / rate);
      }
      await this.#rest(((step + 1) / rate - this.#clock.seconds()) * 1000);
    }
  }

  async #rest(ms: number): Promise<void> {
    if (ms <= 0 || this.#ending) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #step(at: number): Promise<void> {
    const followsGap = this.#followsGap;
    const isCut = followsGap || !this.#slice || at - this.#slice.start >= this.#order.sliceSeconds - 1e-6;
    let picture: EncodedPicture | null = null;
    if (this.#picture && this.#encoder) {
      this.#picture.draw(this.#clock.wallAt(at), at);
      picture = await this.#encoder.encode(this.#picture.pixels, at, isCut);
    }
    if (isCut) {
      this.#followsGap = false;
      await this.#closeSlice(at, 0);
      await this.#openSlice(at, followsGap);
    } else {
      await this.#pour(at, 0);
    }
    if (picture) this.#held = { picture, at };
  }

  /** Writes what is known up to `until`: the held picture, whose length is now known, and the sound beside it. */
  async #pour(until: number, soundMargin: number): Promise<void> {
    if (this.#held) {
      const { picture, at } = this.#held;
      this.#held = null;
      const duration = Math.max(0.001, until - at);
      await this.#slice?.container.addPicture(picture, at, duration);
      await this.#mp4?.container.addPicture(picture, at, duration);
    }
    while (this.#tracks.audio && this.#nextBlock * blockSeconds < until - soundMargin) {
      const block = this.#nextBlock++;
      await this.#slice?.container.addSound(block);
      await this.#mp4?.container.addSound(block);
    }
  }

  async #openSlice(at: number, afterGap: boolean): Promise<void> {
    const target = new BufferTarget();
    const container = await Container.open(new MpegTsOutputFormat(), target, this.#tracks, 0);
    const startedAt = this.#clock.wallAt(at);
    this.#slice = { container, target, start: at, startedAt, afterGap };
    const mp4 = this.#order.mp4;
    if (!mp4) return;
    if (this.#mp4 && at - this.#mp4.start >= mp4.maxSeconds) await this.#closeMp4();
    if (this.#mp4) return;
    const index = this.#mp4Count++;
    const path = mp4.pathOf(index);
    const file = await Container.open(
      new Mp4OutputFormat({ fastStart: false }),
      new FilePathTarget(path),
      this.#tracks,
      at,
    );
    this.#mp4 = { container: file, index, path, start: at, startedAt };
  }

  async #closeSlice(at: number, soundMargin: number): Promise<void> {
    const slice = this.#slice;
    if (!slice) return;
    await this.#pour(at, soundMargin);
    this.#slice = null;
    await slice.container.finish();
    if (!slice.target.buffer) throw new Error("a slice was completed without bytes");
    this.#sink.slice({
      startedAt: slice.startedAt,
      seconds: at - slice.start,
      data: new Uint8Array(slice.target.buffer),
      isFirstAfterGap: slice.afterGap,
    });
  }

  async #closeMp4(): Promise<void> {
    const mp4 = this.#mp4;
    if (!mp4) return;
    this.#mp4 = null;
    await mp4.container.finish();
    this.#sink.mp4({ index: mp4.index, path: mp4.path, startedAt: mp4.startedAt });
  }
}
