import type { Gap } from "../../backend/rows.ts";

/** A place on the player's bar where something is missing. */
export interface GapMark {
  atSeconds: number;
  /** Where on the bar, 0 to 100. */
  percent: number;
  /** How long what is missing was; null where nobody knows. */
  missingSeconds: number | null;
  place: "beginning" | "middle" | "end";
}

/** Marks in playing order. Gaps outside the recording's length mean its edges; without a length there are no marks. */
export function gapMarksOf(gaps: readonly Gap[], durationSeconds: number | null): GapMark[] {
  if (durationSeconds === null || durationSeconds <= 0) return [];
  return gaps
    .map((gap): GapMark => {
      const atSeconds = Math.min(Math.max(gap.from_ms / 1000, 0), durationSeconds);
      return {
        atSeconds,
        percent: (atSeconds / durationSeconds) * 100,
        missingSeconds: gap.missing_ms === null ? null : gap.missing_ms / 1000,
        place: atSeconds === 0 ? "beginning" : atSeconds >= durationSeconds ? "end" : "middle",
      };
    })
    .sort((a, b) => a.atSeconds - b.atSeconds);
}
