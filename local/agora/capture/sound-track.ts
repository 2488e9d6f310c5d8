import {
  AV_CHANNEL_LAYOUT_STEREO,
  AV_CODEC_ID_OPUS,
  AV_SAMPLE_FMT_FLT,
  AV_SAMPLE_FMT_FLTP,
  AV_SAMPLE_FMT_S16,
  AV_SAMPLE_FMT_S16P,
} from "node-av/constants";
import { Codec, CodecContext, FFmpegError, Frame, Packet } from "node-av/lib";
import { clockRates } from "../calls/rates.ts";
import type { MediaItem } from "./messages.ts";
import { RtpClock } from "./rtp-clock.ts";

type MediaPacket = Extract<MediaItem, { type: "packet" }>;

export const sampleRate = 48_000;
export const samplesPerMs = sampleRate / 1000;
/** How much sound is kept, samples: far more than any delay. */
const kept = 8 * sampleRate;
/** Beyond this the sound is moved to where it belongs, samples (10 ms): a jump is heard less than drifting lips are seen. */
const resyncSamples = sampleRate / 100;

/**
 * One person's microphone: Opus goes in, samples are kept at the moment of their capture, counted in samples of the monotonic clock.
 * What was lost stays silent; nothing that follows moves.
 */
export class SoundTrack {
  readonly #clock = new RtpClock(clockRates.microphone);
  readonly #samples = new Float32Array(kept * 2);
  readonly #context: CodecContext;
  readonly #packet = new Packet();
  readonly #frame = new Frame();
  /** Where the sample with this RTP time stands. */
  #anchor: { rtpTime: number; position: number } | null = null;
  #lastRtp: number | null = null;
  /** Samples before this were mixed; later ones may come. */
  #mixedTo = 0;

  /** Throws when the media library has no Opus decoder. */
  constructor() {
    const codec = Codec.findDecoder(AV_CODEC_ID_OPUS);
    if (!codec) throw new Error("the media library has no Opus decoder");
    this.#context = new CodecContext();
    this.#context.allocContext3(codec);
    this.#context.sampleRate = sampleRate;
    this.#context.channelLayout = AV_CHANNEL_LAYOUT_STEREO;
    FFmpegError.throwIfError(this.#context.open2Sync(codec, null), "opening the Opus decoder");
    this.#packet.alloc();
    this.#frame.alloc();
  }

  push(packet: MediaPacket): void {
    const capturedAt = this.#clock.arrived(packet.rtpTime, packet.at);
    // Late packets would confuse the decoder, which knows no order but that of arrival.
    if (this.#lastRtp !== null && ((packet.rtpTime - this.#lastRtp) | 0) <= 0) return;
    this.#lastRtp = packet.rtpTime;
    const measured = Math.round(capturedAt * samplesPerMs);
    const position = this.#place(packet.rtpTime, measured);
    this.#packet.data = Buffer.from(packet.payload);
    const sent = this.#context.sendPacketSync(this.#packet);
    this.#packet.unref();
    if (sent < 0) return;
    let written = position;
    while (this.#context.receiveFrameSync(this.#frame) >= 0) {
      written += this.#write(written);
      this.#frame.unref();
    }
  }

  report(rtpTime: number, capturedAt: number): void {
    this.#clock.reported(rtpTime, capturedAt);
  }

  /** Adds `count` samples from `position` on to `left` and `right`, and forgets them. */
  mixInto(left: Float32Array, right: Float32Array, position: number, count: number): void {
    for (let index = 0; index < count; index++) {
      const at = ((position + index) % kept) * 2;
      left[index] = (left[index] ?? 0) + (this.#samples[at] ?? 0);
      right[index] = (right[index] ?? 0) + (this.#samples[at + 1] ?? 0);
      this.#samples[at] = 0;
      this.#samples[at + 1] = 0;
    }
    this.#mixedTo = Math.max(this.#mixedTo, position + count);
  }

  close(): void {
    this.#packet.free();
    this.#frame.free();
    this.#context.freeContext();
  }

  #place(rtpTime: number, measured: number): number {
    if (this.#anchor) {
      const position = this.#anchor.position + ((rtpTime - this.#anchor.rtpTime) | 0);
      if (Math.abs(position - measured) <= resyncSamples) {
        this.#anchor = { rtpTime, position };
        return position;
      }
    }
    this.#anchor = { rtpTime, position: measured };
    return measured;
  }

  /** Writes the decoded frame; gives its length in samples. */
  #write(position: number): number {
    const { nbSamples, format, channels, data } = this.#frame;
    const sampleOf = readerOf(format, channels, data ?? []);
    if (!sampleOf) return 0;
    const newest = this.#mixedTo + kept;
    for (let index = 0; index < nbSamples; index++) {
      const where = position + index;
      if (where < this.#mixedTo || (this.#mixedTo > 0 && where >= newest)) continue;
      const at = (where % kept) * 2;
      this.#samples[at] = sampleOf(0, index);
      this.#samples[at + 1] = sampleOf(channels > 1 ? 1 : 0, index);
    }
    return nbSamples;
  }
}

/** Reads one sample (-1 to 1) of one channel, whatever form the decoder gives them in. */
function readerOf(
  format: number,
  channels: number,
  planes: Buffer[],
): ((channel: number, index: number) => number) | null {
  const [first, second = first] = planes;
  if (!first) return null;
  switch (format) {
    case AV_SAMPLE_FMT_FLTP:
      return (channel, index) => (channel === 0 ? first : (second ?? first)).readFloatLE(index * 4);
    case AV_SAMPLE_FMT_FLT:
      return (channel, index) => first.readFloatLE((index * channels + channel) * 4);
    case AV_SAMPLE_FMT_S16:
      return (channel, index) => first.readInt16LE((index * channels + channel) * 2) / 32_768;
    case AV_SAMPLE_FMT_S16P:
      return (channel, index) => (channel === 0 ? first : (second ?? first)).readInt16LE(index * 2) / 32_768;
    default:
      return null;
  }
}
