import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { generateKeys, keysFileOf, keysSchema, loadOrCreateKeys } from "../keys.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keys-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("the first start makes a complete file that only its owner can read", async () => {
  const { keys, created } = await loadOrCreateKeys(folder);
  expect(created).toBe(true);
  expect(keysSchema.parse(JSON.parse(await readFile(keysFileOf(folder), "utf8")))).toEqual(keys);
  expect((await stat(keysFileOf(folder))).mode & 0o777).toBe(0o600);
});

test("a later start reads the same keys", async () => {
  const first = await loadOrCreateKeys(folder);
  expect(await loadOrCreateKeys(folder)).toEqual({ keys: first.keys, created: false });
});

test("generated keys always have the form they are checked for, and no two are the same", () => {
  const many = Array.from({ length: 200 }, generateKeys);
  for (const keys of many) keysSchema.parse(keys);
  expect(new Set(many.map((keys) => keys.secretKey)).size).toBe(200);
});

test.each([
  ["{", "is not valid JSON: mend it, or begin anew with --reset."],
  ["[]", "is broken: the whole (Invalid input: expected object, received array); mend it"],
])("a broken file (%s) is one sentence and stays as it is", async (text, sentence) => {
  await writeFile(keysFileOf(folder), text);
  await expect(loadOrCreateKeys(folder)).rejects.toThrow(sentence);
  expect(await readFile(keysFileOf(folder), "utf8")).toBe(text);
});

test("a broken value is named but not shown", async () => {
  const keys = { ...generateKeys(), secretKey: "sb_secret_tooshort" };
  await writeFile(keysFileOf(folder), JSON.stringify(keys));
  const failure = await loadOrCreateKeys(folder).catch((error: unknown) => String(error));
  expect(failure).toContain("secretKey (expected sb_secret_…)");
  expect(failure).not.toContain("tooshort");
});
