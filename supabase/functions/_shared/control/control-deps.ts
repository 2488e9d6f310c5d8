import type { AgoraClient } from "../agora/client.ts";
import type { StoreSettings } from "../b2/settings.ts";
import type { engineSettings } from "../config.ts";
import type { RecorderError } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import type { LaneDeps } from "../jobs/lane.ts";

/** What the handlers of the control lane reach the world through. */
export interface ControlDeps extends Pick<LaneDeps, "now" | "sleep" | "random" | "log"> {
  database: Pick<RecorderDatabase, "beginAttempt" | "report" | "markApplied">;
  engine: Pick<AgoraClient, "acquire" | "start" | "query" | "stop">;
  engineSettings: Pick<ReturnType<typeof engineSettings>, "appId" | "appCertificate">;
  /** The bucket as the engine is told of it: with the key that may only write, where there is one. */
  bucket: StoreSettings;
}

/** The part of an error that people may read; detail stays in the engine room. */
export function publicError(
  error: RecorderError,
): Pick<RecorderError, "code" | "blame" | "retry" | "message"> {
  const { code, blame, retry, message } = error;
  return { code, blame, retry, message };
}
