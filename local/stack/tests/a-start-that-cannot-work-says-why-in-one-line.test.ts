import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keysFileOf } from "../keys.ts";

const startFile = resolve(import.meta.dirname, "../../start.ts");
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "start-"));
});
afterEach(() => rm(folder, { recursive: true }));

function start(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [startFile, "--data", folder, "--stand-ins", ...args],
      { timeout: 30_000 },
      (error, stdout, stderr) => done({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

test("a taken port is named with its part and the option that changes it", async () => {
  const other = createServer();
  await new Promise<void>((listening) => other.listen(0, "127.0.0.1", listening));
  const { port } = other.address() as AddressInfo;
  try {
    expect(await start("--port", String(port))).toEqual({
      code: 1,
      stdout: "",
      stderr: `port ${port} (gateway) is taken by another program: choose another with --port N, or let any free ports be used with --free-ports.\n`,
    });
  } finally {
    other.close();
  }
  expect(await readdir(folder)).not.toContain("stack.json");
});

test("a broken keys file is named", async () => {
  await writeFile(keysFileOf(folder), "oops");
  expect(await start("--free-ports")).toEqual({
    code: 1,
    stdout: "",
    stderr: `${keysFileOf(folder)} is not valid JSON: mend it, or begin anew with --reset.\n`,
  });
});

test("a database without the keys it was made with is not started", async () => {
  await mkdir(join(folder, "postgres"));
  const { code, stderr } = await start("--free-ports");
  expect(code).toBe(1);
  expect(stderr).toBe(
    `${keysFileOf(folder)} was missing beside a database that was made with its passwords: put the file back, or begin anew with --reset.\n`,
  );
  expect(await readdir(folder)).not.toContain("keys.json");
});

test("a data folder that is none is named", async () => {
  await writeFile(join(folder, "file"), "");
  const { code, stderr } = await start("--data", join(folder, "file", "data"));
  expect(code).toBe(1);
  expect(stderr).toMatch(/^the data folder .*file\/data cannot be used: .*\n$/);
});

test("an option that is not understood is named, and --help helps", async () => {
  expect(await start("--colour")).toEqual({
    code: 1,
    stdout: "",
    stderr: "Unknown option '--colour': npm start -- --help lists the options.\n",
  });
  const { code, stdout } = await start("--help");
  expect(code).toBe(0);
  expect(stdout).toContain("--free-ports");
});
