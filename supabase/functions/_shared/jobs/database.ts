import { PostgrestClient } from "@supabase/postgrest-js";
import { z } from "zod";
import type { SupabaseSettings } from "../config.ts";
import { asRecorderError, RecorderFailure } from "../errors.ts";
import { type After, type TimeLimit, timeLimit } from "../time-limit.ts";
import { auditCalls } from "./audit-calls.ts";
import { deletionCalls } from "./deletion-calls.ts";
import { healthCalls } from "./health-calls.ts";
import { type AnyJob, instant, type Outcome, readJob, type Settings } from "./job.ts";
import { transferCalls } from "./transfer-calls.ts";

/** The result of one job as the database takes it. */
export type Finished = { id: number; lease: string } & Outcome;

/** What came of one step of a drain. */
export interface Step {
  hasPlace: boolean;
  jobs: AnyJob[];
  /** Claimed jobs that this version of the functions cannot read, as results: they must not hold up the others. */
  unreadable: Finished[];
  /** Results that were not taken: usually `lease_lost`, the job is another worker's by now. */
  refused: { id: number; code: string }[];
  /** Milliseconds until the lane's next job is due; undefined when none waits. */
  nextRunInMs: number | undefined;
  settings: Settings;
}

const stepAnswer = z.object({
  has_place: z.boolean(),
  // Each one is parsed on its own: one strange job must not cost the leases of all that were claimed with it.
  jobs: z.array(z.unknown()),
  refused: z.array(z.object({ id: z.number().int(), code: z.string() })).default([]),
  next_run_in_ms: z.number().nullable(),
  settings: z.record(z.string(), z.number()).optional(),
});
const claim = z.looseObject({ id: z.number().int(), lease: z.uuid() });
/** Lanes that somebody other than the database has to wake, by the names of their functions. */
const lanesToWake = z
  .array(z.object({ lane: z.string(), function_name: z.string().regex(/^[a-z][a-z0-9-]*$/) }))
  .default([]);
export type LaneToWake = z.output<typeof lanesToWake>[number];
const attemptAnswer = z
  .object({
    id: z.uuid(),
    attempt: z.number().int(),
    channel: z.string(),
    uid: z.string(),
    token_expires_at: instant,
  })
  .nullable();
const reportAnswer = z.object({
  status: z.string(),
  attempt: z.number().int(),
  /** After task.acquired: whether this worker is the one that may send the start. */
  is_won: z.boolean().default(false),
  lanes_to_wake: lanesToWake,
});
const receivedAnswer = z.object({
  is_known: z.boolean(),
  is_stored: z.boolean(),
  lanes_to_wake: lanesToWake,
});
const playbackAnswer = z
  .object({
    recording_id: z.uuid(),
    status: z.string(),
    quality: z.string(),
    duration_ms: z.number().nullable(),
    size_bytes: z.number().nullable(),
    is_partial: z.boolean(),
    gaps: z.array(
      z.object({ from_ms: z.number(), to_ms: z.number(), missing_ms: z.number().nullable().default(null) }),
    ),
    started_at: z.string().nullable(),
    expires_at: z.string().nullable(),
    /** Names of the two, as far as they are known. */
    people: z.array(z.string()),
    /** Where this viewer stopped. */
    position_ms: z.number().nullable(),
    files: z.array(
      z.object({
        kind: z.enum(["playlist", "mp4", "thumbnail"]),
        object_key: z.string(),
        content_type: z.string(),
        size_bytes: z.number(),
        duration_ms: z.number().nullable(),
      }),
    ),
  })
  .nullable();
const callerAnswer = z
  .object({
    channel: z.string(),
    uid: z.number().int().min(1).max(4_294_967_295),
    channel_type: z.union([z.literal(0), z.literal(1)]),
    token_lifetime_seconds: z.number().int().min(1).max(86_400),
  })
  .nullable();
export type Playback = NonNullable<z.output<typeof playbackAnswer>>;

export type TaskEvent =
  | "task.acquired"
  | "task.resent"
  | "task.unanswered"
  | "task.started"
  | "task.seen"
  | "task.confirmed"
  | "task.suspected"
  | "task.doubted"
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
  /** `missing_ms`: how long what is missing was; null where nobody can know. */
  gaps: { from_ms: number; to_ms: number; missing_ms: number | null }[];
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

/** No call takes longer than this, ms: an answer that never comes must not hold a drain until it is killed. */
const TIMEOUT_MS = 15_000;

/**
 * Calls recorder_api over the REST interface with the secret key. Every answer is parsed; a refusal of the database
 * becomes a RecorderFailure with its code, anything else (no answer, an error of Postgres or of the gateway, an answer
 * of another form) `database_unavailable`, to be tried again later.
 */
export function createRecorderDatabase(
  settings: SupabaseSettings,
  deps: {
    fetch: typeof fetch;
    timeoutMs?: number;
    /** Ends every call, also one that is under way: the limit of the job it belongs to. */
    signal?: AbortSignal | undefined;
    after?: After | undefined;
  },
) {
  const timeoutMs = deps.timeoutMs ?? TIMEOUT_MS;
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
    const limit = timeLimit(timeoutMs, `no answer within ${timeoutMs} ms`, {
      outer: deps.signal,
      after: deps.after,
    });
    const { data, error, status } = await answerWithin(
      limit,
      client.rpc(name, args).abortSignal(limit.signal),
    );
    if (error) {
      const isRefusal = /^[a-z][a-z0-9_]*$/.test(error.code ?? "");
      if (!isRefusal) throw unavailable(name, `HTTP ${status} ${error.code ?? ""} ${error.message}`);
      throw new RecorderFailure({
        code: error.code,
        blame: "us",
        retry: "never",
        message: error.message,
        detail: `${name} was refused`,
      });
    }
    // The client makes an empty success (204, null) of a 404 without a body; here null has a meaning of its own.
    const parsed = answer.safeParse(status === 204 ? undefined : data);
    if (parsed.success) return parsed.data as z.output<Answer>;
    const issues = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw unavailable(name, `malformed answer: ${issues.join("; ")}`);
  }

  return {
    ...transferCalls(call),
    ...deletionCalls(call),
    ...auditCalls(call),
    ...healthCalls(call),
    /** Finishes jobs, keeps or takes a place in the lane, claims at most `limit` due jobs. */
    async work(lane: string, drain: string, finished: Finished[], limit: number): Promise<Step> {
      const step = await call(
        "work",
        { p_lane: lane, p_drain: drain, p_finished: finished.map(wireForm), p_limit: limit },
        stepAnswer,
      );
      const jobs: AnyJob[] = [];
      const unreadable: Finished[] = [];
      for (const json of step.jobs) {
        const read = readJob(json);
        if (read.success) jobs.push(read.data);
        else unreadable.push(...resultOfUnreadable(json, read.error));
      }
      return {
        hasPlace: step.has_place,
        jobs,
        unreadable,
        refused: step.refused,
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
    /** Saves what the engine said about a task, and moves the recording if it fits. Refuses nothing that came late. */
    report: (taskId: string, event: TaskEvent, facts: Record<string, unknown> = {}) =>
      call("report", { p_engine_task_id: taskId, p_event: event, p_facts: facts }, reportAnswer),
    /** Marks events as applied: they are not handed out again. Gives how many were not yet. */
    markApplied: (noticeIds: string[]) => call("mark_applied", { p_notice_ids: noticeIds }, z.number().int()),
    /** The lanes that nobody wakes at the moment; told to one asker at a time. */
    lanesToWake: () => call("lanes_to_wake", {}, lanesToWake),
    /** Notes that an event came which nothing is set to verify with; true if that was not noted a moment before. */
    noteUnverifiedEvent: () => call("note_unverified_event", {}, z.boolean()),
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
    /** Says that files are awaited, and which are there already; true if that was news. */
    awaitFiles: (recordingId: string, files: PublishedFile[] | null, totals: Totals | null) =>
      call("await_files", { p_recording_id: recordingId, p_files: files, p_totals: totals }, z.boolean()),
    /** Says that there are no files, and why. */
    filesFailed: (recordingId: string, event: "files.empty" | "files.missing") =>
      call("files_failed", { p_recording_id: recordingId, p_event: event }, z.boolean()),
    /** What one of its two people may play; null for everybody else. */
    playbackOf: (recordingId: string, userId: string) =>
      call("playback_of", { p_recording_id: recordingId, p_user_id: userId }, playbackAnswer),
    /** What one of its two people needs to join a call; null for everybody else. Throws `call_ended`. */
    admitCaller: (callId: string, userId: string) =>
      call("admit_caller", { p_call_id: callId, p_user_id: userId }, callerAnswer),
  };
}

async function answerWithin<Answer>(limit: TimeLimit, asked: PromiseLike<Answer>): Promise<Answer> {
  try {
    return await asked;
  } finally {
    limit.end();
  }
}

function unavailable(name: string, what: string): RecorderFailure {
  return new RecorderFailure({
    code: "database_unavailable",
    blame: "us",
    retry: "later",
    message: "The database did not answer.",
    // A gateway's error page can be long.
    detail: `${name}: ${what.slice(0, 500)}`,
  });
}

/** A retry, not a give-up: while a new version is rolled out, the next function may be able to read the job. */
function resultOfUnreadable(json: unknown, error: z.ZodError): Finished[] {
  const claimed = claim.safeParse(json).data;
  if (claimed === undefined) return [];
  const issues = error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  const failure = asRecorderError(new Error(`the job cannot be read: ${issues.join("; ")}`));
  return [{ id: claimed.id, lease: claimed.lease, outcome: "retry", error: failure }];
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
