import { type InfiniteData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { ask } from "./ask.ts";
import type { Live } from "./calls.ts";
import { isLive as isTopicLive } from "./channels.ts";
import { backend, queries } from "./client.ts";
import type { BackendError } from "./errors.ts";
import { keys } from "./keys.ts";
import { watch } from "./live.ts";
import { newestRecordings } from "./newest.ts";
import { loadedOf } from "./people.ts";
import {
  finalStatuses,
  type Recording,
  readRow,
  readRows,
  recording,
  recordingChange,
  recordingColumns,
} from "./rows.ts";

export type { Gap, Progress, Recording, RecordingStatus } from "./rows.ts";

/** Which recordings a list shows; everything that is not given is not asked for. */
export interface RecordingFilter {
  statuses?: readonly string[];
  quality?: string;
  /** ISO 8601: requested at this moment or later, and before that one. */
  from?: string;
  until?: string;
}

export interface LiveList {
  /** Newest first; undefined until the first page is there. */
  recordings: Recording[] | undefined;
  status: "loading" | "ready" | "error";
  error: BackendError | undefined;
  isLive: boolean;
  hasMore: boolean;
  isLoadingMore: boolean;
  loadMore(): void;
  refetch(): void;
}

/** Rows of one page of a list. */
export const pageSize = 50;

type Pages = InfiniteData<Recording[], string | undefined>;

/** Shows a recording everywhere it is shown. */
function spread(row: Recording): void {
  queries.setQueryData(keys.recording(row.id), row);
  queries.setQueriesData<Pages>({ queryKey: keys.recordings }, (data) => data && replaceInPages(data, row));
  queries.setQueryData<Recording[]>(keys.recentRecordings, (list) => list && replaceIn(list, row));
}

/** The same list where the row is not in it or is the same; lists that did not change are not drawn again. */
function replaceIn(list: Recording[], row: Recording): Recording[] {
  const index = list.findIndex((known) => known.id === row.id);
  return index < 0 || list[index] === row ? list : list.with(index, row);
}

function replaceInPages(data: Pages, row: Recording): Pages {
  const pages = data.pages.map((page) => replaceIn(page, row));
  return pages.some((page, index) => page !== data.pages[index]) ? { ...data, pages } : data;
}

/** Merges a whole row, or the answer to a change, into what is known; gives the newest. */
export function takeRecording(value: unknown): Recording {
  const newest = newestRecordings.take(readRow(recording, value, "The recording"));
  spread(newest);
  return newest;
}

/** What one person may do with the rows that a message brings: known ones change, unknown ones are fetched. */
function takeChange(payload: unknown, fetchLists: () => void): void {
  const change = recordingChange.safeParse(payload);
  if (!change.success) {
    fetchLists();
    return;
  }
  const before = newestRecordings.get(change.data.id);
  const after = newestRecordings.change(change.data);
  if (after === undefined) {
    fetchLists();
    return;
  }
  if (after === before) return;
  spread(after);
  // Messages carry what changes often. Gaps, sizes and holds come with the end of a recording: then the whole row is fetched.
  if (finalStatuses.has(after.status)) void refetchRecording(after.id);
}

async function refetchRecording(id: string): Promise<void> {
  const row = await fetchRecording(id).catch(() => undefined);
  if (row) spread(row);
}

async function fetchRecording(id: string): Promise<Recording | null> {
  const data = await ask(backend().from("recordings").select(recordingColumns).eq("id", id).maybeSingle());
  if (data === null) return null;
  return newestRecordings.complete(readRow(recording, data, "The recording"));
}

/** One recording, kept fresh. `missing` where it does not exist or is not this person's. */
export function useRecording(id: string | undefined): Live<Recording> {
  const [isLive, setLive] = useState(false);
  const query = useQuery({
    queryKey: keys.recording(id ?? ""),
    queryFn: () => fetchRecording(id ?? ""),
    enabled: id !== undefined,
  });
  const mentorshipId = query.data?.mentorship_id ?? undefined;
  useEffect(() => {
    if (id === undefined || mentorshipId === undefined) return;
    const refetch = () => queries.refetchQueries({ queryKey: keys.recording(id) });
    return watch({
      topic: `mentorship:${mentorshipId}`,
      onLive: setLive,
      take: (event, payload) => event === "recording.changed" && takeChange(payload, () => undefined),
      snapshot: refetch,
      isFinal: () => finalStatuses.has(queries.getQueryData<Recording>(keys.recording(id))?.status ?? ""),
    });
  }, [id, mentorshipId]);
  return { ...loadedOf(query), isLive };
}

async function fetchPage(
  mentorshipId: string,
  filter: RecordingFilter,
  before: string | undefined,
): Promise<Recording[]> {
  let select = backend().from("recordings").select(recordingColumns).eq("mentorship_id", mentorshipId);
  if (filter.statuses !== undefined) select = select.in("status", [...filter.statuses]);
  if (filter.quality !== undefined) select = select.eq("quality", filter.quality);
  if (filter.from !== undefined) select = select.gte("created_at", filter.from);
  if (filter.until !== undefined) select = select.lt("created_at", filter.until);
  if (before !== undefined) select = select.lt("created_at", before);
  const data = await ask(select.order("created_at", { ascending: false }).limit(pageSize));
  return readRows(recording, data, "The recordings").map((row) => newestRecordings.take(row));
}

/**
 * The recordings of one mentorship, newest first, by pages of `pageSize`, kept fresh. `filter` must be the same object while it is the
 * same filter (useMemo).
 */
export function useMentorshipRecordings(
  mentorshipId: string | undefined,
  filter: RecordingFilter = everything,
): LiveList {
  const [isLive, setLive] = useState(
    () => mentorshipId !== undefined && isTopicLive(`mentorship:${mentorshipId}`),
  );
  const query = useInfiniteQuery({
    queryKey: keys.recordingsOf(mentorshipId ?? "", filter),
    queryFn: ({ pageParam }) => fetchPage(mentorshipId ?? "", filter, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => (last.length < pageSize ? undefined : last.at(-1)?.created_at),
    enabled: mentorshipId !== undefined,
    placeholderData: (before) => before,
  });
  useEffect(() => {
    if (mentorshipId === undefined) return;
    const key = keys.recordingsOf(mentorshipId, filter);
    const refresh = () => refreshFirstPage(mentorshipId, filter);
    let asked: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      clearTimeout(asked);
      asked = setTimeout(() => void refresh().catch(() => undefined), 200);
    };
    const stop = watch({
      topic: `mentorship:${mentorshipId}`,
      onLive: setLive,
      take: (event, payload) => event === "recording.changed" && takeChange(payload, soon),
      snapshot: refresh,
      isFinal: () => openOf(queries.getQueryData<Pages>(key)).length === 0,
    });
    return () => {
      clearTimeout(asked);
      stop();
    };
  }, [mentorshipId, filter]);

  const recordings = useMemo(() => query.data?.pages.flat(), [query.data]);
  return {
    recordings,
    status: recordings !== undefined ? "ready" : query.isError ? "error" : "loading",
    error: (query.error as BackendError | null) ?? undefined,
    isLive,
    hasMore: query.hasNextPage,
    isLoadingMore: query.isFetchingNextPage,
    loadMore: () => void query.fetchNextPage(),
    refetch: () => void query.refetch(),
  };
}

const everything: RecordingFilter = {};

const openOf = (data: Pages | undefined): Recording[] =>
  data?.pages.flat().filter((row) => !finalStatuses.has(row.status)) ?? [];

/**
 * New recordings come at the top, and only those that are not final still move: so the first page and the open ones are asked for,
 * however far somebody has scrolled.
 */
async function refreshFirstPage(mentorshipId: string, filter: RecordingFilter): Promise<void> {
  const key = keys.recordingsOf(mentorshipId, filter);
  const shown = queries.getQueryData<Pages>(key);
  if (shown === undefined) {
    await queries.refetchQueries({ queryKey: key });
    return;
  }
  const top = await fetchPage(mentorshipId, filter, undefined);
  const onTop = new Set(top.map((row) => row.id));
  const open = openOf(shown).filter((row) => !onTop.has(row.id));
  await Promise.all(open.map((row) => refetchRecording(row.id)));
  queries.setQueryData<Pages>(key, (data) => data && putOnTop(data, top));
}

/** The pages with a fresh first one. What it pushed out stays below it; what it no longer holds (a filter) is gone from its reach. */
export function putOnTop(data: Pages, top: Recording[]): Pages {
  const onTop = new Set(top.map((row) => row.id));
  const oldest = top.length < pageSize ? undefined : top.at(-1)?.created_at;
  const below =
    oldest === undefined
      ? []
      : data.pages.map((page) => page.filter((row) => !onTop.has(row.id) && row.created_at < oldest));
  const [first = [], ...others] = below;
  return { ...data, pages: [[...top, ...first], ...others] };
}

/** Looks for the files of a failed recording again. Throws BackendError: retry_refused, recording_never_began … */
export async function retryRecording(id: string): Promise<void> {
  await ask(backend().rpc("retry_recording", { recording_id: id }));
  await refetchRecording(id);
}

/** Deletes the files of a recording for both; its row and story stay. Throws BackendError: recording_held, deletion_not_allowed … */
export async function deleteRecording(id: string): Promise<Recording> {
  return takeRecording(await ask(backend().rpc("delete_recording", { recording_id: id })));
}

/** Keeps a recording until a later moment (ISO 8601), by default as long as the policy allows. Throws BackendError: kept_longest … */
export async function keepRecordingLonger(id: string, until?: string): Promise<Recording> {
  const order = until === undefined ? { recording_id: id } : { recording_id: id, keep_until: until };
  return takeRecording(await ask(backend().rpc("keep_recording_longer", order)));
}

/** How many of everybody's newest recordings are looked at for what needs attention. */
const recent = 60;

async function fetchRecent(): Promise<Recording[]> {
  const data = await ask(backend().rpc("list_my_recordings", { newest: recent }).select(recordingColumns));
  return readRows(recording, data, "The recordings").map((row) => newestRecordings.take(row));
}

/** The newest recordings of everybody I meet, newest first; kept fresh over the topics of these mentorships. */
export function useRecentRecordings(mentorshipIds: readonly string[]): Live<Recording[]> {
  const query = useQuery({ queryKey: keys.recentRecordings, queryFn: fetchRecent });
  const [live, setLive] = useState<ReadonlySet<string>>(new Set());
  const topics = mentorshipIds.join(" ");
  useEffect(() => {
    const refetch = () => queries.refetchQueries({ queryKey: keys.recentRecordings });
    let asked: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      clearTimeout(asked);
      asked = setTimeout(() => void refetch(), 250);
    };
    const stops = topics
      .split(" ")
      .filter(Boolean)
      .map((id) =>
        watch({
          topic: `mentorship:${id}`,
          onLive: (isLive) =>
            setLive((before) => {
              const after = new Set(before);
              if (isLive) after.add(id);
              else after.delete(id);
              return after;
            }),
          take: (event, payload) => event === "recording.changed" && takeChange(payload, soon),
          // Many topics come back at once: one question for all of them.
          snapshot: async () => soon(),
          isFinal: () =>
            queries
              .getQueryData<Recording[]>(keys.recentRecordings)
              ?.every((row) => finalStatuses.has(row.status)) ?? false,
        }),
      );
    return () => {
      clearTimeout(asked);
      for (const stop of stops) stop();
    };
  }, [topics]);
  return { ...loadedOf(query), isLive: live.size === mentorshipIds.length };
}
