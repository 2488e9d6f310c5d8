import type { RecorderError } from "../errors.ts";
import { type StoreErrorCode, storeError } from "./errors.ts";

export interface RefusalRule {
  http: number | "3xx" | "4xx" | "5xx" | "any";
  /** The S3 error's Code. */
  code?: string;
  /** Lower-case part of the S3 error's Message. */
  says?: string;
  error: StoreErrorCode;
  /** Whether the very same request makes sense again within this invocation. */
  repeat: boolean;
}

/**
 * What B2's S3 answers mean, the most telling first: the first rule that fits decides. 500 and 503 are ordinary there
 * (a full vault says so and the next connection lands elsewhere); caps and credentials are never tried again.
 */
export const REFUSAL_RULES: readonly RefusalRule[] = [
  // Which Code a cap comes with is not documented, its text is. The cap on stored bytes does not end with the day.
  { http: 403, says: "storage cap exceeded", error: "store_full", repeat: false },
  { http: 403, says: "cap exceeded", error: "store_daily_cap_exceeded", repeat: false },
  { http: 403, code: "download_cap_exceeded", error: "store_daily_cap_exceeded", repeat: false },
  { http: "any", code: "InvalidAccessKeyId", error: "store_key_unknown", repeat: false },
  { http: "any", code: "SignatureDoesNotMatch", error: "store_signature_refused", repeat: false },
  { http: "any", code: "RequestTimeTooSkewed", error: "store_signature_refused", repeat: false },
  // How S3 refuses a wrong region.
  { http: 400, code: "AuthorizationHeaderMalformed", error: "store_signature_refused", repeat: false },
  { http: 401, error: "store_key_unknown", repeat: false },
  { http: 403, error: "store_access_denied", repeat: false },
  { http: "any", code: "NoSuchBucket", error: "bucket_missing", repeat: false },
  { http: "any", code: "NoSuchUpload", error: "upload_missing", repeat: false },
  { http: "any", code: "InvalidPart", error: "upload_parts_refused", repeat: false },
  { http: "any", code: "InvalidPartOrder", error: "upload_parts_refused", repeat: false },
  { http: "any", code: "EntityTooSmall", error: "upload_parts_refused", repeat: false },
  { http: 404, error: "object_missing", repeat: false },
  { http: 412, error: "object_changed", repeat: false },
  { http: "any", code: "SlowDown", error: "store_slow_down", repeat: true },
  { http: 429, error: "store_slow_down", repeat: true },
  { http: 408, error: "store_unavailable", repeat: true },
  { http: "any", code: "RequestTimeout", error: "store_unavailable", repeat: true },
  // Complete and Copy send 200 before they know how they end.
  { http: 200, code: "InternalError", error: "store_unavailable", repeat: true },
  { http: 200, code: "ServiceUnavailable", error: "store_unavailable", repeat: true },
  { http: 501, error: "store_request_invalid", repeat: false },
  { http: "5xx", error: "store_unavailable", repeat: true },
  { http: "3xx", error: "store_redirected", repeat: false },
  { http: "4xx", error: "store_request_invalid", repeat: false },
  { http: "any", error: "store_answer_unreadable", repeat: false },
];

export interface Refusal {
  error: RecorderError;
  repeat: boolean;
}

/** What an answer other than the expected one means. `nowMs` is needed for caps, which end at midnight UTC. */
export function refusalOf(answer: {
  httpStatus: number;
  code?: string | undefined;
  says?: string | undefined;
  requestId?: string | undefined;
  retryAfterMs?: number | undefined;
  nowMs: number;
}): Refusal {
  const says = answer.says?.toLowerCase() ?? "";
  const rule = REFUSAL_RULES.find(
    (candidate) =>
      httpFits(candidate.http, answer.httpStatus) &&
      (candidate.code === undefined || candidate.code === answer.code) &&
      (candidate.says === undefined || says.includes(candidate.says)),
  );
  if (rule === undefined) throw new Error("the refusal rules do not end with one that fits everything");
  const facts = [
    `HTTP ${answer.httpStatus}`,
    answer.code ?? "",
    answer.says?.slice(0, 300) ?? "",
    answer.requestId === undefined ? "" : `request ${answer.requestId}`,
  ];
  const retryAfterMs =
    rule.error === "store_daily_cap_exceeded" ? msUntilMidnightUtc(answer.nowMs) : answer.retryAfterMs;
  return {
    error: storeError(rule.error, { detail: facts.filter((fact) => fact !== "").join(", "), retryAfterMs }),
    repeat: rule.repeat,
  };
}

function httpFits(wanted: RefusalRule["http"], status: number): boolean {
  if (wanted === "any") return true;
  return typeof wanted === "number" ? wanted === status : Math.floor(status / 100) === Number(wanted[0]);
}

function msUntilMidnightUtc(nowMs: number): number {
  const dayMs = 86_400_000;
  return dayMs - (nowMs % dayMs);
}
