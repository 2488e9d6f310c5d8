import { CalendarClock, Scissors, TriangleAlert } from "lucide-react";
import { memo } from "react";
import { Link } from "react-router";
import { isWatchable, type RecordingCard } from "../../backend/recording-card.ts";
import { classes } from "../../design/class-names.ts";
import { formatBytes } from "../../design/format.ts";
import { StatusPill } from "../../design/pill.tsx";
import { ProgressBar } from "../../design/progress.tsx";
import { recordingTexts as texts } from "../../texts/recordings.ts";
import { qualityTexts } from "../../texts/status.ts";
import { CardActionButtons, useCardActions } from "./card-actions.tsx";
import { expirySentence, gapsSentence, reasonOf, recordedBy, stateSentence, whenOf } from "./card-words.ts";
import { nextStepOf } from "./next-step.ts";
import { statusViewOf } from "./status-view.ts";
import { Thumbnail } from "./thumbnail.tsx";

/** One recording of the list. `now` in ms, so that all rows agree; drawn again only when its card or the minute changes. */
export const RecordingRow = memo(function RecordingRow({ card, now }: { card: RecordingCard; now: number }) {
  const actions = useCardActions(card);
  const view = statusViewOf(card, now);
  const when = whenOf(card);
  const gaps = gapsSentence(card);
  const expiry = expirySentence(card, now);
  const step = nextStepOf(card);
  const canWatch = isWatchable(card);
  const facts = [
    card.size_bytes !== null && card.status !== "expired" ? formatBytes(card.size_bytes) : undefined,
    qualityTexts[card.quality] ?? card.quality,
    recordedBy(card),
  ].filter((fact) => fact !== undefined);
  const isOver = view.state === "ready" || view.state === "ready_with_gaps";
  return (
    <article className="relative flex flex-wrap gap-3 rounded-card border border-line bg-surface p-3 shadow-card transition-colors focus-within:border-line-strong hover:border-line-strong sm:flex-nowrap sm:gap-4 sm:p-4">
      <Thumbnail card={card} className={classes("self-start w-24 sm:w-44", !canWatch && "max-sm:hidden")} />
      <div className="flex min-w-0 flex-1 flex-col gap-1.5">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h2 className="min-w-0 font-semibold max-sm:text-sm">
            <Link
              to={`/recordings/${card.id}`}
              aria-label={canWatch ? texts.watch(when) : texts.details(when)}
              onPointerEnter={canWatch ? () => getReady(card.id) : undefined}
              onFocus={canWatch ? () => getReady(card.id) : undefined}
              className="covers"
            >
              {when}
            </Link>
          </h2>
          <StatusPill status={card.status} />
        </div>
        <p className="text-sm text-ink-soft">{facts.join(" · ")}</p>
        {!isOver && view.state !== "failed" && (
          <div className="max-w-md space-y-1.5">
            <p className="text-sm">
              {stateSentence(card, view, now)}
              {canWatch && ` ${texts.playableMeanwhile}`}
            </p>
            {view.percent !== undefined && (
              <ProgressBar percent={view.percent ?? undefined} label={texts.progressLabel(when)} />
            )}
          </div>
        )}
        {card.error !== null && step !== undefined && (
          <p className="flex gap-2 text-sm">
            <TriangleAlert aria-hidden="true" className="mt-0.5 size-4 shrink-0 text-bad" />
            <span>
              <span className="text-bad">{reasonOf(card.error)}</span> {texts.nextSteps[step]}
            </span>
          </p>
        )}
        {(gaps !== undefined || expiry !== undefined) && (
          <p className="flex flex-wrap gap-x-4 gap-y-1 text-sm">
            {gaps !== undefined && (
              <span className="inline-flex items-center gap-1.5 text-warn">
                <Scissors aria-hidden="true" className="size-4" />
                {gaps}
              </span>
            )}
            {expiry !== undefined && (
              <span
                className={classes(
                  "inline-flex items-center gap-1.5",
                  expiry.isSoon ? "text-warn" : "text-ink-faint",
                )}
              >
                <CalendarClock aria-hidden="true" className="size-4" />
                {expiry.text}
              </span>
            )}
          </p>
        )}
        {actions.problem}
      </div>
      {/* Above the link that covers the row. */}
      <div className="relative flex flex-wrap items-start gap-2 self-start empty:hidden max-sm:w-full sm:flex-col sm:items-stretch lg:flex-row">
        <CardActionButtons actions={actions} />
      </div>
      {actions.dialog}
    </article>
  );
});

/** Somebody points at a recording: the player's code and the addresses are on their way before the press. */
function getReady(recordingId: string): void {
  // Fails where a new version of the portal is there; opening the page says so.
  import("../player/use-playback.ts").then(
    ({ prefetchPlayback }) => prefetchPlayback(recordingId),
    () => undefined,
  );
  import("../player/player-page.tsx").catch(() => undefined);
}
