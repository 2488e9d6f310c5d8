// @vitest-environment happy-dom
import { cleanup, configure, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Backend, replaceBackend } from "../../src/backend/client.ts";
import type { RecordingCard } from "../../src/backend/recording-card.ts";
import { RecordingRow } from "../../src/pages/recordings/recording-row.tsx";
import { sampleCard } from "./sample-card.ts";

// What is lazy takes its time on a busy machine.
configure({ asyncUtilTimeout: 30_000 });

const now = Date.parse("2026-03-02T00:00:00Z");
let asked: { name: string; given: unknown }[] = [];
let refusal: { code: string; message: string } | null = null;

/** A backend that knows RPCs only: it notes what was asked and refuses what it is told to. */
function backendOfRpcs(): Backend {
  const rpc = async (name: string, given: unknown) => {
    asked.push({ name, given });
    return refusal !== null && name !== "show_recording"
      ? { data: null, error: refusal, status: 409 }
      : { data: name === "show_recording" ? sampleCard() : {}, error: null, status: 200 };
  };
  return { rpc } as unknown as Backend;
}

beforeEach(() => {
  asked = [];
  refusal = null;
  replaceBackend(backendOfRpcs());
});
afterEach(cleanup);

function show(members: Partial<RecordingCard> = {}) {
  return render(
    <MemoryRouter>
      <RecordingRow card={sampleCard(members)} now={now} />
    </MemoryRouter>,
  );
}
const text = () => document.body.textContent ?? "";

describe("A row says what is", () => {
  it("what is there: length, size, quality, who recorded, until when", () => {
    show();
    expect(text()).toContain("29:55");
    expect(text()).toContain("420 MB");
    expect(text()).toContain("720p");
    expect(text()).toContain("Recorded by you");
    expect(text()).toContain("Kept until");
    expect(screen.getByRole("link", { name: /^Watch the recording of/ })).toBeTruthy();
  });

  it("what is copied: bytes, an end, and a bar with its share", () => {
    show({
      status: "processing",
      phase: "transferring",
      progress: {
        bytes: 412_000_000,
        total_bytes: 980_000_000,
        percent: 42,
        estimated_end_at: new Date(now + 240_000).toISOString(),
        measured_at: new Date(now).toISOString(),
      },
    });
    expect(text()).toContain("412 MB of 980 MB copied, there in 4 minutes");
    expect(text()).toContain("can be watched already");
    expect(screen.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("42");
  });

  it("what is missing, and how much of it", () => {
    show({
      is_partial: true,
      gaps: [
        { from_ms: 1000, to_ms: 1000, missing_ms: 14_000 },
        { from_ms: 9000, to_ms: 9000, missing_ms: 3000 },
      ],
    });
    expect(text()).toContain("2 gaps, 0:17 missing");
    cleanup();
    show({ is_partial: true, gaps: [{ from_ms: 1000, to_ms: 1000, missing_ms: null }] });
    expect(text()).toContain("1 gap");
    expect(text()).not.toContain("missing");
  });

  it("a failure in one sentence, and the next step", () => {
    const error = { code: "files_missing", blame: "storage", retry: "later", message: "Words." } as const;
    show({
      status: "failed",
      error,
      duration_ms: null,
      may_retry: true,
      may_delete: false,
      keepable_until: null,
    });
    expect(text()).toContain("look for them again");
    expect(screen.getAllByRole("button").map((button) => button.textContent)).toEqual(["Look again"]);
  });

  it("what the store refused, in our words, and who can mend it", () => {
    const error = {
      code: "store_daily_cap_exceeded",
      blame: "configuration",
      retry: "later",
      message: "Words of the database.",
    } as const;
    show({ status: "failed", error, duration_ms: null, may_delete: false, keepable_until: null });
    expect(text()).toContain("The storage's limit for today is reached.");
    expect(text()).toContain("Tell an administrator");
    expect(text()).not.toContain("Words of the database.");
    expect(screen.queryAllByRole("button")).toEqual([]);
  });
});

describe("A row offers what is allowed, and nothing else", () => {
  it("no button where nothing is", () => {
    show({ may_delete: false, may_retry: false, keepable_until: null });
    expect(screen.queryAllByRole("button")).toEqual([]);
  });

  it("deleting asks first, and keeping it asks nobody", async () => {
    const user = userEvent.setup();
    show();
    await user.click(screen.getByRole("button", { name: "Delete" }));
    expect((await screen.findByRole("alertdialog")).textContent).toContain("for both of you");
    await user.click(screen.getByRole("button", { name: "Keep it" }));
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    expect(asked).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Delete" }));
    await user.click(await screen.findByRole("button", { name: "Delete for both" }));
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    expect(asked.map(({ name }) => name)).toEqual(["delete_recording", "show_recording"]);
  });

  it("a refusal is said where it was asked, and the question stays", async () => {
    refusal = { code: "recording_held", message: "This recording is held and cannot be deleted." };
    const user = userEvent.setup();
    show();
    await user.click(screen.getByRole("button", { name: "Delete" }));
    await user.click(await screen.findByRole("button", { name: "Delete for both" }));
    await screen.findByRole("alert");
    expect(screen.getByRole("alertdialog")).toBeTruthy();
  });

  it("keeping longer says until when, before and after", async () => {
    const user = userEvent.setup();
    show();
    await user.click(screen.getByRole("button", { name: "Keep longer" }));
    const said = (await screen.findByRole("dialog")).textContent ?? "";
    expect(said).toContain("2027");
    expect(said).toContain("2029");
    await user.click(screen.getByRole("button", { name: "Keep it" }));
    await waitFor(() => expect(asked[0]?.name).toBe("keep_recording_longer"));
  });
});
