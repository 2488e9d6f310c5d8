import { type AgoraEvent, parseAgoraEvent } from "../agora/events.ts";
import { done, type EngineTask, type Job, type Outcome, type Settings } from "../jobs/job.ts";
import { isCertainlyGone } from "./confirm.ts";
import { type ControlDeps, publicError } from "./control-deps.ts";

/**
 * Applies the events of one task that wait in the inbox. Events are hints, in any order and any number: a good one is
 * a fact about a moment (started, left, files), a bad one only makes us ask the engine.
 */
export async function applyEvents(job: Job, settings: Settings, deps: ControlDeps): Promise<Outcome> {
  const task = job.tasks.find((candidate) => candidate.id === job.engine_task_id);
  const waiting = job.events ?? [];
  if (task === undefined || waiting.length === 0) return done;
  for (const { event, received_at } of waiting) {
    await applyEvent(parseAgoraEvent(event), received_at, task, settings, deps);
  }
  await deps.database.markApplied(waiting.map(({ notice_id }) => notice_id));
  return done;
}

async function applyEvent(
  event: AgoraEvent,
  receivedAtMs: number,
  task: EngineTask,
  settings: Settings,
  deps: ControlDeps,
): Promise<void> {
  const at = new Date(event.happenedAtMs ?? receivedAtMs).toISOString();
  switch (event.kind) {
    case "recorder_started":
      await deps.database.report(task.id, "task.confirmed", { started_at: at });
      return;
    case "cloud_recording_file_infos":
      await deps.database.report(task.id, "task.seen");
      return;
    case "recorder_leave":
      task.left_at = event.happenedAtMs ?? receivedAtMs;
      await deps.database.report(task.id, "task.left", { left_at: at });
      return;
    case "uploaded":
    case "backuped":
      await deps.database.report(task.id, "task.files", { files: event.files });
      return;
    case "session_exit":
      await askAfterBadNews(task, settings, deps);
      return;
    case "cloud_recording_error":
      if (event.isFatal) await askAfterBadNews(task, settings, deps, { error: publicError(event.error) });
      return;
    default:
      return;
  }
}

/** An event said that the task is ending: whether it is gone is for the engine's API to say. */
async function askAfterBadNews(
  task: EngineTask,
  settings: Settings,
  deps: ControlDeps,
  facts: Record<string, unknown> = {},
): Promise<void> {
  if (task.state === "gone" || task.resource_id === null || task.sid === null) return;
  const told = await deps.engine.query({ resourceId: task.resource_id, sid: task.sid });
  if (told.outcome !== "not_found") return;
  const hasFailed = "error" in facts;
  if (hasFailed || isCertainlyGone(task, settings, deps.now()))
    await deps.database.report(task.id, "task.gone", facts);
  else await deps.database.report(task.id, "task.suspected");
}
