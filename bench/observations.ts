import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const observation = z.object({
  /** The part that saw it, as its folder in local/ is named. */
  part: z.string(),
  /** Its server had read the head of a request, or its client made one, right before sending it. */
  kind: z.enum(["received", "sent"]),
  method: z.string(),
  path: z.string(),
  /** On the machine's monotonic clock. */
  atMs: z.number(),
});

/** One HTTP request as one part saw it. */
export type Observation = z.output<typeof observation>;

/** Reads what all parts have written down, in the order of time. */
export async function readObservations(folder: string): Promise<Observation[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".jsonl"));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")));
  return texts
    .flatMap((text) => text.split("\n").filter((line) => line !== ""))
    .map((line) => observation.parse(JSON.parse(line)))
    .sort((a, b) => a.atMs - b.atMs);
}

/** What to look for: the next observation that fits. `path` is a part of the path. */
export type Wanted = Pick<Observation, "part" | "kind" | "path">;

/**
 * Walks a path through the parts: each wanted observation is the first one after the one before it.
 *
 * @param observations in the order of time.
 * @returns the times in the order of `wanted`; undefined when one of them did not happen before `untilMs`.
 */
export function follow(
  observations: readonly Observation[],
  fromMs: number,
  untilMs: number,
  wanted: readonly Wanted[],
): number[] | undefined {
  const times: number[] = [];
  let open = observations.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
  for (const next of wanted) {
    const index = open.findIndex((seen) => fits(seen, next));
    const found = open[index];
    if (found === undefined) return undefined;
    times.push(found.atMs);
    open = open.slice(index + 1);
  }
  return times;
}

/** The time of the last observation from `fromMs` on and before `beforeMs` that fits. */
export function lastBefore(
  observations: readonly Observation[],
  fromMs: number,
  beforeMs: number,
  wanted: Wanted,
): number | undefined {
  return observations.findLast(({ atMs, ...seen }) => atMs >= fromMs && atMs < beforeMs && fits(seen, wanted))
    ?.atMs;
}

function fits(seen: Wanted, wanted: Wanted): boolean {
  return seen.part === wanted.part && seen.kind === wanted.kind && seen.path.includes(wanted.path);
}
