import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { isAlive } from "../../../local/stack/process-groups.ts";
import { endLeftovers, runMark } from "../leftovers.ts";

function startStray(env: Record<string, string>, args: string[] = []) {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: "ignore",
  });
  const gone = new Promise((resolve) => child.once("exit", resolve));
  return { pid: child.pid ?? 0, gone, end: () => child.kill("SIGKILL") };
}

test("a process with the run's mark is named and ended, one of another run is left alone", async () => {
  const ours = startStray({ [runMark]: "this-run" });
  const other = startStray({ [runMark]: "another-run" });
  try {
    const left = await endLeftovers("this-run", "/nowhere/at/all", 200);
    expect(left).toHaveLength(1);
    expect(left[0]).toContain(`process ${ours.pid}: `);
    await ours.gone;
    expect(isAlive(other.pid)).toBe(true);
  } finally {
    ours.end();
    other.end();
  }
});

test("a process that works in the run's folder is found by its command line", async () => {
  const stray = startStray({}, ["/tmp/the-folder-of-this-run/data"]);
  try {
    expect(await endLeftovers("no such mark", "/tmp/the-folder-of-this-run", 0)).toHaveLength(1);
  } finally {
    stray.end();
  }
});

test("a process that ends by itself in time is none", async () => {
  const stray = startStray({ [runMark]: "patient-run" });
  setTimeout(stray.end, 150);
  expect(await endLeftovers("patient-run", "/nowhere/at/all", 5_000)).toEqual([]);
});
