import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registerMediabunnyServer } from "@mediabunny/server";
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from "mediabunny";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PreparedRecorder } from "../media/prepared-recorder.ts";
import type { Slice } from "../media/recording-files.ts";
import { until } from "./stage.ts";

let folder: string;

beforeAll(async () => {
  registerMediabunnyServer({ hardwareContext: null });
  folder = await mkdtemp(join(tmpdir(), "prepared-recorder-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A prepared recorder and everything it gave. */
async function openRecorder(name: string) {
  const path = join(folder, `${name}.mp4`);
  const slices: Slice[] = [];
  const mp4s: { index: number; path: string; startedAt: number }[] = [];
  const recorder = await PreparedRecorder.open(
    {
      channel: name,
      video: null,
      audio: null,
      sliceSeconds: 0.2,
      mp4: { maxSeconds: 60, pathOf: () => path },
    },
    {
      slice: (slice) => slices.push(slice),
      mp4: (file) => mp4s.push(file),
      failed: (error) => expect.unreachable(String(error)),
    },
  );
  return { recorder, slices, mp4s, path };
}

const lengthOf = (slices: readonly Slice[]) => slices.reduce((sum, { seconds }) => sum + seconds, 0);

test("slices follow one another without a gap until it is told to finish, and add up to the recording", async () => {
  const { recorder, slices, mp4s, path } = await openRecorder("plain");
  const startedAt = recorder.begin(false);
  await until("three slices", () => slices.length >= 3);
  const { seconds, endedAt } = await recorder.finish();
  expect(slices[0]?.startedAt).toBe(startedAt);
  expect(slices.map(({ isFirstAfterGap }) => isFirstAfterGap)).toEqual(slices.map((_, index) => index === 0));
  for (const [index, { startedAt: at, seconds: length }] of slices.entries()) {
    const next = slices[index + 1]?.startedAt;
    // Moments are whole milliseconds.
    if (next !== undefined) expect(Math.abs(at + length * 1000 - next)).toBeLessThanOrEqual(1);
    else expect(at + length * 1000).toBeLessThanOrEqual(endedAt + 1);
  }
  expect(lengthOf(slices)).toBeLessThanOrEqual(seconds);
  expect(mp4s).toEqual([{ index: 0, path, startedAt: slices[0]?.startedAt }]);
});

test("where nobody sends, nothing is recorded; what comes after a gap says so", async () => {
  const { recorder, slices, mp4s } = await openRecorder("paused");
  recorder.begin(true);
  recorder.resume();
  await until("a slice", () => slices.length >= 1);
  recorder.pause();
  const before = slices.length;
  recorder.resume();
  await until("another slice", () => slices.length > before);
  await recorder.finish();
  expect(
    slices.filter(({ isFirstAfterGap }) => isFirstAfterGap).map((slice) => slices.indexOf(slice)),
  ).toEqual([0, before]);
  expect(mp4s).toHaveLength(1);

  const silent = await openRecorder("silent");
  silent.recorder.begin(true);
  expect(await silent.recorder.finish()).toMatchObject({ seconds: 0 });
  expect([silent.slices, silent.mp4s]).toEqual([[], []]);
});

test("after it was abandoned nothing comes any more", async () => {
  const { recorder, slices, mp4s } = await openRecorder("abandoned");
  recorder.begin(false);
  await until("a slice", () => slices.length >= 1);
  await recorder.abandon();
  const count = slices.length;
  const other = await openRecorder("witness");
  other.recorder.begin(false);
  await until("slices of somebody else", () => other.slices.length >= 2);
  await other.recorder.finish();
  expect([slices.length, mp4s]).toEqual([count, []]);
});

test("slices and MP4 are real: both tracks, the slice begins with a key frame", async () => {
  const { recorder, slices, path } = await openRecorder("real");
  recorder.begin(false);
  await until("a slice", () => slices.length >= 1);
  await recorder.finish();
  for (const [bytes, format] of [
    [slices[0]?.data ?? new Uint8Array(), "MPEG Transport Stream"],
    [new Uint8Array(await readFile(path)), "MP4"],
  ] as const) {
    const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
    expect((await input.getFormat()).name).toBe(format);
    const video = await input.getPrimaryVideoTrack();
    if (video === null) throw new Error(`${format} without a picture`);
    expect((await new EncodedPacketSink(video).getFirstPacket())?.type).toBe("key");
    expect([video.codec, (await input.getPrimaryAudioTrack())?.codec]).toEqual(["avc", "aac"]);
    input.dispose();
  }
});
