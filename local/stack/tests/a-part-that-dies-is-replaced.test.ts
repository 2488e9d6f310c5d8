import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { holdFreePorts } from "../ports.ts";
import { isAlive } from "../process-groups.ts";
import { childPidOf, startFake, untilGone } from "./observed-part.ts";

const ends: (() => Promise<void>)[] = [];
let running: { part: { stop(): Promise<void> } }[] = [];
afterEach(async () => {
  await Promise.all(running.map(({ part }) => part.stop()));
  running = [];
  await Promise.all(ends.splice(0).map((end) => end()));
});
const start = (...args: Parameters<typeof startFake>) => {
  const fake = startFake(...args);
  running.push(fake);
  return fake;
};
const answerOf = async (port: number) => (await fetch(`http://127.0.0.1:${port}`)).text();

test("a part that is killed comes back on the same port, and both moments are said in one line each", async () => {
  const { ports, release } = await holdFreePorts();
  ends.push(release);
  const { gateway: port } = ports;
  const fake = start({ port });
  await fake.ready;
  const first = fake.part.pid;
  expect(await answerOf(port)).toBe(String(first));

  process.kill(first ?? 0, "SIGKILL");
  await vi.waitFor(() => expect(fake.notices).toHaveLength(2), { timeout: 30_000 });

  expect(fake.notices[0]).toBe("fake died (SIGKILL), restarting");
  expect(fake.notices[1]).toMatch(
    new RegExp(`^fake is back on http://127\\.0\\.0\\.1:${port} after \\d+\\.\\d s$`),
  );
  expect(fake.part.pid).not.toBe(first);
  expect(await answerOf(port)).toBe(String(fake.part.pid));
});

test.each(["in the same group", "in its own group"])(
  "what a killed part has started %s is ended before the next one starts",
  async (withChild) => {
    const fake = start({ withChild });
    await fake.ready;
    await vi.waitFor(() => childPidOf(fake.lines));
    const orphan = childPidOf(fake.lines);
    let orphanLivedAtRestart: boolean | undefined;
    const before = fake.pids.length;
    const watch = setInterval(() => {
      if (fake.pids.length > before) orphanLivedAtRestart ??= isAlive(orphan);
    }, 1);

    process.kill(fake.part.pid ?? 0, "SIGKILL");
    await vi.waitFor(() => expect(fake.notices).toHaveLength(2), { timeout: 30_000 });
    clearInterval(watch);

    expect(orphanLivedAtRestart).toBe(false);
  },
);

test("a part that dies again and again waits longer each time, up to the limit", async () => {
  const fake = start({ dieAtStart: true }, { firstDelayMs: 20, longestDelayMs: 50, failuresInARow: 4 });
  const since = Date.now();
  await expect(fake.ready).rejects.toThrow();
  // 20 + 40 + 50 ms of waiting between four starts.
  expect(Date.now() - since).toBeGreaterThanOrEqual(110);
  expect(fake.pids).toHaveLength(4);
});

test("a part that cannot come back is given up with one sentence, and none of its processes is left", async () => {
  const { ports, release } = await holdFreePorts();
  ends.push(release);
  const { gateway: port } = ports;
  const fake = start({ port }, { failuresInARow: 2 });
  await fake.ready;
  process.kill(fake.part.pid ?? 0, "SIGKILL");
  const intruder = createServer();
  await vi.waitFor(
    () =>
      new Promise<void>((resolve, reject) => {
        intruder.once("error", reject);
        intruder.listen(port, "127.0.0.1", resolve);
      }),
    { interval: 1 },
  );
  try {
    const failure = await fake.givenUp;
    expect(failure.message).toBe(
      `fake could not start 2 times in a row: port ${(intruder.address() as AddressInfo).port} is taken by another program.`,
    );
    expect(fake.part.pid).toBeUndefined();
    for (const pid of fake.pids) await untilGone(pid);
  } finally {
    intruder.close();
  }
});
