import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask } from "./ask.ts";
import type { Live } from "./calls.ts";
import { backend, queries } from "./client.ts";
import { keys } from "./keys.ts";
import { watch } from "./live.ts";
import { newestRecordings } from "./newest.ts";
import { loadedOf } from "./people.ts";
import {
  isFinal,
  type Recording,
  readRow,
  readRows,
  recording,
  recordingChange,
  recordingColumns,
} from "./rows.ts";
import { replaceIn } from "./versions.ts";

export type { Recording } from "./rows.ts";

/** Shows a recording everywhere it is shown. */
function spread(row: Recording): void {
  queries.setQueryData(keys.recording(row.id), row);
  queries.setQueryData<Recording[]>(keys.recentRecordings, (list) => list && replaceIn(list, row));
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
  if (isFinal(after.status)) void refetchRecording(after.id);
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
      isFinal: () => isFinal(queries.getQueryData<Recording>(keys.recording(id))?.status ?? ""),
    });
  }, [id, mentorshipId]);
  return { ...loadedOf(query), isLive };
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
            queries.getQueryData<Recording[]>(keys.recentRecordings)?.every((row) => isFinal(row.status)) ??
            false,
        }),
      );
    return () => {
      clearTimeout(asked);
      for (const stop of stops) stop();
    };
  }, [topics]);
  return { ...loadedOf(query), isLive: live.size === mentorshipIds.length };
}
