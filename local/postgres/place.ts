import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, lstat, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Log } from "../stack/part.ts";
import { type Account, canEnter } from "./account.ts";

const POINTER = "cluster-lives-in";

/**
 * Decides where the database cluster of `dataDir` lives: in its subfolder `cluster`, or, when the server's account
 * cannot reach that (root in a clone below a 0700 folder), in a folder outside, named after a hash of `dataDir` so
 * that the next start finds it again. `dataDir` then holds a pointer file: whoever deletes `dataDir` deletes the data.
 *
 * @returns the absolute path of the cluster, which may not exist yet.
 */
export async function placeOfCluster(
  dataDir: string,
  account: Account | undefined,
  runtimeDir: string | undefined,
  log: Log,
): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const pointer = join(dataDir, POINTER);
  const pointed = existsSync(pointer) ? (await readFile(pointer, "utf8")).trim() : undefined;
  if (pointed !== undefined && existsSync(pointed)) return sayOutside(dataDir, pointed, log);

  const inside = join(dataDir, "cluster");
  if (!account || canEnter(account, dataDir)) return inside;

  const folder = join(reachableFolder(account, runtimeDir), outsideName(dataDir));
  const outside = join(folder, "cluster");
  await mkdir(folder, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await refuseForeignFolder(folder);
  // Data without a pointer to it belongs to a data directory that was deleted.
  await rm(outside, { recursive: true, force: true });
  await writeFile(pointer, `${outside}\n`);
  return sayOutside(dataDir, outside, log);
}

function sayOutside(dataDir: string, cluster: string, log: Log): string {
  log(`the account that Postgres runs as cannot reach ${dataDir}: the database is kept in ${cluster}`);
  return cluster;
}

/**
 * In a folder open to everybody, somebody else may have put a trap under a name that we are going to use.
 *
 * @throws Error unless it is a real folder of our own.
 */
export async function refuseForeignFolder(folder: string): Promise<void> {
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(
      `${folder} belongs to somebody else: remove it, or set another temporary folder (TMPDIR)`,
    );
  }
}

/**
 * A folder for files that must outlive a restart and be reachable for the account.
 *
 * @throws Error when there is none.
 */
export function reachableFolder(account: Account | undefined, wanted: string | undefined): string {
  const candidates = wanted === undefined ? ["/var/tmp", tmpdir(), "/tmp"] : [wanted];
  const found = candidates.find((folder) => existsSync(folder) && canEnter(account, folder));
  if (found === undefined) {
    throw new Error(
      `the account that Postgres runs as can reach none of these folders: ${candidates.join(", ")}`,
    );
  }
  return found;
}

/**
 * Gives a cluster to the account, so that the same data directory works when it was made by somebody else before.
 *
 * @throws Error when it belongs to another account and we are not root.
 */
export async function ownCluster(cluster: string, account: Account | undefined): Promise<void> {
  const owner = (await lstat(cluster)).uid;
  if (!account) {
    if (process.getuid && owner !== process.getuid()) {
      throw new Error(
        `the database in ${cluster} belongs to another user (uid ${owner}): start as that user or delete it`,
      );
    }
    return;
  }
  if (owner === account.uid) return;
  for (const entry of await readdir(cluster, { recursive: true })) {
    await chown(join(cluster, entry), account.uid, account.gid);
  }
  // Last, because a cluster whose own folder has the right owner counts as done.
  await chown(cluster, account.uid, account.gid);
}

/** Deletes a data directory with all its data, also where that lives outside. Its server must have ended. */
export async function removeDataDir(dataDir: string): Promise<void> {
  const pointer = join(dataDir, POINTER);
  if (existsSync(pointer)) {
    const outside = dirname((await readFile(pointer, "utf8")).trim());
    if (basename(outside) === outsideName(dataDir)) await rm(outside, { recursive: true, force: true });
  }
  await rm(dataDir, { recursive: true, force: true });
}

function outsideName(dataDir: string): string {
  return `call-recording-data-${createHash("sha256").update(dataDir).digest("hex").slice(0, 16)}`;
}
