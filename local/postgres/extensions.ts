import { randomUUID } from "node:crypto";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { readTar } from "./tar.ts";

/** One file of an extension as it has to stand in the server's `share/postgresql/extension`. */
export interface ExtensionFile {
  name: string;
  content: Buffer;
}

const LOCAL = fileURLToPath(new URL("..", import.meta.url));
const SERVER_EXTENSION_FOLDER = "share/postgresql/extension";

/**
 * Everything that `create extension` must find here beyond Postgres' own: the real pgTAP, and the stand-ins of this
 * repository (every `local/<part>/extension/*.control` and `*.sql`). Sorted by name.
 */
export async function extensionFiles(): Promise<ExtensionFile[]> {
  const files = [...(await pgTapFiles()), ...(await ownFiles())];
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function pgTapFiles(): Promise<ExtensionFile[]> {
  const entry = createRequire(import.meta.url).resolve("@electric-sql/pglite-pgtap");
  const archive = gunzipSync(await readFile(join(dirname(entry), "pgtap.tar.gz")));
  return readTar(archive)
    .filter((file) => dirname(file.path) === SERVER_EXTENSION_FOLDER)
    .map((file) => ({ name: basename(file.path), content: file.content }));
}

async function ownFiles(): Promise<ExtensionFile[]> {
  const parts = await readdir(LOCAL, { withFileTypes: true });
  const found = await Promise.all(
    parts.filter((part) => part.isDirectory()).map((part) => filesIn(join(LOCAL, part.name, "extension"))),
  );
  return found.flat();
}

async function filesIn(folder: string): Promise<ExtensionFile[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return Promise.all(
    names
      .filter((name) => name.endsWith(".control") || name.endsWith(".sql"))
      .map(async (name) => ({ name, content: await readFile(join(folder, name)) })),
  );
}

/**
 * Puts the files into a server's extension folder, only those whose content differs, each by an atomic rename:
 * several stacks may share the folder, and one of them may be reading it.
 *
 * @throws the file system's error when the folder cannot be written (EACCES, EPERM, EROFS).
 */
export async function installExtensions(nativeFolder: string, files: ExtensionFile[]): Promise<void> {
  const folder = join(nativeFolder, SERVER_EXTENSION_FOLDER);
  for (const file of files) {
    const target = join(folder, file.name);
    const present = await readFile(target).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (present?.equals(file.content)) continue;
    const draft = join(folder, `.${file.name}.${randomUUID()}`);
    // Readable for the account the server runs as, whatever our own umask is.
    await writeFile(draft, file.content, { mode: 0o644 });
    await rename(draft, target);
  }
}
