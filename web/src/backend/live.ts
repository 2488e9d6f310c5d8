import { onReturn } from "./awake.ts";
import { listen } from "./channels.ts";

/** How to keep one thing fresh. */
export interface Watch {
  topic: string;
  /** Takes one event; called only after a snapshot has come since the subscription became live. */
  take(event: string, payload: unknown): void;
  /** Fetches and merges. Its errors are its own affair: it is asked again. */
  snapshot(): Promise<unknown>;
  /** Nothing will change by itself any more: then there is no minute's refetch. */
  isFinal(): boolean;
  /** Whether events arrive; for a hint on the page. */
  onLive?(isLive: boolean): void;
}

/** Without Realtime the page is right within this time. */
export const pollMs = 30_000;
/** Nobody's view depends on a message: while something is not final, it is asked for again. */
export const refetchMs = 60_000;

/**
 * Keeps something fresh: subscribe, buffer, fetch, merge, then take events; fetch again after every rejoin, when the page comes back,
 * every minute while something is not final, and every 30 s while nothing is heard. Gives the function that ends it.
 */
export function watch({ topic, take, snapshot, isFinal, onLive }: Watch): () => void {
  let isJoined = false;
  let buffer: { event: string; payload: unknown }[] | undefined;
  let lastAt = Date.now();

  const fetchNow = async () => {
    lastAt = Date.now();
    await snapshot().catch(() => undefined);
  };
  const resync = async () => {
    const mine: NonNullable<typeof buffer> = buffer ?? [];
    const isFirst = buffer === undefined;
    buffer = mine;
    await fetchNow();
    // Another one is under way already and flushes.
    if (!isFirst) return;
    buffer = undefined;
    for (const { event, payload } of mine) take(event, payload);
  };

  const leave = listen(topic, {
    heard: (event, payload) => {
      if (buffer === undefined) take(event, payload);
      else buffer.push({ event, payload });
    },
    joined: () => {
      isJoined = true;
      onLive?.(true);
      void resync();
    },
    lost: () => {
      isJoined = false;
      onLive?.(false);
    },
  });
  const stopReturns = onReturn(() => void resync());
  const timer = setInterval(() => {
    const age = Date.now() - lastAt;
    const isDue = isJoined ? !isFinal() && age >= refetchMs : age >= pollMs;
    if (isDue && document.visibilityState === "visible" && navigator.onLine) void fetchNow();
  }, 5_000);

  return () => {
    clearInterval(timer);
    stopReturns();
    leave();
  };
}
