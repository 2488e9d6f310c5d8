import type { RecordingCard } from "../../backend/recording-card.ts";

export type Tone = "neutral" | "live" | "working" | "good" | "warning" | "bad";

/** What to show of a recording's state, without any words yet: texts/recordings.ts has them. */
export interface StatusView {
  tone: Tone;
  /** Which sentence; its numbers are in the card. */
  state:
    | "waiting_for_a_recorder"
    | "starting"
    | "recording"
    | "stopping"
    | "waiting_for_files"
    | "copying"
    | "ready"
    | "ready_with_gaps"
    | "deleting"
    | "failed"
    | "expired";
  /** How far it is, 0 to 100; null: nobody knows, but it goes on. Undefined: nothing is under way. */
  percent: number | null | undefined;
  bytes: number | undefined;
  totalBytes: number | undefined;
  /** When it should be there, by the last minute's speed; ms since 1970. Never in the past. */
  endsAt: number | undefined;
}

/** `now` in ms since 1970: an end that lies in the past is none. */
export function statusViewOf(card: RecordingCard, now: number): StatusView {
  const still = { percent: undefined, bytes: undefined, totalBytes: undefined, endsAt: undefined };
  const moving = { ...still, percent: null };
  if (card.is_being_deleted) return { tone: "neutral", state: "deleting", ...moving };
  switch (card.status) {
    case "starting":
      return card.phase === "queued" && card.queue_place !== null
        ? { tone: "working", state: "waiting_for_a_recorder", ...moving }
        : { tone: "working", state: "starting", ...moving };
    case "recording":
      return { tone: "live", state: "recording", ...still };
    case "stopping":
      return { tone: "working", state: "stopping", ...moving };
    case "processing":
      return card.progress === null
        ? { tone: "working", state: "waiting_for_files", ...moving }
        : { tone: "working", state: "copying", ...progressOf(card.progress, now) };
    case "recorded":
      return card.is_partial
        ? { tone: "warning", state: "ready_with_gaps", ...still }
        : { tone: "good", state: "ready", ...still };
    case "failed":
      return { tone: "bad", state: "failed", ...still };
    case "expired":
      return { tone: "neutral", state: "expired", ...still };
  }
}

function progressOf(progress: NonNullable<RecordingCard["progress"]>, now: number) {
  const endsAt = progress.estimated_end_at === null ? Number.NaN : Date.parse(progress.estimated_end_at);
  return {
    percent: Math.min(100, Math.max(0, progress.percent)),
    bytes: progress.bytes,
    totalBytes: progress.total_bytes,
    endsAt: endsAt > now ? endsAt : undefined,
  };
}

/** From this long before its expiry on a recording's date is shown as a warning, ms. */
const SOON_MS = 14 * 24 * 3600 * 1000;

/** When it will be deleted, if a date is worth showing; `isSoon` within two weeks. */
export function expiryOf(card: RecordingCard, now: number): { at: number; isSoon: boolean } | undefined {
  if (card.is_held || card.is_being_deleted || card.expires_at === null) return undefined;
  if (card.status !== "recorded" && card.status !== "failed") return undefined;
  const at = Date.parse(card.expires_at);
  return { at, isSoon: at - now < SOON_MS };
}
