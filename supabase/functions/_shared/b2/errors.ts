import { type ErrorMeaning, errorOf, type RecorderError } from "../errors.ts";

/** Everything the store can refuse or fail with, as the rest of the system sees it; listed in docs/errors.md. */
export const STORE_ERRORS = {
  store_settings_invalid: {
    blame: "configuration",
    retry: "never",
    message: "The settings for the storage are missing or malformed.",
  },
  store_key_unknown: {
    blame: "configuration",
    retry: "never",
    message:
      "The storage does not know the access key. It wants the keyID of an application key (not of the master key) and its applicationKey.",
  },
  store_signature_refused: {
    blame: "configuration",
    retry: "never",
    message: "The storage refused the signature: the applicationKey, the region or the clock is wrong.",
  },
  store_access_denied: {
    blame: "configuration",
    retry: "never",
    message: "The storage key may not do this: check its capabilities, its bucket and its name prefix.",
  },
  store_daily_cap_exceeded: {
    blame: "configuration",
    retry: "later",
    message: "The storage's daily cap is used up. Raise it under Caps & Alerts, or wait until midnight UTC.",
  },
  store_full: {
    blame: "configuration",
    retry: "never",
    message: "The storage's cap for stored bytes is reached. Raise it under Caps & Alerts.",
  },
  bucket_missing: {
    blame: "configuration",
    retry: "never",
    message: "The storage has no bucket of this name in this region.",
  },
  object_missing: {
    blame: "storage",
    retry: "later",
    message: "The file is not in the storage.",
  },
  object_changed: {
    blame: "storage",
    retry: "now",
    message: "The file changed in the storage while it was being read.",
  },
  upload_missing: {
    blame: "us",
    retry: "now",
    message: "The storage does not know this upload: it is complete already or was given up.",
  },
  upload_parts_refused: {
    blame: "us",
    retry: "now",
    message: "The storage does not have the parts that this upload was to be made of.",
  },
  upload_source_failed: {
    blame: "storage",
    retry: "later",
    message: "The file broke off while it was being read.",
  },
  store_slow_down: {
    blame: "storage",
    retry: "later",
    message: "The storage asked us to slow down.",
  },
  store_unavailable: {
    blame: "storage",
    retry: "later",
    message: "The storage is busy or has an error of its own.",
  },
  store_unreachable: {
    blame: "storage",
    retry: "later",
    message: "The storage cannot be reached.",
  },
  store_redirected: {
    blame: "configuration",
    retry: "never",
    message: "The storage sends us to another address: endpoint or region is wrong.",
  },
  store_request_invalid: {
    blame: "us",
    retry: "never",
    message: "The storage did not accept our request.",
  },
  store_answer_unreadable: {
    blame: "storage",
    retry: "later",
    message: "The storage answered in a form we cannot read.",
  },
  object_key_invalid: {
    blame: "us",
    retry: "never",
    message: "This name cannot be used for a file in the storage.",
  },
  object_too_large: {
    blame: "storage",
    retry: "never",
    message: "The file is larger than expected.",
  },
} as const satisfies Record<string, ErrorMeaning>;

export type StoreErrorCode = keyof typeof STORE_ERRORS;

/** The RecorderError of that name; `detail` is for the engine room and must hold no secret. */
export function storeError(
  code: StoreErrorCode,
  more?: { detail?: string | undefined; retryAfterMs?: number | undefined },
): RecorderError {
  return errorOf(STORE_ERRORS, code, more);
}
