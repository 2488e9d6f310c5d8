import { ArrowLeft, Film } from "lucide-react";
import { type ReactNode, useSyncExternalStore } from "react";
import { Link } from "react-router";
import { OfflineBanner } from "../../app/offline-banner.tsx";
import { ButtonLink } from "../../design/button.tsx";
import { classes } from "../../design/class-names.ts";
import { Pill } from "../../design/pill.tsx";
import { call as texts } from "../../texts/call.ts";
import type { CallSession, CallView } from "./call-session.ts";
import { RecordingIndicator, RecordingStatus } from "./recording-indicator.tsx";
import type { CallRecording } from "./use-recording.ts";

const nothing = () => () => undefined;
const idle = (): CallView | undefined => undefined;

/** What surrounds a call: with whom, whether it is recorded, over what it goes, the way out. */
export function CallFrame({
  title,
  recordingsPath,
  recording,
  session,
  isTight,
  children,
}: {
  title: string;
  recordingsPath?: string;
  recording?: CallRecording;
  session?: CallSession;
  /** The content fills the window, and no more. */
  isTight?: boolean;
  children: ReactNode;
}) {
  const view = useSyncExternalStore<CallView | undefined>(
    session?.subscribe ?? nothing,
    session?.view ?? idle,
  );
  const isRecorded = recording?.view?.stage === "recording";
  return (
    <div
      className={classes(
        "flex flex-col bg-ground",
        isTight ? "h-dvh overflow-hidden" : "min-h-dvh",
        // Beside the word and the dot: whoever looks anywhere sees it.
        isRecorded && "outline-3 -outline-offset-3 outline-danger",
      )}
    >
      <RecordingStatus view={recording?.view} />
      <header className="flex min-h-14 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-surface px-3 py-1.5 sm:px-5">
        <Link
          to="/"
          aria-label={texts.backToOverview}
          title={texts.backToOverview}
          className="inline-flex size-10 items-center justify-center rounded-control text-ink-soft hover:bg-sunken hover:text-ink pointer-coarse:size-11"
        >
          <ArrowLeft className="size-5" aria-hidden="true" />
        </Link>
        <h1 tabIndex={-1} className="min-w-0 truncate text-base font-semibold tracking-tight">
          {title}
        </h1>
        {recording?.view !== undefined && (
          <RecordingIndicator view={recording.view} startedAt={recording.startedAt} />
        )}
        <span className="ml-auto flex items-center gap-2">
          {view?.transport !== undefined && (
            <span title={texts.over[view.transport]}>
              <Pill>{texts.overShort[view.transport]}</Pill>
            </span>
          )}
          {recordingsPath !== undefined && (
            <ButtonLink to={recordingsPath} size="small" icon={<Film aria-hidden="true" />}>
              {texts.recordings}
            </ButtonLink>
          )}
        </span>
      </header>
      <OfflineBanner />
      <main id="content" tabIndex={-1} className="flex min-h-0 flex-1 flex-col">
        {children}
      </main>
    </div>
  );
}
