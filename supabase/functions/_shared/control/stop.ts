import { done, type EngineTask, type Job, type Outcome, type Settings } from "../jobs/job.ts";
import { suspect } from "./confirm.ts";
import type { ControlDeps } from "./control-deps.ts";

/** Pauses before the stop is asked again, ms. */
const EXITING_MS = 2_000;
const WITHOUT_SID_MS = 2_000;

/**
 * Keeps the promise to stop: every task of the recording that may be running is told to stop, again and again, until
 * the engine confirms that it is gone. While the recording is still wanted, only superseded tasks are stopped.
 */
export async function stopRecording(job: Job, settings: Settings, deps: ControlDeps): Promise<Outcome> {
  const isWanted = job.recording.status === "starting" || job.recording.status === "recording";
  const alive = job.tasks.filter((task) => task.state !== "gone" && (!isWanted || task.superseded));
  const outcomes = await Promise.all(alive.map((task) => stopTask(task, settings, deps)));
  return (
    outcomes.find(({ outcome }) => outcome === "retry") ??
    outcomes.find(({ outcome }) => outcome === "snooze") ??
    done
  );
}

async function stopTask(task: EngineTask, settings: Settings, deps: ControlDeps): Promise<Outcome> {
  if (task.start_sent_at === undefined) {
    await deps.database.report(task.id, "task.lost", { is_certain: true });
    return done;
  }
  // The start is under way or its answer was lost; the sid comes from it, or from an event.
  if (task.resource_id === null || task.sid === null) return { outcome: "snooze", afterMs: WITHOUT_SID_MS };
  const told = await deps.engine.stop({
    cname: task.channel,
    uid: task.uid,
    resourceId: task.resource_id,
    sid: task.sid,
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
      return { outcome: "retry", error: told.error };
  }
}
