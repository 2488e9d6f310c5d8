import { done, type EngineTask, type Job, type Outcome, retryAfter, type Settings } from "../jobs/job.ts";
import { isWanted, suspect } from "./confirm.ts";
import type { ControlDeps } from "./control-deps.ts";
import { findSid } from "./find-sid.ts";

/** Pause before the stop is asked again, ms. */
const EXITING_MS = 2_000;
/** The sid comes with the answer to start, with the first event or with the first file; the first two end the waiting. */
const WITHOUT_SID_MS = 5_000;
const SID_EXPECTED_WITHIN_MS = 60_000;
/** An orphan lives no longer than its first file and a minute: half of that, and the rest for stopping it. */
const WITHOUT_SID_LATE_MS = 30_000;

/**
 * Keeps the promise to stop: a task that is not wanted is told to stop, again and again, until the engine confirms that it
 * is gone. A job is about one task, because each stop needs a slot of its own; one that names none takes the recording's
 * tasks in turn. While the recording is still wanted, only superseded tasks are stopped.
 */
export async function stopRecording(job: Job, settings: Settings, deps: ControlDeps): Promise<Outcome> {
  const unwanted = job.tasks.filter(
    (task) =>
      (job.engine_task_id === null || task.id === job.engine_task_id) &&
      task.state !== "gone" &&
      (!isWanted(job) || task.superseded),
  );
  const [task, ...others] = unwanted;
  if (task === undefined) return done;
  const outcome = await stopTask(job.recording_id, task, settings, deps);
  return outcome.outcome === "done" && others.length > 0 ? { outcome: "snooze", afterMs: 0 } : outcome;
}

async function stopTask(
  recordingId: string,
  task: EngineTask,
  settings: Settings,
  deps: ControlDeps,
): Promise<Outcome> {
  if (task.start_sent_at === undefined || task.resource_id === null) {
    await deps.database.report(task.id, "task.lost", { is_certain: true });
    return done;
  }
  const sid = task.sid ?? (await findSid(recordingId, task, deps));
  if (sid === undefined) return await awaitSid(task, task.start_sent_at, settings, deps);
  if (task.sid === null) await deps.database.report(task.id, "task.started", { sid });
  const told = await deps.engine.stop({
    cname: task.channel,
    uid: task.uid,
    resourceId: task.resource_id,
    sid,
    asyncStop: false,
  });
  switch (told.outcome) {
    case "stopped":
      await deps.database.report(task.id, "task.gone", told.files.length > 0 ? { files: told.files } : {});
      return done;
    case "stopped_empty":
      await deps.database.report(task.id, "task.gone", { is_empty: true });
      return done;
    case "accepted":
    case "already_exiting":
      return { outcome: "snooze", afterMs: EXITING_MS };
    case "not_found":
      return await suspect(task, settings, deps);
    case "unclear":
    case "refused":
      // Also after a refusal that trying again should not help: a recorder that runs has to be stopped.
      return retryAfter(told.error);
  }
}

/**
 * A start is under way, or its answer was lost: without the sid the engine cannot be told anything. After the time an
 * attempt has, the channel is not held up any longer: the task is given up but not forgotten, and stopped by its first
 * event or file should it come up after all. It cannot outlive its token, nor the failover that may follow its end.
 */
async function awaitSid(
  task: EngineTask,
  startSentAt: number,
  settings: Settings,
  deps: ControlDeps,
): Promise<Outcome> {
  const waitedMs = deps.now() - startSentAt;
  const longestMs = ((settings.recorder_token_lifetime ?? 86_400) + (settings.death_after ?? 90)) * 1000;
  if (waitedMs >= longestMs) {
    await deps.database.report(task.id, "task.gone");
    return done;
  }
  if (!task.superseded && waitedMs >= (settings.attempt_deadline ?? 90) * 1000) {
    await deps.database.report(task.id, "task.lost", { is_certain: false });
  }
  return {
    outcome: "snooze",
    afterMs: waitedMs < SID_EXPECTED_WITHIN_MS ? WITHOUT_SID_MS : WITHOUT_SID_LATE_MS,
  };
}
