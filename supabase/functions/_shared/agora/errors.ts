import { type ErrorMeaning, errorOf, type RecorderError } from "../errors.ts";

/**
 * Everything Agora can refuse or fail with, as the rest of the system sees it. The names are listed in docs/errors.md;
 * `blame` says who acts, `retry` when another try makes sense, `message` is for people.
 */
export const ENGINE_ERRORS = {
  engine_unauthorized: {
    blame: "configuration",
    retry: "never",
    message:
      "Agora refused our credentials. It wants the Customer ID and the Customer Secret of the same account (Agora console, RESTful API), not the App ID and the App Certificate.",
  },
  engine_app_not_enabled: {
    blame: "configuration",
    retry: "never",
    message:
      "Agora does not know this App ID for Cloud Recording. Check the App ID and enable Cloud Recording for it.",
  },
  engine_account_inactive: {
    blame: "configuration",
    retry: "never",
    message: "The Agora account is suspended or unpaid.",
  },
  engine_ceiling_reached: {
    blame: "engine",
    retry: "later",
    message: "Agora is already running as many recordings as this account may have at once.",
  },
  engine_rate_limited: {
    blame: "us",
    retry: "later",
    message: "Agora asked us to send fewer requests.",
  },
  engine_route_unknown: {
    blame: "configuration",
    retry: "never",
    message: "The address we have for Agora's recording service does not serve it.",
  },
  engine_request_invalid: {
    blame: "us",
    retry: "never",
    message: "The request to the recording service was not acceptable.",
  },
  engine_settings_invalid: {
    blame: "configuration",
    retry: "never",
    message: "The settings for Agora are missing or malformed.",
  },
  channel_name_invalid: {
    blame: "us",
    retry: "never",
    message: "Agora does not accept the name of this call's channel.",
  },
  engine_resource_expired: {
    blame: "us",
    retry: "now",
    message: "Agora's permission to start this recording ran out before it was used.",
  },
  engine_resource_mismatch: {
    blame: "us",
    retry: "now",
    message: "Agora's permission to record belongs to another call or recorder.",
  },
  engine_no_worker: {
    blame: "engine",
    retry: "later",
    message: "Agora has no free recorder at the moment.",
  },
  engine_internal_error: {
    blame: "engine",
    retry: "later",
    message: "Agora's recording service had an internal error.",
  },
  engine_timeout: {
    blame: "engine",
    retry: "later",
    message: "Agora's recording service took too long.",
  },
  engine_reply_pending: {
    blame: "engine",
    retry: "now",
    message: "Agora took the request but has not answered it yet.",
  },
  engine_task_exiting: {
    blame: "engine",
    retry: "later",
    message: "The recording is just ending.",
  },
  engine_unreachable: {
    blame: "engine",
    retry: "later",
    message: "Agora's recording service cannot be reached.",
  },
  engine_unavailable: {
    blame: "engine",
    retry: "later",
    message: "Agora's recording service is unavailable.",
  },
  engine_answer_unreadable: {
    blame: "engine",
    retry: "later",
    message: "Agora answered in a form we cannot read.",
  },
  engine_answer_unknown: {
    blame: "us",
    retry: "never",
    message: "Agora refused the request for a reason we do not know.",
  },
  engine_refusal_unexplained: {
    blame: "engine",
    retry: "later",
    message: "Agora refused the request and did not say why in words we know. Asked too fast it does so.",
  },
  engine_event_malformed: {
    blame: "engine",
    retry: "never",
    message: "Agora sent a notification in a form we cannot read.",
  },
  engine_token_expired: {
    blame: "us",
    retry: "now",
    message: "The recorder's pass to the call ran out.",
  },
  engine_token_invalid: {
    blame: "configuration",
    retry: "never",
    message:
      "Agora refused the recorder's pass to the call. Check that the App Certificate belongs to the App ID and is the current one.",
  },
  engine_storage_refused: {
    blame: "configuration",
    retry: "never",
    message: "The recorder could not use the storage: bucket, key or endpoint is wrong.",
  },
  engine_upload_failed: {
    blame: "storage",
    retry: "later",
    message: "The recorder could not deliver files to the storage.",
  },
  engine_task_failed: {
    blame: "engine",
    retry: "now",
    message: "Agora's recorder failed.",
  },
} as const satisfies Record<string, ErrorMeaning>;

export type EngineErrorCode = keyof typeof ENGINE_ERRORS;

/** The RecorderError of that name; `detail` is for the engine room and must hold no secret. */
export function engineError(
  code: EngineErrorCode,
  more?: { detail?: string | undefined; retryAfterMs?: number | undefined },
): RecorderError {
  return errorOf(ENGINE_ERRORS, code, more);
}
