import { spawn } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isAlive } from "../process-groups.ts";
import {
  claimDataFolder,
  describeProcess,
  findRunningStack,
  type RunningStack,
  stackFileOf,
  writeRunningStack,
} from "../running-stack.ts";
import { untilGone } from "./observed-part.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "claim-"));
});
afterEach(() => rm(folder, { recursive: true }));

const described = (change: Partial<RunningStack> = {}): RunningStack => ({
  supervisor: describeProcess(process.pid),
  isReady: true,
  url: "http://127.0.0.1:9",
  publishableKey: "sb_publishable_x",
  secretKey: "sb_secret_x",
  databaseUrls: { admin: "postgresql://a", postgres: "postgresql://p" },
  addresses: {},
  env: {},
  parts: {},
  ...change,
});

/** The description of a process that has ended by now. */
async function deadProcess() {
  const child = spawn(process.execPath, ["-e", ""]);
  const found = describeProcess(child.pid ?? 0);
  await new Promise((resolve) => child.once("close", resolve));
  return found;
}

test("a second stack on the same folder is refused with the address of the first", async () => {
  await claimDataFolder(folder, described());
  await expect(claimDataFolder(folder, described())).rejects.toThrow(
    `a stack is already running on ${folder} (process ${process.pid}) on http://127.0.0.1:9: end it first, or use another folder with --data.`,
  );
});

test("of two that start in the same moment one is refused", async () => {
  const claims = await Promise.allSettled([1, 2].map(() => claimDataFolder(folder, described())));
  expect(claims.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});

test("a part of a killed stack that does not end by itself is ended", async () => {
  const orphan = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
    detached: true,
    stdio: "ignore",
  });
  const parts = { b2: describeProcess(orphan.pid ?? 0) };
  await writeRunningStack(folder, described({ supervisor: await deadProcess(), parts }));
  await claimDataFolder(folder, described(), 200);
  expect(isAlive(orphan.pid ?? 0)).toBe(false);
});

test("a number that another process has by now is not taken for the stack", async () => {
  const supervisor = { pid: process.pid, startedAt: 1 };
  await writeRunningStack(
    folder,
    described({ supervisor, parts: { b2: { pid: process.pid, startedAt: 1 } } }),
  );
  await claimDataFolder(folder, described());
});

test("a file that is no description counts as none", async () => {
  await writeFile(stackFileOf(folder), "{ half of");
  expect(await findRunningStack(folder)).toBeUndefined();
  await claimDataFolder(folder, described());
});

test("a running stack is found while its gateway answers, whatever it answers", async () => {
  const gateway = createServer((_request, response) => response.writeHead(401).end());
  await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
  const stack = described({ url: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}` });
  await writeRunningStack(folder, stack);
  expect(await findRunningStack(folder)).toEqual(stack);
  expect((await stat(stackFileOf(folder))).mode & 0o777).toBe(0o600);

  await writeRunningStack(folder, { ...stack, isReady: false });
  expect(await findRunningStack(folder)).toBeUndefined();
  await writeRunningStack(folder, { ...stack, supervisor: await deadProcess() });
  expect(await findRunningStack(folder)).toBeUndefined();

  await writeRunningStack(folder, stack);
  gateway.closeAllConnections();
  await new Promise((resolve) => gateway.close(resolve));
  expect(await findRunningStack(folder)).toBeUndefined();
});

test("no folder, no stack", async () => {
  expect(await findRunningStack(join(folder, "nowhere"))).toBeUndefined();
});

test("the parts of a killed stack get the time to end by themselves", async () => {
  const orphan = spawn(process.execPath, ["-e", "setTimeout(() => {}, 300)"], {
    detached: true,
    stdio: "ignore",
  });
  const code = new Promise((resolve) =>
    orphan.once("exit", (exitCode, signal) => resolve(signal ?? exitCode)),
  );
  await writeRunningStack(
    folder,
    described({ supervisor: await deadProcess(), parts: { b2: describeProcess(orphan.pid ?? 0) } }),
  );
  await claimDataFolder(folder, described());
  await untilGone(orphan.pid ?? 0);
  expect(await code).toBe(0);
});
