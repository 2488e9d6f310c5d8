import type { RecordingEvent } from "../../backend/playback.ts";

/** What people are told of. Everything else in the story is for administrators. */
export type TimelineKind =
  | "requested"
  | "started"
  | "recorder_lost"
  | "stop_requested"
  | "stopped"
  | "files_awaited"
  | "copying"
  | "recorded"
  | "failed"
  | "looked_again"
  | "kept_longer"
  | "held"
  | "released"
  | "about_to_expire"
  | "deletion_requested"
  | "deleted";

export interface TimelineEntry {
  id: number;
  kind: TimelineKind;
  at: number;
  actor: string;
  /** By which of the two, where the story says so: mentor or mentee. */
  by: string | undefined;
  /** Why it was stopped, or the code of what failed. */
  reason: string | undefined;
  tone: "neutral" | "good" | "warning" | "bad";
}

const kinds: Readonly<Record<string, TimelineKind>> = {
  "recording.requested": "requested",
  "engine.confirmed": "started",
  "engine.attempt_lost": "recorder_lost",
  "recording.stop_requested": "stop_requested",
  "engine.gone": "stopped",
  "files.awaited": "files_awaited",
  "files.transferring": "copying",
  "files.published": "recorded",
  "files.announced": "looked_again",
  "recording.retried": "looked_again",
  "recording.kept_longer": "kept_longer",
  "recording.held": "held",
  "recording.released": "released",
  "recording.expiry_announced": "about_to_expire",
  "recording.deletion_requested": "deletion_requested",
  "recording.files_deleted": "deleted",
  // Said with the one before it, and alone where nothing was left to delete.
  "recording.expired": "deleted",
};

const tones: Partial<Record<TimelineKind, TimelineEntry["tone"]>> = {
  recorded: "good",
  failed: "bad",
  recorder_lost: "warning",
  about_to_expire: "warning",
};

/**
 * The story in the order it happened. What is said again and again (files still awaited, copying still going on) stands
 * once, where it began; whatever ends in "failed" is a failure, whatever it was called.
 */
export function timelineOf(events: readonly RecordingEvent[]): TimelineEntry[] {
  const entries: TimelineEntry[] = [];
  for (const event of [...events].sort((a, b) => a.id - b.id)) {
    const kind = event.to_status === "failed" ? "failed" : kinds[event.event];
    if (kind === undefined || entries.at(-1)?.kind === kind) continue;
    entries.push({
      id: event.id,
      kind,
      at: Date.parse(event.happened_at),
      actor: event.actor,
      by: textOf(event.detail.by),
      reason: textOf(event.detail.reason) ?? textOf(event.detail.error) ?? codeOf(event.detail.error),
      tone: tones[kind] ?? "neutral",
    });
  }
  return entries;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function codeOf(value: unknown): string | undefined {
  return typeof value === "object" && value !== null && "code" in value ? textOf(value.code) : undefined;
}
