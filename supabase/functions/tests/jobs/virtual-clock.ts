import { setImmediate, setTimeout } from "node:timers";
import type { After } from "../../_shared/time-limit.ts";

/** 2026-11-22T18:00:00Z. */
export const BEGIN_MS = Date.UTC(2026, 10, 22, 18);

export interface VirtualClock {
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Timers on this clock. */
  after: After;
  /** Everything that was slept, ms. */
  slept: number[];
  /** When the last sleeper has woken: to be awaited at the end, so that nothing is left behind. */
  settled(): Promise<void>;
}

/**
 * A clock that jumps to the next sleeper as soon as nothing else can happen; no test waits for real time. `restMs`: real
 * milliseconds before each jump, where something is waited for that is no sleep, as the platform's cryptography.
 */
export function virtualClock({ restMs = 0 } = {}): VirtualClock {
  const sleepers: { atMs: number; wake: () => void }[] = [];
  const slept: number[] = [];
  let nowMs = BEGIN_MS;
  let isPumping = false;
  const soon = (act: () => void) => (restMs === 0 ? setImmediate(act) : setTimeout(act, restMs));
  const add = (sleeper: (typeof sleepers)[number]) => {
    sleepers.push(sleeper);
    if (!isPumping) {
      isPumping = true;
      soon(pump);
    }
  };

  const pump = () => {
    sleepers.sort((a, b) => a.atMs - b.atMs);
    const next = sleepers.shift();
    if (next === undefined) {
      isPumping = false;
      return;
    }
    nowMs = Math.max(nowMs, next.atMs);
    next.wake();
    soon(pump);
  };

  return {
    now: () => nowMs,
    slept,
    sleep(ms) {
      slept.push(ms);
      return new Promise((resolve) => add({ atMs: nowMs + ms, wake: resolve }));
    },
    after(ms, act) {
      const timer = { atMs: nowMs + ms, wake: act };
      add(timer);
      return () => {
        const place = sleepers.indexOf(timer);
        if (place >= 0) sleepers.splice(place, 1);
      };
    },
    async settled() {
      while (isPumping) await new Promise<void>((resolve) => setImmediate(resolve));
    },
  };
}
