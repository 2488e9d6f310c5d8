import { buildRtcToken } from "../agora/token.ts";
import type { EngineTask, Settings } from "../jobs/job.ts";
import type { ControlDeps } from "./control-deps.ts";

/** How long a recorder's pass to the channel is good for, s. It cannot be renewed. */
export function tokenLifetimeSeconds(settings: Settings): number {
  return settings.recorder_token_lifetime ?? 86_400;
}

/**
 * The recorder's pass to the channel. It is made of what is kept with the task and nothing else, so that a repeated start
 * carries the same one: the token itself is a secret and kept nowhere.
 */
export async function recorderToken(
  task: Pick<EngineTask, "channel" | "uid"> & { token_expires_at: number },
  settings: Settings,
  { engineSettings: { appId, appCertificate } }: Pick<ControlDeps, "engineSettings">,
): Promise<string> {
  const expiresInSeconds = tokenLifetimeSeconds(settings);
  return await buildRtcToken({
    appId,
    appCertificate,
    channel: task.channel,
    uid: task.uid,
    role: "subscriber",
    expiresInSeconds,
    issuedAtSeconds: Math.floor(task.token_expires_at / 1000) - expiresInSeconds,
    salt: 1 + (Number(task.uid) % 99_999_998),
  });
}
