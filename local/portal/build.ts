import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { setPriority } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import type { Log } from "../stack/part.ts";

/** So many builds are kept: going back to a branch needs no new one. */
const keptBuilds = 4;
/** What a build is not made of. */
const leftOut = new Set(["dist", "tests", "node_modules"]);

/**
 * The folder of the build of the sources as they are now. It is made where there is none, beside its place, and moved there when it
 * is whole: several stacks may ask at once. `signal` ends it.
 *
 * @throws with the last lines of the build where that fails.
 */
export async function buildPortal(
  { sourceDir, buildsDir }: { sourceDir: string; buildsDir: string },
  log: Log,
  signal?: AbortSignal,
): Promise<string> {
  const place = join(buildsDir, await hashOfSources(sourceDir));
  if (await isFolder(place)) {
    await touch(place);
    return place;
  }
  await mkdir(buildsDir, { recursive: true });
  const since = performance.now();
  const beside = await mkdtemp(join(buildsDir, ".building-"));
  try {
    await runVite(sourceDir, beside, signal);
    await rename(beside, place).catch(async (error: unknown) => {
      // Another stack was faster.
      if (!(await isFolder(place))) throw error;
    });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
  log("the portal was built", { ms: Math.round(performance.now() - since) });
  await forgetOld(buildsDir);
  return place;
}

/** One name for everything that a build is made of: the sources, the libraries, the baked settings. */
export async function hashOfSources(sourceDir: string): Promise<string> {
  const hash = createHash("sha256");
  const projectDir = resolve(sourceDir, "..");
  const beside = ["package-lock.json", ".env"].map((name) => join(projectDir, name));
  const inside = (await readdir(sourceDir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !leftOut.has(relative(sourceDir, file).split(sep)[0] ?? ""));
  for (const file of [...beside, ...inside.sort()]) {
    const content = await readFile(file).catch(() => undefined);
    if (content !== undefined)
      hash.update(`${relative(projectDir, file)} ${content.length}\n`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

function runVite(sourceDir: string, outDir: string, signal: AbortSignal | undefined): Promise<void> {
  const program = resolve(sourceDir, "..", "node_modules", "vite", "bin", "vite.js");
  return new Promise((done, fail) => {
    const child: ChildProcess = spawn(
      process.execPath,
      [program, "build", sourceDir, "--outDir", outDir, "--emptyOutDir", "--logLevel", "warn"],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, NODE_ENV: "production" },
        ...(signal ? { signal } : {}),
      },
    );
    // The database, which everything else waits for, goes first.
    if (child.pid !== undefined) setPriority(child.pid, 10);
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => lines.push(String(chunk)));
    child.on("error", fail);
    child.on("close", (code) => {
      if (code === 0) done();
      else fail(new Error(`the portal cannot be built: ${lines.join("").trim().slice(-2_000)}`));
    });
  });
}

async function forgetOld(buildsDir: string): Promise<void> {
  const names = (await readdir(buildsDir)).filter((name) => !name.startsWith("."));
  const aged = await Promise.all(
    names.map(async (name) => ({
      name,
      at: (await stat(join(buildsDir, name)).catch(() => undefined))?.mtimeMs ?? 0,
    })),
  );
  const old = aged.sort((a, b) => b.at - a.at).slice(keptBuilds);
  await Promise.all(old.map(({ name }) => rm(join(buildsDir, name), { recursive: true, force: true })));
}

const touch = (folder: string): Promise<void> =>
  utimes(folder, new Date(), new Date()).catch(() => undefined);

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
