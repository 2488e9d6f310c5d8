import { BufferTarget, FilePathTarget, Mp4OutputFormat, MpegTsOutputFormat } from "mediabunny";
import { blockSeconds } from "./aac-blocks.ts";
import { Container, type Tracks } from "./container.ts";
import type { EncodedPicture } from "./video-encoder.ts";

/** How a recording is cut into files. */
export interface FilesOrder {
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

/** Where a slice ends and the next one begins. */
export interface Cut {
  isAfterGap: boolean;
}

interface OpenSlice {
  container: Container;
  target: BufferTarget;
  /** Media seconds. */
  start: number;
  startedAt: number;
  isAfterGap: boolean;
}

interface OpenMp4 {
  container: Container;
  index: number;
  path: string;
  start: number;
  startedAt: number;
}

/**
 * The files of one recording while they are written: the slice that is open, and the MP4 beside it. Pictures and moments of sound come
 * in order of their media time (seconds); a file is handed over when it is complete.
 */
export class RecordingFiles {
  readonly #order: FilesOrder;
  readonly #tracks: Tracks;
  readonly #sink: RecordingSink;
  readonly #forgetBefore: (block: number) => void;
  #slice: OpenSlice | null = null;
  #mp4: OpenMp4 | null = null;
  #mp4Count = 0;
  #held: { picture: EncodedPicture; at: number } | null = null;
  #nextBlock = 0;
  #followsGap = true;

  /** `forgetBefore` is told which blocks of sound are not asked for any more. */
  constructor(
    order: FilesOrder,
    tracks: Tracks,
    sink: RecordingSink,
    forgetBefore: (block: number) => void = () => undefined,
  ) {
    this.#order = order;
    this.#tracks = tracks;
    this.#sink = sink;
    this.#forgetBefore = forgetBefore;
  }

  /** What comes next follows a gap: it begins a slice, even if the gap was over before anything came. */
  interrupt(): void {
    this.#followsGap = true;
  }

  /**
   * Whether what is added at this moment begins a slice, so that its picture must be a key frame; null when it does not. To be asked once
   * for each moment.
   */
  cutAt(at: number): Cut | null {
    const isAfterGap = this.#followsGap;
    const isCut = isAfterGap || !this.#slice || at - this.#slice.start >= this.#order.sliceSeconds - 1e-6;
    if (!isCut) return null;
    this.#followsGap = false;
    return { isAfterGap };
  }

  /** Adds a moment: its picture (null where there is sound alone), and all sound before it. `wallMs` is its wall time, UTC. */
  async add(at: number, wallMs: number, picture: EncodedPicture | null, cut: Cut | null): Promise<void> {
    if (cut) {
      await this.endSlice(at);
      await this.#open(at, wallMs, cut);
    } else await this.#pour(at, 0);
    if (picture) this.#held = { picture, at };
  }

  /** Ends the open slice, if there is one, at this moment; what would sound in less than the last `soundMargin` seconds is left out. */
  async endSlice(at: number, soundMargin = 0): Promise<void> {
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
      isFirstAfterGap: slice.isAfterGap,
    });
  }

  /** Completes the MP4 that is open. */
  async endMp4(): Promise<void> {
    const mp4 = this.#mp4;
    if (!mp4) return;
    this.#mp4 = null;
    await mp4.container.finish();
    this.#sink.mp4({ index: mp4.index, path: mp4.path, startedAt: mp4.startedAt });
  }

  /** Gives up what is open. */
  async abandon(): Promise<void> {
    await this.#slice?.container.abandon();
    await this.#mp4?.container.abandon();
    this.#slice = null;
    this.#mp4 = null;
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
      this.#forgetBefore(block);
    }
  }

  async #open(at: number, startedAt: number, { isAfterGap }: Cut): Promise<void> {
    const target = new BufferTarget();
    const container = await Container.open(new MpegTsOutputFormat(), target, this.#tracks, 0);
    this.#slice = { container, target, start: at, startedAt, isAfterGap };
    const { mp4 } = this.#order;
    if (!mp4) return;
    if (this.#mp4 && at - this.#mp4.start >= mp4.maxSeconds) await this.endMp4();
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
}
