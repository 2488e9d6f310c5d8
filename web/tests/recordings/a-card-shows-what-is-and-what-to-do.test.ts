import { describe, expect, it } from "vitest";
import type { RecordingError } from "../../src/backend/errors.ts";
import { isWatchable, newerCard, recordingCard, withChange } from "../../src/backend/recording-card.ts";
import type { RecordingChange } from "../../src/backend/rows.ts";
import { nextStepOf } from "../../src/pages/recordings/next-step.ts";
import { expiryOf, statusViewOf } from "../../src/pages/recordings/status-view.ts";
import { sampleCard } from "./sample-card.ts";

const now = Date.parse("2026-03-02T00:00:00Z");
const error = (
  code: string,
  blame: RecordingError["blame"],
  retry: RecordingError["retry"],
): RecordingError => ({
  code,
  blame,
  retry,
  message: "Words.",
});

describe("A card shows what is", () => {
  it("copying has bytes, percent and an end that is not over yet", () => {
    const progress = {
      bytes: 25,
      total_bytes: 100,
      percent: 25,
      estimated_end_at: "2026-03-02T00:01:00Z",
      measured_at: "2026-03-02T00:00:00Z",
    };
    const card = sampleCard({ status: "processing", phase: "transferring", progress });
    expect(statusViewOf(card, now)).toEqual({
      tone: "working",
      state: "copying",
      percent: 25,
      bytes: 25,
      totalBytes: 100,
      endsAt: now + 60_000,
    });
    expect(statusViewOf(card, now + 61_000).endsAt).toBeUndefined();
  });

  it.each([
    [{ status: "starting", phase: "queued", queue_place: 3 }, "waiting_for_a_recorder", null],
    [{ status: "starting", phase: "requested" }, "starting", null],
    [{ status: "recording" }, "recording", undefined],
    [{ status: "stopping" }, "stopping", null],
    [{ status: "processing", phase: "waiting_for_upload" }, "waiting_for_files", null],
    [{ status: "recorded" }, "ready", undefined],
    [{ status: "recorded", is_partial: true }, "ready_with_gaps", undefined],
    [{ status: "recorded", is_being_deleted: true }, "deleting", null],
    [{ status: "failed" }, "failed", undefined],
    [{ status: "expired" }, "expired", undefined],
  ] as const)("%j is %s", (members, state, percent) => {
    expect(statusViewOf(sampleCard(members), now)).toMatchObject({ state, percent });
  });

  it("an expiry is said where there is one, and louder in its last two weeks", () => {
    expect(expiryOf(sampleCard(), now)).toEqual({ at: Date.parse("2027-03-01T10:32:00Z"), isSoon: false });
    expect(expiryOf(sampleCard({ expires_at: "2026-03-10T00:00:00Z" }), now)?.isSoon).toBe(true);
    expect(expiryOf(sampleCard({ is_held: true }), now)).toBeUndefined();
    expect(expiryOf(sampleCard({ status: "expired" }), now)).toBeUndefined();
  });

  it("what has arrived of it can be watched while the rest is on its way", () => {
    expect(isWatchable(sampleCard({ status: "processing" }))).toBe(true);
    expect(isWatchable(sampleCard({ status: "processing", duration_ms: null }))).toBe(false);
    expect(isWatchable(sampleCard({ is_being_deleted: true }))).toBe(false);
  });
});

describe("A failure has one next step", () => {
  it.each([
    [error("files_missing", "storage", "later"), true, "look_again"],
    [error("files_missing", "storage", "later"), false, "wait_and_record_again"],
    [error("nothing_recorded", "user", "never"), false, "record_again"],
    [error("stopped_before_start", "user", "now"), false, "record_again"],
    [error("engine_unauthorized", "configuration", "never"), false, "tell_administrator"],
    [error("store_daily_cap_exceeded", "configuration", "later"), false, "tell_administrator"],
    [error("engine_task_failed", "engine", "now"), false, "record_again"],
    [error("never_recorded", "us", "never"), false, "nothing"],
    [error("engine_request_invalid", "us", "never"), false, "tell_administrator"],
  ] as const)("%j with may_retry %s: %s", (failure, may_retry, step) => {
    expect(nextStepOf(sampleCard({ status: "failed", error: failure, may_retry }))).toBe(step);
  });

  it("and what did not fail has none", () => {
    expect(nextStepOf(sampleCard())).toBeUndefined();
  });
});

describe("Changes are taken by version", () => {
  const change = (version: number, members: Partial<RecordingChange> = {}): RecordingChange => {
    const card = sampleCard();
    return {
      id: card.id,
      call_id: card.call_id,
      mentorship_id: card.mentorship_id ?? "",
      attempt: 1,
      requested_at: card.requested_at,
      status: "processing",
      phase: "transferring",
      queue_place: null,
      error: null,
      started_at: card.started_at,
      stop_requested_at: card.stop_requested_at,
      stopped_at: card.stopped_at,
      finished_at: null,
      expires_at: null,
      duration_ms: null,
      size_bytes: null,
      is_partial: false,
      progress: null,
      version,
      ...members,
    };
  };

  it("an older one changes nothing, not even the object", () => {
    const card = sampleCard({ version: 10 });
    expect(withChange(card, change(10))).toBe(card);
    expect(withChange(card, change(9))).toBe(card);
    expect(withChange(card, change(11, { id: "55000000-0000-4000-8000-000000000009" }))).toBe(card);
  });

  it("a newer one is taken, and promises nothing that the database has not judged anew", () => {
    const card = withChange(sampleCard({ version: 10 }), change(11));
    expect(card).toMatchObject({
      status: "processing",
      version: 11,
      may_delete: false,
      keepable_until: null,
    });
    // What no message carries stays.
    expect(card.requested_by?.name).toBe("Amara");
  });

  it("a slow answer does not bring back what was", () => {
    const held = sampleCard({ version: 12 });
    expect(newerCard(held, sampleCard({ version: 11 }))).toBe(held);
    const read = sampleCard({ version: 12, may_retry: true });
    expect(newerCard(held, read)).toBe(read);
  });

  it("a card with a word that nobody knows is not believed", () => {
    expect(recordingCard.safeParse({ ...sampleCard(), status: "dreaming" }).success).toBe(false);
    const failure = { code: "files_missing", blame: "nobody", retry: "later", message: "Words." };
    expect(recordingCard.safeParse({ ...sampleCard(), error: failure }).success).toBe(false);
    expect(recordingCard.safeParse({ ...sampleCard(), size_bytes: -1 }).success).toBe(false);
    expect(recordingCard.safeParse(sampleCard()).success).toBe(true);
  });
});
