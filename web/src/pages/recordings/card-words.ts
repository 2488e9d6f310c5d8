import type { RecordingCard } from "../../backend/recording-card.ts";
import { formatBytes, formatClock, formatDate, formatDateTime, formatRelative } from "../../design/format.ts";
import { textOfError } from "../../texts/errors.ts";
import { recordingTexts as texts } from "../../texts/recordings.ts";
import { expiryOf, type StatusView } from "./status-view.ts";

/** When a recording was, as its name among others: "22 Nov 2026, 14:33". */
export function whenOf(card: Pick<RecordingCard, "started_at" | "created_at">): string {
  return formatDateTime(card.started_at ?? card.created_at);
}

/** One sentence about where a recording stands. `now` in ms. */
export function stateSentence(card: RecordingCard, view: StatusView, now: number): string {
  switch (view.state) {
    case "waiting_for_a_recorder":
      return texts.states.waiting_for_a_recorder(card.queue_place ?? 1);
    case "copying": {
      const copied = texts.states.copying(formatBytes(view.bytes ?? 0), formatBytes(view.totalBytes ?? 0));
      if (view.endsAt === undefined) return copied;
      return `${copied}, ${texts.states.endsIn(formatRelative(new Date(view.endsAt).toISOString(), now))}`;
    }
    default:
      return texts.states[view.state];
  }
}

/** Who pressed record; undefined where nobody knows any more. */
export function recordedBy(card: RecordingCard): string | undefined {
  const { requested_by } = card;
  if (requested_by === null) return undefined;
  return texts.recordedBy(requested_by.name ?? texts[requested_by.role], requested_by.is_me);
}

/** How much is missing: "2 gaps, 14 s missing"; undefined where nothing is. */
export function gapsSentence(card: RecordingCard): string | undefined {
  if (!card.is_partial) return undefined;
  const count = Math.max(1, card.gaps.length);
  const known = card.gaps.every(({ missing_ms }) => missing_ms !== null) && card.gaps.length > 0;
  const missingMs = card.gaps.reduce((sum, { missing_ms }) => sum + (missing_ms ?? 0), 0);
  return known ? texts.gapsMissing(count, formatClock(missingMs)) : texts.gaps(count);
}

/** Until when it is kept, and whether that is soon. */
export function expirySentence(
  card: RecordingCard,
  now: number,
): { text: string; isSoon: boolean } | undefined {
  if (card.is_held) return { text: texts.held(card.hold_reason ?? ""), isSoon: false };
  const expiry = expiryOf(card, now);
  if (expiry !== undefined) {
    const iso = new Date(expiry.at).toISOString();
    return {
      text: expiry.isSoon ? texts.expiresSoon(formatRelative(iso, now)) : texts.expires(formatDate(iso)),
      isSoon: expiry.isSoon,
    };
  }
  return card.status === "recorded" && card.expires_at === null
    ? { text: texts.keptForGood, isSoon: false }
    : undefined;
}

/** Our own words for a code we know; else the database's. */
export function reasonOf(error: NonNullable<RecordingCard["error"]>): string {
  const known = textOfError(error.code);
  return known === textOfError("unexpected_error") && error.code !== "unexpected_error"
    ? error.message
    : known.sentence;
}
