import { done, type EngineTask, type Job, type Outcome, retryAfter, type Settings } from "../jobs/job.ts";
import type { ControlDeps } from "./control-deps.ts";
import { findSid } from "./find-sid.ts";

/** Pauses between two questions about one task, ms. */
const NOT_READY_MS = 3_000;
const SUSPECT_MS = 5_000;
const WITHOUT_SID_MS = 5_000;
/** After a fatal error the engine may call the task alive for some seconds more; asked again until then, ms. */
const FATAL_SHOWS_WITHIN_MS = 30_000;

/** Whether the engine's tasks are wanted to run: otherwise ending them is the business of the stop job alone. */
export function isWanted(job: Pick<Job, "recording">): boolean {
  return job.recording.status === "starting" || job.recording.status === "recording";
}

/**
 * Asks the engine about one task: after a start until it is in the channel, later when it has been silent or an event
 * raised a doubt. A 404 makes it suspect; only a 404 for longer than the engine's own failover, or one after it said that
 * it left or failed, is its end. A task whose sid nobody knows is looked for in the bucket.
 */
export async function confirmTask(job: Job, settings: Settings, deps: ControlDeps): Promise<Outcome> {
  const task = job.tasks.find((candidate) => candidate.id === job.engine_task_id);
  if (task === undefined || task.superseded || task.state === "gone" || !isWanted(job)) return done;
  if (task.resource_id === null) return done;
  if (task.sid !== null)
    return await ask({ ...task, sid: task.sid, resource_id: task.resource_id }, settings, deps);
  const sid = await findSid(job.recording_id, task, deps);
  // The database asks for the confirmation as soon as it knows the sid.
  if (sid !== undefined) await deps.database.report(task.id, "task.started", { sid });
  return sid === undefined ? { outcome: "snooze", afterMs: WITHOUT_SID_MS } : done;
}

/** One question to the engine's API about one task, and what follows from the answer. */
async function ask(
  task: EngineTask & { resource_id: string; sid: string },
  settings: Settings,
  deps: ControlDeps,
): Promise<Outcome> {
  const told = await deps.engine.query({ resourceId: task.resource_id, sid: task.sid });
  switch (told.outcome) {
    case "running": {
      if (told.phase === "abnormal") {
        await deps.database.report(task.id, "task.gone");
        return done;
      }
      const isFailing = task.failed_at !== undefined;
      if (isFailing && deps.now() - (task.failed_at ?? 0) < FATAL_SHOWS_WITHIN_MS) {
        return { outcome: "snooze", afterMs: NOT_READY_MS };
      }
      // Half a minute later it is there all the same: the error was not its end.
      const refutation = isFailing ? { is_refuted: true } : {};
      const isConfirmed = told.phase === "recording" && task.confirmed_at === undefined;
      await deps.database.report(task.id, isConfirmed ? "task.confirmed" : "task.seen", refutation);
      return told.phase === "recording" ? done : { outcome: "snooze", afterMs: NOT_READY_MS };
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

/**
 * Whether a 404 now means the end: the recorder said that it left or that it failed, or has been missing for longer than a
 * failover takes.
 */
export function isCertainlyGone(
  task: Pick<EngineTask, "left_at" | "failed_at" | "suspect_since">,
  settings: Settings,
  now: number,
): boolean {
  if (task.left_at !== undefined || task.failed_at !== undefined) return true;
  return task.suspect_since !== undefined && now - task.suspect_since >= (settings.death_after ?? 90) * 1000;
}
