import { describe, expect, it } from "vitest";
import type { RecordingEvent } from "../../src/backend/playback.ts";
import { timelineOf } from "../../src/pages/player/timeline.ts";

let id = 0;
const event = (
  name: string,
  detail: Record<string, unknown> = {},
  to: string | null = null,
): RecordingEvent => ({
  id: ++id,
  happened_at: new Date(Date.UTC(2026, 0, 1, 10, 0, id)).toISOString(),
  actor: "engine",
  event: name,
  from_status: null,
  to_status: to,
  detail,
});

describe("The story of a recording is told in order", () => {
  it("from the wish to the file, what repeats once", () => {
    const story = timelineOf(
      [
        event("recording.requested", {}, "starting"),
        event("engine.requested", {}, "starting"),
        event("engine.confirmed", {}, "recording"),
        event("recording.stop_requested", { reason: "user" }, "stopping"),
        event("engine.gone", {}, "processing"),
        event("files.awaited", {}, "processing"),
        event("files.awaited", {}, "processing"),
        event("files.published", {}, "recorded"),
      ].reverse(),
    );
    expect(story.map(({ kind }) => kind)).toEqual([
      "requested",
      "started",
      "stop_requested",
      "stopped",
      "files_awaited",
      "recorded",
    ]);
    expect(story[2]?.reason).toBe("user");
    expect(story.at(-1)?.tone).toBe("good");
  });

  it("whatever ends in failure is a failure, with its code", () => {
    const [missing] = timelineOf([event("files.missing", { error: "files_missing" }, "failed")]);
    expect(missing).toMatchObject({ kind: "failed", reason: "files_missing", tone: "bad" });
    const [refused] = timelineOf([
      event("engine.start_failed", { error: { code: "engine_timeout" } }, "failed"),
    ]);
    expect(refused?.reason).toBe("engine_timeout");
  });

  it("what was deleted is deleted once, also where only its end was written down", () => {
    const events = [event("recording.files_deleted"), event("recording.expired", {}, "expired")];
    expect(timelineOf(events).map(({ kind }) => kind)).toEqual(["deleted"]);
    expect(timelineOf(events.slice(1)).map(({ kind }) => kind)).toEqual(["deleted"]);
  });

  it("what is for administrators is left out", () => {
    expect(timelineOf([event("job.died"), event("transfer.restarted"), event("something.new")])).toEqual([]);
  });
});
