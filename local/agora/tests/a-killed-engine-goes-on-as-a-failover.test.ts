import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ALL_FORMATS, BufferSource, Input } from "mediabunny";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PartMessage } from "../../stack/part.ts";
import {
  clientOf,
  openReceiver,
  openSink,
  startRequestFor,
  testSettings,
  until,
  webhookSecret,
} from "./stage.ts";

const folder = "calls/recordings/abc123/";
let sink: Awaited<ReturnType<typeof openSink>>;
let receiver: Awaited<ReturnType<typeof openReceiver>>;
let stateDir: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  sink = await openSink();
  receiver = await openReceiver();
  stateDir = mkdtempSync(join(tmpdir(), "recording-engine-test-"));
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await sink.close();
  await receiver.close();
  rmSync(stateDir, { recursive: true, force: true });
});

/** Starts the part as the supervisor does, as a process of its own. */
async function startProcess(): Promise<{ address: string; kill(signal: NodeJS.Signals): Promise<void> }> {
  const settings = testSettings({
    stateDir,
    sliceSeconds: 0.5,
    webhook: { url: receiver.url, secret: webhookSecret },
  });
  const child = fork(join(import.meta.dirname, "../main.ts"), {
    env: { ...process.env, PART_SETTINGS: JSON.stringify(settings) },
    execPath: join(import.meta.dirname, "../../../node_modules/.bin/node"),
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  children.push(child);
  const address = await new Promise<string>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`exited with ${code}`)));
    child.on("message", (message: PartMessage) => {
      if (message.type === "ready") resolve(message.address ?? "");
      else reject(new Error(message.reason));
    });
  });
  const kill = (signal: NodeJS.Signals) =>
    new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.kill(signal);
    });
  return { address, kill };
}

test("after kill -9 and a restart the recording goes on under the same sid with bak0_ files", async () => {
  const first = await startProcess();
  const before = clientOf(first.address);
  const task = await before.begin("room", "4000000009", startRequestFor("room", "4000000009", sink.host));
  const doomed = await before.begin("gone", "4000000010", startRequestFor("gone", "4000000010", sink.host));
  await before.reaches(task, 5);
  await before.reaches(doomed, 5);
  await first.kill("SIGKILL");

  const second = await startProcess();
  const after = clientOf(second.address);
  expect((await after.query(task)).status).toBe(404);
  const moved = await until("event 12", () => receiver.of(12).find(({ sid }) => sid === task.sid));
  expect(moved.payload.details).toEqual({ msgName: "session_failover", newUid: expect.any(Number) });
  await after.reaches(task, 5);
  const { body } = await after.query(task);
  expect(body).toMatchObject({ sid: task.sid, uid: "4000000009" });
  expect(body.serverResponse.fileList).toMatchObject([{ fileName: `bak0_${task.sid}_room.m3u8` }]);
  const stopped = await after.stop(task);
  expect(stopped.body.serverResponse.fileList.map(({ fileName }: { fileName: string }) => fileName)).toEqual([
    `bak0_${task.sid}_room_0.mp4`,
    `bak0_${task.sid}_room.m3u8`,
  ]);

  const [old, next] = receiver.of(40).filter(({ sid }) => sid === task.sid);
  expect(old?.payload.uid).toBe("4000000009");
  expect(next?.payload.uid).toBe(String(moved.payload.details.newUid));
  expect(next?.payload.sequence).toBeGreaterThan(moved.payload.sequence);
  expect(sink.get(`${folder}${task.sid}_room.m3u8`)?.toString()).not.toContain("#EXT-X-ENDLIST");
  expect(sink.get(`${folder}bak0_${task.sid}_room.m3u8`)?.toString()).toContain("#EXT-X-ENDLIST");
  const mp4 = sink.get(`${folder}bak0_${task.sid}_room_0.mp4`);
  const input = new Input({ source: new BufferSource(new Uint8Array(mp4 ?? [])), formats: ALL_FORMATS });
  expect(await input.computeDuration()).toBeGreaterThan(0.4);
  await after.isGone(task);

  // An ordinary end of the process loses no task either: the other one goes on a second time.
  await after.reaches(doomed, 5);
  await second.kill("SIGTERM");
  const third = await startProcess();
  const last = clientOf(third.address);
  await until("bak1", async () => {
    const { body } = await last.query(doomed);
    return body.serverResponse?.fileList?.[0]?.fileName === `bak1_${doomed.sid}_gone.m3u8`;
  });
  expect((await last.stop(doomed)).status).toBe(200);
  await last.isGone(doomed);
  expect(readdirSync(join(stateDir, "tasks"))).toEqual([]);
  await third.kill("SIGTERM");
});
