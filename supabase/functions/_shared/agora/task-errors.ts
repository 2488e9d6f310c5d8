import type { RecorderError } from "../errors.ts";
import { type EngineErrorCode, engineError } from "./errors.ts";

/** The parts of the engine that report errors in event 1. */
export const MODULES = { 0: "recorder", 1: "uploader", 2: "service", 6: "web" } as const;

export type EngineModule = (typeof MODULES)[keyof typeof MODULES] | "unknown";

/** Documented error codes of event 1. What start answers 200 to (token, storage, uid) shows up only here. */
const TASK_ERRORS: readonly { module: EngineModule; errorCode: number; error: EngineErrorCode }[] = [
  { module: "recorder", errorCode: 101, error: "engine_app_not_enabled" },
  { module: "recorder", errorCode: 109, error: "engine_token_expired" },
  { module: "recorder", errorCode: 110, error: "engine_token_invalid" },
  { module: "uploader", errorCode: 32, error: "engine_storage_refused" },
  { module: "uploader", errorCode: 47, error: "engine_upload_failed" },
  { module: "uploader", errorCode: 51, error: "engine_task_failed" },
  { module: "service", errorCode: 50, error: "engine_upload_failed" },
  { module: "service", errorCode: 52, error: "engine_timeout" },
];

/** Event 1's module, code and text as an error of ours; a code nobody documents is "the recorder failed". */
export function taskError(told: {
  module: EngineModule;
  errorCode: number;
  errorMsg: string;
}): RecorderError {
  const row = TASK_ERRORS.find((known) => known.module === told.module && known.errorCode === told.errorCode);
  return engineError(row?.error ?? "engine_task_failed", {
    detail: `${told.module} code ${told.errorCode}${told.errorMsg === "" ? "" : `: ${told.errorMsg.slice(0, 300)}`}`,
  });
}
