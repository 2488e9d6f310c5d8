import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { isAlive } from "../process-groups.ts";
import { childPidOf, startFake, untilGone } from "./observed-part.ts";

test.each(["in the same group", "in its own group"])(
  "stop ends the part and what the part has started %s",
  async (withChild) => {
    const fake = startFake({ withChild });
    await fake.ready;
    await vi.waitFor(() => childPidOf(fake.lines));
    const pids = [fake.part.pid ?? 0, childPidOf(fake.lines)];
    expect(pids.every((pid) => isAlive(pid))).toBe(true);

    await fake.part.stop();

    expect(pids.filter((pid) => isAlive(pid))).toEqual([]);
    expect(fake.notices).toEqual([]);
  },
);

test("a part that does not end when it is asked is killed at its limit", async () => {
  const fake = startFake({ hang: true }, { endWithinMs: 300 });
  await vi.waitFor(() => expect(fake.part.pid).toBeDefined());
  const pid = fake.part.pid ?? 0;
  process.kill(pid, "SIGSTOP");
  await fake.part.stop();
  expect(isAlive(pid)).toBe(false);
});

test("stop while a part waits to be restarted starts nothing any more", async () => {
  const fake = startFake({}, { firstDelayMs: 60_000 });
  await fake.ready;
  process.kill(fake.part.pid ?? 0, "SIGKILL");
  await vi.waitFor(() => expect(fake.notices).toHaveLength(1));
  await fake.part.stop();
  expect(fake.pids).toHaveLength(1);
});

test("kill ends everything at once", async () => {
  const fake = startFake({ withChild: "in its own group" });
  await fake.ready;
  await vi.waitFor(() => childPidOf(fake.lines));
  const pids = [fake.part.pid ?? 0, childPidOf(fake.lines)];
  fake.part.kill();
  for (const pid of pids) await untilGone(pid);
});

test("parts end by themselves when their supervisor is killed", async () => {
  const supervisor = spawn(process.execPath, [join(import.meta.dirname, "lone-supervisor.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const part = await partPidFrom(supervisor);
  expect(isAlive(part)).toBe(true);
  supervisor.kill("SIGKILL");
  await untilGone(part);
});

function partPidFrom(supervisor: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    supervisor.once("exit", () => reject(new Error("the supervisor ended before its part was ready")));
    supervisor.stdout?.on("data", (chunk: Buffer) => {
      const pid = /part (\d+)/.exec(chunk.toString())?.[1];
      if (pid !== undefined) resolve(Number(pid));
    });
  });
}
