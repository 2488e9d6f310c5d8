import { buildRtcToken } from "../agora/token.ts";
import { done, type Job, type Outcome, type Settings } from "../jobs/job.ts";
import { type ControlDeps, publicError } from "./control-deps.ts";
import { startRequestOf, withoutSecrets } from "./start-request.ts";

/** Agora's advice for a start whose answer is open: the same request again after these pauses, ms. */
const REPEAT_PAUSES_MS = [3_000, 6_000];

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
    if (acquired.error.retry !== "never") {
      return withRetryAfter({ outcome: "retry", error: acquired.error });
    }
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

  for (const pause of [...REPEAT_PAUSES_MS, undefined]) {
    const started = await deps.engine.start({
      cname: task.channel,
      uid: task.uid,
      resourceId: acquired.resourceId,
      token,
      ...request,
    });
    if (
      started.outcome === "started" ||
      (started.outcome === "already_started" && started.sid !== undefined)
    ) {
      await deps.database.report(task.id, "task.started", { sid: started.sid });
      return done;
    }
    if (started.outcome === "refused") {
      await deps.database.report(task.id, "task.lost", {
        error: publicError(started.error),
        is_certain: true,
      });
      return done;
    }
    if (started.outcome === "conflict") {
      // Somebody else has this channel and uid: this task was not begun, the next attempt draws another uid.
      await deps.database.report(task.id, "task.lost", { is_certain: true });
      return done;
    }
    // It runs, and only an event can tell its sid; the deadline of the attempt acts if none comes.
    if (started.outcome === "already_started") return done;
    if (pause !== undefined) await deps.sleep(pause);
  }
  return done;
}

function withRetryAfter(outcome: Extract<Outcome, { outcome: "retry" }>): Outcome {
  return outcome.error.retryAfterMs === undefined
    ? outcome
    : { ...outcome, afterMs: outcome.error.retryAfterMs };
}
