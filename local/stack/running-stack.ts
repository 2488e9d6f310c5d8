import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isAlive, isGroupAlive, readProcess, signal } from "./process-groups.ts";
import { PlainFailure } from "./sentence.ts";

const processSchema = z.object({ pid: z.int().positive(), startedAt: z.number().optional() });

/** What `<data>/stack.json` says of a running stack; other commands (the demo) find it there. */
export const runningStackSchema = z.object({
  /** The supervisor. */
  supervisor: processSchema,
  /** False until every part is ready. */
  isReady: z.boolean(),
  url: z.string(),
  publishableKey: z.string(),
  secretKey: z.string(),
  databaseUrls: z.object({ admin: z.string(), postgres: z.string() }),
  addresses: z.record(z.string(), z.string()),
  /** The environment of the Edge Functions, and what only this machine needs: what npm run doctor looks at. */
  env: z.record(z.string(), z.string()).default({}),
  /** The present process of each part. */
  parts: z.record(z.string(), processSchema),
});

export type RunningStack = z.infer<typeof runningStackSchema>;

/** Where a data folder describes its running stack. */
export const stackFileOf = (dataDir: string): string => join(dataDir, "stack.json");

/** A process as stack.json names it. */
export function describeProcess(pid: number): { pid: number; startedAt?: number | undefined } {
  return { pid, startedAt: readProcess(pid)?.startedAt };
}

/** Writes the description, readable only for its owner: it holds keys and passwords. */
export async function writeRunningStack(dataDir: string, stack: RunningStack): Promise<void> {
  const file = stackFileOf(dataDir);
  // Renamed into place, so that a reader never sees half of it.
  await writeFile(`${file}.new`, `${JSON.stringify(stack, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Removes the description of a stack that has ended. */
export async function forgetRunningStack(dataDir: string): Promise<void> {
  await rm(stackFileOf(dataDir), { force: true });
}

/**
 * The stack that runs on a data folder: described there, its process alive, and its gateway answering within 2 s.
 * Undefined when there is none, or when it is not ready yet.
 */
export async function findRunningStack(dataDir: string): Promise<RunningStack | undefined> {
  const stack = await readRunningStack(dataDir);
  if (!stack?.isReady || !isSameProcess(stack.supervisor)) return undefined;
  try {
    // Any answer at all shows that it serves; which one does not matter here.
    const answer = await fetch(stack.url, { signal: AbortSignal.timeout(2_000) });
    await answer.body?.cancel();
    return stack;
  } catch {
    return undefined;
  }
}

/**
 * Makes sure that this process may use the data folder: no other stack runs on it, and nothing is left of one that was
 * killed (its parts end by themselves a moment after their supervisor; what does not within `leftoverMs` is ended here).
 *
 * @throws PlainFailure when another stack runs on the folder.
 */
export async function claimDataFolder(
  dataDir: string,
  mine: RunningStack,
  leftoverMs = 10_000,
): Promise<void> {
  const wasThere = existsSync(stackFileOf(dataDir));
  const before = await readRunningStack(dataDir);
  if (before !== undefined && isSameProcess(before.supervisor)) {
    const where = before.isReady ? `on ${before.url}` : "and is just starting";
    throw new PlainFailure(
      `a stack is already running on ${dataDir} (process ${before.supervisor.pid}) ${where}: end it first, or use another folder with --data.`,
    );
  }
  if (before !== undefined) await endLeftovers(before, leftoverMs);
  const file = stackFileOf(dataDir);
  const whole = `${file}.${process.pid}-${randomUUID()}`;
  await writeFile(whole, `${JSON.stringify(mine, null, 2)}\n`, { mode: 0o600 });
  try {
    // A link to a whole file is made by one of two that start in the same moment, and is never seen half written. What lies there is
    // taken away only where it was seen before: what came meanwhile is the other one's.
    if (wasThere) await forgetRunningStack(dataDir);
    await link(whole, file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    throw new PlainFailure(`another stack is just starting on ${dataDir}: use another folder with --data.`);
  } finally {
    await rm(whole, { force: true });
  }
}

async function endLeftovers(before: RunningStack, leftoverMs: number): Promise<void> {
  const patientUntil = Date.now() + leftoverMs;
  for (const { pid, startedAt } of Object.values(before.parts)) {
    // A later process may have the number by now: then the part is long gone.
    const present = readProcess(pid);
    if (present !== undefined && startedAt !== undefined && present.startedAt !== startedAt) continue;
    while (isGroupAlive(pid)) {
      if (Date.now() > patientUntil) signal(-pid, "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const isSameProcess = ({ pid, startedAt }: z.infer<typeof processSchema>): boolean => isAlive(pid, startedAt);

async function readRunningStack(dataDir: string): Promise<RunningStack | undefined> {
  let text: string;
  try {
    text = await readFile(stackFileOf(dataDir), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return runningStackSchema.parse(JSON.parse(text));
  } catch {
    // Written by another version, or cut off by a full disk: it describes nothing that could be relied on.
    return undefined;
  }
}
