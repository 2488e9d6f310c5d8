import { type AgoraEvent, parseAgoraEvent } from "../agora/events.ts";
import { asRecorderError } from "../errors.ts";
import { done, type Job, type Outcome, retryAfter } from "../jobs/job.ts";
import { type ControlDeps, publicError } from "./control-deps.ts";

/**
 * Applies the events of one task that wait in the inbox. Events are hints, in any order and any number: a good one is
 * a fact about a moment (started, left, files), a bad one is a doubt, upon which the database asks for a question to the
 * engine. None is asked from here: a question needs a slot. An event that cannot be applied at all is noted and passed
 * over: it must not block the others.
 */
export async function applyEvents(job: Job, deps: ControlDeps): Promise<Outcome> {
  const task = job.tasks.find((candidate) => candidate.id === job.engine_task_id);
  const waiting = job.events ?? [];
  if (task === undefined || waiting.length === 0) return done;
  const applied: string[] = [];
  let next: Outcome = done;
  for (const { notice_id, event, received_at } of waiting) {
    try {
      await applyEvent(parseAgoraEvent(event), received_at, task.id, deps);
      applied.push(notice_id);
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
  if (applied.length > 0) await deps.database.markApplied(applied);
  return next;
}

/** Saves what an event says. What is no news is no report. */
async function applyEvent(
  event: AgoraEvent,
  receivedAtMs: number,
  taskId: string,
  { database }: ControlDeps,
): Promise<void> {
  const at = new Date(event.happenedAtMs ?? receivedAtMs).toISOString();
  switch (event.kind) {
    case "recorder_started":
      if (event.isNormal) await database.report(taskId, "task.confirmed", { started_at: at });
      else await database.report(taskId, "task.doubted");
      return;
    case "cloud_recording_file_infos":
      await database.report(taskId, "task.seen");
      return;
    case "recorder_leave":
      await database.report(taskId, "task.left", { left_at: at, reasons: event.reasons });
      return;
    case "uploaded":
    case "backuped":
      // An empty list is not the last word: the engine sends one for very short recordings that do have files.
      await database.report(taskId, "task.files", event.files.length > 0 ? { files: event.files } : {});
      return;
    case "session_exit":
      await database.report(taskId, "task.doubted");
      return;
    case "cloud_recording_error":
      if (event.isFatal) await database.report(taskId, "task.doubted", { error: publicError(event.error) });
  }
}
