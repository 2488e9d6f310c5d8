import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { blockSeconds } from "../media/aac-blocks.ts";
import { beepTrack } from "../media/beeps.ts";
import { RecordingFiles, type Slice } from "../media/recording-files.ts";

let folder: string;
const slices: Slice[] = [];
const mp4s: { index: number; startedAt: number }[] = [];
const forgotten: number[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "recording-files-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
  for (const list of [slices, mp4s, forgotten]) list.length = 0;
});

/** Files of a recording of sound alone, whose media second 0 is the wall's millisecond 0. */
async function soundFiles(mp4Seconds: number | null) {
  const files = new RecordingFiles(
    {
      sliceSeconds: 2,
      mp4:
        mp4Seconds === null
          ? null
          : { maxSeconds: mp4Seconds, pathOf: (index) => join(folder, `${index}.mp4`) },
    },
    { video: null, audio: await beepTrack(0) },
    {
      slice: (slice) => slices.push(slice),
      mp4: ({ index, startedAt }) => mp4s.push({ index, startedAt }),
      failed: (error) => expect.unreachable(String(error)),
    },
    (block) => forgotten.push(block),
  );
  const record = async (from: number, to: number) => {
    for (let at = from; at < to; at++) await files.add(at, at * 1000, null, files.cutAt(at));
  };
  return { files, record };
}

const shapes = () =>
  slices.map(({ startedAt, seconds, isFirstAfterGap }) => ({ startedAt, seconds, isFirstAfterGap }));

it("ends a slice at the first moment past its length, and the MP4 with the slice that fills it", async () => {
  const { files, record } = await soundFiles(3);
  await record(0, 7);
  await files.endSlice(7, blockSeconds / 2);
  await files.endMp4();
  expect(shapes()).toEqual([
    { startedAt: 0, seconds: 2, isFirstAfterGap: true },
    { startedAt: 2_000, seconds: 2, isFirstAfterGap: false },
    { startedAt: 4_000, seconds: 2, isFirstAfterGap: false },
    { startedAt: 6_000, seconds: 1, isFirstAfterGap: false },
  ]);
  expect(mp4s).toEqual([
    { index: 0, startedAt: 0 },
    { index: 1, startedAt: 4_000 },
  ]);
  expect((await stat(join(folder, "1.mp4"))).size).toBeGreaterThan(1_000);
});

it("begins a slice after each interruption, also after one that came while a picture was being made", async () => {
  const { files, record } = await soundFiles(null);
  await record(0, 1);
  await files.endSlice(1);
  files.interrupt();
  const cut = files.cutAt(1);
  // The recording is paused and resumed between the question and its answer.
  files.interrupt();
  await files.add(1, 5_000, null, cut);
  await files.add(2, 9_000, null, files.cutAt(2));
  await files.endSlice(3);
  expect(shapes()).toEqual([
    { startedAt: 0, seconds: 1, isFirstAfterGap: true },
    { startedAt: 5_000, seconds: 1, isFirstAfterGap: true },
    { startedAt: 9_000, seconds: 1, isFirstAfterGap: true },
  ]);
});

it("tells each block of sound once, in order, and leaves out what would sound past the end's margin", async () => {
  const { files, record } = await soundFiles(null);
  await record(0, 2);
  const margin = 10 * blockSeconds;
  await files.endSlice(2, margin);
  const blocks = Math.ceil((2 - margin) / blockSeconds);
  expect(forgotten).toEqual(Array.from({ length: blocks }, (_, index) => index));
});

it("hands over nothing that was given up", async () => {
  const { files, record } = await soundFiles(60);
  await record(0, 3);
  await files.abandon();
  await files.endSlice(4);
  await files.endMp4();
  expect(shapes()).toEqual([{ startedAt: 0, seconds: 2, isFirstAfterGap: true }]);
  expect(mp4s).toEqual([]);
  expect(await readdir(folder)).toEqual(["0.mp4"]);
});
