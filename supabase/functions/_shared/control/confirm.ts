import { done, type EngineTask, type Job, type Outcome, retryAfter, type Settings } from "../jobs/job.ts";
import type { ControlDeps } from "./control-deps.ts";

/** Pauses between two questions about one task, ms. */
const NOT_READY_MS = 3_000;
const SUSPECT_MS = 5_000;

/** Whether the engine's tasks are wanted to run: otherwise ending them is the business of the stop job alone. */
export function isWanted(job: Pick<Job, "recording">): boolean {
  return job.recording.status === "starting" || job.recording.status === "recording";
}

/**
 * Asks the engine about one task: after a start until it is in the channel, later when it has been silent. A 404 makes
 * it suspect; only a 404 for longer than the engine's own failover, or one after it said that it left, is its end.
 */
export async function confirmTask(job: Job, settings: Settings, deps: ControlDeps): Promise<Outcome> {
  const task = job.tasks.find((candidate) => candidate.id === job.engine_task_id);
  if (task === undefined || task.superseded || !isWanted(job)) return done;
  return await askAbout(task, settings, deps);
}

/** One question to the engine's API about one task, and what follows from the answer. */
export async function askAbout(task: EngineTask, settings: Settings, deps: ControlDeps): Promise<Outcome> {
  if (task.state === "gone" || task.resource_id === null || task.sid === null) return done;
  const told = await deps.engine.query({ resourceId: task.resource_id, sid: task.sid });
  switch (told.outcome) {
    case "running":
      switch (told.phase) {
        case "recording":
          await deps.database.report(
            task.id,
            task.confirmed_at === undefined ? "task.confirmed" : "task.seen",
          );
          return done;
        case "abnormal":
          await deps.database.report(task.id, "task.gone");
          return done;
        default:
          await deps.database.report(task.id, "task.seen");
          return { outcome: "snooze", afterMs: NOT_READY_MS };
      }
    case "not_found":
      return await suspect(task, settings, deps);
    case "unclear":
    case "refused":
      return retryAfter(told.error);
  }
}

/** What follows from a 404: suspicion, or the conclusion that the task is gone. */
export async function suspect(task: EngineTask, settings: Settings, deps: ControlDeps): Promise<Outcome> {
  if (isCertainlyGone(task, settings, deps.now())) {
    await deps.database.report(task.id, "task.gone");
    return done;
  }
  await deps.database.report(task.id, "task.suspected");
  return { outcome: "snooze", afterMs: SUSPECT_MS };
}

/** Whether a 404 now means the end: the recorder said that it left, or has been missing for longer than a failover takes. */
export function isCertainlyGone(
  task: Pick<EngineTask, "left_at" | "suspect_since">,
  settings: Settings,
  now: number,
): boolean {
  if (task.left_at !== undefined) return true;
  return task.suspect_since !== undefined && now - task.suspect_since >= (settings.death_after ?? 90) * 1000;
}
