import type { Recording } from "../../backend/recordings.ts";

/** Why a recording is shown at the top of the home page. */
type AttentionReason = "expiring" | "failed" | "long_processing";

export interface Attention {
  recording: Recording;
  reason: AttentionReason;
}

const dayMs = 86_400_000;
/** People are told a week before; so long it stands here too. */
const expiringWithinMs = 7 * dayMs;
/** What failed longer ago has been seen or never will be. */
const failedWithinMs = 14 * dayMs;
/** The engine is normally done after 20 minutes. */
const longProcessingMs = 20 * 60_000;

/**
 * The recordings that somebody should look at, the most urgent first: about to be deleted (soonest first), failed lately and not made
 * good by another one of the same call, processing for long. `now` in ms.
 */
export function attentionOf(recordings: readonly Recording[], now: number): Attention[] {
  const good = new Set(recordings.filter((row) => row.status === "recorded").map((row) => row.call_id));
  const found = recordings.flatMap((recording): Attention[] => {
    const reason = reasonOf(recording, now);
    if (
      reason === undefined ||
      (reason === "failed" && recording.call_id !== null && good.has(recording.call_id))
    )
      return [];
    return [{ recording, reason }];
  });
  const urgency: readonly AttentionReason[] = ["expiring", "failed", "long_processing"];
  return found.sort((a, b) => urgency.indexOf(a.reason) - urgency.indexOf(b.reason) || timeOf(a) - timeOf(b));
}

function reasonOf(row: Recording, now: number): AttentionReason | undefined {
  if (row.deletion_began_at !== null) return undefined;
  const until = row.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(row.expires_at) - now;
  if (row.status === "recorded" && row.held_at === null && until > 0 && until <= expiringWithinMs)
    return "expiring";
  if (row.status === "failed" && row.error?.code !== "stopped_before_start") {
    return now - Date.parse(row.finished_at ?? row.created_at) <= failedWithinMs ? "failed" : undefined;
  }
  if (
    row.status === "processing" &&
    row.stopped_at !== null &&
    now - Date.parse(row.stopped_at) > longProcessingMs
  ) {
    return "long_processing";
  }
  return undefined;
}

/** The soonest to be deleted first; of the others the newest. */
function timeOf({ recording, reason }: Attention): number {
  return reason === "expiring" ? Date.parse(recording.expires_at ?? "") : -Date.parse(recording.created_at);
}
