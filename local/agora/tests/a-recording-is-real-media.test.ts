import { registerMediabunnyServer } from "@mediabunny/server";
import {
  ALL_FORMATS,
  AudioSampleSink,
  BufferSource,
  EncodedPacketSink,
  Input,
  VideoSampleSink,
} from "mediabunny";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningAgora } from "../server.ts";
import {
  clientOf,
  openReceiver,
  openSink,
  startEngine,
  startRequestFor,
  until,
  webhookSecret,
} from "./stage.ts";

const cname = "7d72365eb983485397e3e3f9d460bdda";
const uid = "4000000001";
const folder = "calls/recordings/abc123/";
let sink: Awaited<ReturnType<typeof openSink>>;
let receiver: Awaited<ReturnType<typeof openReceiver>>;
let engine: RunningAgora;
let sid: string;
let seconds: number;
let stopped: Awaited<ReturnType<ReturnType<typeof clientOf>["stop"]>>;

const open = (bytes: Buffer) =>
  new Input({ source: new BufferSource(new Uint8Array(bytes)), formats: ALL_FORMATS });

beforeAll(async () => {
  registerMediabunnyServer({ hardwareContext: null });
  sink = await openSink();
  receiver = await openReceiver();
  engine = await startEngine({ webhook: { url: receiver.url, secret: webhookSecret } });
  const client = clientOf(engine.address);
  const task = await client.begin(cname, uid, startRequestFor(cname, uid, sink.host));
  sid = task.sid;
  await client.reaches(task, 5);
  const [begun] = receiver.of(40);
  await until("3.3 s of recording", () => Date.now() - (begun?.payload.sendts ?? 0) > 3_300);
  stopped = await client.stop(task);
  await until("event 31", () => receiver.of(31).length === 1);
  seconds = ((receiver.of(41)[0]?.payload.sendts ?? 0) - (begun?.payload.sendts ?? 0)) / 1000;
});

afterAll(async () => {
  await engine.stop();
  await sink.close();
  await receiver.close();
});

const stored = (name: string) => {
  const body = sink.get(`${folder}${name}`);
  if (!body) throw new Error(`${name} was not stored: ${sink.puts.map(({ key }) => key).join(", ")}`);
  return body;
};

const slices = () =>
  [
    ...stored(`${sid}_${cname}.m3u8`)
      .toString()
      .matchAll(/#EXTINF:([\d.]+)\n(.+)/g),
  ].map(([, length, name]) => ({ length: Number(length), name: name ?? "" }));

test("a synchronous stop lists the MP4 and then the playlist, all uploaded", () => {
  expect(stopped.status).toBe(200);
  expect(stopped.body).toMatchObject({ cname, uid, sid });
  expect(stopped.body.serverResponse).toMatchObject({
    fileListMode: "json",
    uploadingStatus: "uploaded",
    fileList: [
      { fileName: `${sid}_${cname}_0.mp4`, trackType: "audio_and_video", uid: "0", mixedAllUser: true },
      { fileName: `${sid}_${cname}.m3u8`, trackType: "audio_and_video", isPlayable: true },
    ],
  });
});

test("the MP4 holds H.264 and AAC and is as long as the time between events 40 and 41", async () => {
  const input = open(stored(`${sid}_${cname}_0.mp4`));
  const video = await input.getPrimaryVideoTrack();
  const audio = await input.getPrimaryAudioTrack();
  expect(video?.codec).toBe("avc");
  expect([video?.displayWidth, video?.displayHeight]).toEqual([320, 180]);
  expect(audio?.codec).toBe("aac");
  expect(audio?.sampleRate).toBe(48_000);
  expect(Math.abs(((await video?.computeDuration()) ?? 0) - seconds)).toBeLessThan(0.1);
  expect(Math.abs(((await audio?.computeDuration()) ?? 0) - seconds)).toBeLessThan(0.1);
  input.dispose();
});

test("the playlist is in Agora's dialect and its lengths add up to the recording", () => {
  const text = stored(`${sid}_${cname}.m3u8`).toString();
  const lines = text.trimEnd().split("\n");
  expect(lines.slice(0, 6)).toEqual([
    "#EXTM3U",
    "#EXT-X-VERSION:3",
    "#EXT-X-MEDIA-SEQUENCE:0",
    "#EXT-X-ALLOW-CACHE:YES",
    expect.stringMatching(/^#EXT-X-TARGETDURATION:[12]$/),
    "#EXT-X-DISCONTINUITY",
  ]);
  expect(text).toMatch(/#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=\d{17}\n/);
  expect(text).toMatch(/#EXT-X-AGORA-ROTATE:WIDTH=320,HEIGHT=180,ROTATE=0,TIME=\d{17}\n/);
  expect(lines.at(-1)).toBe("#EXT-X-ENDLIST");
  expect(slices()).toHaveLength(4);
  for (const { name } of slices()) expect(name).toMatch(new RegExp(`^${sid}_${cname}_\\d{17}\\.ts$`));
  const total = slices().reduce((sum, { length }) => sum + length, 0);
  expect(Math.abs(total - seconds)).toBeLessThan(0.1);
});

test("each slice is MPEG-TS with both tracks, starts with a key frame and goes on where the last one ended", async () => {
  let start = 0;
  for (const { length, name } of slices()) {
    const input = open(stored(name));
    expect((await input.getFormat()).name).toBe("MPEG Transport Stream");
    const video = await input.getPrimaryVideoTrack();
    const audio = await input.getPrimaryAudioTrack();
    if (!video || !audio) throw new Error(`${name} lacks a track`);
    const first = await new EncodedPacketSink(video).getFirstPacket();
    expect(first?.type).toBe("key");
    expect(first?.timestamp).toBeCloseTo(start, 2);
    expect(await audio.getFirstTimestamp()).toBeCloseTo(start, 1);
    start += length;
    input.dispose();
  }
});

test("the sound beeps at every full second and is silent between", async () => {
  const input = open(stored(`${sid}_${cname}_0.mp4`));
  const audio = await input.getPrimaryAudioTrack();
  if (!audio) throw new Error("no sound");
  const samples: number[] = [];
  for await (const sample of new AudioSampleSink(audio).samples()) {
    const plane = new Float32Array(sample.numberOfFrames);
    sample.copyTo(plane, { planeIndex: 0, format: "f32-planar" });
    samples.push(...plane);
    sample.close();
  }
  const loudness = (from: number, to: number) =>
    Math.max(...samples.slice(Math.round(from * 48_000), Math.round(to * 48_000)).map(Math.abs));
  for (let second = 0; second + 0.9 < seconds; second++) {
    expect(loudness(second + 0.03, second + 0.08), `beep at ${second} s`).toBeGreaterThan(0.2);
    expect(loudness(second + 0.2, second + 0.9), `silence after ${second} s`).toBeLessThan(0.05);
  }
  input.dispose();
});

test("the picture moves and changes with the second", async () => {
  const input = open(stored(`${sid}_${cname}_0.mp4`));
  const video = await input.getPrimaryVideoTrack();
  if (!video) throw new Error("no picture");
  const frames = new VideoSampleSink(video);
  const lumaAt = async (seconds: number) => {
    const sample = await frames.getSample(seconds);
    if (!sample) throw new Error(`no picture at ${seconds}`);
    const bytes = new Uint8Array(sample.allocationSize());
    await sample.copyTo(bytes);
    sample.close();
    return bytes.subarray(0, 320 * 180);
  };
  const strip = (luma: Uint8Array, from: number, to: number) => luma.slice(320 * from, 320 * to);
  const [early, later] = [await lumaAt(0.5), await lumaAt(2.5)];
  // What the stream does not say a player guesses, by the height of the picture.
  const first = await frames.getSample(0);
  expect(first?.colorSpace).toMatchObject({ matrix: "smpte170m", fullRange: false });
  first?.close();
  // "simulated" and the channel stand at the top and stay; the clock below changes.
  expect(Math.max(...strip(early, 36, 52))).toBeGreaterThan(200);
  expect(strip(early, 108, 140)).not.toEqual(strip(later, 108, 140));
  input.dispose();
});

test("objects are put without checksum headers, with their length, under the prefix", () => {
  for (const { key, headers, body } of sink.puts) {
    expect(key.startsWith(folder)).toBe(true);
    expect(headers["content-length"]).toBe(String(body.length));
    expect(headers["transfer-encoding"]).toBeUndefined();
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=key\/\d{8}\/us-west-004\/s3\/aws4_request/,
    );
    expect(Object.keys(headers).filter((name) => /checksum|content-md5/.test(name))).toEqual([]);
  }
});

test("the playlist is overwritten after each slice and never names a slice that is not stored yet", () => {
  const known = new Set<string>();
  let playlists = 0;
  for (const { key, body } of sink.puts) {
    known.add(key);
    if (!key.endsWith(".m3u8")) continue;
    playlists += 1;
    for (const [name] of body.toString().matchAll(/^[^#\n].*$/gm))
      expect(known).toContain(`${folder}${name}`);
  }
  expect(playlists).toBeGreaterThanOrEqual(4);
});
