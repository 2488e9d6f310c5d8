import { readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** What a stack itself puts into its data folder. Anything else there is somebody else's and stays. */
const ownEntries = ["postgres", "b2", "agora", "deno", "logs", "keys.json"];

/**
 * Empties a data folder for a fresh start: removes what a stack has put there, and only that.
 *
 * @returns one sentence that says what was removed.
 */
export async function removeStackData(dataDir: string): Promise<string> {
  const present = (await readdir(dataDir)).filter((name) => ownEntries.includes(name));
  if (present.length === 0) return `reset: there was nothing to remove in ${dataDir}`;
  let bytes = 0;
  for (const name of present) bytes += await sizeOf(join(dataDir, name));
  const outside = await databaseOutside(dataDir);
  if (outside !== undefined) {
    bytes += await sizeOf(outside);
    await rm(outside, { recursive: true, force: true });
  }
  for (const name of present) await rm(join(dataDir, name), { recursive: true, force: true });
  return `reset: removed ${present.join(", ")} from ${dataDir} (${(bytes / 1e6).toFixed(1)} MB)`;
}

/**
 * Under root the database may be kept elsewhere, where its own user can reach it; the postgres part notes where. Only a
 * folder of the name that the part gives is believed.
 */
async function databaseOutside(dataDir: string): Promise<string | undefined> {
  const noted = await readFile(join(dataDir, "postgres", "cluster-lives-in"), "utf8").catch(() => undefined);
  if (noted === undefined) return undefined;
  const folder = dirname(noted.trim());
  const isOurs = /^call-recording-data-[0-9a-f]{16}$/.test(basename(folder));
  return isOurs && (await stat(folder).catch(() => undefined))?.isDirectory() ? folder : undefined;
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => stat(join(entry.parentPath, entry.name)).then((file) => file.size)),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
