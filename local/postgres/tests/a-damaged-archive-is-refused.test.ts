import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readTar } from "../tar.ts";

const entry = createRequire(import.meta.url).resolve("@electric-sql/pglite-pgtap");
const archive = gunzipSync(await readFile(join(dirname(entry), "pgtap.tar.gz")));

test("an archive's files are read with path and content", () => {
  const control = readTar(archive).find((file) => file.path === "share/postgresql/extension/pgtap.control");
  expect(control?.content.toString()).toContain("default_version = '1.3.5'");
});

test("an archive that was cut off is refused", () => {
  expect(() => readTar(archive.subarray(0, 4096))).toThrow("ends in the middle of a file");
});

test("an archive with a changed header is refused", () => {
  const changed = Buffer.from(archive);
  changed[0] = 0x7f;
  expect(() => readTar(changed)).toThrow("damaged archive at byte 0");
});
