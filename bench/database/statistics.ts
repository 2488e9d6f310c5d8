/** Value below which the share `p` (0 to 1) of the values lies, by nearest rank. @throws RangeError without values. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("a percentile of no values");
  return value;
}

/** The middle value. */
export const median = (values: readonly number[]): number => percentile(values, 0.5);
