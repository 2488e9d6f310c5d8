import {
  AV_CHANNEL_LAYOUT_STEREO,
  AV_CODEC_ID_OPUS,
  AV_SAMPLE_FMT_FLT,
  AV_SAMPLE_FMT_FLTP,
  AV_SAMPLE_FMT_S16,
  AV_SAMPLE_FMT_S16P,
} from "node-av/constants";
import { Codec, type CodecContext, Frame, Packet } from "node-av/lib";
import { clockRates } from "../calls/rates.ts";
import { sampleRate } from "../media/aac-blocks.ts";
import { openCodec } from "../media/codecs.ts";
import type { MediaItem } from "./messages.ts";
import { RtpClock, type RtpMoment } from "./rtp-clock.ts";

type MediaPacket = Extract<MediaItem, { type: "packet" }>;

export const samplesPerMs = sampleRate / 1000;
/** How much sound is kept, samples: far more than any delay. */
const kept = 8 * sampleRate;
/** More than any delay holds, packets of 20 ms: a recorder that stands still must not fill the memory. */
const mostWaiting = 1_500;
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
  /** What is not decoded yet, in the order of its making. */
  #waiting: { moment: RtpMoment; payload: Uint8Array }[] = [];
  #decoded: RtpMoment | null = null;
  /** Where the sound of this moment was placed. */
  #anchor: { moment: RtpMoment; position: number } | null = null;
  /** Samples before this were mixed; later ones may come. */
  #mixedTo = 0;

  /** Throws when the media library has no Opus decoder. */
  constructor() {
    this.#context = openCodec(Codec.findDecoder(AV_CODEC_ID_OPUS), "Opus decoder", (context) => {
      context.sampleRate = sampleRate;
      context.channelLayout = AV_CHANNEL_LAYOUT_STEREO;
    });
    this.#packet.alloc();
    this.#frame.alloc();
  }

  push(packet: MediaPacket): void {
    const moment = this.#clock.arrived(packet.rtpTime, packet.at);
    // The decoder knows no order but that in which it is fed: what comes before the last one comes too late.
    if (this.#decoded && this.#decoded.run === moment.run && moment.mediaMs <= this.#decoded.mediaMs) return;
    let index = this.#waiting.length;
    for (; index > 0; index--) {
      const before = this.#waiting[index - 1];
      if (!before || before.moment.run !== moment.run || before.moment.mediaMs < moment.mediaMs) break;
      if (before.moment.mediaMs === moment.mediaMs) return;
    }
    this.#waiting.splice(index, 0, { moment, payload: packet.payload });
    if (this.#waiting.length > mostWaiting) this.#waiting.shift();
  }

  report(rtpTime: number, capturedAt: number, at: number): void {
    this.#clock.reported(rtpTime, capturedAt, at);
  }

  /** Adds `count` samples from `position` on to `left` and `right`, and forgets them. */
  mixInto(left: Float32Array, right: Float32Array, position: number, count: number): void {
    this.#decodeUntil(position + count);
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

  #decodeUntil(end: number): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const { moment, payload } = next;
      const position = this.#place(moment);
      if (position >= end) return;
      this.#waiting.shift();
      this.#decoded = moment;
      this.#anchor = { moment, position };
      this.#packet.data = Buffer.from(payload);
      const sent = this.#context.sendPacketSync(this.#packet);
      this.#packet.unref();
      if (sent < 0) continue;
      let written = position;
      while (this.#context.receiveFrameSync(this.#frame) >= 0) {
        written += this.#write(written);
        this.#frame.unref();
      }
    }
  }

  /** Where a packet's sound begins: right after the one before, unless its clock says that it belongs elsewhere. */
  #place(moment: RtpMoment): number {
    const measured = Math.round(this.#clock.capturedAt(moment) * samplesPerMs);
    const anchor = this.#anchor;
    if (!anchor || anchor.moment.run !== moment.run) return measured;
    const passed = Math.round((moment.mediaMs - anchor.moment.mediaMs) * samplesPerMs);
    const position = anchor.position + passed;
    return Math.abs(position - measured) <= resyncSamples ? position : measured;
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
