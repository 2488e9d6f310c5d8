// @vitest-environment happy-dom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { BackendError } from "../src/backend/errors.ts";
import type { Loaded, Mentorship } from "../src/backend/people.ts";
import { MentorshipsSection } from "../src/pages/home/mentorships-section.tsx";
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
