/**
 * Milliseconds of the machine's monotonic clock, which all processes share: unlike `performance.now()` it can be compared between
 * the media server and its recorders, and unlike the wall clock it never jumps.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
