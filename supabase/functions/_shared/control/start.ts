import type { RecorderError } from "../errors.ts";
import { done, type Job, type Outcome, retryAfter, type Settings } from "../jobs/job.ts";
import { type ControlDeps, publicError } from "./control-deps.ts";
import { recorderToken, tokenLifetimeSeconds } from "./recorder-token.ts";
import { sendStart } from "./send-start.ts";
import { startRequestOf, withoutSecrets, withSecrets } from "./start-request.ts";

/** What the engine refuses without saying why is asked again so many times per attempt: with the backoff about 15 s. */
const TRIES_WITHOUT_A_REASON = 5;

/** Whether a refusal that may be one of pace was given so often that it is none. */
function isRefusedForGood({ code }: Pick<RecorderError, "code">, tries: number): boolean {
  return code === "engine_refusal_unexplained" && tries >= TRIES_WITHOUT_A_REASON;
}

/**
 * Asks the engine for one recorder. The task, its uid and the request are in the database before the call that may be
 * lost; what the engine answers is saved whoever still wants it, and a recording that was stopped meanwhile gets its
 * stop from the database in the same breath.
 */
export async function startRecording(job: Job, settings: Settings, deps: ControlDeps): Promise<Outcome> {
  if (job.recording.status !== "starting") return done;
  const lifetimeSeconds = tokenLifetimeSeconds(settings);
  const task = await deps.database.beginAttempt(
    job.recording_id,
    new Date(deps.now() + lifetimeSeconds * 1000),
  );
  if (task === null) return done;

  const acquired = await deps.engine.acquire({
    cname: task.channel,
    uid: task.uid,
    resourceExpiredHour: Math.ceil(lifetimeSeconds / 3600),
  });
  if (acquired.outcome === "refused") {
    // The task was never sent to the engine, so the next try takes it up again.
    const isHopeless = acquired.error.retry === "never" || isRefusedForGood(acquired.error, job.attempts);
    if (!isHopeless) return retryAfter(acquired.error);
    await deps.database.report(task.id, "task.lost", {
      error: publicError(acquired.error),
      is_certain: true,
    });
    return done;
  }

  const request = startRequestOf(job.recording, task.attempt, settings, deps.bucket);
  const token = await recorderToken(task, settings, deps);
  const { is_won } = await deps.database.report(task.id, "task.acquired", {
    resource_id: acquired.resourceId,
    request: withoutSecrets(request),
  });
  // Stopped meanwhile, given up, or in the hands of another worker: nothing was sent yet, so nothing has to be stopped.
  if (!is_won) return done;
  const start = { cname: task.channel, uid: task.uid, resourceId: acquired.resourceId, token, ...request };
  return await sendStart(task.id, start, { mayRun: false, repeats: 0 }, deps);
}

/**
 * Sends the start of a task once more whose first answer stayed open or said "not now": the very same request, since the
 * same resource id starts one recorder at most. Only while somebody wants it: a recorder that may be in a channel where
 * nobody wants one is looked for, never asked for.
 */
export async function startAgain(job: Job, settings: Settings, deps: ControlDeps): Promise<Outcome> {
  const task = job.tasks.find((candidate) => candidate.id === job.engine_task_id);
  if (task === undefined || task.state !== "requested" || task.sid !== null || task.superseded) return done;
  if (job.recording.status !== "starting" || task.resource_id === null || task.request === null) return done;
  if (task.token_expires_at === undefined) return done;
  // From here on nobody can say that nothing runs, also if this process dies with the answer.
  if (!task.is_unanswered) await deps.database.report(task.id, "task.resent");
  const token = await recorderToken(
    { channel: task.channel, uid: task.uid, token_expires_at: task.token_expires_at },
    settings,
    deps,
  );
  const start = {
    cname: task.channel,
    uid: task.uid,
    resourceId: task.resource_id,
    token,
    ...withSecrets(task.request, deps.bucket),
  };
  return await sendStart(task.id, start, { mayRun: task.is_unanswered, repeats: job.attempts }, deps);
}
