import { join } from "node:path";
import { unfinished } from "../file-names.ts";
import { blockSamples, blockSeconds, sampleRate, soundStepsPerSecond } from "../media/aac-blocks.ts";
import { RecordingFiles, type RecordingSink } from "../media/recording-files.ts";
import { type EncodedPicture, VideoEncoder } from "../media/video-encoder.ts";
import type { CaptureOrder } from "./messages.ts";
import { SoundEncoder } from "./sound-encoder.ts";
import { samplesPerMs } from "./sound-track.ts";
import type { Stage } from "./stage.ts";

/** A stretch of the call that is recorded: media time `media` (s) is the monotonic moment `start` (ms). */
interface Span {
  media: number;
  start: number;
  end: number;
}

/** Behind by no more than this, every picture is made; beyond it some are left out, ms. */
const catchUpMs = 2_000;

/**
 * Records what stands on the stage, `delayMs` behind what was heard of the call, so that late packets find their place. Its time is that
 * of what it was given, never that of its own work: when it, or the media server, stands still for a while, it goes on where it was.
 * Media time is the time of the call minus its pauses; when the machine cannot keep up, pictures are left out and the length never
 * changes.
 */
export class CallRecorder {
  readonly #order: CaptureOrder;
  readonly #stage: Stage;
  readonly #sink: RecordingSink;
  readonly #files: RecordingFiles;
  readonly #encoder: VideoEncoder | null;
  readonly #sound: SoundEncoder | null;
  readonly #spans: Span[] = [];
  #wallOffset = 0;
  #heardUntil = Number.NEGATIVE_INFINITY;
  #nextStep = 0;
  #isFinishing = false;
  #wake: () => void = () => undefined;
  #work: Promise<void> = Promise.resolve();

  private constructor(order: CaptureOrder, stage: Stage, sink: RecordingSink, encoder: VideoEncoder | null) {
    this.#order = order;
    this.#stage = stage;
    this.#sink = sink;
    this.#encoder = encoder;
    this.#sound =
      order.audio === null
        ? null
        : new SoundEncoder(order.audio, (block, left, right) => this.#mix(block, left, right));
    const { mp4 } = order;
    this.#files = new RecordingFiles(
      {
        sliceSeconds: order.sliceSeconds,
        mp4: mp4 && {
          maxSeconds: mp4.maxSeconds,
          pathOf: (index) => join(mp4.folder, `call_${index}.mp4${unfinished}`),
        },
      },
      { video: order.video, audio: this.#sound },
      sink,
      (block) => this.#sound?.forgetBefore(block),
    );
  }

  /** Throws when the media library lacks an encoder. */
  static async open(order: CaptureOrder, stage: Stage, sink: RecordingSink): Promise<CallRecorder> {
    const encoder = order.video ? await VideoEncoder.open(order.video) : null;
    return new CallRecorder(order, stage, sink, encoder);
  }

  begin(at: number, wallOffset: number, paused: boolean): void {
    this.#wallOffset = wallOffset;
    if (!paused) this.resume(at);
    this.#work = this.#run().catch((error: unknown) => this.#sink.failed(error));
  }

  /** Everything that arrived before this moment is on the stage. */
  heard(until: number): void {
    this.#heardUntil = until;
    this.#wake();
  }

  resume(at: number): void {
    const last = this.#spans.at(-1);
    if (last && last.end === Number.POSITIVE_INFINITY) return;
    this.#spans.push({ media: mediaEnd(last), start: at, end: Number.POSITIVE_INFINITY });
    this.#wake();
  }

  pause(at: number): void {
    const last = this.#spans.at(-1);
    if (last && last.end === Number.POSITIVE_INFINITY) last.end = Math.max(at, last.start);
    this.#wake();
  }

  /** Ends the recording at a moment and completes every file, once the delay has passed. Gives the recorded seconds. */
  async finish(at: number): Promise<number> {
    this.pause(at);
    this.#isFinishing = true;
    this.#wake();
    await this.#work;
    await this.#files.endMp4();
    this.#encoder?.close();
    this.#sound?.close();
    return mediaEnd(this.#spans.at(-1));
  }

  async #run(): Promise<void> {
    const rate = this.#order.video?.fps ?? soundStepsPerSecond;
    for (let index = 0; ; ) {
      const span = this.#spans[index];
      if (!span) {
        if (this.#isFinishing) return;
        await this.#rest();
        continue;
      }
      const reached = this.#heardUntil - this.#order.delayMs;
      const stepAt = span.start + (this.#nextStep * 1000) / rate;
      // The span's end is not a picture of its own: the last one lasts until it.
      if (stepAt < Math.min(reached, span.end)) {
        // The first of a span is what the recording begins with, and is never left out.
        const late = Math.min(reached - catchUpMs, span.end - 1) - stepAt;
        if (this.#nextStep > 0 && late > 0) this.#nextStep += Math.floor((late * rate) / 1000);
        const at = span.media + this.#nextStep / rate;
        await this.#step(at, span.start + (this.#nextStep * 1000) / rate);
        this.#nextStep += 1;
        // Packets wait to be taken in, also when the work never catches up.
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      if (span.end <= reached) {
        await this.#files.endSlice(mediaEnd(span), this.#isFinishing ? blockSeconds / 2 : 0);
        this.#files.interrupt();
        this.#nextStep = 0;
        index += 1;
        continue;
      }
      await this.#rest();
    }
  }

  /** Until more was heard, or something was asked. */
  async #rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  async #step(at: number, moment: number): Promise<void> {
    const cut = this.#files.cutAt(at);
    let picture: EncodedPicture | null = null;
    if (this.#encoder) {
      this.#stage.draw(moment, this.#heardUntil);
      picture = await this.#encoder.encode(this.#stage.pixels, at, cut !== null);
    }
    await this.#files.add(at, Math.round(moment + this.#wallOffset), picture, cut);
  }

  /** Mixes one block: from the span that it begins in, and nothing past the end of that. */
  #mix(block: number, left: Float32Array, right: Float32Array): void {
    const mediaSample = block * blockSamples;
    const media = mediaSample / sampleRate;
    const span = this.#spans.findLast((found) => found.media <= media + 1e-6);
    if (!span) return;
    const position =
      Math.round(span.start * samplesPerMs) + mediaSample - Math.round(span.media * sampleRate);
    const end = span.end === Number.POSITIVE_INFINITY ? span.end : Math.round(span.end * samplesPerMs);
    const count = Math.min(blockSamples, end - position);
    if (count > 0) this.#stage.mix(left, right, position, count);
  }
}

/** Where a span ends in media time, seconds. */
function mediaEnd(span: Span | undefined): number {
  return span ? span.media + (span.end - span.start) / 1000 : 0;
}
