// @vitest-environment happy-dom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { Call } from "../src/backend/calls.ts";
import { BackendError } from "../src/backend/errors.ts";
import type { Loaded, Mentorship } from "../src/backend/people.ts";
import { MentorshipsSection } from "../src/pages/home/mentorships-section.tsx";
import { PastCallsSection } from "../src/pages/home/past-calls-section.tsx";
import { show } from "./dom.tsx";

const loaded = (change: Partial<Loaded<Mentorship[]>>): Loaded<Mentorship[]> => ({
  data: undefined,
  status: "loading",
  error: undefined,
  refetch: () => undefined,
  ...change,
});
const mentorship = (id: string, name: string, change: Partial<Mentorship> = {}): Mentorship => ({
  id,
  status: "active",
  endedAt: undefined,
  myRole: "mentor",
  me: { id: "i", name: "Amara" },
  partner: { id: "m", name },
  ...change,
});

test("while it loads, a screen reader hears what is loading", () => {
  show(<MentorshipsSection mentorships={loaded({})} open={[]} />);
  expect(screen.getByRole("status").textContent).toBe("Loading your mentorships");
});

test("an error says one sentence and has a button that asks again", async () => {
  const refetch = vi.fn();
  const error = new BackendError("backend_unreachable", "TypeError: Failed to fetch");
  show(<MentorshipsSection mentorships={loaded({ status: "error", error, refetch })} open={[]} />);
  expect(screen.getByRole("alert").textContent).toContain("The portal cannot be reached.");
  expect(screen.getByRole("alert").textContent).not.toContain("Failed to fetch");
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(refetch).toHaveBeenCalledTimes(1);
});

test("nobody to meet is said, with what will change it", () => {
  show(<MentorshipsSection mentorships={loaded({ status: "ready", data: [] })} open={[]} />);
  expect(screen.getByText("No mentorship yet")).toBeDefined();
});

test("a mentorship that is over comes last, and can be looked back on but not called", () => {
  const data = [
    mentorship("1", "Aba", { status: "ended", endedAt: "2026-10-01T00:00:00+00:00" }),
    mentorship("2", "Chidi"),
  ];
  show(<MentorshipsSection mentorships={loaded({ status: "ready", data })} open={[]} />);
  expect(screen.getAllByRole("heading", { level: 3 }).map((heading) => heading.textContent)).toEqual([
    "Chidi",
    "Aba",
  ]);
  expect(screen.getAllByRole("link").map((link) => link.getAttribute("aria-label"))).toEqual([
    "Start a call with Chidi",
    "Recordings with Chidi",
    "Recordings with Aba",
  ]);
});

test("who has no name is still somebody", () => {
  show(
    <MentorshipsSection mentorships={loaded({ status: "ready", data: [mentorship("1", "")] })} open={[]} />,
  );
  expect(screen.getByRole("link", { name: "Start a call with Somebody without a name" })).toBeDefined();
});

test("a past call leads to its recording by a name that says so, and when it was", () => {
  const ended = (id: string, change: Partial<Call>): Call => ({
    id,
    mentorship_id: "1",
    channel: "c",
    status: "ended",
    start_time: "2026-11-20T10:00:00+00:00",
    end_time: "2026-11-20T11:00:00+00:00",
    duration_seconds: 3_600,
    recording_id: `recording ${id}`,
    recording_status: "recorded",
    recording_phase: null,
    recording_queue_place: null,
    recording_quality: "720p",
    recording_layout: "best_fit",
    recording_error: null,
    recording_progress: null,
    recording_url: "https://portal.example/recordings/1",
    recording_size: null,
    recording_duration_seconds: null,
    recording_metadata: null,
    version: 1,
    ...change,
  });
  const data = [
    ended("1", {}),
    ended("2", { recording_status: "failed", recording_url: null }),
    ended("3", { recording_id: null, recording_status: null, recording_url: null }),
  ];
  const calls = { data, status: "ready", error: undefined, refetch: () => undefined, isLive: true } as const;
  show(<PastCallsSection calls={calls} people={[mentorship("1", "Chidi")]} />);
  expect(screen.getAllByRole("link").map((link) => link.getAttribute("aria-label"))).toEqual([
    expect.stringMatching(/^Watch the recording with Chidi of .*20.*2026/),
    expect.stringMatching(/^The recording with Chidi of .*20.*2026/),
  ]);
});
