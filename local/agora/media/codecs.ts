import type { AVSampleFormat, FFAudioEncoder } from "node-av/constants";
import { AV_CHANNEL_LAYOUT_MONO, AV_CHANNEL_LAYOUT_STEREO } from "node-av/constants";
import { Codec, CodecContext, FFmpegError, Frame, Packet, Rational } from "node-av/lib";
import { sampleRate } from "./aac-blocks.ts";

/** Opens a decoder or encoder as `prepare` sets it up. Throws, with its name, when the media library lacks it or it cannot be opened. */
export function openCodec(
  codec: Codec | null,
  name: string,
  prepare: (context: CodecContext) => void,
): CodecContext {
  if (!codec) throw new Error(`the media library has no ${name}`);
  const context = new CodecContext();
  context.allocContext3(codec);
  prepare(context);
  FFmpegError.throwIfError(context.open2Sync(codec, null), `opening the ${name}`);
  return context;
}

export interface SoundForm {
  channels: 1 | 2;
  /** bit/s. */
  bitRate: number;
  /** One that the encoder takes, of 32-bit floats. */
  sampleFormat: AVSampleFormat;
}

/** Sound at 48 kHz into packets. */
export class SoundCodec {
  readonly #form: SoundForm & { channelLayout: typeof AV_CHANNEL_LAYOUT_MONO };
  readonly #context: CodecContext;
  readonly #packet = new Packet();

  /** `name` is for errors. Throws when the media library has no such encoder. */
  constructor(
    encoder: FFAudioEncoder,
    name: string,
    form: SoundForm,
    prepare: (context: CodecContext) => void,
  ) {
    const channelLayout = form.channels === 1 ? AV_CHANNEL_LAYOUT_MONO : AV_CHANNEL_LAYOUT_STEREO;
    this.#form = { ...form, channelLayout };
    this.#context = openCodec(Codec.findEncoderByName(encoder), name, (context) => {
      context.sampleRate = sampleRate;
      context.sampleFormat = form.sampleFormat;
      context.channelLayout = channelLayout;
      context.timeBase = new Rational(1, sampleRate);
      context.bitRate = BigInt(form.bitRate);
      prepare(context);
    });
    this.#packet.alloc();
  }

  /** What the encoder tells of its output, for a file's head. */
  get description(): Uint8Array | null {
    const { extraData } = this.#context;
    return extraData && new Uint8Array(extraData);
  }

  /** Takes the samples (all channels, in the form's order) from the one numbered `from` on; gives the packets that are ready. */
  encode(samples: Float32Array, from: number): { data: Uint8Array; from: number }[] {
    const { sampleFormat, channels, channelLayout } = this.#form;
    const frame = Frame.fromAudioBuffer(Buffer.from(samples.buffer), {
      nbSamples: samples.length / channels,
      format: sampleFormat,
      sampleRate,
      channelLayout,
      timeBase: new Rational(1, sampleRate),
      pts: BigInt(from),
    });
    try {
      FFmpegError.throwIfError(this.#context.sendFrameSync(frame), "sending sound to the encoder");
    } finally {
      frame.free();
    }
    const packets: { data: Uint8Array; from: number }[] = [];
    while (this.#context.receivePacketSync(this.#packet) >= 0) {
      const { data, pts } = this.#packet;
      if (data) packets.push({ data: new Uint8Array(data), from: Number(pts) });
      this.#packet.unref();
    }
    return packets;
  }

  close(): void {
    this.#packet.free();
    this.#context.freeContext();
  }
}
