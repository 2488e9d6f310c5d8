import { Film, Lock, SearchX, Video } from "lucide-react";
import { useCallback, useMemo } from "react";
import { useParams, useSearchParams } from "react-router";
import { usePageTitle } from "../../app/page-focus.ts";
import { useMentorship } from "../../backend/people.ts";
import { type CardList, useRecordingCards } from "../../backend/recording-cards.ts";
import { Button, ButtonLink } from "../../design/button.tsx";
import { PageTitle } from "../../design/card.tsx";
import { classes } from "../../design/class-names.ts";
import { LoadingRows } from "../../design/skeleton.tsx";
import { EmptyState, ErrorState, Notice } from "../../design/states.tsx";
import { useNow } from "../../design/time.tsx";
import { en } from "../../texts/en.ts";
import { recordingTexts as texts } from "../../texts/recordings.ts";
import { FilterBar } from "./filter-bar.tsx";
import {
  argumentsOf,
  filtersOf,
  isFiltered,
  type ListFilters,
  noFilters,
  parametersOf,
} from "./list-filters.ts";
import { VirtualRows } from "./virtual-rows.tsx";

/** The recordings of one mentorship, newest first. */
export default function RecordingsPage() {
  const { mentorshipId = "" } = useParams();
  const [parameters, setParameters] = useSearchParams();
  // The text, not the object: every render makes a new object of the same address.
  const address = parameters.toString();
  const filters = useMemo(() => filtersOf(new URLSearchParams(address)), [address]);
  const order = useMemo(() => argumentsOf(filters), [filters]);
  const setFilters = useCallback(
    (next: ListFilters) => setParameters(parametersOf(next), { replace: true, preventScrollReset: true }),
    [setParameters],
  );
  const list = useRecordingCards(mentorshipId, order);
  const mentorship = useMentorship(mentorshipId);
  const partner = mentorship.data?.partner.name ?? "";
  const title = partner === "" ? texts.title : texts.titleWith(partner);
  usePageTitle(title);

  if (!list.isVisible) return <Stranger />;
  return (
    <div className="space-y-6">
      <PageTitle
        title={title}
        action={
          mentorship.data?.status === "active" && (
            <ButtonLink to={`/video-call/${mentorshipId}`} icon={<Video />}>
              {texts.toCall}
            </ButtonLink>
          )
        }
      >
        {/* Mounted before the number is there, so that it is announced; the count only, never what moves. */}
        <p role="status" className="min-h-6">
          {list.total !== undefined && texts.count(list.total, isFiltered(filters))}
        </p>
      </PageTitle>
      <FilterBar filters={filters} onChange={setFilters} />
      <ListBody
        list={list}
        filters={filters}
        mentorshipId={mentorshipId}
        onClear={() => setFilters(noFilters)}
      />
    </div>
  );
}

function ListBody({
  list,
  filters,
  mentorshipId,
  onClear,
}: {
  list: CardList;
  filters: ListFilters;
  mentorshipId: string;
  onClear: () => void;
}) {
  const { cards, hasMore, isLoadingMore, loadMore, moreError } = list;
  // Ends that are estimated and dates that are near move by themselves.
  const now = useNow(cards?.some(({ status }) => status === "processing") ? 5_000 : 60_000);
  const onNearEnd = useCallback(() => {
    if (hasMore && !isLoadingMore && moreError === undefined) loadMore();
  }, [hasMore, isLoadingMore, moreError, loadMore]);

  if (list.error !== undefined) return <ErrorState error={list.error} onRetry={list.refetch} />;
  if (cards === undefined) return <LoadingRows label={texts.loading} count={5} className="h-36" />;
  if (cards.length === 0 && !list.isChanging) {
    return isFiltered(filters) ? (
      <EmptyState
        icon={<SearchX />}
        title={texts.noMatchTitle}
        action={<Button onClick={onClear}>{texts.filters.clear}</Button>}
      >
        {texts.noMatchText}
      </EmptyState>
    ) : (
      <EmptyState
        icon={<Film />}
        title={texts.emptyTitle}
        action={
          <ButtonLink to={`/video-call/${mentorshipId}`} look="primary" icon={<Video />}>
            {texts.toCall}
          </ButtonLink>
        }
      >
        {texts.emptyText}
      </EmptyState>
    );
  }
  return (
    <div
      aria-busy={list.isChanging}
      className={classes("space-y-3 transition-opacity", list.isChanging && "opacity-60")}
    >
      <VirtualRows cards={cards} total={list.total} now={now} onNearEnd={onNearEnd} />
      <div role="status" className="min-h-6 py-2 text-center text-sm text-ink-faint">
        {isLoadingMore ? texts.loadingMore : !hasMore && cards.length > 10 ? texts.allShown : ""}
      </div>
      {moreError !== undefined && (
        <Notice
          tone="bad"
          action={
            <Button size="small" onClick={loadMore}>
              {en.tryAgain}
            </Button>
          }
        >
          {texts.moreFailed}
        </Notice>
      )}
    </div>
  );
}

/** Somebody else's recordings look like none that ever were. */
function Stranger() {
  usePageTitle(texts.strangerTitle);
  return (
    <div className="space-y-6">
      <h1 tabIndex={-1} className="text-2xl font-semibold tracking-tight">
        {texts.title}
      </h1>
      <EmptyState
        icon={<Lock />}
        title={texts.strangerTitle}
        action={
          <ButtonLink to="/" look="primary">
            {en.goHome}
          </ButtonLink>
        }
      >
        {texts.strangerText}
      </EmptyState>
    </div>
  );
}
