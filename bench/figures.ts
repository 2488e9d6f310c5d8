/** What is promised about a figure: one of its statistics stays below a limit, or reaches one, in the figure's own unit. */
export type Target = { of: "median" | "p95" | "min" | "max" } & ({ below: number } | { atLeast: number });

/** One thing that was measured, every single value of it. */
export interface Figure {
  name: string;
  unit: "ms" | "bytes" | "per s" | "count";
  values: number[];
  target?: Target;
  /** What exactly was measured, where the name does not say it. */
  note?: string;
  /** The figure before it that this one is a step or a share of; shown indented. */
  partOf?: string;
}

/** A figure with its statistics; `met` is undefined where nothing was promised. */
export interface Summary extends Figure {
  count: number;
  median: number;
  p95: number;
  min: number;
  max: number;
  met: boolean | undefined;
}

/**
 * The value below which the share `p` (0 to 1) of the values lies, by nearest rank: always one that was measured.
 *
 * @throws RangeError without values.
 */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("a percentile of no values");
  return value;
}

/** @throws RangeError when the figure has no values: nothing was measured, and that must not look like a result. */
export function summarize(figure: Figure): Summary {
  const statistics = {
    median: percentile(figure.values, 0.5),
    p95: percentile(figure.values, 0.95),
    min: percentile(figure.values, 0),
    max: percentile(figure.values, 1),
  };
  const { target } = figure;
  return {
    ...figure,
    count: figure.values.length,
    ...statistics,
    met: target === undefined ? undefined : isMet(statistics[target.of], target),
  };
}

function isMet(value: number, target: Target): boolean {
  return "below" in target ? value < target.below : value >= target.atLeast;
}

/** Turns rows of named numbers into one figure per name, in the order of first appearance. */
export function figuresOfRows(
  rows: readonly Record<string, number>[],
  shape: Omit<Figure, "name" | "values">,
): Figure[] {
  const byName = new Map<string, number[]>();
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      const values = byName.get(name) ?? [];
      values.push(value);
      byName.set(name, values);
    }
  }
  return [...byName].map(([name, values]) => ({ ...shape, name, values }));
}
