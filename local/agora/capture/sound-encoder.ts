import { EncodedPacket } from "mediabunny";
import { AV_CODEC_FLAG_GLOBAL_HEADER, AV_SAMPLE_FMT_FLTP, FF_ENCODER_AAC } from "node-av/constants";
import {
  type AacTrack,
  type AudioProfile,
  audioProfiles,
  blockSamples,
  blockSeconds,
  sampleRate,
} from "../media/aac-blocks.ts";
import { SoundCodec } from "../media/codecs.ts";

/** Fills a block's samples, left and right, with what sounds then. */
export type Mix = (block: number, left: Float32Array, right: Float32Array) => void;

/**
 * The mixed sound as AAC blocks. The encoder is one block late (packet n holds the samples of block n - 1), so that asking for a
 * block mixes the one after it too.
 */
export class SoundEncoder implements AacTrack {
  readonly config: AudioDecoderConfig;
  readonly #codec: SoundCodec;
  readonly #channels: 1 | 2;
  readonly #mix: Mix;
  readonly #left = new Float32Array(blockSamples);
  readonly #right = new Float32Array(blockSamples);
  #mixed = 0;
  #received = -1;
  #blocks = new Map<number, Uint8Array>();

  /** Throws when the media library has no AAC encoder. */
  constructor(profile: AudioProfile, mix: Mix) {
    const { channels, kbps } = audioProfiles[profile];
    this.#mix = mix;
    this.#channels = channels;
    this.#codec = new SoundCodec(
      FF_ENCODER_AAC,
      "AAC encoder",
      { channels, bitRate: kbps * 1000, sampleFormat: AV_SAMPLE_FMT_FLTP },
      (context) => context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER),
    );
    const { description } = this.#codec;
    if (!description) throw new Error("the AAC encoder told nothing about its output");
    this.config = {
      codec: "mp4a.40.2",
      sampleRate,
      numberOfChannels: channels,
      description,
    };
  }

  block(index: number, from: number): EncodedPacket {
    while (this.#received < index) this.#encodeNext();
    const data = this.#blocks.get(index);
    if (!data) throw new Error(`no AAC block ${index}`);
    return new EncodedPacket(data, "key", index * blockSeconds - from, blockSeconds);
  }

  /** Forgets blocks before this one. */
  forgetBefore(index: number): void {
    for (const known of this.#blocks.keys()) if (known < index) this.#blocks.delete(known);
  }

  close(): void {
    this.#codec.close();
  }

  #encodeNext(): void {
    const block = this.#mixed++;
    this.#left.fill(0);
    this.#right.fill(0);
    this.#mix(block, this.#left, this.#right);
    const samples = new Float32Array(blockSamples * this.#channels);
    for (let at = 0; at < blockSamples; at++) {
      const [left, right] = [this.#left[at] ?? 0, this.#right[at] ?? 0];
      if (this.#channels === 1) samples[at] = clipped((left + right) / 2);
      else {
        samples[at] = clipped(left);
        samples[blockSamples + at] = clipped(right);
      }
    }
    for (const { data, from } of this.#codec.encode(samples, block * blockSamples)) {
      const index = Math.round(from / blockSamples);
      // The first packet is from before the beginning.
      if (index < 0) continue;
      this.#blocks.set(index, data);
      this.#received = index;
    }
  }
}

function clipped(value: number): number {
  return Math.max(-1, Math.min(1, value));
}
