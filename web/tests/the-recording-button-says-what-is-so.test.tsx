// @vitest-environment happy-dom
import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, describe, expect, test, vi } from "vitest";
import { RecordingControl, RecordingNote } from "../src/pages/call/recording-control.tsx";
import { RecordingIndicator, RecordingStatus } from "../src/pages/call/recording-indicator.tsx";
import { type RecordedCall, viewRecording, type Wish } from "../src/pages/call/recording-view.ts";

afterEach(cleanup);

const call = (change: Partial<RecordedCall> = {}): RecordedCall => ({
  status: "active",
  recording_id: "55000000-0000-4000-8000-000000000001",
  recording_status: null,
  recording_phase: null,
  recording_queue_place: null,
  recording_error: null,
  recording_progress: null,
  recording_url: null,
  ...change,
});
const of = (recording_status: string | null, change: Partial<RecordedCall> = {}) =>
  call({ recording_status, ...change });

function Whole({ state, wish, refusal }: { state: RecordedCall; wish?: Wish; refusal?: string }) {
  const view = viewRecording(state, wish);
  return (
    <MemoryRouter>
      <RecordingStatus view={view} />
      <RecordingIndicator view={view} startedAt={new Date(Date.now() - 65_000).toISOString()} />
      <RecordingControl
        view={view}
        choices={{ quality: "720p", layout: "best_fit" }}
        onChoose={pressed.choose}
        onStart={pressed.start}
        onStop={pressed.stop}
      />
      <RecordingNote
        view={view}
        recordingsPath="/recordings-of-us"
        refusal={refusal}
        onDismiss={pressed.dismiss}
      />
    </MemoryRouter>
  );
}

const pressed = { start: vi.fn(), stop: vi.fn(), choose: vi.fn(), dismiss: vi.fn() };
afterEach(() => vi.clearAllMocks());

const buttons = () =>
  screen.getAllByRole("button").map((button) => button.getAttribute("aria-label") ?? button.textContent);
const indicator = () => document.querySelector("[data-stage]")?.textContent;

describe("What is shown in each state", () => {
  test.each<[string, RecordedCall, Wish | undefined, string[], string | undefined]>([
    ["never recorded", of(null), undefined, ["Start recording", "Recording options"], undefined],
    [
      "the old portal's word for it",
      of("not_recorded"),
      undefined,
      ["Start recording", "Recording options"],
      undefined,
    ],
    ["start was pressed", of(null), "starting", ["Starting recording"], undefined],
    [
      "starting",
      of("starting", { recording_phase: "requested" }),
      undefined,
      ["Cancel recording"],
      "Starting recording",
    ],
    [
      "queued for a moment",
      of("starting", { recording_phase: "queued" }),
      undefined,
      ["Cancel recording"],
      "Starting recording",
    ],
    [
      "queued with a place",
      of("starting", { recording_phase: "queued", recording_queue_place: 3 }),
      undefined,
      ["Cancel recording"],
      "Waiting for a recorderplace 3 in the queue",
    ],
    ["recording", of("recording"), undefined, ["Stop recording"], "Recording1:05"],
    [
      "stop was pressed, nothing has happened yet",
      of("recording"),
      "stopping",
      ["Stopping recording"],
      "Recording1:05",
    ],
    ["stopping", of("stopping"), undefined, ["Stopping recording"], "Stopping recording"],
    ["processing", of("processing"), undefined, ["Start recording", "Recording options"], undefined],
    ["recorded", of("recorded"), undefined, ["Start recording", "Recording options"], undefined],
    ["failed", of("failed"), undefined, ["Start recording", "Recording options"], undefined],
    ["expired", of("expired"), undefined, ["Start recording", "Recording options"], undefined],
  ])("%s", (_name, state, wish, shown, pill) => {
    render(<Whole state={state} {...(wish ? { wish } : {})} />);
    expect(buttons()).toEqual(shown);
    expect(indicator()).toBe(pill);
  });

  test("the indicator follows the server: a click changes the button, never the pill", () => {
    render(<Whole state={of(null)} wish="starting" />);
    expect(indicator()).toBeUndefined();
  });

  test("a wish that has become a fact, or was overtaken, does not come back", () => {
    expect(viewRecording(of("recording"), "starting").wish).toBeUndefined();
    expect(viewRecording(of("stopping"), "starting").wish).toBeUndefined();
    expect(viewRecording(of("processing"), "stopping").wish).toBeUndefined();
    // After an earlier recording a new wish is open, although a status is there.
    expect(viewRecording(of("recorded"), "starting").wish).toBe("starting");
  });
});

describe("What can be pressed", () => {
  test("start, and stop, and cancel while it waits", async () => {
    const { rerender } = render(<Whole state={of(null)} />);
    await userEvent.click(screen.getByRole("button", { name: "Start recording" }));
    expect(pressed.start).toHaveBeenCalledOnce();
    rerender(<Whole state={of("recording")} />);
    await userEvent.click(screen.getByRole("button", { name: "Stop recording" }));
    rerender(<Whole state={of("starting")} />);
    await userEvent.click(screen.getByRole("button", { name: "Cancel recording" }));
    expect(pressed.stop).toHaveBeenCalledTimes(2);
  });

  test("what is under way takes no second press", async () => {
    render(<Whole state={of("stopping")} />);
    const button = screen.getByRole("button", { name: "Stopping recording" });
    expect(button.getAttribute("aria-busy")).toBe("true");
    await userEvent.click(button);
    expect(pressed.stop).not.toHaveBeenCalled();
    expect(pressed.start).not.toHaveBeenCalled();
  });

  test("quality and layout are chosen before, and Escape closes the choice", async () => {
    render(<Whole state={of(null)} />);
    await userEvent.click(screen.getByRole("button", { name: "Recording options" }));
    const options = within(screen.getByRole("region", { name: "Recording options" }));
    await userEvent.selectOptions(options.getByLabelText("Quality"), "Sound only");
    expect(pressed.choose).toHaveBeenCalledWith({ quality: "audio", layout: "best_fit" });
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByRole("region", { name: "Recording options" })).toBeNull();
  });
});

describe("What became of it", () => {
  test("a failure has its sentence and its next step", () => {
    const error = { code: "no_recorder_available", blame: "engine", retry: "now", message: "" } as const;
    render(<Whole state={of("failed", { recording_error: error })} />);
    expect(
      screen.getByText("The recording failed.", { selector: "strong" }).parentElement?.textContent,
    ).toMatch(/^The recording failed\. .+\. .+\.$/);
    expect(screen.getByRole("link", { name: "Recordings" }).getAttribute("href")).toBe("/recordings-of-us");
  });

  test("a refused wish is said at once, and can be put away", async () => {
    render(<Whole state={of("stopping")} refusal="still_stopping" />);
    expect(screen.getByRole("alert").textContent).toMatch(/\w+\. \w+/);
    await userEvent.click(screen.getByRole("button", { name: "Close" }));
    expect(pressed.dismiss).toHaveBeenCalledOnce();
  });

  test("while it is saved the share that is there is said, and then the way to it", () => {
    const { rerender } = render(
      <Whole state={of("processing", { recording_progress: { percent: 41.7 } })} />,
    );
    expect(screen.getByText("The recording is being saved: 41 %.")).toBeDefined();
    rerender(<Whole state={of("recorded")} />);
    expect(screen.getByRole("link", { name: "Watch it" }).getAttribute("href")).toBe(
      "/recordings/55000000-0000-4000-8000-000000000001",
    );
  });
});

describe("What screen readers are told", () => {
  const said = () => document.querySelector("p[role=status]")?.textContent;

  test("each change once, in a region that was there before", () => {
    const { rerender } = render(<Whole state={of(null)} />);
    expect(said()).toBe("");
    for (const [status, text] of [
      ["starting", "A recording is starting."],
      ["recording", "This call is being recorded."],
      ["stopping", "The recording is stopping."],
      ["processing", "The recording has stopped and is being saved."],
      ["recorded", "The recording is there."],
    ] as const) {
      rerender(<Whole state={of(status)} />);
      expect(said()).toBe(text);
    }
  });

  test("whoever comes later hears that it is recorded, but not what became of the last one", () => {
    render(<Whole state={of("recording")} />);
    expect(said()).toBe("This call is being recorded.");
    cleanup();
    render(<Whole state={of("recorded")} />);
    expect(said()).toBe("");
  });

  test("the clock is not read aloud", () => {
    render(<Whole state={of("recording")} />);
    const clock = screen.getByText("1:05");
    expect(clock.getAttribute("aria-hidden")).toBe("true");
    expect(clock.closest("[role=status]")).toBeNull();
  });
});
