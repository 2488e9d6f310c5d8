import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
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
let sink: Awaited<ReturnType<typeof openSink>>;
let receiver: Awaited<ReturnType<typeof openReceiver>>;
let stateDir: string;

beforeAll(async () => {
  sink = await openSink();
  receiver = await openReceiver();
  stateDir = mkdtempSync(join(tmpdir(), "recording-engine-test-"));
});
afterAll(async () => {
  await sink.close();
  await receiver.close();
  rmSync(stateDir, { recursive: true, force: true });
});

const start = () =>
  startEngine({
    stateDir,
    sliceSeconds: 0.4,
    exitMs: 20,
    webhook: { url: receiver.url, secret: webhookSecret },
  });

/** Records some slices of which every second one goes to the backup cloud, and stops. */
async function record(uid: string, forwardedAfterMs: number) {
  const engine = await start();
  const client = clientOf(engine.address);
  const cname = `late_${uid}`;
  engine.control.switchOn({ kind: "backup_cloud", cname, ms: forwardedAfterMs, times: 1 });
  const task = await client.begin(cname, uid, startRequestFor(cname, uid, sink.host));
  const mine = () =>
    sink.puts.filter(({ key }) => key.includes(task.sid)).map(({ key }) => key.slice(folder.length));
  await until("two slices", () => mine().filter((name) => name.endsWith(".ts")).length >= 2);
  const { body } = await client.stop(task);
  await client.isGone(task);
  return { engine, task, mine, stopped: body.serverResponse };
}

const slicesIn = (playlist: string) => playlist.split("\n").filter((line) => line.endsWith(".ts"));

test("stop says backuped, event 32 comes in place of 31, and the rest comes later under the playlist's late name", async () => {
  const { engine, task, mine, stopped } = await record("71", 400);
  const stem = `${task.sid}_late-71`;
  expect(stopped.uploadingStatus).toBe("backuped");
  const told = await until("event 32", () => receiver.of(32).find(({ sid }) => sid === task.sid));
  expect(told.payload.details).toMatchObject({ msgName: "backuped", status: 0 });
  const of = (type: number) => receiver.of(type).filter(({ sid }) => sid === task.sid);
  expect(of(31)).toEqual([]);
  expect(of(2)[0]?.payload.details).toMatchObject({ module: 1, warnCode: 32 });

  const atFirst = sink.get(`${folder}${stem}.m3u8`)?.toString() ?? "";
  expect(atFirst).not.toContain("#EXT-X-ENDLIST");
  expect(slicesIn(atFirst).some((name) => !mine().includes(name))).toBe(true);
  expect(mine()).not.toContain(`${stem}_0.mp4`);

  const late = await until("the late playlist", () => mine().find((name) => /_\d+_0\.m3u8$/.test(name)));
  expect(late).toMatch(new RegExp(`^${stem}_\\d{13}_0\\.m3u8$`));
  const whole = sink.get(`${folder}${late}`)?.toString() ?? "";
  expect(whole).toContain("#EXT-X-ENDLIST");
  expect(slicesIn(whole).filter((name) => !mine().includes(name))).toEqual([]);
  expect(mine()).toContain(`${stem}_0.mp4`);
  await until("nothing is kept", () => readdirSync(join(stateDir, "tasks")).length === 0);
  await engine.stop();
});

test("what waits there outlives the process", async () => {
  const first = await record("72", 60_000);
  await first.engine.stop();
  const [sid] = readdirSync(join(stateDir, "tasks"));
  expect(sid).toBe(first.task.sid);
  const second = await start();
  expect(second.control.tasks()).toEqual([]);
  expect((await clientOf(second.address).query(first.task)).status).toBe(404);
  expect(readdirSync(join(stateDir, "tasks", first.task.sid)).some((name) => name.endsWith(".mp4"))).toBe(
    true,
  );
  await second.stop();
});
