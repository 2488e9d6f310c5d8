// @vitest-environment happy-dom
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, configure, render, screen } from "@testing-library/react";
import { MemoryRouter, Route, Routes } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import { queries } from "../../src/backend/client.ts";
import type { RecordingCard } from "../../src/backend/recording-card.ts";
import PlayerPage from "../../src/pages/player/player-page.tsx";
import { answerWith } from "../backend-of-answers.ts";
import { sampleCard } from "../recordings/sample-card.ts";

// What plays is tried before a real browser (tests/browser); here there is nothing to play.
vi.mock("../../src/pages/player/recording-player.tsx", () => ({ default: () => null }));
configure({ asyncUtilTimeout: 30_000 });
afterEach(cleanup);

let count = 0;
/** Another recording each time: what a page knows of one it keeps. */
function show(
  members: Partial<RecordingCard> | null,
  id = `55000000-0000-4000-8000-${String(++count).padStart(12, "0")}`,
) {
  const asked = answerWith({
    show_recording: () => ({ data: members === null ? null : sampleCard({ id, ...members }) }),
    recording_events: () => ({
      data: [
        {
          id: 1,
          happened_at: "2026-03-01T10:00:00Z",
          actor: "user",
          event: "recording.requested",
          from_status: null,
          to_status: "starting",
          detail: {},
        },
      ],
    }),
  });
  render(
    <QueryClientProvider client={queries}>
      <MemoryRouter initialEntries={[`/recordings/${id}`]}>
        <Routes>
          <Route path="/recordings/:id" element={<PlayerPage />} />
        </Routes>
      </MemoryRouter>
    </QueryClientProvider>,
  );
  return asked;
}
const over = { duration_ms: null, may_delete: false, keepable_until: null } as const;

describe("A page says why there is no picture", () => {
  it("somebody else's, or none: the same words", async () => {
    show(null);
    await screen.findByText("There is no such recording");
  });

  it("an address that cannot be one is not even asked for", async () => {
    const asked = show(null, "not-an-id");
    await screen.findByText("There is no such recording");
    expect(asked).toEqual([]);
  });

  it("failed: the reason, the next step, and what happened", async () => {
    const error = {
      code: "nothing_recorded",
      blame: "user",
      retry: "never",
      message: "Nobody sent anything.",
    } as const;
    show({ ...over, status: "failed", error });
    await screen.findByText("There is no picture of this call");
    expect(document.body.textContent).toContain("Record again in the call.");
    await screen.findByText("Somebody pressed record");
  });

  it("deleted, and being deleted", async () => {
    show({ ...over, status: "expired" });
    await screen.findByText("This recording was deleted");
    cleanup();
    show({ is_being_deleted: true, may_delete: false, keepable_until: null });
    await screen.findByText("This recording is being deleted");
  });

  it("still recording, or on its way: how far it is", async () => {
    show({ ...over, status: "recording" });
    await screen.findByText("There is nothing to watch yet");
    expect(document.body.textContent).toContain("Recording now");
    cleanup();
    show({ ...over, status: "processing", phase: "waiting_for_upload" });
    await screen.findByText("There is nothing to watch yet");
    expect(screen.getByRole("progressbar").getAttribute("aria-valuenow")).toBeNull();
  });

  it("nothing may be played any more: it is not offered as a player that does not work", async () => {
    const asked = show({});
    await screen.findByRole("alert");
    expect(asked).toContain("play-recording");
  });
});
