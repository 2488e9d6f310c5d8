import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { z } from "zod";

const manifest = z.record(
  z.string(),
  z.object({
    file: z.string(),
    isEntry: z.boolean().optional(),
    imports: z.array(z.string()).default([]),
    dynamicImports: z.array(z.string()).default([]),
  }),
);
export type Manifest = z.output<typeof manifest>;

/** Reads the manifest that Vite leaves in a build. Throws for a build without one. */
export async function readManifest(buildDir: string): Promise<Manifest> {
  return manifest.parse(JSON.parse(await readFile(join(buildDir, ".vite", "manifest.json"), "utf8")));
}

/**
 * The chunks that a browser has to load before this page shows: the entry's, the page's, and everything that they import
 * statically. `page` is a source file as the manifest names it; without it, the entry alone. Throws for a page that the build does not have.
 */
export function chunksOf(built: Manifest, page?: string): string[] {
  const entry = Object.keys(built).find((name) => built[name]?.isEntry);
  if (entry === undefined) throw new Error("the build has no entry");
  const found = new Set<string>();
  const follow = (name: string): void => {
    const chunk = built[name];
    if (chunk === undefined) throw new Error(`the build has no ${name}`);
    if (found.has(chunk.file)) return;
    found.add(chunk.file);
    for (const needed of chunk.imports) follow(needed);
  };
  follow(entry);
  if (page !== undefined) follow(page);
  return [...found];
}

/** Bytes of these files after gzip, as they travel. */
export async function gzipBytes(buildDir: string, files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    files.map(async (file) => gzipSync(await readFile(join(buildDir, file)), { level: 9 }).length),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
