import type { StartRequest } from "../agora/requests.ts";
import { type RecorderError, RecorderFailure } from "../errors.ts";
import { done, type Outcome } from "../jobs/job.ts";
import { type ControlDeps, publicError } from "./control-deps.ts";

/**
 * Agora's advice for a start whose answer is open or says "not now": the same request again after these pauses, ms. Each
 * repetition is a job of its own, because each has to wait for a slot.
 */
const REPEAT_PAUSES_MS = [3_000, 6_000];
/** A sid that is not saved is a recorder that cannot be stopped: pauses before it is saved again, ms. */
const SAVE_PAUSES_MS = [250, 1_000, 3_000];

/**
 * Sends a start once, and saves what is known by then. `mayRun`: an earlier answer stayed open, so no refusal proves that
 * nothing runs. `repeats`: how many times it was repeated before, this time included; 0 for the first one. What stays
 * unclear is left to the task's first event, to the bucket, and to the deadline of its attempt.
 */
export async function sendStart(
  taskId: string,
  request: StartRequest,
  { mayRun, repeats }: { mayRun: boolean; repeats: number },
  deps: ControlDeps,
): Promise<Outcome> {
  const started = await deps.engine.start(request);
  switch (started.outcome) {
    case "started":
      await saveSid(taskId, started.sid, deps);
      return done;
    case "already_started":
      // It runs. Without a sid only an event or a file can tell it.
      if (started.sid !== undefined) await saveSid(taskId, started.sid, deps);
      else await deps.database.report(taskId, "task.unanswered", { may_run: true, look: true });
      return done;
    case "conflict":
      // A recorder with this fresh uid is in the channel: most likely our own, of a worker that was thought dead. It is
      // stopped when it shows itself; the next attempt draws another uid.
      await deps.database.report(taskId, "task.lost", { is_certain: false });
      return done;
    case "refused": {
      const isLast = REPEAT_PAUSES_MS[repeats] === undefined;
      // "now" means with a fresh resource id, which is another attempt.
      if (started.error.retry !== "later" || (isLast && !mayRun)) {
        const error = publicError(started.error);
        await deps.database.report(taskId, "task.lost", { error, is_certain: !mayRun });
        return done;
      }
      return await againLater(taskId, started.error, { mayRun, repeats }, deps);
    }
    case "unclear":
      return await againLater(taskId, started.error, { mayRun: true, repeats }, deps);
  }
}

/** Leaves the next repetition to a job: the database makes one for the first, and the job comes back for the next. */
async function againLater(
  taskId: string,
  error: RecorderError,
  { mayRun, repeats }: { mayRun: boolean; repeats: number },
  { database }: ControlDeps,
): Promise<Outcome> {
  const pauseMs = REPEAT_PAUSES_MS[repeats];
  if (pauseMs === undefined) {
    // Looked for from now on: by its first event, or by the name of its first file.
    await database.report(taskId, "task.unanswered", { may_run: mayRun, look: true });
    return done;
  }
  const afterMs = Math.max(pauseMs, error.retryAfterMs ?? 0);
  const isFirst = repeats === 0;
  await database.report(taskId, "task.unanswered", {
    may_run: mayRun,
    ...(isFirst ? { again_after_ms: afterMs } : {}),
  });
  return isFirst ? done : { outcome: "retry", error, afterMs };
}

/** Saves the id without which a recorder cannot be stopped, also while the database is away for a moment. */
async function saveSid(taskId: string, sid: string, deps: ControlDeps): Promise<void> {
  for (const pause of [...SAVE_PAUSES_MS, undefined]) {
    try {
      await deps.database.report(taskId, "task.started", { sid });
      return;
    } catch (error) {
      deps.log("start.sid_not_saved", { engine_task_id: taskId, sid, is_last_try: pause === undefined });
      if (pause === undefined || (error instanceof RecorderFailure && error.error.retry === "never"))
        throw error;
      await deps.sleep(pause);
    }
  }
}
