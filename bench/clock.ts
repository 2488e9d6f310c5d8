/**
 * Milliseconds of the machine's monotonic clock: the same clock in every process of this machine, so that times taken
 * by different ones can be subtracted. Nothing sets it back.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A moment of this process' `performance.now()` on the machine's clock. */
export function monotonicOf(performanceNow: number): number {
  return monotonicMs() - (performance.now() - performanceNow);
}
