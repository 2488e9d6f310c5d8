import type { AgoraClient } from "../agora/client.ts";
import type { B2Client } from "../b2/client.ts";
import type { StoreSettings } from "../b2/settings.ts";
import type { engineSettings } from "../config.ts";
import type { RecorderError } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import type { LaneDeps } from "../jobs/lane.ts";

/** What the handlers of the control lane reach the world through, within the time of one job: every call ends with it. */
export interface ControlDeps extends Pick<LaneDeps, "now" | "log"> {
  /** Ends early with the job. */
  sleep(ms: number): Promise<void>;
  database: Pick<RecorderDatabase, "beginAttempt" | "report" | "markApplied">;
  /** One request per call: whoever wants another try leaves it to a job, which has a slot for it. */
  engine: Pick<AgoraClient, "acquire" | "start" | "query" | "stop">;
  engineSettings: Pick<ReturnType<typeof engineSettings>, "appId" | "appCertificate">;
  /** The bucket as the engine is told of it: with the key that may only write, where there is one. */
  bucket: StoreSettings;
  /** The same bucket as we read it: file names tell the sid of a task whose answer was lost. */
  files: Pick<B2Client, "list">;
}

/** The part of an error that people may read; detail stays in the engine room. */
export function publicError(
  error: RecorderError,
): Pick<RecorderError, "code" | "blame" | "retry" | "message"> {
  const { code, blame, retry, message } = error;
  return { code, blame, retry, message };
}
