import { cell, litPixels } from "./font.ts";

/** Luma values: dark ground so that an unchanged area costs the encoder nothing, bright ink for reading. */
const ground = 32;
const ink = 235;
const dim = 80;

/** How long the corner square is lit at each full second: the same as the beep, so that a person can judge sync. */
const flashSeconds = 0.1;

/**
 * The synthetic picture of one recorder: the word "simulated", the channel, the UTC time, the elapsed time, a dot
 * that crosses the picture once a second, and a square that flashes with each beep. It is kept as one I420 buffer
 * and only what changed since the last frame is drawn again.
 */
export class Picture {
  readonly pixels: Buffer;
  readonly width: number;
  readonly height: number;
  #shownSecond = -1;
  #shownDot = -1;
  #flashing = false;
  readonly #unit: number;

  /** @param size in pixels, both even (I420 halves them for colour). @param channel is printed as it is. */
  constructor(size: { width: number; height: number }, channel: string) {
    this.width = size.width;
    this.height = size.height;
    this.#unit = Math.max(1, Math.floor(Math.min(size.width, size.height * 1.6) / 160));
    this.pixels = Buffer.alloc((size.width * size.height * 3) / 2, 128);
    this.pixels.fill(ground, 0, size.width * size.height);
    this.#line("simulated", 0.2, this.#unit * 2);
    this.#line(channel, 0.45, this.#fitting(channel));
  }

  /** Draws the picture for one moment: `wallMs` is UTC in ms since 1970, `elapsed` seconds since the recording began. */
  draw(wallMs: number, elapsed: number): void {
    const second = Math.floor(elapsed + 1e-6);
    if (second !== this.#shownSecond) {
      this.#shownSecond = second;
      this.#line(`${new Date(wallMs).toISOString().slice(0, 19).replace("T", " ")} UTC`, 0.6, this.#unit);
      this.#line(clockText(second), 0.72, this.#unit);
    }
    const flashing = elapsed - second < flashSeconds;
    if (flashing !== this.#flashing) {
      this.#flashing = flashing;
      const side = this.#unit * 8;
      this.#fill(this.width - side * 2, side, side, side, flashing ? ink : ground);
    }
    this.#moveDot(Math.floor((elapsed - second) * (this.width - this.#unit * 4)));
  }

  #moveDot(x: number): void {
    const side = this.#unit * 4;
    const y = Math.floor(this.height * 0.88);
    if (this.#shownDot >= 0) this.#fill(this.#shownDot, y, side, side, ground);
    this.#fill(x, y, side, side, dim + 60);
    this.#shownDot = x;
  }

  #fitting(text: string): number {
    const widest = Math.floor((this.width * 0.95) / (Math.max(1, text.length) * cell.width));
    return Math.max(1, Math.min(this.#unit, widest));
  }

  /** One centred line of text; clears the whole strip first. `top` is a share of the height, `scale` pixels per font pixel. */
  #line(text: string, top: number, scale: number): void {
    const y0 = Math.floor(this.height * top);
    this.#fill(0, y0, this.width, cell.height * scale, ground);
    const x0 = Math.max(0, Math.floor((this.width - text.length * cell.width * scale) / 2));
    [...text].forEach((character, index) => {
      for (const { x, y } of litPixels(character)) {
        this.#fill(x0 + (index * cell.width + x) * scale, y0 + y * scale, scale, scale, ink);
      }
    });
  }

  #fill(x: number, y: number, width: number, height: number, luma: number): void {
    const right = Math.min(this.width, x + width);
    const bottom = Math.min(this.height, y + height);
    if (right <= x) return;
    for (let row = Math.max(0, y); row < bottom; row++) {
      this.pixels.fill(luma, row * this.width + x, row * this.width + right);
    }
  }
}

/** `hh:mm:ss` of a number of whole seconds. */
export function clockText(seconds: number): string {
  const part = (value: number) => String(value).padStart(2, "0");
  return `${part(Math.floor(seconds / 3600))}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
}
