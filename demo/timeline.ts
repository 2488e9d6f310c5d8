import type { CallResult } from "./record-one-call.ts";

/** What happened to one call, for a person: each stage with its time and the step from the one before. */
export function timelineOf(result: CallResult): string {
  const lines = [`call ${result.callId ?? "?"}`];
  let before = 0;
  for (const { name, atMs } of result.stages) {
    lines.push(`  ${String(atMs).padStart(7)} ms  ${`+${atMs - before}`.padStart(7)}  ${name}`);
    before = atMs;
  }
  if (result.playback !== undefined) {
    for (const media of [result.playback.hls, result.playback.mp4]) {
      const seconds = (media.durationMs / 1000).toFixed(2);
      lines.push(`  ${media.kind}: ${seconds} s, ${media.tracks.join(" + ")}, ${media.sizeBytes} bytes`);
    }
  }
  if (result.recordedMs !== undefined)
    lines.push(`  the engine recorded ${(result.recordedMs / 1000).toFixed(2)} s`);
  for (const problem of result.problems) lines.push(`  DID NOT HOLD: ${problem}`);
  return lines.join("\n");
}
