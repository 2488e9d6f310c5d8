import { PostgrestClient } from "@supabase/postgrest-js";
import { z } from "zod";
import type { SupabaseSettings } from "../config.ts";
import { RecorderFailure } from "../errors.ts";
import { type Job, job, type Outcome, type Settings } from "./job.ts";

/** The result of one job as the database takes it. */
export type Finished = { id: number; lease: string } & Outcome;

/** What came of one step of a drain. */
export interface Step {
  hasPlace: boolean;
  jobs: Job[];
  /** Milliseconds until the lane's next job is due; undefined when none waits. */
  nextRunInMs: number | undefined;
  settings: Settings;
}

const stepAnswer = z.object({
  has_place: z.boolean(),
  jobs: z.array(job),
  next_run_in_ms: z.number().nullable(),
  settings: z.record(z.string(), z.number()).optional(),
});
const attemptAnswer = z
  .object({ id: z.uuid(), attempt: z.number().int(), channel: z.string(), uid: z.string() })
  .nullable();
const reportAnswer = z.object({ status: z.string(), attempt: z.number().int() });
const receivedAnswer = z.object({ is_known: z.boolean(), is_new: z.boolean() });
const playbackAnswer = z
  .object({
    recording_id: z.uuid(),
    status: z.string(),
    duration_ms: z.number().nullable(),
    size_bytes: z.number().nullable(),
    started_at: z.string().nullable(),
    expires_at: z.string().nullable(),
    is_partial: z.boolean(),
    files: z.array(
      z.object({
        kind: z.enum(["playlist", "mp4", "thumbnail"]),
        attempt: z.number().int(),
        object_key: z.string(),
        content_type: z.string(),
        size_bytes: z.number(),
        duration_ms: z.number().nullable(),
      }),
    ),
  })
  .nullable();
export type Playback = NonNullable<z.output<typeof playbackAnswer>>;

export type TaskEvent =
  | "task.acquired"
  | "task.started"
  | "task.seen"
  | "task.confirmed"
  | "task.suspected"
  | "task.left"
  | "task.files"
  | "task.gone"
  | "task.lost";

export interface PublishedFile {
  kind: "playlist" | "mp4" | "thumbnail";
  attempt: number;
  object_key: string;
  content_type: string;
  size_bytes: number;
  duration_ms: number | null;
  segment_count: number | null;
}

export interface Totals {
  duration_ms: number;
  size_bytes: number;
  stored_bytes: number;
  is_partial: boolean;
  gaps: { from_ms: number; to_ms: number }[];
}

/** One verified event of the engine on its way into the inbox. */
export interface ReceivedEvent {
  noticeId: string;
  eventType: number;
  sid: string | undefined;
  channel: string | undefined;
  uid: string | undefined;
  isSignOfLife: boolean;
  event: unknown;
}

/** The database as the functions know it: schema recorder_api and nothing else. */
export type RecorderDatabase = ReturnType<typeof createRecorderDatabase>;

/**
 * Calls recorder_api over the REST interface with the secret key. Every answer is parsed; a refusal of the database
 * becomes a RecorderFailure with its code, anything else `database_unavailable`.
 */
export function createRecorderDatabase(settings: SupabaseSettings, deps: { fetch: typeof fetch }) {
  const client = new PostgrestClient(`${settings.url}/rest/v1`, {
    // A legacy key is a JWT and must stand in both headers; a new one is refused as a bearer.
    headers: settings.secretKey.startsWith("sb_")
      ? { apikey: settings.secretKey }
      : { apikey: settings.secretKey, Authorization: `Bearer ${settings.secretKey}` },
    schema: "recorder_api",
    // Deno's fetch silently sends a request again when a kept connection breaks before the answer begins, and a claim
    // that is sent twice is lost until its lease ends. A Blob body keeps it from doing so.
    fetch: (input, init) =>
      deps.fetch(input, typeof init?.body === "string" ? { ...init, body: new Blob([init.body]) } : init),
  });

  async function call<Answer extends z.ZodType>(name: string, args: Record<string, unknown>, answer: Answer) {
    const { data, error } = await client.rpc(name, args);
    if (error) {
      const isRefusal = /^[a-z][a-z0-9_]*$/.test(error.code ?? "");
      throw new RecorderFailure({
        code: isRefusal ? error.code : "database_unavailable",
        blame: "us",
        retry: isRefusal ? "never" : "later",
        message: isRefusal ? error.message : "The database did not answer.",
        detail: `${name}: ${error.code} ${error.message}`,
      });
    }
    return answer.parse(data) as z.output<Answer>;
  }

  return {
    /** Finishes jobs, keeps or takes a place in the lane, claims at most `limit` due jobs. */
    async work(lane: string, drain: string, finished: Finished[], limit: number): Promise<Step> {
      const step = await call(
        "work",
        { p_lane: lane, p_drain: drain, p_finished: finished.map(wireForm), p_limit: limit },
        stepAnswer,
      );
      return {
        hasPlace: step.has_place,
        jobs: step.jobs,
        nextRunInMs: step.next_run_in_ms ?? undefined,
        settings: step.settings ?? {},
      };
    },
    /** Finishes the last jobs and gives the place back. True if the lane was woken once more. */
    leave: (lane: string, drain: string, finished: Finished[]) =>
      call("leave", { p_lane: lane, p_drain: drain, p_finished: finished.map(wireForm) }, z.boolean()),
    /** The task to start now, written down before the engine hears of it; null when no start is wanted. */
    beginAttempt: (recordingId: string, tokenExpiresAt: Date) =>
      call(
        "begin_attempt",
        { p_recording_id: recordingId, p_token_expires_at: tokenExpiresAt.toISOString() },
        attemptAnswer,
      ),
    /** Saves what the engine said about a task, and moves the recording if it fits. */
    report: (taskId: string, event: TaskEvent, facts: Record<string, unknown> = {}) =>
      call("report", { p_engine_task_id: taskId, p_event: event, p_facts: facts }, reportAnswer),
    markApplied: (noticeIds: string[]) => call("mark_applied", { p_notice_ids: noticeIds }, z.unknown()),
    /** Stores an event once and asks for its application. */
    receiveEvent: (event: ReceivedEvent) =>
      call(
        "receive_event",
        {
          p_notice_id: event.noticeId,
          p_event_type: event.eventType,
          p_sid: event.sid ?? null,
          p_channel: event.channel ?? null,
          p_uid: event.uid ?? null,
          p_is_sign_of_life: event.isSignOfLife,
          p_event: event.event,
        },
        receivedAnswer,
      ),
    /** Makes a recording `recorded` with these verified files. */
    publish: (recordingId: string, files: PublishedFile[], totals: Totals) =>
      call("publish", { p_recording_id: recordingId, p_files: files, p_totals: totals }, z.boolean()),
    /** Says that there are no files, and why. */
    filesFailed: (recordingId: string, event: "files.empty" | "files.missing") =>
      call("files_failed", { p_recording_id: recordingId, p_event: event }, z.boolean()),
    /** What one of its two people may play; null for everybody else. */
    playbackOf: (recordingId: string, userId: string) =>
      call("playback_of", { p_recording_id: recordingId, p_user_id: userId }, playbackAnswer),
  };
}

function wireForm(finished: Finished): Record<string, unknown> {
  const { id, lease, outcome } = finished;
  const afterMs = "afterMs" in finished ? finished.afterMs : undefined;
  const error = "error" in finished ? finished.error : undefined;
  return {
    id,
    lease,
    outcome,
    ...(afterMs === undefined ? {} : { after_ms: afterMs }),
    ...(error === undefined ? {} : { error }),
  };
}
