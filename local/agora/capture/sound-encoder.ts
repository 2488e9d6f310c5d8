import { EncodedPacket } from "mediabunny";
import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CHANNEL_LAYOUT_STEREO,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_SAMPLE_FMT_FLTP,
  FF_ENCODER_AAC,
} from "node-av/constants";
import { Codec, CodecContext, FFmpegError, Frame, Packet, Rational } from "node-av/lib";
import {
  type AacTrack,
  type AudioProfile,
  audioProfiles,
  blockSamples,
  blockSeconds,
  sampleRate,
} from "../media/aac-blocks.ts";

/** Fills a block's samples, left and right, with what sounds then. */
export type Mix = (block: number, left: Float32Array, right: Float32Array) => void;

/**
 * The mixed sound as AAC blocks. The encoder is one block late (packet n holds the samples of block n - 1), so that asking for a
 * block mixes the one after it too.
 */
export class SoundEncoder implements AacTrack {
  readonly config: AudioDecoderConfig;
  readonly #context: CodecContext;
  readonly #channels: 1 | 2;
  readonly #mix: Mix;
  readonly #packet = new Packet();
  readonly #left = new Float32Array(blockSamples);
  readonly #right = new Float32Array(blockSamples);
  #mixed = 0;
  #received = -1;
  #blocks = new Map<number, Uint8Array>();

  /** Throws when the media library has no AAC encoder. */
  constructor(profile: AudioProfile, mix: Mix) {
    const { channels, kbps } = audioProfiles[profile];
    const codec = Codec.findEncoderByName(FF_ENCODER_AAC);
    if (!codec) throw new Error("the media library has no AAC encoder");
    this.#mix = mix;
    this.#channels = channels;
    this.#context = new CodecContext();
    this.#context.allocContext3(codec);
    this.#context.sampleRate = sampleRate;
    this.#context.sampleFormat = AV_SAMPLE_FMT_FLTP;
    this.#context.channelLayout = channels === 1 ? AV_CHANNEL_LAYOUT_MONO : AV_CHANNEL_LAYOUT_STEREO;
    this.#context.timeBase = new Rational(1, sampleRate);
    this.#context.bitRate = BigInt(kbps * 1000);
    this.#context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    FFmpegError.throwIfError(this.#context.open2Sync(codec, null), "opening the AAC encoder");
    this.#packet.alloc();
    const { extraData } = this.#context;
    if (!extraData) throw new Error("the AAC encoder told nothing about its output");
    this.config = {
      codec: "mp4a.40.2",
      sampleRate,
      numberOfChannels: channels,
      description: new Uint8Array(extraData),
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
    this.#packet.free();
    this.#context.freeContext();
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
    const frame = Frame.fromAudioBuffer(Buffer.from(samples.buffer), {
      nbSamples: blockSamples,
      format: AV_SAMPLE_FMT_FLTP,
      sampleRate,
      channelLayout: this.#channels === 1 ? AV_CHANNEL_LAYOUT_MONO : AV_CHANNEL_LAYOUT_STEREO,
      timeBase: new Rational(1, sampleRate),
      pts: BigInt(block * blockSamples),
    });
    try {
      FFmpegError.throwIfError(this.#context.sendFrameSync(frame), "sending sound to the encoder");
    } finally {
      frame.free();
    }
    while (this.#context.receivePacketSync(this.#packet) >= 0) {
      const { data, pts } = this.#packet;
      // The first packet is from before the beginning.
      const index = Math.round(Number(pts) / blockSamples);
      if (data && index >= 0) {
        this.#blocks.set(index, new Uint8Array(data));
        this.#received = index;
      }
      this.#packet.unref();
    }
  }
}

function clipped(value: number): number {
  return Math.max(-1, Math.min(1, value));
}
