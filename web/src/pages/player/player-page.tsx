import { CalendarX, ChevronLeft, Clock, CloudOff, SearchX, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { Link, useParams } from "react-router";
import { usePageTitle } from "../../app/page-focus.ts";
import { isWatchable, type RecordingCard } from "../../backend/recording-card.ts";
import { useRecordingCard } from "../../backend/recording-cards.ts";
import { ButtonLink } from "../../design/button.tsx";
import { PageTitle } from "../../design/card.tsx";
import { ProgressBar } from "../../design/progress.tsx";
import { Skeleton } from "../../design/skeleton.tsx";
import { EmptyState, ErrorState } from "../../design/states.tsx";
import { useNow } from "../../design/time.tsx";
import { en } from "../../texts/en.ts";
import { playerTexts as texts } from "../../texts/player.ts";
import { recordingTexts } from "../../texts/recordings.ts";
import { CardActionButtons, useCardActions } from "../recordings/card-actions.tsx";
import { reasonOf, stateSentence, whenOf } from "../recordings/card-words.ts";
import { nextStepOf } from "../recordings/next-step.ts";
import { statusViewOf } from "../recordings/status-view.ts";
import { Facts } from "./facts.tsx";
import { Story } from "./story.tsx";
import { Watch } from "./watch.tsx";

/** One recording: watch it, save it, see what happened to it. */
export default function PlayerPage() {
  const { id = "" } = useParams();
  // Another recording is another page: nothing of the last one stays.
  return <OnePage key={id} id={id} />;
}

const anId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function OnePage({ id }: { id: string }) {
  return anId.test(id) ? <KnownId id={id} /> : <Missing />;
}

function KnownId({ id }: { id: string }) {
  const { card, error, refetch } = useRecordingCard(id);
  if (card === null) return <Missing />;
  if (error !== undefined) {
    return (
      <Titled title={recordingTexts.title}>
        <ErrorState error={error} onRetry={refetch} />
      </Titled>
    );
  }
  if (card === undefined) return <Opening />;
  return <Shown card={card} />;
}

function Shown({ card }: { card: RecordingCard }) {
  const title = texts.title(whenOf(card));
  usePageTitle(title);
  const actions = useCardActions(card);
  const names = [card.people.mentor, card.people.mentee].filter((name) => name !== undefined);
  return (
    <div className="space-y-6">
      <div className="space-y-2">
        {card.mentorship_id !== null && (
          <Link
            to={`/video-call/${card.mentorship_id}/recordings`}
            className="-ml-1 inline-flex min-h-8 items-center gap-1 text-sm text-ink-soft hover:text-ink"
          >
            <ChevronLeft aria-hidden="true" className="size-4" />
            {texts.back}
          </Link>
        )}
        <PageTitle title={title}>{texts.with(names)}</PageTitle>
      </div>
      {isWatchable(card) ? (
        <Watch card={card} />
      ) : (
        <NothingToWatch card={card} actions={<CardActionButtons actions={actions} />} />
      )}
      {isWatchable(card) && (
        <div className="flex flex-wrap gap-2 empty:hidden">
          <CardActionButtons actions={actions} />
        </div>
      )}
      {actions.problem}
      <div className="grid gap-x-10 gap-y-8 md:grid-cols-2">
        <Facts card={card} />
        <Story recordingId={card.id} version={card.version} />
      </div>
      {actions.dialog}
    </div>
  );
}

/** Why there is no picture: not yet, not any more, or never; and what one can do. */
function NothingToWatch({ card, actions }: { card: RecordingCard; actions: ReactNode }) {
  const now = useNow(5_000);
  const view = statusViewOf(card, now);
  const buttons = <div className="flex flex-wrap justify-center gap-2 empty:hidden">{actions}</div>;
  if (view.state === "deleting") {
    return (
      <EmptyState icon={<Trash2 />} title={texts.deletingTitle} action={buttons}>
        {texts.deletingText}
      </EmptyState>
    );
  }
  if (card.status === "expired") {
    return (
      <EmptyState icon={<CalendarX />} title={texts.expiredTitle}>
        {texts.expiredText}
      </EmptyState>
    );
  }
  const step = nextStepOf(card);
  if (card.error !== null && step !== undefined) {
    return (
      <EmptyState icon={<CloudOff />} title={texts.failedRecordingTitle} action={buttons}>
        {reasonOf(card.error)} {recordingTexts.nextSteps[step]}
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={<Clock />} title={texts.notYetTitle} action={buttons}>
      <div className="mx-auto w-72 max-w-full space-y-2">
        <p role="status">{stateSentence(card, view, now)}</p>
        {view.percent !== undefined && (
          <ProgressBar
            percent={view.percent ?? undefined}
            label={recordingTexts.progressLabel(whenOf(card))}
          />
        )}
      </div>
    </EmptyState>
  );
}

function Opening() {
  usePageTitle(texts.loading);
  return (
    <div className="space-y-6">
      <h1 tabIndex={-1} className="sr-only">
        {texts.loading}
      </h1>
      <Skeleton className="h-9 w-80 max-w-full" />
      <Skeleton className="aspect-video w-full rounded-card" />
    </div>
  );
}

function Missing() {
  usePageTitle(texts.missingTitle);
  return (
    <Titled title={recordingTexts.title}>
      <EmptyState
        icon={<SearchX />}
        title={texts.missingTitle}
        action={
          <ButtonLink to="/" look="primary">
            {en.goHome}
          </ButtonLink>
        }
      >
        {texts.missingText}
      </EmptyState>
    </Titled>
  );
}

function Titled({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="space-y-6">
      <h1 tabIndex={-1} className="text-2xl font-semibold tracking-tight">
        {title}
      </h1>
      {children}
    </div>
  );
}
