import { useSyncExternalStore } from "react";

/** Where the player is, outside React's tree: it moves four times a second, and few things show it. */
export interface PlayClock {
  seconds(): number;
  set(seconds: number): void;
  subscribe(listener: () => void): () => void;
}

export function createPlayClock(): PlayClock {
  let now = 0;
  const listeners = new Set<() => void>();
  return {
    seconds: () => now,
    set: (seconds) => {
      now = seconds;
      for (const listener of listeners) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The whole second that is played; whoever uses it is drawn again once a second. */
export function useWholeSecond(clock: PlayClock): number {
  return useSyncExternalStore(clock.subscribe, () => Math.floor(clock.seconds()));
}
