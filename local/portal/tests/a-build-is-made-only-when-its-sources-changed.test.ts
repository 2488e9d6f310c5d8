import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { quietLog } from "../../stack/part.ts";
import { buildPortal, hashOfSources } from "../build.ts";

const projectDir = resolve(import.meta.dirname, "../../..");
let place: string;
let sourceDir: string;
let buildsDir: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "portal-build-"));
  sourceDir = join(place, "web");
  buildsDir = join(place, "builds");
  await mkdir(sourceDir);
  await symlink(join(projectDir, "node_modules"), join(place, "node_modules"));
  await writeFile(
    join(sourceDir, "index.html"),
    '<!doctype html><script type="module" src="/main.js"></script>',
  );
  await writeFile(join(sourceDir, "main.js"), "document.title = 'one';");
});
afterEach(() => rm(place, { recursive: true, force: true }));

test("the same sources are built once, also by two that ask at the same time", async () => {
  const lines: string[] = [];
  const log = (message: string) => void lines.push(message);
  const both = await Promise.all([
    buildPortal({ sourceDir, buildsDir }, log),
    buildPortal({ sourceDir, buildsDir }, log),
  ]);
  expect(both[0]).toBe(both[1]);
  lines.length = 0;
  expect(await buildPortal({ sourceDir, buildsDir }, log)).toBe(both[0]);
  expect(lines).toEqual([]);
  expect(await readdir(buildsDir)).toHaveLength(1);
});

test("changed sources are built anew; tests and the host's own build change nothing", async () => {
  const before = await hashOfSources(sourceDir);
  await mkdir(join(sourceDir, "tests"));
  await writeFile(join(sourceDir, "tests", "a.test.ts"), "1");
  await cp(join(sourceDir, "tests"), join(sourceDir, "dist"), { recursive: true });
  expect(await hashOfSources(sourceDir)).toBe(before);
  await writeFile(join(sourceDir, "main.js"), "document.title = 'two';");
  expect(await hashOfSources(sourceDir)).not.toBe(before);
  await writeFile(join(place, ".env"), "NEXT_PUBLIC_SUPABASE_URL=http://127.0.0.1");
  await writeFile(join(sourceDir, "main.js"), "document.title = 'one';");
  expect(await hashOfSources(sourceDir)).not.toBe(before);
});

test("a build that is broken off leaves nothing behind", async () => {
  const abort = new AbortController();
  const building = buildPortal({ sourceDir, buildsDir }, quietLog, abort.signal);
  building.catch(() => undefined);
  abort.abort();
  await expect(building).rejects.toThrow();
  expect((await readdir(buildsDir).catch(() => [])).filter((name) => !name.startsWith(".building"))).toEqual(
    [],
  );
});
