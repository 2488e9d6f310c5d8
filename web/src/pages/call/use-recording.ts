import { useCallback, useEffect, useState } from "react";
import { type Call, wishRecording } from "../../backend/calls.ts";
import { BackendError } from "../../backend/errors.ts";
import { useRecording } from "../../backend/recordings.ts";
import type { Choices } from "./choices.ts";
import { type RecordingView, viewRecording, type Wish } from "./recording-view.ts";

export interface CallRecording {
  view: RecordingView | undefined;
  /** When the recorder began, ISO 8601. */
  startedAt: string | undefined;
  /** Sign-in of whoever pressed record. */
  requestedBy: string | undefined;
  /** Code of a wish that was refused. */
  refusal: string | undefined;
  start(chosen: Pick<Choices, "quality" | "layout">): void;
  stop(): void;
  dismiss(): void;
}

/** The recording of a call: what is so, what this person wishes, and why a wish was refused. */
export function useCallRecording(call: Call | undefined): CallRecording {
  const [wish, setWish] = useState<Wish>();
  const [refusal, setRefusal] = useState<string>();
  const view = call && viewRecording(call, wish);
  const { data: recording } = useRecording(call?.recording_id ?? undefined);

  // Once the fact has overtaken the wish, a later change must not bring it back.
  const isOpen = view?.wish !== undefined;
  useEffect(() => {
    if (wish !== undefined && !isOpen) setWish(undefined);
  }, [wish, isOpen]);

  const callId = call?.id;
  const press = useCallback(
    (next: Wish, chosen?: Pick<Choices, "quality" | "layout">) => {
      if (callId === undefined) return;
      setWish(next);
      setRefusal(undefined);
      wishRecording(callId, next, chosen).then(
        // The answer is the fact, and where nothing was to be done, nothing follows it.
        () => setWish(undefined),
        (error: unknown) => {
          setWish(undefined);
          setRefusal(error instanceof BackendError ? error.code : "unexpected_error");
        },
      );
    },
    [callId],
  );

  return {
    view,
    startedAt: recording?.started_at ?? undefined,
    requestedBy: recording?.requested_by ?? undefined,
    refusal,
    start: useCallback((chosen) => press("starting", chosen), [press]),
    stop: useCallback(() => press("stopping"), [press]),
    dismiss: useCallback(() => setRefusal(undefined), []),
  };
}
