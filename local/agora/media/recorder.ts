import { type AudioProfile, blockSeconds, soundStepsPerSecond } from "./aac-blocks.ts";
import { beepTrack } from "./beeps.ts";
import type { Tracks } from "./container.ts";
import { MediaClock } from "./media-clock.ts";
import { Picture } from "./picture.ts";
import { type FilesOrder, RecordingFiles, type RecordingSink } from "./recording-files.ts";
import { type EncodedPicture, VideoEncoder, type VideoShape } from "./video-encoder.ts";

/** What one recorder is to produce. */
export interface RecordingOrder extends FilesOrder {
  channel: string;
  video: VideoShape | null;
  audio: AudioProfile | null;
}

/**
 * Records the synthetic picture and sound in real time: media time is wall time minus pauses. When the machine cannot
 * keep up, pictures are left out; the length never changes.
 */
export class Recorder {
  readonly #order: RecordingOrder;
  readonly #sink: RecordingSink;
  readonly #files: RecordingFiles;
  readonly #encoder: VideoEncoder | null;
  readonly #picture: Picture | null;
  readonly #clock = new MediaClock();
  #lastStep = -1;
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
    this.#files = new RecordingFiles(order, tracks, sink);
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
    this.#files.interrupt();
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
    await this.#files.endSlice(seconds, blockSeconds / 2);
    await this.#files.endMp4();
    this.#encoder?.close();
    return { seconds, endedAt };
  }

  /** Ends like a killed process: open files are given up. */
  async abandon(): Promise<void> {
    this.#clock.stop();
    this.#ending = true;
    this.#wake();
    await this.#work;
    await this.#files.abandon();
    this.#encoder?.close();
  }

  async #run(): Promise<void> {
    const rate = this.#order.video?.fps ?? soundStepsPerSecond;
    while (!this.#ending) {
      if (this.#clock.isPaused) {
        await this.#files.endSlice(this.#clock.seconds());
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
    const wallMs = this.#clock.wallAt(at);
    const cut = this.#files.cutAt(at);
    let picture: EncodedPicture | null = null;
    if (this.#picture && this.#encoder) {
      this.#picture.draw(wallMs, at);
      picture = await this.#encoder.encode(this.#picture.pixels, at, cut !== null);
    }
    await this.#files.add(at, wallMs, picture, cut);
  }
}
