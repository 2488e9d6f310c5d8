import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import * as z from "zod/mini";
import type { CallCredentials } from "../calls/transport.ts";
import { ask, askFunction } from "./ask.ts";
import { rowsTopic } from "./channels.ts";
import { backend, queries } from "./client.ts";
import { BackendError } from "./errors.ts";
import { keys } from "./keys.ts";
import { watch } from "./live.ts";
import { newestCalls } from "./newest.ts";
import { type Loaded, loadedOf } from "./people.ts";
import { type Call, call, callChange, callColumns, isFinal, readRow, readRows } from "./rows.ts";
import { useUserId } from "./session.ts";
import { replaceIn } from "./versions.ts";

export type { Call } from "./rows.ts";

/** A thing that is kept fresh while it is shown. */
export interface Live<Data> extends Loaded<Data> {
  /** Whether changes arrive by themselves at the moment; else the page asks every 30 s. */
  isLive: boolean;
}

/** Shows a call everywhere it is shown. */
function spread(row: Call): void {
  queries.setQueryData(keys.call(row.id), row);
  queries.setQueryData(keys.calls, (list: Call[] | undefined) => list && replaceIn(list, row));
}

/** Merges a whole row, or the answer to a change, into what is known; gives the newest. */
function takeCall(value: unknown): Call {
  const newest = newestCalls.take(readRow(call, value, "The call"));
  spread(newest);
  return newest;
}

async function fetchCall(id: string): Promise<Call | null> {
  const data = await ask(backend().from("video_calls").select(callColumns).eq("id", id).maybeSingle());
  return data === null ? null : newestCalls.take(readRow(call, data, "The call"));
}

/** Whether nothing about a call moves any more. */
const isOver = (row: Call | null | undefined): boolean =>
  row === null ||
  (row !== undefined &&
    row.status !== "active" &&
    (row.recording_status === null ||
      isFinal(row.recording_status) ||
      row.recording_status === "not_recorded"));

/** One call, kept fresh. `missing` where it does not exist or is not this person's. */
export function useCall(callId: string | undefined): Live<Call> {
  const [isLive, setLive] = useState(false);
  const query = useQuery({
    queryKey: keys.call(callId ?? ""),
    queryFn: () => fetchCall(callId ?? ""),
    enabled: callId !== undefined,
  });
  useEffect(() => {
    if (callId === undefined) return;
    return watch({
      topic: `call:${callId}`,
      onLive: setLive,
      take: (event, payload) => {
        if (event !== "call.changed") return;
        const change = callChange.safeParse(payload);
        const changed = change.success ? newestCalls.change(change.data) : undefined;
        if (changed === undefined) void queries.refetchQueries({ queryKey: keys.call(callId) });
        else spread(changed);
      },
      snapshot: () => queries.refetchQueries({ queryKey: keys.call(callId) }),
      isFinal: () => isOver(queries.getQueryData<Call | null>(keys.call(callId))),
    });
  }, [callId]);
  return { ...loadedOf(query), isLive };
}

/** How many calls the home page looks back on. */
const recentCalls = 60;

async function fetchCalls(): Promise<Call[]> {
  const data = await ask(
    backend()
      .from("video_calls")
      .select(callColumns)
      .order("start_time", { ascending: false })
      .limit(recentCalls),
  );
  return readRows(call, data, "The calls").map((row) => newestCalls.take(row));
}

/** The newest calls of everybody I meet, newest first, kept fresh. */
export function useMyCalls(): Live<Call[]> {
  const userId = useUserId();
  const [isLive, setLive] = useState(false);
  const query = useQuery({ queryKey: keys.calls, queryFn: fetchCalls });
  useEffect(() => {
    if (userId === undefined) return;
    let asked: ReturnType<typeof setTimeout> | undefined;
    const stop = watch({
      topic: rowsTopic(userId),
      onLive: setLive,
      take: (event, payload) => {
        if (event !== "video_calls") return;
        const row = call.safeParse(payload);
        const isKnown = row.success && newestCalls.get(row.data.id) !== undefined;
        if (row.success && isKnown) return spread(newestCalls.take(row.data));
        // A call that began, or a row that came without its columns: ask once for all of a moment's events.
        clearTimeout(asked);
        asked = setTimeout(() => void queries.refetchQueries({ queryKey: keys.calls }), 250);
      },
      snapshot: () => queries.refetchQueries({ queryKey: keys.calls }),
      // However many are over, the next one may begin, and its row is pushed once.
      isFinal: () => false,
    });
    return () => {
      clearTimeout(asked);
      stop();
    };
  }, [userId]);
  return { ...loadedOf(query), isLive };
}

/** The mentorship's active call; makes one where there is none. Throws BackendError: mentorship_not_found … */
export async function joinCall(mentorshipId: string): Promise<Call> {
  return takeCall(await ask(backend().rpc("join_call", { mentorship_id: mentorshipId })));
}

/** Ends the call for both, which is a wish to stop its recording. Throws BackendError: call_not_found … */
export async function endCall(callId: string): Promise<Call> {
  return takeCall(await ask(backend().rpc("end_call", { call_id: callId })));
}

/**
 * Wishes that a recording starts or stops. The answer is the fact it has become (usually `starting` or `stopping`); what follows comes
 * through `useCall`. Throws BackendError: still_stopping, call_ended, call_not_found …
 */
export async function wishRecording(
  callId: string,
  wish: "starting" | "stopping",
  how: { quality?: string; layout?: string } = {},
): Promise<Call> {
  const columns = {
    recording_status: wish,
    ...(how.quality === undefined ? {} : { recording_quality: how.quality }),
    ...(how.layout === undefined ? {} : { recording_layout: how.layout }),
  };
  const rows = await ask(backend().from("video_calls").update(columns).eq("id", callId).select(callColumns));
  const [row] = readRows(call, rows, "The call");
  if (row === undefined)
    throw new BackendError("call_not_found", "There is no call of yours with this id.", { status: 403 });
  const newest = newestCalls.take(row);
  spread(newest);
  return newest;
}

const credentials = z.object({
  transport: z.enum(["agora", "local"]),
  url: z.optional(z.string()),
  app_id: z.string(),
  channel: z.string(),
  uid: z.number(),
  token: z.string(),
  expires_at: z.string(),
  mode: z.enum(["live", "rtc"]),
});

/** What it takes to join a call as this person (function call-token). Throws BackendError: call_ended, call_not_found … */
export async function askToJoin(callId: string): Promise<CallCredentials> {
  const { url, ...given } = readRow(
    credentials,
    await askFunction("call-token", { call_id: callId }),
    "The call's token",
  );
  return url === undefined ? given : { ...given, url };
}
