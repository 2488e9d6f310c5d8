import { afterAll, beforeAll, expect, test } from "vitest";
import { agreementOf, agreementOfBeeps } from "../../browser/clock-agreement.ts";
import { durationOf, findBeeps, type ReadClock, readClocks } from "../../browser/recorded-clock.ts";
import { cellsFor } from "../capture/layout.ts";
import type { RunningAgora } from "../server.ts";
import { credentialsFor } from "./call-stage.ts";
import { type CallerClock, callerSize, NodeCaller } from "./node-caller.ts";
import { recordersOf } from "./recorder-processes.ts";
import {
  clientOf,
  openReceiver,
  openSink,
  startEngine,
  startRequestFor,
  until,
  webhookSecret,
} from "./stage.ts";

const folder = "calls/recordings/abc123/";
const clocks: [CallerClock, CallerClock, CallerClock] = [
  { u: 100, v: 190, pitch: 1_000, beepAtMs: 0 },
  { u: 190, v: 100, pitch: 1_500, beepAtMs: 500 },
  { u: 80, v: 80, pitch: 2_000, beepAtMs: 250 },
];
/** More pictures than are sent, so that each stands where it belongs. */
const transcodingConfig = { ...callerSize, fps: 30, bitrate: 400, mixedVideoLayout: 1 };
const recordingConfig = { channelType: 1, maxIdleTime: 5, transcodingConfig };

let engine: RunningAgora;
let sink: Awaited<ReturnType<typeof openSink>>;
let receiver: Awaited<ReturnType<typeof openReceiver>>;
const callers: NodeCaller[] = [];

beforeAll(async () => {
  sink = await openSink();
  receiver = await openReceiver();
  engine = await startEngine({
    webhook: { url: receiver.url, secret: webhookSecret },
    calls: { lossPercent: 3, recordingDelayMs: 3_000, heartbeatMs: 1_000 },
  });
});
afterAll(async () => {
  await Promise.all(callers.map((caller) => caller.leave()));
  await engine.stop();
  await sink.close();
  await receiver.close();
});

async function join(channel: string, uid: 1 | 2 | 3): Promise<NodeCaller> {
  const clock = clocks[uid - 1];
  if (!clock) throw new Error("no clock");
  const caller = await NodeCaller.join(await credentialsFor(engine.address, channel, uid), clock);
  callers.push(caller);
  return caller;
}
const begin = (channel: string, uid: string) => {
  const client = clientOf(engine.address);
  const request = startRequestFor(channel, uid, sink.host, { recordingConfig });
  return client.begin(channel, uid, request);
};
const eventOf = (sid: string, type: number, nth = 0) =>
  until(`event ${type}`, () => receiver.of(type).filter((event) => event.sid === sid)[nth], 60_000);
const passes = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const mp4Of = (name: string) => {
  const body = sink.get(`${folder}${name}`);
  if (!body) throw new Error(`${name} was not stored: ${sink.puts.map(({ key }) => key).join(", ")}`);
  return new Uint8Array(body);
};
const cellsOf = (uids: number[]) =>
  cellsFor(
    transcodingConfig,
    uids.map((uid) => ({ uid, hasScreen: false })),
  ).map((cell) => ({ cell, aspect: callerSize.width / callerSize.height }));

test("clocks and beeps of a recorded call agree with the wall's, through joining, mute, leaving and lost packets", async () => {
  const [first, second] = [await join("call", 1), await join("call", 2)];
  const task = await begin("call", "4000000001");
  const startedAt = (await eventOf(task.sid, 40)).payload.sendts;
  await passes(3_000);
  const joining = Date.now();
  await join("call", 3);
  const joined = Date.now();
  await passes(3_000);
  const muted = Date.now();
  second.publish({ camera: "muted" });
  await passes(3_000);
  second.publish({ camera: "on" });
  const unmuted = Date.now();
  await passes(3_000);
  const leaving = Date.now();
  await first.leave();
  const left = Date.now();
  await passes(3_000);
  await clientOf(engine.address).stop(task);
  const endedAt = (await eventOf(task.sid, 41)).payload.sendts;
  const mp4 = mp4Of(`${task.sid}_call_0.mp4`);

  expect(Math.abs((await durationOf(mp4)) - (endedAt - startedAt))).toBeLessThan(100);

  const layouts = { two: cellsOf([1, 2]), three: cellsOf([1, 2, 3]), last: cellsOf([2, 3]) };
  const read = await readClocks(mp4, startedAt, () => [...layouts.two, ...layouts.three, ...layouts.last]);
  const shown = (index: number, from: number, to: number) =>
    read
      .flatMap((cells) => cells[index] ?? [])
      .filter(({ atMs }) => startedAt + atMs > from && startedAt + atMs < to);
  const isReadable = (clock: ReadClock[]) =>
    clock.filter(({ wallMs }) => wallMs !== null).length / Math.max(1, clock.length);
  /** A key picture comes each second, and it may be lost once. */
  const settledMs = 1_500;
  const stretches: [string, number, ReadClock[]][] = [
    ["first of two", 0, shown(0, startedAt + settledMs, joining)],
    ["second of two", 1, shown(1, startedAt + settledMs, joining)],
    ["first of three", 0, shown(2, joined + settledMs, leaving)],
    ["second of three, after the mute", 1, shown(3, unmuted + settledMs, leaving)],
    ["third of three", 2, shown(4, joined + settledMs, leaving)],
    ["second, after the first left", 1, shown(5, left + 500, endedAt)],
    ["third, after the first left", 2, shown(6, left + 500, endedAt)],
  ];
  for (const [name, index, clock] of stretches) {
    const agreement = agreementOf(clock, startedAt);
    const told = `${name}: ${JSON.stringify(agreement)}`;
    expect(agreement.count, told).toBeGreaterThan(5);
    expect(Math.abs(agreement.worst), told).toBeLessThan(150);
    expect(isReadable(clock), told).toBeGreaterThan(0.9);
    for (const { ground } of clock) {
      expect(Math.abs(ground.u - (clocks[index]?.u ?? 0)), told).toBeLessThan(30);
      expect(Math.abs(ground.v - (clocks[index]?.v ?? 0)), told).toBeLessThan(30);
    }
  }
  const card = shown(3, muted + 500, unmuted);
  expect(card.length).toBeGreaterThan(10);
  for (const { wallMs } of card) expect(wallMs).toBeNull();

  const beeps = await findBeeps(
    mp4,
    clocks.map(({ pitch }) => pitch),
  );
  const heard = (index: number, from: number, to: number) =>
    (beeps[index] ?? []).filter((ms) => startedAt + ms > from && startedAt + ms < to);
  const sounds: [number, number, number, ReadClock[]][] = [
    [0, startedAt, leaving, shown(2, joined + settledMs, leaving)],
    [1, startedAt, endedAt, shown(5, left + 500, endedAt)],
    [2, joined, endedAt, shown(6, left + 500, endedAt)],
  ];
  for (const [index, from, to, picture] of sounds) {
    const sound = agreementOfBeeps(heard(index, from, to), startedAt, clocks[index]?.beepAtMs ?? 0);
    const told = `person ${index + 1}: ${JSON.stringify(sound)}`;
    expect(sound.count, told).toBeGreaterThan((0.7 * (to - from)) / 1000 - 1);
    expect(Math.abs(sound.worst), told).toBeLessThan(150);
    expect(Math.abs(sound.median - agreementOf(picture, startedAt).median), told).toBeLessThan(80);
  }
  expect(heard(0, left + 1_000, endedAt)).toEqual([]);
});

test("after a kill of the recorder's process the recording goes on as a failover; what was handed over is not lost", async () => {
  await join("doomed", 1);
  const task = await begin("doomed", "4000000002");
  await clientOf(engine.address).reaches(task, 5);
  const before = recordersOf(process.pid);
  expect(before).toHaveLength(1);
  for (const pid of before) process.kill(pid, "SIGKILL");
  const moved = await eventOf(task.sid, 12);
  const again = await eventOf(task.sid, 40, 1);
  expect(again.payload.uid).toBe(String(moved.payload.details.newUid));
  await until("the next server's playlist", () => sink.get(`${folder}bak0_${task.sid}_doomed.m3u8`));
  await clientOf(engine.address).stop(task);
  await eventOf(task.sid, 31);
  const old = sink.get(`${folder}${task.sid}_doomed.m3u8`)?.toString() ?? "";
  expect(old).toContain("#EXTINF:1.000000");
  expect(old).not.toContain("#EXT-X-ENDLIST");
  expect(sink.get(`${folder}bak0_${task.sid}_doomed.m3u8`)?.toString()).toContain("#EXT-X-ENDLIST");
  expect(await durationOf(mp4Of(`bak0_${task.sid}_doomed_0.mp4`))).toBeGreaterThan(500);
  expect(recordersOf(process.pid)).toEqual([]);
});

test("a tab that dies without a word is missed within seconds; with nobody left the recorder leaves by itself", async () => {
  const caller = await join("empty", 2);
  const task = await begin("empty", "4000000003");
  const startedAt = (await eventOf(task.sid, 40)).payload.sendts;
  await clientOf(engine.address).reaches(task, 5);
  const died = Date.now();
  await caller.leave(true);
  const left = await eventOf(task.sid, 41);
  expect(left.payload.details.leaveCode).toBe(4);
  expect(left.payload.sendts - died).toBeGreaterThan(4_900);
  await eventOf(task.sid, 31);
  const duration = await durationOf(mp4Of(`${task.sid}_empty_0.mp4`));
  expect(duration).toBeGreaterThan(500);
  expect(duration).toBeLessThan(died - startedAt + 4_000);
});
