import * as z from "zod/mini";
import { ask, askFunction } from "./ask.ts";
import { backend } from "./client.ts";
import { moment, readRows } from "./rows.ts";
import { sessionWasRefused } from "./session.ts";

/** The answer of play-recording, unread: the player's own room says what it needs of it. Throws BackendError. */
export async function openPlayback(recordingId: string): Promise<unknown> {
  return await askFunction("play-recording", { recording_id: recordingId });
}

/** Remembers where this person stopped, ms. Throws BackendError. */
export async function savePosition(recordingId: string, positionMs: number): Promise<void> {
  const { data } = await backend().auth.getSession();
  if (data.session === null) return sessionWasRefused();
  await ask(
    backend()
      .from("playback_positions")
      .upsert(
        {
          user_id: data.session.user.id,
          recording_id: recordingId,
          position_ms: Math.max(0, Math.round(positionMs)),
        },
        { onConflict: "user_id,recording_id" },
      ),
  );
}

/** What a player may report. */
type PlaybackEventKind =
  | "started"
  | "paused"
  | "resumed"
  | "sought"
  | "stalled"
  | "rate_changed"
  | "ended"
  | "failed"
  | "downloaded";

/** Reports what happened while somebody watched: for statistics only, so what cannot be told is not told. */
export async function tellPlayback(event: {
  recordingId: string;
  viewingId: string;
  kind: PlaybackEventKind;
  positionMs: number;
  detail?: Record<string, string | number | boolean>;
}): Promise<void> {
  await ask(
    backend()
      .from("playback_events")
      .insert({
        recording_id: event.recordingId,
        viewing_id: event.viewingId,
        kind: event.kind,
        position_ms: Math.max(0, Math.round(event.positionMs)),
        detail: event.detail ?? {},
      }),
  ).catch(() => undefined);
}

/** A line of a recording's story as its people may read it (table recording_events). */
const recordingEvent = z.object({
  id: z.number(),
  happened_at: moment,
  actor: z.string(),
  event: z.string(),
  from_status: z.nullable(z.string()),
  to_status: z.nullable(z.string()),
  detail: z.record(z.string(), z.unknown()),
});
export type RecordingEvent = z.output<typeof recordingEvent>;

/** The story of a recording, oldest first. Throws BackendError. */
export async function fetchStory(recordingId: string): Promise<RecordingEvent[]> {
  const data = await ask(
    backend()
      .from("recording_events")
      .select("id,happened_at,actor,event,from_status,to_status,detail")
      .eq("recording_id", recordingId)
      .order("id"),
  );
  return readRows(recordingEvent, data, "The story");
}
