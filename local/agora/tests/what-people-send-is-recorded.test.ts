import { afterAll, beforeAll, expect, test } from "vitest";
import { durationOf, findBeeps, readClocks } from "../../browser/recorded-clock.ts";
import { cellsFor } from "../capture/layout.ts";
import type { RunningAgora } from "../server.ts";
import { credentialsFor } from "./call-stage.ts";
import type { CallerClock } from "./caller-media.ts";
import { callerSize, NodeCaller } from "./node-caller.ts";
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
import { judgeBeeps, judgePictures } from "./what-was-sent.ts";

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
    calls: { lossPercent: 3, recordingDelayMs: 2_000, heartbeatMs: 1_000 },
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

/** Until the server has told a caller what another one sends. */
const knows = (caller: NodeCaller, what: string, isSo: (peers: NodeCaller["peers"]) => boolean) =>
  until(what, () => isSo(caller.peers), 60_000);

test("clocks and beeps of a recorded call agree with the wall's, through joining, mute, leaving and lost packets", async () => {
  const [first, second] = [await join("call", 1), await join("call", 2)];
  const task = await begin("call", "4000000001");
  const startedAt = (await eventOf(task.sid, 40)).payload.sendts;
  await passes(3_000);
  const joining = Date.now();
  const third = await join("call", 3);
  const joined = Date.now();
  await passes(3_000);
  second.publish({ camera: "muted" });
  await knows(first, "the mute", (peers) =>
    peers.some(({ publications }) => publications.camera === "muted"),
  );
  const muted = Date.now();
  await passes(2_000);
  const unmuting = Date.now();
  second.publish({ camera: "on" });
  await knows(first, "its end", (peers) => peers.every(({ publications }) => publications.camera === "on"));
  const unmuted = Date.now();
  await passes(3_000);
  const leaving = Date.now();
  await first.leave();
  await knows(second, "who left", (peers) => peers.every(({ uid }) => uid !== 1));
  const left = Date.now();
  await passes(3_000);
  await clientOf(engine.address).stop(task);
  const endedAt = (await eventOf(task.sid, 41)).payload.sendts;
  const mp4 = mp4Of(`${task.sid}_call_0.mp4`);

  expect(Math.abs((await durationOf(mp4)) - (endedAt - startedAt))).toBeLessThan(100);

  const layouts = { two: cellsOf([1, 2]), three: cellsOf([1, 2, 3]), last: cellsOf([2, 3]) };
  const read = await readClocks(mp4, startedAt, () => [...layouts.two, ...layouts.three, ...layouts.last]);
  const shown = (index: number, [from, to]: [number, number]) =>
    read
      .flatMap((cells) => cells[index] ?? [])
      .filter(({ atMs }) => startedAt + atMs > from && startedAt + atMs < to);
  /** A key picture comes each second, and it may be lost once. */
  const settledMs = 1_500;
  const stretches: [string, NodeCaller, number, [number, number]][] = [
    ["first of two", first, 0, [startedAt + settledMs, joining]],
    ["second of two", second, 1, [startedAt + settledMs, joining]],
    ["first of three", first, 2, [joined + settledMs, leaving]],
    ["second of three, after the mute", second, 3, [unmuted + settledMs, leaving]],
    ["third of three", third, 4, [joined + settledMs, leaving]],
    ["second, after the first left", second, 5, [left + 500, endedAt]],
    ["third, after the first left", third, 6, [left + 500, endedAt]],
  ];
  for (const [name, caller, index, span] of stretches) {
    const clock = shown(index, span);
    const { agreement, expected, readable } = judgePictures(caller, clock, startedAt, span);
    const told = `${name}: ${JSON.stringify({ agreement, expected, readable })}`;
    // A starved machine asks late for what was lost, and then waits for the next whole picture.
    expect(agreement.count, told).toBeGreaterThan(expected / 4 - 2);
    if (agreement.count > 0) expect(Math.abs(agreement.worst), told).toBeLessThan(150);
    expect(readable, told).toBeGreaterThan(expected > 0 ? 0.9 : -1);
    for (const { ground, wallMs } of clock) {
      if (wallMs === null) continue;
      expect(Math.abs(ground.u - caller.clock.u), told).toBeLessThan(30);
      expect(Math.abs(ground.v - caller.clock.v), told).toBeLessThan(30);
    }
  }
  const card = shown(3, [muted + 100, unmuting]);
  expect(card.length).toBeGreaterThan(10);
  for (const { wallMs } of card) expect(wallMs).toBeNull();

  const beeps = await findBeeps(
    mp4,
    clocks.map(({ pitch }) => pitch),
  );
  const sounds: [NodeCaller, number, [number, number]][] = [
    [first, 2, [startedAt, leaving]],
    [second, 5, [startedAt, endedAt]],
    [third, 6, [joined, endedAt]],
  ];
  for (const [caller, cell, span] of sounds) {
    const onsets = beeps[caller.uid - 1] ?? [];
    const { agreement, expected } = judgeBeeps(caller, onsets, startedAt, span);
    const told = `person ${caller.uid}: ${JSON.stringify({ agreement, expected })}`;
    // Sound that was lost is not asked for again: a beep in ten may begin late, or not be heard.
    expect(agreement.count, told).toBeGreaterThan(0.7 * expected - 1);
    if (agreement.count === 0) continue;
    expect(Math.abs(agreement.worst), told).toBeLessThan(150);
    const pictures = judgePictures(caller, shown(cell, span), startedAt, span).agreement;
    if (pictures.count > 5) expect(Math.abs(agreement.median - pictures.median), told).toBeLessThan(80);
  }
  const late = (beeps[0] ?? []).filter((ms) => startedAt + ms > left + 1_000);
  expect(late).toEqual([]);
});

test("a recorder that stands still for two seconds, and a server that does for one, lose nothing", async () => {
  const caller = await join("still", 1);
  const task = await begin("still", "4000000004");
  const startedAt = (await eventOf(task.sid, 40)).payload.sendts;
  await passes(1_500);
  const [recorder] = recordersOf(process.pid);
  process.kill(recorder ?? 0, "SIGSTOP");
  await passes(2_000);
  process.kill(recorder ?? 0, "SIGCONT");
  await passes(500);
  // Everything of this process stands: the media server, and the caller with it.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  await passes(1_500);
  await clientOf(engine.address).stop(task);
  const endedAt = (await eventOf(task.sid, 41)).payload.sendts;
  const mp4 = mp4Of(`${task.sid}_still_0.mp4`);
  expect(Math.abs((await durationOf(mp4)) - (endedAt - startedAt))).toBeLessThan(100);
  const span: [number, number] = [startedAt, endedAt];
  const clock = (await readClocks(mp4, startedAt, () => cellsOf([1]))).flatMap(([cell]) => cell ?? []);
  const pictures = judgePictures(caller, clock, startedAt, span);
  const told = JSON.stringify(pictures);
  expect(pictures.agreement.count, told).toBeGreaterThan(0.75 * pictures.expected - 2);
  if (pictures.agreement.count > 0) expect(Math.abs(pictures.agreement.worst), told).toBeLessThan(150);
  const [onsets = []] = await findBeeps(mp4, [caller.clock.pitch]);
  const sound = judgeBeeps(caller, onsets, startedAt, span);
  expect(sound.agreement.count, JSON.stringify(sound)).toBeGreaterThan(0.7 * sound.expected - 1);
  if (sound.agreement.count > 0) {
    expect(Math.abs(sound.agreement.worst), JSON.stringify(sound)).toBeLessThan(150);
  }
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
