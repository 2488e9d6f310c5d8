import type { RecordingCard } from "../../backend/recording-card.ts";

/** What a person can do about a failed recording. There is always one answer, and only one. */
export type NextStep =
  | "look_again"
  | "wait_and_record_again"
  | "record_again"
  | "tell_administrator"
  | "nothing";

/** Codes that say how it was in the old portal: nobody can do anything about them. */
const ofTheOldPortal = new Set([
  "never_recorded",
  "never_finished",
  "failed_in_old_portal",
  "old_status_unknown",
]);

/** The next step on a failure: what the database allows comes first, then what the error says of itself. */
export function nextStepOf(
  card: Pick<RecordingCard, "status" | "error" | "may_retry">,
): NextStep | undefined {
  const { error } = card;
  if (card.status !== "failed" || error === null) return undefined;
  if (card.may_retry) return "look_again";
  if (ofTheOldPortal.has(error.code)) return "nothing";
  if (error.blame === "user") return "record_again";
  if (error.blame === "configuration" || error.retry === "never") return "tell_administrator";
  return error.retry === "now" ? "record_again" : "wait_and_record_again";
}
