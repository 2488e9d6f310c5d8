import { join } from "node:path";
import { BufferTarget, FilePathTarget, Mp4OutputFormat, MpegTsOutputFormat } from "mediabunny";
import { blockSeconds } from "../media/beeps.ts";
import { Container, type Tracks } from "../media/container.ts";
import type { RecordingSink } from "../media/recorder.ts";
import { type EncodedPicture, VideoEncoder } from "../media/video-encoder.ts";
import { unfinished } from "../task-store.ts";
import type { CaptureOrder } from "./messages.ts";
import { blockSamples, SoundEncoder } from "./sound-encoder.ts";
import { sampleRate, samplesPerMs } from "./sound-track.ts";
import type { Stage } from "./stage.ts";

/** A stretch of the call that is recorded: media time `media` (s) is the monotonic moment `start` (ms). */
interface Span {
  media: number;
  start: number;
  end: number;
}

interface OpenSlice {
  container: Container;
  target: BufferTarget;
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
  readonly #tracks: Tracks;
  readonly #encoder: VideoEncoder | null;
  readonly #sound: SoundEncoder | null;
  readonly #spans: Span[] = [];
  #wallOffset = 0;
  #heardUntil = Number.NEGATIVE_INFINITY;
  #slice: OpenSlice | null = null;
  #mp4: OpenMp4 | null = null;
  #mp4Count = 0;
  #held: { picture: EncodedPicture; at: number } | null = null;
  #nextBlock = 0;
  #nextStep = 0;
  #followsGap = true;
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
    this.#tracks = { video: order.video, audio: this.#sound };
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
    await this.#closeMp4();
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
        await this.#closeSlice(mediaEnd(span), this.#isFinishing ? blockSeconds / 2 : 0);
        this.#followsGap = true;
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
    const followsGap = this.#followsGap;
    const isCut = followsGap || !this.#slice || at - this.#slice.start >= this.#order.sliceSeconds - 1e-6;
    let picture: EncodedPicture | null = null;
    if (this.#encoder) {
      this.#stage.draw(moment, this.#heardUntil);
      picture = await this.#encoder.encode(this.#stage.pixels, at, isCut);
    }
    if (isCut) {
      this.#followsGap = false;
      await this.#closeSlice(at, 0);
      await this.#openSlice(at, moment, followsGap);
    } else await this.#pour(at, 0);
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
    while (this.#sound && this.#nextBlock * blockSeconds < until - soundMargin) {
      const block = this.#nextBlock++;
      await this.#slice?.container.addSound(block);
      await this.#mp4?.container.addSound(block);
      this.#sound.forgetBefore(block);
    }
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

  async #openSlice(at: number, moment: number, afterGap: boolean): Promise<void> {
    const target = new BufferTarget();
    const container = await Container.open(new MpegTsOutputFormat(), target, this.#tracks, 0);
    const startedAt = Math.round(moment + this.#wallOffset);
    this.#slice = { container, target, start: at, startedAt, afterGap };
    const mp4 = this.#order.mp4;
    if (!mp4) return;
    if (this.#mp4 && at - this.#mp4.start >= mp4.maxSeconds) await this.#closeMp4();
    if (this.#mp4) return;
    const index = this.#mp4Count++;
    const path = join(mp4.folder, `call_${index}.mp4${unfinished}`);
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

/** Where a span ends in media time, seconds. */
function mediaEnd(span: Span | undefined): number {
  return span ? span.media + (span.end - span.start) / 1000 : 0;
}
