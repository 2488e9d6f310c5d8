import { setImmediate } from "node:timers";

/** 2026-11-22T18:00:00Z. */
export const BEGIN_MS = Date.UTC(2026, 10, 22, 18);

export interface VirtualClock {
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Everything that was slept, ms. */
  slept: number[];
  /** When the last sleeper has woken: to be awaited at the end, so that nothing is left behind. */
  settled(): Promise<void>;
}

/** A clock that jumps to the next sleeper as soon as nothing else can happen; no test waits for real time. */
export function virtualClock(): VirtualClock {
  const sleepers: { atMs: number; wake: () => void }[] = [];
  const slept: number[] = [];
  let nowMs = BEGIN_MS;
  let isPumping = false;

  const pump = () => {
    sleepers.sort((a, b) => a.atMs - b.atMs);
    const next = sleepers.shift();
    if (next === undefined) {
      isPumping = false;
      return;
    }
    nowMs = Math.max(nowMs, next.atMs);
    next.wake();
    setImmediate(pump);
  };

  return {
    now: () => nowMs,
    slept,
    sleep(ms) {
      slept.push(ms);
      return new Promise((resolve) => {
        sleepers.push({ atMs: nowMs + ms, wake: resolve });
        if (!isPumping) {
          isPumping = true;
          setImmediate(pump);
        }
      });
    },
    async settled() {
      while (isPumping) await new Promise<void>((resolve) => setImmediate(resolve));
    },
  };
}
