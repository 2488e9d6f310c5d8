import { AV_SAMPLE_FMT_FLT, FF_ENCODER_LIBOPUS } from "node-av/constants";
import { fields, litFields } from "../../browser/pages/clock-face.ts";
import { SoundCodec } from "../media/codecs.ts";

/** What a caller without a browser shows and sounds. */
export interface CallerClock {
  /** Chroma of the ground. */
  u: number;
  v: number;
  /** Hertz. */
  pitch: number;
  beepAtMs: number;
}

/** Samples of one packet of sound, 20 ms. */
export const soundSamples = 960;
const mtu = 1_100;

/** A picture of the clock at a moment (UTC ms), I420. */
export function clockPicture(
  { u, v }: CallerClock,
  { width, height }: { width: number; height: number },
  wallMs: number,
): Buffer {
  const luma = width * height;
  const pixels = Buffer.alloc((luma * 3) / 2, 90);
  pixels.fill(u, luma, luma + luma / 4);
  pixels.fill(v, luma + luma / 4);
  litFields(wallMs).forEach((isLit, index) => {
    const field = fields[index];
    if (!field) return;
    const left = Math.round(field.x * width);
    const right = Math.round((field.x + field.width) * width);
    for (let row = Math.round(field.y * height); row < (field.y + field.height) * height; row++) {
      pixels.fill(isLit ? 235 : 16, row * width + left, row * width + right);
    }
  });
  return pixels;
}

/** The clock's beeps as Opus, one packet after the other. */
export class BeepEncoder {
  readonly #clock: CallerClock;
  readonly #codec = new SoundCodec(
    FF_ENCODER_LIBOPUS,
    "Opus encoder",
    { channels: 1, bitRate: 32_000, sampleFormat: AV_SAMPLE_FMT_FLT },
    (context) => context.setOption("application", "lowdelay"),
  );
  #from = 0;
  #phase = 0;

  constructor(clock: CallerClock) {
    this.#clock = clock;
  }

  /** The packet whose first sample sounds at `wallMs`; null where the encoder has none yet. */
  next(wallMs: number): Buffer | null {
    const samples = new Float32Array(soundSamples);
    samples.forEach((_, index) => {
      this.#phase += (2 * Math.PI * this.#clock.pitch) / 48_000;
      const sinceBeep = (wallMs + index / 48 - this.#clock.beepAtMs) % 1000;
      if (sinceBeep < 100) samples[index] = 0.4 * Math.sin(this.#phase);
    });
    const [packet] = this.#codec.encode(samples, this.#from);
    this.#from += soundSamples;
    return packet ? Buffer.from(packet.data) : null;
  }

  close(): void {
    this.#codec.close();
  }
}

/** RFC 6184: a picture in Annex B as payloads of packets. */
export function payloadsOf(annexB: Buffer): Buffer[] {
  return unitsOf(annexB).flatMap(fragmentsOf);
}

function unitsOf(annexB: Buffer): Buffer[] {
  const units: Buffer[] = [];
  let begin = -1;
  for (let at = 0; at + 3 <= annexB.length; at++) {
    if (annexB[at] !== 0 || annexB[at + 1] !== 0 || annexB[at + 2] !== 1) continue;
    if (begin >= 0) units.push(annexB.subarray(begin, annexB[at - 1] === 0 ? at - 1 : at));
    begin = at + 3;
  }
  if (begin >= 0) units.push(annexB.subarray(begin));
  return units;
}

/** A unit as it is, or in fragments. */
function fragmentsOf(unit: Buffer): Buffer[] {
  if (unit.length <= mtu) return [unit];
  const head = unit[0] ?? 0;
  const fragments: Buffer[] = [];
  for (let at = 1; at < unit.length; at += mtu) {
    const flags = (at === 1 ? 0x80 : 0) | (at + mtu >= unit.length ? 0x40 : 0);
    const prefix = Buffer.from([(head & 0xe0) | 28, flags | (head & 0x1f)]);
    fragments.push(Buffer.concat([prefix, unit.subarray(at, at + mtu)]));
  }
  return fragments;
}
