import { AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P, SWS_BILINEAR } from "node-av/constants";
import { type Frame, SoftwareScaleContext } from "node-av/lib";
import { cell as glyph, litPixels } from "../media/font.ts";
import type { Cell } from "./layout.ts";

const ink = 210;
/** Ground of a card without a picture: a dark grey. */
const cardGround = { y: 44, u: 128, v: 128 };

/** The composed picture, kept as one I420 buffer; pictures are scaled straight into their cells. */
export class Canvas {
  readonly pixels: Buffer;
  readonly width: number;
  readonly height: number;
  #ground: { y: number; u: number; v: number };
  readonly #scalers = new Map<string, SoftwareScaleContext>();

  /** Sizes in pixels, even. `background` as "#RRGGBB". */
  constructor(width: number, height: number, background: string) {
    this.width = width;
    this.height = height;
    this.pixels = Buffer.alloc((width * height * 3) / 2);
    this.#ground = toYuv(background);
    this.clear();
  }

  setBackground(colour: string): void {
    this.#ground = toYuv(colour);
  }

  clear(): void {
    this.#fill({ x: 0, y: 0, width: this.width, height: this.height }, this.#ground);
  }

  /** Draws a decoded picture into its cell: filled and cropped, or whole with bars. */
  draw(frame: Frame, cell: Cell): void {
    const planes = frame.data;
    if (!planes || frame.width < 2 || frame.height < 2) return;
    if (frame.format !== AV_PIX_FMT_YUV420P && frame.format !== AV_PIX_FMT_YUVJ420P) return;
    const { source, target } = fitted(frame, cell);
    const strides = frame.linesize;
    const from = planes.slice(0, 3).map((plane, index) => {
      const half = index === 0 ? 1 : 2;
      return plane.subarray((source.y / half) * (strides[index] ?? 0) + source.x / half);
    });
    const to = [0, 1, 2].map((plane) => this.pixels.subarray(this.#offset(plane, target.x, target.y)));
    const scaler = this.#scaler(source.width, source.height, target.width, target.height);
    scaler.scaleSync(from, strides.slice(0, 3), 0, source.height, to, [
      this.width,
      this.width / 2,
      this.width / 2,
    ]);
  }

  /** Draws a card with somebody's name instead of a picture. */
  drawCard(name: string, cell: Cell): void {
    this.#fill(cell, cardGround);
    const text = [...name].slice(0, 24);
    const widest = (cell.width * 0.9) / (Math.max(1, text.length) * glyph.width);
    const scale = Math.max(1, Math.floor(Math.min(widest, cell.height / 8 / glyph.height)));
    const left = cell.x + Math.max(0, Math.floor((cell.width - text.length * glyph.width * scale) / 2));
    const top = cell.y + Math.floor((cell.height - glyph.height * scale) / 2);
    text.forEach((character, index) => {
      for (const { x, y } of litPixels(character)) {
        const at = left + (index * glyph.width + x) * scale;
        if (at + scale > cell.x + cell.width) continue;
        for (let row = 0; row < scale; row++) {
          const start = (top + y * scale + row) * this.width + at;
          this.pixels.fill(ink, start, start + scale);
        }
      }
    });
  }

  close(): void {
    for (const scaler of this.#scalers.values()) scaler.freeContext();
    this.#scalers.clear();
  }

  #scaler(sourceWidth: number, sourceHeight: number, width: number, height: number): SoftwareScaleContext {
    const name = `${sourceWidth}x${sourceHeight} ${width}x${height}`;
    const known = this.#scalers.get(name);
    if (known) return known;
    // Senders change their sizes while they warm up; a handful of scalers is all that is ever in use.
    if (this.#scalers.size > 16) this.close();
    const scaler = new SoftwareScaleContext();
    scaler.getContext(
      sourceWidth,
      sourceHeight,
      AV_PIX_FMT_YUV420P,
      width,
      height,
      AV_PIX_FMT_YUV420P,
      SWS_BILINEAR,
    );
    this.#scalers.set(name, scaler);
    return scaler;
  }

  #offset(plane: number, x: number, y: number): number {
    if (plane === 0) return y * this.width + x;
    const luma = this.width * this.height;
    return luma + (plane - 1) * (luma / 4) + (y / 2) * (this.width / 2) + x / 2;
  }

  #fill(
    area: { x: number; y: number; width: number; height: number },
    colour: { y: number; u: number; v: number },
  ): void {
    [colour.y, colour.u, colour.v].forEach((value, plane) => {
      const half = plane === 0 ? 1 : 2;
      for (let row = 0; row < area.height / half; row++) {
        const start = this.#offset(plane, area.x, area.y) + (row * this.width) / half;
        this.pixels.fill(value, start, start + area.width / half);
      }
    });
  }
}

/** Which part of a picture goes where. All numbers are even, as I420 needs. */
function fitted(frame: { width: number; height: number }, cell: Cell) {
  const even = (value: number) => Math.max(2, 2 * Math.floor(value / 2));
  const [wide, high] = [cell.width / frame.width, cell.height / frame.height];
  if (cell.fill) {
    const scale = Math.max(wide, high);
    const width = Math.min(even(frame.width), even(cell.width / scale + 1));
    const height = Math.min(even(frame.height), even(cell.height / scale + 1));
    const source = {
      x: 2 * Math.floor((frame.width - width) / 4),
      y: 2 * Math.floor((frame.height - height) / 4),
      width,
      height,
    };
    return { source, target: cell };
  }
  const scale = Math.min(wide, high);
  const width = Math.min(cell.width, even(frame.width * scale));
  const height = Math.min(cell.height, even(frame.height * scale));
  const target = {
    x: cell.x + 2 * Math.floor((cell.width - width) / 4),
    y: cell.y + 2 * Math.floor((cell.height - height) / 4),
    width,
    height,
  };
  return { source: { x: 0, y: 0, width: even(frame.width), height: even(frame.height) }, target };
}

/** BT.601, limited range. */
function toYuv(colour: string): { y: number; u: number; v: number } {
  const value = Number.parseInt(colour.slice(1), 16);
  const [red, green, blue] = [value >> 16, (value >> 8) & 255, value & 255];
  return {
    y: Math.round(16 + 0.257 * red + 0.504 * green + 0.098 * blue),
    u: Math.round(128 - 0.148 * red - 0.291 * green + 0.439 * blue),
    v: Math.round(128 + 0.439 * red - 0.368 * green - 0.071 * blue),
  };
}
