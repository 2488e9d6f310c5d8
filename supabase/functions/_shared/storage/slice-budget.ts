/** What one invocation of a function may still do: memory is bounded by streaming, this bounds CPU and time. */
export interface SliceBudget {
  /** True, and counted, where one more object or part of this size may be begun. The first one always may. */
  take(bytes: number): boolean;
  readonly isUsedUp: boolean;
}

export interface SliceLimits {
  bytes: number;
  requests: number;
  /** Milliseconds since 1970 after which nothing is begun. */
  untilMs: number;
}

export function createSliceBudget(limits: SliceLimits, now: () => number): SliceBudget {
  let { bytes, requests } = limits;
  let isUsedUp = false;
  let hasBegun = false;
  return {
    take(wanted) {
      const isAllowed = !hasBegun || (wanted <= bytes && requests > 0 && now() < limits.untilMs);
      if (isUsedUp || !isAllowed) {
        isUsedUp = true;
        return false;
      }
      hasBegun = true;
      bytes -= wanted;
      requests -= 1;
      return true;
    },
    get isUsedUp() {
      return isUsedUp;
    },
  };
}
