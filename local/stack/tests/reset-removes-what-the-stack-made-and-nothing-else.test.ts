import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeStackData } from "../reset.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "reset-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("the stack's own entries go, anything else stays, and the sentence says how much went", async () => {
  await mkdir(join(folder, "postgres", "base"), { recursive: true });
  await writeFile(join(folder, "postgres", "base", "1"), Buffer.alloc(2_500_000));
  await writeFile(join(folder, "keys.json"), "{}");
  await writeFile(join(folder, "holiday.jpg"), "mine");
  expect(await removeStackData(folder)).toBe(`reset: removed keys.json, postgres from ${folder} (2.5 MB)`);
  expect(await readdir(folder)).toEqual(["holiday.jpg"]);
});

test("an empty folder has nothing to remove", async () => {
  expect(await removeStackData(folder)).toBe(`reset: there was nothing to remove in ${folder}`);
});

test("a database that is kept elsewhere goes too, but no folder of another name", async () => {
  const outside = join(folder, "call-recording-data-0123456789abcdef");
  const foreign = join(folder, "somebody-elses");
  for (const [data, kept] of [
    ["a", outside],
    ["b", foreign],
  ] as const) {
    await mkdir(join(kept, "cluster"), { recursive: true });
    await mkdir(join(folder, data, "postgres"), { recursive: true });
    await writeFile(join(folder, data, "postgres", "cluster-lives-in"), `${join(kept, "cluster")}\n`);
    await removeStackData(join(folder, data));
  }
  expect(existsSync(outside)).toBe(false);
  expect(existsSync(foreign)).toBe(true);
});
