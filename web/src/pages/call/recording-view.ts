import type { RecordingError } from "../../backend/errors.ts";

/** What of a call says how its recording stands. */
export interface RecordedCall {
  status: string;
  recording_id: string | null;
  recording_status: string | null;
  recording_phase: string | null;
  recording_queue_place: number | null;
  recording_error: RecordingError | null;
  recording_progress: { percent: number } | null;
  recording_url: string | null;
}

/** A press of a button that the server has not answered yet. */
export type Wish = "starting" | "stopping";

export type RecordingStage =
  | "none"
  | "starting"
  | "queued"
  | "recording"
  | "stopping"
  | "processing"
  | "recorded"
  | "failed"
  | "expired";

/** What everybody in the call sees of its recording. */
export interface RecordingView {
  /** What is so, by the server; never by a click. */
  stage: RecordingStage;
  /** What this person has just wished, where that is not so yet. */
  wish: Wish | undefined;
  queuePlace: number | undefined;
  error: RecordingError | undefined;
  /** Share of the files that is saved, percent, while they are copied. */
  percent: number | undefined;
  /** What the one button does now; `undefined` while a stop is under way. */
  button: "start" | "stop" | "cancel" | undefined;
  /** Somebody is being recorded, or is about to be: the pill is shown, and whoever joins must agree. */
  isLive: boolean;
  recordingId: string | undefined;
}

/** Works out what to show. */
export function viewRecording(call: RecordedCall, wish: Wish | undefined): RecordingView {
  const stage = stageOf(call);
  const open = openWish(stage, wish);
  const isLive = stage === "starting" || stage === "queued" || stage === "recording" || stage === "stopping";
  return {
    stage,
    wish: open,
    queuePlace: stage === "queued" ? (call.recording_queue_place ?? undefined) : undefined,
    error: stage === "failed" ? (call.recording_error ?? undefined) : undefined,
    percent: stage === "processing" ? call.recording_progress?.percent : undefined,
    button: buttonOf(stage, open),
    isLive,
    recordingId: call.recording_id ?? undefined,
  };
}

function stageOf(call: RecordedCall): RecordingStage {
  const status = call.recording_status;
  switch (status) {
    case "starting":
      // Every recording is queued for a moment; a place in the queue comes only where no recorder is free.
      return call.recording_phase === "queued" && call.recording_queue_place !== null ? "queued" : "starting";
    case "recording":
    case "stopping":
    case "processing":
    case "recorded":
    case "failed":
    case "expired":
      return status;
    default:
      return "none";
  }
}

/** A wish is open until what it wishes is so, or has been overtaken. */
function openWish(stage: RecordingStage, wish: Wish | undefined): Wish | undefined {
  const isUp = stage === "starting" || stage === "queued" || stage === "recording";
  if (wish === "starting") return isUp || stage === "stopping" ? undefined : wish;
  if (wish === "stopping") return isUp ? wish : undefined;
  return undefined;
}

function buttonOf(stage: RecordingStage, wish: Wish | undefined): RecordingView["button"] {
  if (wish !== undefined || stage === "stopping") return undefined;
  if (stage === "recording") return "stop";
  if (stage === "starting" || stage === "queued") return "cancel";
  return "start";
}
