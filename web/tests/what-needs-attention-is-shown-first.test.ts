import { expect, test } from "vitest";
import type { Recording } from "../src/backend/recordings.ts";
import { attentionOf } from "../src/pages/home/attention.ts";

const now = Date.parse("2026-11-22T12:00:00Z");
const ago = (hours: number): string => new Date(now - hours * 3_600_000).toISOString();

function made(id: string, change: Partial<Recording>): Recording {
  return {
    id,
    call_id: `call of ${id}`,
    mentorship_id: "m",
    status: "recorded",
    phase: null,
    queue_place: null,
    quality: "720p",
    layout: "best_fit",
    attempt: 1,
    requested_by: null,
    requested_at: ago(30),
    started_at: ago(30),
    stop_requested_at: null,
    stop_reason: null,
    stopped_at: ago(29),
    finished_at: ago(28),
    expires_at: ago(-24 * 300),
    deletion_began_at: null,
    held_at: null,
    hold_reason: null,
    deadline_at: null,
    error: null,
    is_partial: false,
    gaps: [],
    duration_ms: 1,
    size_bytes: 1,
    stored_bytes: 1,
    progress: null,
    version: 1,
    created_at: ago(30),
    ...change,
  };
}
const failed = (id: string, code: string, hours = 5): Recording =>
  made(id, {
    status: "failed",
    finished_at: ago(hours),
    error: { code, blame: "us", retry: "later", message: "…" },
  });
const named = (...recordings: Recording[]): string[] =>
  attentionOf(recordings, now).map(({ recording, reason }) => `${recording.id} ${reason}`);

test("what is deleted soonest comes first, then what failed, then what takes long", () => {
  expect(
    named(
      made("slow", { status: "processing", stopped_at: ago(1), finished_at: null }),
      failed("broken", "files_missing"),
      made("in six days", { expires_at: ago(-24 * 6) }),
      made("tomorrow", { expires_at: ago(-24) }),
      made("fine", {}),
    ),
  ).toEqual(["tomorrow expiring", "in six days expiring", "broken failed", "slow long_processing"]);
});

test("nobody is bothered with what needs nothing", () => {
  expect(
    named(
      failed("taken back", "stopped_before_start"),
      failed("long ago", "files_missing", 24 * 15),
      made("held", { expires_at: ago(-24), held_at: ago(1), hold_reason: "a question is open" }),
      made("kept for ever", { expires_at: null }),
      made("in eight days", { expires_at: ago(-24 * 8) }),
      made("just stopped", { status: "processing", stopped_at: ago(0.1), finished_at: null }),
      made("being deleted", { expires_at: ago(-1), deletion_began_at: ago(0) }),
    ),
  ).toEqual([]);
});

test("a failure that another recording of the same call made good is over; one of another call is not", () => {
  expect(
    named(failed("first try", "engine_start_failed"), made("second try", { call_id: "call of first try" })),
  ).toEqual([]);
  expect(
    named(failed("first try", "engine_start_failed"), made("elsewhere", { call_id: "another" })),
  ).toEqual(["first try failed"]);
});
