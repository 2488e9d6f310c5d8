import type { ReadClock } from "./recorded-clock.ts";

/** How far a recording's clock or beeps are from the wall's, ms: positive where the recording is ahead. */
export interface Agreement {
  /** How many pictures or beeps were compared. */
  count: number;
  median: number;
  /** The farthest from zero. */
  worst: number;
}

/**
 * Compares what a person's clock showed with when it stands in the recording. Only pictures with a new time count: a sender that stands
 * still for a moment (a busy machine) is recorded as it was. `worst` is without one in ten, because a single late picture is that
 * machine's, not the recorder's.
 */
export function agreementOf(clock: ReadClock[], startedAt: number): Agreement {
  const differences: number[] = [];
  let before: number | null = null;
  for (const { wallMs, atMs } of clock) {
    if (wallMs !== null && wallMs !== before) differences.push(wallMs - (startedAt + atMs));
    before = wallMs ?? before;
  }
  return summary(differences, Math.floor(differences.length / 10));
}

/** The same for beeps that sound `beepAtMs` after each full second. */
export function agreementOfBeeps(onsets: number[], startedAt: number, beepAtMs: number): Agreement {
  const differences = onsets.map((atMs) => {
    const sinceBeep = startedAt + atMs - beepAtMs;
    return Math.round(sinceBeep / 1000) * 1000 - sinceBeep;
  });
  return summary(differences, Math.floor(differences.length / 10));
}

function summary(differences: number[], outliers: number): Agreement {
  const bySize = [...differences].sort((a, b) => Math.abs(a) - Math.abs(b));
  const sorted = [...differences].sort((a, b) => a - b);
  return {
    count: differences.length,
    median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
    worst: bySize.at(-1 - outliers) ?? Number.NaN,
  };
}
