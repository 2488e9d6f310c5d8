import { type AgoraEvent, parseAgoraEvent } from "../agora/events.ts";
import { asRecorderError } from "../errors.ts";
import { done, type EngineTask, type Job, type Outcome, retryAfter, type Settings } from "../jobs/job.ts";
import { askAbout, isWanted } from "./confirm.ts";
import { type ControlDeps, publicError } from "./control-deps.ts";

/** After a fatal error the engine may call the task alive for some seconds more; asked again until then, ms. */
const FATAL_SHOWS_WITHIN_MS = 30_000;
const ASK_AGAIN_MS = 3_000;

/** What an event without good news makes us ask the engine: is this task ending, and with which error? */
interface Doubt {
  receivedAtMs: number;
  error?: ReturnType<typeof publicError>;
}

/**
 * Applies the events of one task that wait in the inbox. Events are hints, in any order and any number: a good one is
 * a fact about a moment (started, left, files), a bad one only makes us ask the engine, and waits in the inbox until the
 * answer is clear. An event that cannot be applied at all is noted and passed over: it must not block the others.
 */
export async function applyEvents(job: Job, settings: Settings, deps: ControlDeps): Promise<Outcome> {
  const found = job.tasks.find((candidate) => candidate.id === job.engine_task_id);
  const waiting = job.events ?? [];
  if (found === undefined || waiting.length === 0) return done;
  const task = { ...found };
  const applied: string[] = [];
  const doubts = new Map<string, Doubt>();
  let next: Outcome = done;
  for (const { notice_id, event, received_at } of waiting) {
    try {
      const doubt = await applyEvent(parseAgoraEvent(event), received_at, task, deps);
      if (doubt === undefined) applied.push(notice_id);
      else doubts.set(notice_id, doubt);
    } catch (thrown) {
      const error = asRecorderError(thrown);
      if (error.retry !== "never") {
        next = retryAfter(error);
        break;
      }
      deps.log("event.passed_over", { notice_id, code: error.code, detail: error.detail });
      applied.push(notice_id);
    }
  }
  if (doubts.size > 0 && next.outcome === "done") {
    next = await resolveDoubts([...doubts.values()], job, task, settings, deps);
    if (next.outcome === "done") applied.push(...doubts.keys());
  }
  if (applied.length > 0) await deps.database.markApplied(applied);
  return next;
}

/** Saves what an event says; gives a doubt where only the engine's API can tell what it means. */
async function applyEvent(
  event: AgoraEvent,
  receivedAtMs: number,
  task: EngineTask,
  { database }: ControlDeps,
): Promise<Doubt | undefined> {
  const atMs = event.happenedAtMs ?? receivedAtMs;
  const at = new Date(atMs).toISOString();
  switch (event.kind) {
    case "recorder_started":
      if (!event.isNormal) return { receivedAtMs };
      await database.report(task.id, "task.confirmed", { started_at: at });
      return undefined;
    case "cloud_recording_file_infos":
      await database.report(task.id, "task.seen");
      return undefined;
    case "recorder_leave":
      task.left_at = atMs;
      await database.report(task.id, "task.left", { left_at: at });
      return { receivedAtMs };
    case "uploaded":
    case "backuped":
      // An empty list is not the last word: the engine sends one for very short recordings that do have files.
      await database.report(task.id, "task.files", event.files.length > 0 ? { files: event.files } : {});
      return undefined;
    case "session_exit":
      return { receivedAtMs };
    case "cloud_recording_error":
      return event.isFatal ? { receivedAtMs, error: publicError(event.error) } : undefined;
    default:
      return undefined;
  }
}

/** One question for all doubts; "done" when it is settled. A task that is not wanted is asked about by its stop. */
async function resolveDoubts(
  doubts: readonly Doubt[],
  job: Job,
  task: EngineTask,
  settings: Settings,
  deps: ControlDeps,
): Promise<Outcome> {
  if (!isWanted(job) || task.superseded) return done;
  const fatal = doubts.find((doubt) => doubt.error !== undefined);
  if (fatal === undefined) return await askAbout(task, settings, deps);
  if (task.state === "gone" || task.resource_id === null || task.sid === null) return done;
  const told = await deps.engine.query({ resourceId: task.resource_id, sid: task.sid });
  switch (told.outcome) {
    case "not_found":
      // No failover is awaited here: the engine itself said that this task has failed, and why.
      await deps.database.report(task.id, "task.gone", { error: fatal.error });
      return done;
    case "running":
      return deps.now() - fatal.receivedAtMs < FATAL_SHOWS_WITHIN_MS
        ? { outcome: "snooze", afterMs: ASK_AGAIN_MS }
        : done;
    case "unclear":
    case "refused":
      return retryAfter(told.error);
  }
}
