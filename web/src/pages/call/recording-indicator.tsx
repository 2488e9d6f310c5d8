import { useEffect, useRef, useState } from "react";
import { classes } from "../../design/class-names.ts";
import { formatClock } from "../../design/format.ts";
import { useNow } from "../../design/time.tsx";
import { call as texts } from "../../texts/call.ts";
import type { RecordingView } from "./recording-view.ts";

/** Tells everybody in the call that it is recorded: a dot, the word, and the time since the recorder said it had begun. */
export function RecordingIndicator({
  view,
  startedAt,
}: {
  view: RecordingView;
  startedAt: string | undefined;
}) {
  const isRunning = view.stage === "recording";
  const now = useNow(isRunning ? 1_000 : undefined);
  if (!view.isLive) return null;
  const stage = view.stage as keyof typeof texts.indicator;
  return (
    <span
      data-stage={view.stage}
      className={classes(
        "inline-flex items-center gap-2 whitespace-nowrap rounded-full px-3 py-1 text-sm font-semibold",
        isRunning ? "bg-danger text-white" : "border border-line-strong bg-surface text-ink",
      )}
    >
      <span
        aria-hidden="true"
        className={classes(
          "size-2.5 rounded-full motion-reduce:animate-none",
          isRunning ? "animate-breathe bg-white" : "animate-breathe bg-live",
        )}
      />
      {texts.indicator[stage]}
      {view.queuePlace !== undefined && (
        <span className="font-normal">{texts.queuePlace(view.queuePlace)}</span>
      )}
      {isRunning && startedAt !== undefined && (
        // The word has been said; a clock that is read aloud each second would drown the call.
        <span role="timer" aria-live="off" aria-hidden="true" className="font-normal tabular-nums">
          {formatClock(now - Date.parse(startedAt))}
        </span>
      )}
    </span>
  );
}

/** Says each change of the recording once to screen readers. Mounted before anything can change, and always. */
export function RecordingStatus({ view }: { view: RecordingView | undefined }) {
  const [said, setSaid] = useState("");
  const before = useRef<string | undefined>(undefined);
  const stage = view?.stage;
  const isLive = view?.isLive ?? false;
  useEffect(() => {
    if (stage === undefined || before.current === stage) return;
    const isFirst = before.current === undefined;
    before.current = stage;
    // Whoever comes later must hear that it is recorded, but not what became of yesterday's recording.
    if (!isFirst || isLive) setSaid(texts.said[stage]);
  }, [stage, isLive]);
  return (
    <p role="status" className="sr-only">
      {said}
    </p>
  );
}
