import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { Stack } from "../../local/stack/stack.ts";

/** The Deno process of one function: a child of the part that runs them, told by its own deno.json; undefined between two. */
export async function processOf(
  stack: Pick<Stack, "pids">,
  functionName: string,
): Promise<number | undefined> {
  const runner = stack.pids().functions;
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // Processes end while one looks.
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    if (parent !== runner) continue;
    const command = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (command.split("\0").some((word) => word.endsWith(`/${functionName}/deno.json`))) return Number(name);
  }
  return undefined;
}

/** Waits for a condition, asking every `everyMs`. @throws Error after `limitMs`, naming what was waited for. */
export async function until<T>(
  what: string,
  limitMs: number,
  look: () => Promise<T | undefined>,
  everyMs = 50,
): Promise<T> {
  const endsAt = Date.now() + limitMs;
  while (Date.now() < endsAt) {
    const found = await look();
    if (found !== undefined) return found;
    await pause(everyMs);
  }
  throw new Error(`${what}: not within ${limitMs / 1000} s`);
}
