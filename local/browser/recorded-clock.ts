import { registerMediabunnyServer } from "@mediabunny/server";
import {
  ALL_FORMATS,
  AudioSampleSink,
  BufferSource,
  Input,
  type VideoSample,
  VideoSampleSink,
} from "mediabunny";
import type { Cell } from "../agora/capture/layout.ts";
import { cycleMs, fields, momentOf } from "./pages/clock-face.ts";
import type { Point, Shade } from "./pages/play-page.ts";
import { BeepFinder, windowSamples } from "./pages/tone.ts";

/** What one cell showed in one picture of a recording. */
export interface ReadClock {
  /** Media time, ms. */
  atMs: number;
  /** Recorded moment (UTC ms), where a clock was readable. */
  wallMs: number | null;
  /** Mean colour of the ground beside the clock. */
  ground: Shade;
}

export interface ClockCell {
  cell: Pick<Cell, "x" | "y" | "width" | "height" | "fill">;
  /** Width by height of what was sent. */
  aspect: number;
}

/** Between these a field is neither black nor white. */
const [darkest, brightest] = [96, 160];

let isRegistered = false;
function open(bytes: Uint8Array): Input {
  if (!isRegistered) registerMediabunnyServer({ hardwareContext: null });
  isRegistered = true;
  return new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
}

/**
 * Reads the clocks out of every picture of an MP4 whose first picture was at `startedAt` (UTC ms). `cellsAt` says what is looked at in
 * the picture of a media time (ms).
 */
export async function readClocks(
  mp4: Uint8Array,
  startedAt: number,
  cellsAt: (mediaMs: number) => ClockCell[],
): Promise<ReadClock[][]> {
  using input = open(mp4);
  const track = await input.getPrimaryVideoTrack();
  if (!track) throw new Error("the recording has no pictures");
  const read: ReadClock[][] = [];
  for await (const sample of new VideoSampleSink(track).samples()) {
    const atMs = sample.timestamp * 1000;
    const planes = await planesOf(sample);
    sample.close();
    const shadesOf = (wanted: ClockCell) => pointsOf(wanted).map(({ x, y }) => colourAt(planes, x, y));
    read.push(cellsAt(atMs).map((wanted) => clockOf(shadesOf(wanted), atMs, startedAt + atMs)));
  }
  return read;
}

/** Length of an MP4, ms. */
export async function durationOf(mp4: Uint8Array): Promise<number> {
  using input = open(mp4);
  return (await input.computeDuration()) * 1000;
}

/** Size of an MP4's pictures, pixels. */
export async function sizeOf(mp4: Uint8Array): Promise<{ width: number; height: number }> {
  using input = open(mp4);
  const track = await input.getPrimaryVideoTrack();
  if (!track) throw new Error("the recording has no pictures");
  return { width: await track.getCodedWidth(), height: await track.getCodedHeight() };
}

interface Planes {
  width: number;
  height: number;
  data: Uint8Array;
}

async function planesOf(sample: VideoSample): Promise<Planes> {
  const data = new Uint8Array(sample.allocationSize({ format: "I420" }));
  await sample.copyTo(data, { format: "I420" });
  return { width: sample.codedWidth, height: sample.codedHeight, data };
}

/** Where in a picture of the recording a cell's clock is looked at: its fields, then the ground beside them. */
export function pointsOf({ cell, aspect }: ClockCell): Point[] {
  const place = placeIn(cell, aspect);
  return [
    ...fields.map((field) => place(field.x + field.width / 2, field.y + field.height / 2)),
    place(0.5, 0.22),
  ];
}

/** Reads a clock out of what is seen at `pointsOf`, in a picture at `atMs` that was recorded at about `aboutMs` (UTC). */
export function clockOf(shades: Shade[], atMs: number, aboutMs: number): ReadClock {
  const ground = shades.at(-1) ?? { y: 0, u: 128, v: 128 };
  const lumas = shades.slice(0, -1).map(({ y }) => y);
  const isUnclear = lumas.some((luma) => luma > darkest && luma < brightest);
  // A card with a name, or the background: grey, while every clock stands on a colour.
  const isGrey = Math.abs(ground.u - 128) < 12 && Math.abs(ground.v - 128) < 12;
  if (isUnclear || isGrey) return { atMs, wallMs: null, ground };
  // The clock says where in its cycle it is; which cycle, the picture's own time says.
  const moment = momentOf(lumas.map((luma) => luma >= brightest));
  const cycles = Math.round((aboutMs - moment) / cycleMs);
  return { atMs, wallMs: cycles * cycleMs + moment, ground };
}

/** Turns shares of what was sent into pixels of the recording. */
function placeIn(cell: ClockCell["cell"], aspect: number): (x: number, y: number) => Point {
  const isWider = aspect > cell.width / cell.height;
  const byHeight = cell.fill ? isWider : !isWider;
  const width = byHeight ? cell.height * aspect : cell.width;
  const height = byHeight ? cell.height : cell.width / aspect;
  return (x, y) => ({
    x: Math.round(cell.x + cell.width / 2 + (x - 0.5) * width),
    y: Math.round(cell.y + cell.height / 2 + (y - 0.5) * height),
  });
}

function meanLuma({ width, height, data }: Planes, x: number, y: number): number {
  let sum = 0;
  let count = 0;
  for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
    for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
      sum += data[row * width + column] ?? 0;
      count += 1;
    }
  }
  return sum / Math.max(1, count);
}

function colourAt(planes: Planes, x: number, y: number): Shade {
  const luma = planes.width * planes.height;
  const at = Math.floor(y / 2) * (planes.width / 2) + Math.floor(x / 2);
  return {
    y: meanLuma(planes, x, y),
    u: planes.data[luma + at] ?? 128,
    v: planes.data[luma + luma / 4 + at] ?? 128,
  };
}

/** Media times (ms) at which a tone of each pitch (Hz) begins. */
export async function findBeeps(mp4: Uint8Array, pitches: number[]): Promise<number[][]> {
  using input = open(mp4);
  const track = await input.getPrimaryAudioTrack();
  if (!track) throw new Error("the recording has no sound");
  const onsets = pitches.map((): number[] => []);
  let finders: BeepFinder[] | undefined;
  let rest = new Float32Array(0);
  let restAt: number | null = null;
  for await (const sample of new AudioSampleSink(track).samples()) {
    const left = new Float32Array(sample.numberOfFrames);
    sample.copyTo(left, { planeIndex: 0, format: "f32-planar" });
    restAt ??= sample.timestamp * 1000;
    const rate = sample.sampleRate;
    finders ??= pitches.map((pitch) => new BeepFinder(pitch, rate));
    sample.close();
    const joined = new Float32Array(rest.length + left.length);
    joined.set(rest);
    joined.set(left, rest.length);
    let at = 0;
    for (; at + windowSamples <= joined.length; at += windowSamples) {
      const window = joined.subarray(at, at + windowSamples);
      const ms = restAt + (at * 1000) / rate;
      finders.forEach((finder, index) => {
        const onset = finder.take(window, ms);
        if (onset !== null) onsets[index]?.push(onset);
      });
    }
    rest = joined.slice(at);
    restAt += (at * 1000) / rate;
  }
  return onsets;
}
