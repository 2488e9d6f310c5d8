import type { Figure } from "./figures.ts";

/** What every suite is told. */
export interface SuiteOrder {
  /** Starts on a new folder, each followed by one on the same folder. */
  starts: number;
  /** Recordings one after the other. */
  recordings: number;
  /** Committed changes by each way. */
  pushes: number;
  /** Ends a suite that is under way; it leaves nothing running all the same. */
  signal: AbortSignal;
  /** A line about the progress, for people. */
  say: (line: string) => void;
}

/**
 * Measures one subject and gives its figures, in the order in which they are shown. Starts whatever it needs and leaves
 * nothing of it.
 *
 * @throws Error when it could not measure; a missed target is a result, not an error.
 */
export type Suite = (order: SuiteOrder) => Promise<Figure[]>;
