import { join } from "node:path";
import { vi } from "vitest";
import { isAlive } from "../process-groups.ts";
import type { PlainFailure } from "../sentence.ts";
import { type Patience, startPart, usualPatience } from "../supervisor.ts";

export const fakePart = join(import.meta.dirname, "fake-part.ts");

/** A fake part under supervision, with everything the supervisor said about it. */
export function startFake(settings: Record<string, unknown>, patience: Partial<Patience> = {}) {
  const lines: string[] = [];
  const notices: string[] = [];
  const pids: number[] = [];
  const givenUp = Promise.withResolvers<PlainFailure>();
  const { part, ready } = startPart(
    { name: "fake", entry: fakePart, settings },
    {
      onLine: (line) => void lines.push(line),
      onNotice: (sentence) => void notices.push(sentence),
      onPid: (pid) => {
        if (pid !== undefined) pids.push(pid);
      },
      onGivenUp: givenUp.resolve,
    },
    { ...usualPatience, firstDelayMs: 20, longestDelayMs: 60, ...patience },
  );
  return { part, ready, lines, notices, pids, givenUp: givenUp.promise };
}

/** The pid of the process that a fake part started itself. */
export function childPidOf(lines: string[]): number {
  const found = lines.map((line) => /^child (\d+)$/.exec(line)?.[1]).findLast((pid) => pid !== undefined);
  if (found === undefined) throw new Error("the fake part has not named its child");
  return Number(found);
}

/** Waits until a process is gone. */
export async function untilGone(pid: number): Promise<void> {
  await vi.waitFor(
    () => {
      if (isAlive(pid)) throw new Error(`process ${pid} still runs`);
    },
    { timeout: 30_000, interval: 20 },
  );
}
