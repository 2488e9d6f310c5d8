import { type InfiniteData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { ask } from "./ask.ts";
import { backend, queries } from "./client.ts";
import { asBackendError, type BackendError } from "./errors.ts";
import { keys } from "./keys.ts";
import { watch } from "./live.ts";
import {
  newerCard,
  type RecordingCard,
  type RecordingPage,
  recordingCard,
  recordingPage,
  withChange,
} from "./recording-card.ts";
import { isFinal, readRow, recordingChange } from "./rows.ts";
import { currentSession, onSession } from "./session.ts";
import { replaceIn } from "./versions.ts";

/** What list_recordings takes beside its mentorship and its place. The same object while it is the same (useMemo). */
interface CardOrder {
  statuses?: string[];
  qualities?: string[];
  since?: string;
  until?: string;
  is_partial?: boolean;
  search?: string;
}

export interface CardList {
  /** Newest first; undefined until the first page is there. */
  cards: RecordingCard[] | undefined;
  /** How many there are in all; undefined until somebody counted. */
  total: number | undefined;
  /** False: no such mentorship, or somebody else's. */
  isVisible: boolean;
  error: BackendError | undefined;
  /** Whether changes arrive by themselves at the moment. */
  isLive: boolean;
  /** Other filters were chosen: these are still the cards of the last ones. */
  isChanging: boolean;
  hasMore: boolean;
  isLoadingMore: boolean;
  /** Why the next page did not come; the cards before it stay. */
  moreError: BackendError | undefined;
  loadMore(): void;
  refetch(): void;
}

type Place = { at: string; id: string } | null;
type Pages = InfiniteData<RecordingPage, Place>;

const pageSize = 100;

/** The newest card of each recording, however it came. Another person's browser begins with none. */
const newest = new Map<string, RecordingCard>();
let ofWhom: string | undefined;
onSession(() => {
  const session = currentSession();
  const userId = "userId" in session ? session.userId : undefined;
  if (userId !== ofWhom) newest.clear();
  ofWhom = userId;
});

function take(card: RecordingCard): RecordingCard {
  const newer = newerCard(newest.get(card.id), card);
  newest.set(card.id, newer);
  return newer;
}

/** Shows a card wherever it is shown; what does not change keeps its object and is not drawn again. */
function spread(card: RecordingCard): void {
  queries.setQueryData(keys.recordingCard(card.id), card);
  queries.setQueriesData<Pages>({ queryKey: keys.recordingCards }, (data) => {
    if (data === undefined) return data;
    const pages = data.pages.map((page) => {
      const recordings = replaceIn(page.recordings, card);
      return recordings === page.recordings ? page : { ...page, recordings };
    });
    return pages.some((page, index) => page !== data.pages[index]) ? { ...data, pages } : data;
  });
}

async function fetchPage(mentorshipId: string, order: CardOrder, place: Place): Promise<RecordingPage> {
  const answer = await ask(
    backend().rpc("list_recordings", {
      mentorship_id: mentorshipId,
      newest: pageSize,
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      ...order,
      ...(place === null ? {} : { before_at: place.at, before_id: place.id }),
    }),
  );
  const page = readRow(recordingPage, answer, "The list of recordings");
  return { ...page, recordings: page.recordings.map(take) };
}

async function fetchCard(id: string): Promise<RecordingCard | null> {
  const answer = await ask(backend().rpc("show_recording", { recording_id: id }));
  return answer === null ? null : take(readRow(recordingCard, answer, "The recording"));
}

async function refetchCard(id: string): Promise<void> {
  const card = await fetchCard(id);
  if (card !== null) spread(card);
}

/**
 * Takes a pushed change: a known card changes at once. Messages carry what changes often; what a status brings with it (gaps,
 * what one may do) is read anew when it moves. A recording that is not known belongs into a list somewhere: `unknown`.
 */
function takeChange(payload: unknown, unknown: () => void): void {
  const change = recordingChange.safeParse(payload);
  if (!change.success) {
    unknown();
    return;
  }
  const before = newest.get(change.data.id);
  if (before === undefined) {
    unknown();
    return;
  }
  const after = withChange(before, change.data);
  if (after === before) return;
  newest.set(after.id, after);
  spread(after);
  if (after.status !== before.status || isFinal(after.status))
    void refetchCard(after.id).catch(() => undefined);
}

/** The pages with a fresh first one; below it stays what somebody has scrolled to. */
export function withFreshTop(data: Pages, top: RecordingPage): Pages {
  const last = top.recordings.at(-1);
  const [first] = data.pages;
  if (first === undefined || top.next === null || last === undefined)
    return { pages: [top], pageParams: [null] };
  const onTop = new Set(top.recordings.map(({ id }) => id));
  const isBelow = (card: RecordingCard) =>
    !onTop.has(card.id) &&
    (card.created_at < last.created_at || (card.created_at === last.created_at && card.id < last.id));
  const below = data.pages.map((page) => ({ ...page, recordings: page.recordings.filter(isBelow) }));
  const [pushedOut, ...others] = below;
  return {
    ...data,
    pages: [
      {
        ...top,
        recordings: [...top.recordings, ...(pushedOut?.recordings ?? [])],
        // Where the first page was the only one, what follows it follows what it has pushed out.
        next: others.length > 0 || (pushedOut?.recordings.length ?? 0) > 0 ? first.next : top.next,
      },
      ...others,
    ],
  };
}

/** The recordings of one mentorship, newest first, page by page, kept fresh over its topic. */
export function useRecordingCards(mentorshipId: string, order: CardOrder): CardList {
  const [isLive, setLive] = useState(false);
  const key = useMemo(() => keys.recordingCardsOf(mentorshipId, order), [mentorshipId, order]);
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => fetchPage(mentorshipId, order, pageParam),
    initialPageParam: null as Place,
    getNextPageParam: (last) => last.next,
    placeholderData: (before, of) => (of?.queryKey[1] === mentorshipId ? before : undefined),
  });
  useEffect(() => {
    const refresh = async () => {
      const shown = queries.getQueryData<Pages>(key);
      if (shown === undefined) return queries.refetchQueries({ queryKey: key });
      const top = await fetchPage(mentorshipId, order, null);
      const onTop = new Set(top.recordings.map(({ id }) => id));
      const open = shown.pages.flatMap(({ recordings }) =>
        recordings.filter((card) => !isFinal(card.status) && !onTop.has(card.id)),
      );
      await Promise.all(open.map(({ id }) => refetchCard(id)));
      queries.setQueryData<Pages>(key, (data) => data && withFreshTop(data, top));
    };
    let asked: ReturnType<typeof setTimeout> | undefined;
    const stop = watch({
      topic: `mentorship:${mentorshipId}`,
      onLive: setLive,
      take: (event, payload) => {
        if (event !== "recording.changed") return;
        takeChange(payload, () => {
          clearTimeout(asked);
          asked = setTimeout(() => void refresh().catch(() => undefined), 200);
        });
      },
      snapshot: refresh,
      isFinal: () =>
        queries
          .getQueryData<Pages>(key)
          ?.pages.every(({ recordings }) =>
            recordings.every((card) => isFinal(card.status) && !card.is_being_deleted),
          ) ?? false,
    });
    return () => {
      clearTimeout(asked);
      stop();
    };
  }, [key, mentorshipId, order]);

  const cards = useMemo(() => query.data?.pages.flatMap(({ recordings }) => recordings), [query.data]);
  const error = query.error === null ? undefined : asBackendError(query.error);
  return {
    cards,
    total: query.data?.pages[0]?.total ?? undefined,
    isVisible: query.data?.pages[0]?.is_visible ?? true,
    error: cards === undefined ? error : undefined,
    isLive,
    isChanging: query.isPlaceholderData,
    hasMore: query.hasNextPage,
    isLoadingMore: query.isFetchingNextPage,
    moreError: query.isFetchNextPageError ? error : undefined,
    loadMore: () => void query.fetchNextPage(),
    refetch: () => void query.refetch(),
  };
}

interface OneCard {
  /** Null: there is none, or it is somebody else's. Undefined: not known yet. */
  card: RecordingCard | null | undefined;
  error: BackendError | undefined;
  isLive: boolean;
  refetch(): void;
}

/** One recording, kept fresh. */
export function useRecordingCard(id: string): OneCard {
  const [isLive, setLive] = useState(false);
  const query = useQuery({
    queryKey: keys.recordingCard(id),
    queryFn: () => fetchCard(id),
    // From the list: shown at once, and read anew behind it.
    initialData: () => newest.get(id),
    initialDataUpdatedAt: 0,
    staleTime: 10_000,
  });
  const mentorshipId = query.data?.mentorship_id ?? undefined;
  useEffect(() => {
    if (mentorshipId === undefined) return;
    return watch({
      topic: `mentorship:${mentorshipId}`,
      onLive: setLive,
      take: (event, payload) => event === "recording.changed" && takeChange(payload, () => undefined),
      snapshot: () => refetchCard(id),
      isFinal: () => {
        const card = newest.get(id);
        return card !== undefined && isFinal(card.status) && !card.is_being_deleted;
      },
    });
  }, [id, mentorshipId]);
  return {
    card: query.data,
    error: query.data === undefined && query.error !== null ? asBackendError(query.error) : undefined,
    isLive,
    refetch: () => void query.refetch(),
  };
}

/** Looks for the files of a failed recording again. Throws BackendError: retry_refused, recording_never_began … */
export async function lookForFilesAgain(id: string): Promise<void> {
  await ask(backend().rpc("retry_recording", { recording_id: id }));
  await refetchCard(id);
}

/** Deletes the files of a recording for both of its people. Throws BackendError: recording_held, deletion_not_allowed … */
export async function deleteFiles(id: string): Promise<void> {
  await ask(backend().rpc("delete_recording", { recording_id: id }));
  await refetchCard(id);
}

/** Keeps a recording until a later moment (ISO 8601), by default as long as the policy allows. Throws BackendError: kept_longest … */
export async function keepLonger(id: string, until?: string): Promise<void> {
  await ask(
    backend().rpc("keep_recording_longer", {
      recording_id: id,
      ...(until === undefined ? {} : { keep_until: until }),
    }),
  );
  await refetchCard(id);
}
