/** So close to the beginning nobody stopped on purpose, so close to the end it was watched: of the length, and seconds. */
const EDGE_SHARE = 0.05;
const NEAR_START_SECONDS = 5;
const NEAR_END_SECONDS = 15;

export interface Start {
  atSeconds: number;
  because: "link" | "resumed" | "beginning";
}

/** Where to begin: a link's moment before the place where this person stopped, before the beginning. All in seconds. */
export function startOf(given: {
  link: number | undefined;
  saved: number | null;
  duration: number | null;
}): Start {
  const duration = given.duration ?? Number.POSITIVE_INFINITY;
  // A link may be older than the recording's last cut: beyond its end it means nothing.
  if (given.link !== undefined && given.link < duration) return { atSeconds: given.link, because: "link" };
  const { saved } = given;
  const nearStart = Math.min(NEAR_START_SECONDS, duration * EDGE_SHARE);
  const nearEnd = Math.min(NEAR_END_SECONDS, duration * EDGE_SHARE);
  return saved === null || saved <= nearStart || saved >= duration - nearEnd
    ? { atSeconds: 0, because: "beginning" }
    : { atSeconds: saved, because: "resumed" };
}

/** Between two saves while playing, ms. */
const REST_MS = 5000;

/**
 * Saves where a person is: at most every five seconds while they watch, and at once when they pause or leave. The same
 * place is not saved twice. `save` takes whole milliseconds; what it throws is the caller's to catch.
 */
export function createPositionKeeper(save: (positionMs: number) => void, now: () => number = Date.now) {
  let savedMs: number | undefined;
  let savedAt = Number.NEGATIVE_INFINITY;
  const keep = (seconds: number, atOnce: boolean) => {
    const ms = Math.round(seconds * 1000);
    if (!Number.isFinite(ms) || ms < 0 || ms === savedMs) return;
    if (!atOnce && now() - savedAt < REST_MS) return;
    savedMs = ms;
    savedAt = now();
    save(ms);
  };
  return {
    watching: (seconds: number) => keep(seconds, false),
    leaving: (seconds: number) => keep(seconds, true),
  };
}
