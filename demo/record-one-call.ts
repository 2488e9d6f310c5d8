import { setTimeout as pause } from "node:timers/promises";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";
import { reasonOf } from "../local/stack/part.ts";
import { checkPlayback, type PlaybackCheck } from "./check-playback.ts";
import { demoMentor } from "./people.ts";
import { type CallWatch, watchCall } from "./watch-call.ts";

/** Longest waits per stage, ms; far above what is seen, so that only a real failure ends a demo. */
const START_LIMIT_MS = 60_000;
const FINISH_LIMIT_MS = 120_000;
const STORY_LIMIT_MS = 15_000;
/** How far the media may be from the engine's own start and end. */
const DURATION_TOLERANCE_MS = 1_000;

export interface CallOrder {
  url: string;
  publishableKey: string;
  mentorshipId: string;
  /** How long the recording is left running once it records. */
  seconds: number;
  signal: AbortSignal;
  /** Brings people into the call before it is recorded; without it the engine records a simulated picture. */
  attend?(callId: string, client: SupabaseClient): Promise<{ leave(): Promise<void> }>;
}

export interface Stage {
  name: string;
  /** Milliseconds since the wish to start. */
  atMs: number;
}

export interface CallResult {
  callId: string | undefined;
  stages: Stage[];
  recording: Record<string, unknown> | undefined;
  files: Record<string, unknown>[];
  playback: PlaybackCheck | undefined;
  /** The engine's own recorder_started, UTC ms. */
  startedAt: number | undefined;
  /** From then to its recorder_leave, ms. */
  recordedMs: number | undefined;
  /** What did not hold; empty when everything did. */
  problems: string[];
}

const engineEvents = z.array(
  z.object({ event: z.string(), detail: z.object({ at: z.string().transform((text) => Date.parse(text)) }) }),
);

/** Does everything a mentor does, as a mentor's browser does it, and checks what came of it. Never throws. */
export async function recordOneCall(
  order: CallOrder,
  onStatus: (status: string) => void,
): Promise<CallResult> {
  const result: CallResult = {
    callId: undefined,
    stages: [],
    recording: undefined,
    files: [],
    playback: undefined,
    startedAt: undefined,
    recordedMs: undefined,
    problems: [],
  };
  const client = createClient(order.url, order.publishableKey, { auth: { persistSession: false } });
  let watch: CallWatch | undefined;
  let attendance: { leave(): Promise<void> } | undefined;
  try {
    onStatus("signing in");
    const accessToken = await signIn(client);
    onStatus("joining");
    const callId = await join(client, order.mentorshipId);
    result.callId = callId;
    watch = await watchCall(client, callId, onStatus);
    attendance = await order.attend?.(callId, client);

    const wishedAt = performance.now();
    const mark = (name: string, at = performance.now()) =>
      result.stages.push({ name, atMs: Math.round(at - wishedAt) });
    mark("asked to start");
    await wish(client, callId, "starting");
    mark("wish stored");
    const recording = await watch.until(["recording"], START_LIMIT_MS);
    await pause(order.seconds * 1000, undefined, { signal: order.signal });
    mark("asked to stop");
    await wish(client, callId, "stopping");
    const recorded = await watch.until(["recorded"], FINISH_LIMIT_MS);
    for (const { status, arrivedAt } of watch.seen) mark(status, arrivedAt);
    result.stages.sort((a, b) => a.atMs - b.atMs);

    const recordingId = recorded.recordingId ?? recording.recordingId ?? "";
    await readFacts(client, recordingId, result);
    onStatus("playing");
    result.playback = await checkPlayback({ ...order, accessToken, recordingId });
    mark("played");
    checkEverything(watch, result);
    await client.rpc("end_call", { call_id: callId });
    onStatus("done");
  } catch (error) {
    result.problems.push(reasonOf(error));
    onStatus("failed");
  } finally {
    await attendance?.leave();
    await watch?.close();
    await client.auth.signOut({ scope: "local" });
    client.realtime.disconnect();
  }
  return result;
}

export async function signIn(client: SupabaseClient): Promise<string> {
  const { data, error } = await client.auth.signInWithPassword(demoMentor);
  if (error !== null) throw new Error(`${demoMentor.email} cannot sign in: ${error.message}`);
  await client.realtime.setAuth(data.session.access_token);
  return data.session.access_token;
}

const joinedCall = z.object({ id: z.uuid(), recording_status: z.string().nullable() });

async function join(client: SupabaseClient, mentorshipId: string): Promise<string> {
  const { data, error } = await client.rpc("join_call", { mentorship_id: mentorshipId });
  if (error !== null) throw new Error(`joining the call was refused: ${error.code} ${error.message}`);
  const call = joinedCall.parse(data);
  if (call.recording_status === null) return call.id;
  // A call that an interrupted demo left open: it is ended, as a person would, and a new one begun.
  const ended = await client.rpc("end_call", { call_id: call.id });
  if (ended.error !== null) throw new Error(`the last call cannot be ended: ${ended.error.message}`);
  return await join(client, mentorshipId);
}

async function wish(client: SupabaseClient, callId: string, word: "starting" | "stopping"): Promise<void> {
  const { data, error } = await client
    .from("video_calls")
    .update({ recording_status: word })
    .eq("id", callId)
    .select("recording_status");
  if (error !== null) throw new Error(`the wish ${word} was refused: ${error.code} ${error.message}`);
  if (data.length !== 1) throw new Error(`the wish ${word} found no call`);
}

async function readFacts(client: SupabaseClient, recordingId: string, result: CallResult): Promise<void> {
  const [recording, files] = await Promise.all([
    client.from("recordings").select("*").eq("id", recordingId).single(),
    client
      .from("recording_files")
      .select("kind, attempt, content_type, size_bytes, duration_ms, segment_count")
      .eq("recording_id", recordingId),
  ]);
  const error = recording.error ?? files.error;
  if (error !== null) throw new Error(`the recording cannot be read: ${error.code} ${error.message}`);
  result.recording = z.record(z.string(), z.unknown()).parse(recording.data);
  result.files = z.array(z.record(z.string(), z.unknown())).parse(files.data);
  const span = await engineSpan(client, recordingId);
  result.startedAt = span?.startedAt;
  result.recordedMs = span?.ms;
}

/**
 * From the engine's own start (UTC ms) to its own end. Its events are hints that come in any order: the one about the end may
 * be applied after the files were published, so it is waited for. Undefined when it never came.
 */
async function engineSpan(
  client: SupabaseClient,
  recordingId: string,
): Promise<{ startedAt: number; ms: number } | undefined> {
  const deadline = performance.now() + STORY_LIMIT_MS;
  while (true) {
    const { data, error } = await client
      .from("recording_events")
      .select("event, detail")
      .eq("recording_id", recordingId)
      .in("event", ["engine.recorder_started", "engine.recorder_left"]);
    if (error !== null) throw new Error(`the story cannot be read: ${error.code} ${error.message}`);
    const told = engineEvents.parse(data);
    const startedAt = told.find(({ event }) => event === "engine.recorder_started")?.detail.at;
    const leftAt = told.find(({ event }) => event === "engine.recorder_left")?.detail.at;
    if (startedAt !== undefined && leftAt !== undefined) return { startedAt, ms: leftAt - startedAt };
    if (performance.now() > deadline) return undefined;
    await pause(100);
  }
}

function checkEverything(watch: CallWatch, result: CallResult): void {
  const { playback, problems, recordedMs } = result;
  for (const status of ["starting", "recording", "stopping", "processing", "recorded"]) {
    if (!watch.seen.some((seen) => seen.status === status))
      problems.push(`the status ${status} was never pushed`);
  }
  if (recordedMs === undefined)
    problems.push("the engine's own start and end are not in the story of the recording");
  for (const media of [playback?.hls, playback?.mp4]) {
    if (media === undefined) continue;
    if (recordedMs !== undefined && Math.abs(media.durationMs - recordedMs) > DURATION_TOLERANCE_MS) {
      problems.push(`the ${media.kind} plays ${media.durationMs} ms, the engine recorded ${recordedMs} ms`);
    }
    if (!media.tracks.includes("video avc") || !media.tracks.includes("audio aac")) {
      problems.push(`the ${media.kind} has ${media.tracks.join(" and ") || "no tracks"}, not H.264 and AAC`);
    }
  }
  const sizeInRow = z.number().nullable().catch(null).parse(result.recording?.size_bytes);
  if (playback !== undefined && playback.mp4.sizeBytes !== sizeInRow) {
    problems.push(`the MP4 has ${playback.mp4.sizeBytes} bytes, its row says ${sizeInRow}`);
  }
}
