import type { StartRequest } from "../agora/requests.ts";
import { buildRtcToken } from "../agora/token.ts";
import { RecorderFailure } from "../errors.ts";
import { done, type Job, type Outcome, retryAfter, type Settings } from "../jobs/job.ts";
import { type ControlDeps, publicError } from "./control-deps.ts";
import { startRequestOf, withoutSecrets } from "./start-request.ts";

/**
 * Agora's advice for a start whose answer is open or says "not now": the same request again after these pauses, ms.
 * The same resource id starts one recorder at most.
 */
const REPEAT_PAUSES_MS = [3_000, 6_000];
/** A sid that is not saved is a recorder that cannot be stopped: pauses before it is saved again, ms. */
const SAVE_PAUSES_MS = [250, 1_000, 3_000];

/**
 * Asks the engine for one recorder. The task, its uid and the request are in the database before the call that may be
 * lost; what the engine answers is saved whoever still wants it, and a recording that was stopped meanwhile gets its
 * stop from the database in the same breath.
 */
export async function startRecording(job: Job, settings: Settings, deps: ControlDeps): Promise<Outcome> {
  if (job.recording.status !== "starting") return done;
  const lifetimeSeconds = settings.recorder_token_lifetime ?? 86_400;
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
    if (acquired.error.retry !== "never") return retryAfter(acquired.error);
    await deps.database.report(task.id, "task.lost", {
      error: publicError(acquired.error),
      is_certain: true,
    });
    return done;
  }

  const request = startRequestOf(job.recording, task.attempt, settings, deps.bucket);
  const token = await buildRtcToken({
    appId: deps.engineSettings.appId,
    appCertificate: deps.engineSettings.appCertificate,
    channel: task.channel,
    uid: task.uid,
    role: "subscriber",
    expiresInSeconds: lifetimeSeconds,
    issuedAtSeconds: Math.floor(deps.now() / 1000),
    salt: 1 + Math.floor(deps.random() * 99_999_998),
  });
  const { status } = await deps.database.report(task.id, "task.acquired", {
    resource_id: acquired.resourceId,
    request: withoutSecrets(request),
  });
  if (status !== "starting") {
    // Stopped between the claim and here: nothing was sent yet, so nothing has to be stopped.
    await deps.database.report(task.id, "task.lost", { is_certain: true });
    return done;
  }

  const start = { cname: task.channel, uid: task.uid, resourceId: acquired.resourceId, token, ...request };
  return await startTask(task.id, start, deps);
}

/** Sends the start until its outcome is clear, and saves it. An attempt that stays unclear is left to its deadline. */
async function startTask(taskId: string, request: StartRequest, deps: ControlDeps): Promise<Outcome> {
  // Once an answer stayed open, no later refusal proves that nothing runs.
  let mayRun = false;
  for (const pause of [...REPEAT_PAUSES_MS, undefined]) {
    const started = await deps.engine.start(request);
    switch (started.outcome) {
      case "started":
        await saveSid(taskId, started.sid, deps);
        return done;
      case "already_started":
        // It runs. Without a sid only an event can tell it; the deadline of the attempt acts if none comes.
        if (started.sid !== undefined) await saveSid(taskId, started.sid, deps);
        return done;
      case "conflict":
        // A recorder with this fresh uid is in the channel: most likely our own, of a worker that was thought dead. It
        // is stopped when it shows itself; the next attempt draws another uid.
        await deps.database.report(taskId, "task.lost", { is_certain: false });
        return done;
      case "refused":
        // "now" means with a fresh resource id, which is another attempt.
        if (started.error.retry !== "later" || (pause === undefined && !mayRun)) {
          const error = publicError(started.error);
          await deps.database.report(taskId, "task.lost", { error, is_certain: !mayRun });
          return done;
        }
        break;
      case "unclear":
        mayRun = true;
    }
    if (pause !== undefined) await deps.sleep(pause);
  }
  return done;
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
