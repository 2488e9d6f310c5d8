import type { RecorderError } from "../errors.ts";
import { refusalBody } from "./answers.ts";
import { type EngineErrorCode, engineError } from "./errors.ts";
import type { AgoraAnswer, AgoraCall } from "./transport.ts";

/**
 * What an answer can mean that is not the call's plain success. "refused": for certain nothing was begun or changed.
 * "unclear": the reply is open, the call may have worked. The others are successes in disguise or facts about the task.
 */
export interface Verdicts {
  acquire: "refused";
  start: "already_started" | "conflict" | "unclear" | "refused";
  query: "not_found" | "unclear" | "refused";
  updateLayout: "not_found" | "unclear" | "refused";
  stop: "stopped_empty" | "already_exiting" | "not_found" | "accepted" | "unclear" | "refused";
}

type HttpClass = "2xx" | "3xx" | "4xx" | "5xx" | "any";

export type OutcomeRule<Outcome extends string> = (Outcome extends "refused" | "unclear"
  ? { outcome: Outcome; error: EngineErrorCode }
  : { outcome: Outcome }) & {
  http: number | HttpClass;
  /** Member `code` of the body. */
  code?: number;
  /** Lower-case part of the body's `reason` or `message`. */
  says?: string;
};

/** What the gateway in front of the service says, to any call. */
const GATEWAY: readonly OutcomeRule<"refused">[] = [
  { http: 401, outcome: "refused", error: "engine_unauthorized" },
  { http: 429, outcome: "refused", error: "engine_rate_limited" },
  // Never to be taken for "the task is gone", which is 404 with code 404.
  { http: 404, says: "no route matched", outcome: "refused", error: "engine_route_unknown" },
  // Chinese quota page: more calls a second than a tenth of the ceiling of tasks are told by 400, in words it does not print.
  { http: 400, says: "qps", outcome: "refused", error: "engine_rate_limited" },
  { http: 400, says: "appid is invalid", outcome: "refused", error: "engine_app_not_enabled" },
  { http: 400, says: "invalid appid", outcome: "refused", error: "engine_app_not_enabled" },
];

/** Codes with one meaning on every call. No source tells the HTTP status of 432, 433, 1001, 1003, 1013 and 1028. */
const SHARED: readonly OutcomeRule<"refused">[] = [
  { http: "any", code: 2, outcome: "refused", error: "engine_request_invalid" },
  { http: "any", code: 8, outcome: "refused", error: "engine_request_invalid" },
  { http: "any", code: 432, outcome: "refused", error: "engine_resource_mismatch" },
  { http: "any", code: 433, outcome: "refused", error: "engine_resource_expired" },
  { http: "any", code: 1001, outcome: "refused", error: "engine_resource_mismatch" },
  { http: "any", code: 1003, outcome: "refused", error: "engine_resource_mismatch" },
  { http: "any", code: 1013, outcome: "refused", error: "channel_name_invalid" },
  { http: "any", code: 1028, outcome: "refused", error: "engine_request_invalid" },
];

/** The HTTP status alone, where no code is known. */
const UNKNOWN_REFUSAL: readonly OutcomeRule<"refused">[] = [
  { http: "3xx", outcome: "refused", error: "engine_route_unknown" },
  // More calls a second than a tenth of the ceiling are told by a 400 too, in words that no source prints: it may pass.
  { http: 400, outcome: "refused", error: "engine_refusal_unexplained" },
  { http: "4xx", outcome: "refused", error: "engine_answer_unknown" },
];

const OPEN_REPLY: readonly OutcomeRule<"unclear" | "refused">[] = [
  { http: 408, outcome: "unclear", error: "engine_timeout" },
  ...UNKNOWN_REFUSAL,
  { http: "5xx", outcome: "unclear", error: "engine_unavailable" },
  { http: "any", outcome: "unclear", error: "engine_answer_unreadable" },
];

/** 206: the service behind the gateway has not answered in time. */
const PENDING_REPLY: readonly OutcomeRule<"unclear">[] = [
  { http: "any", code: 65, outcome: "unclear", error: "engine_reply_pending" },
  { http: 206, outcome: "unclear", error: "engine_reply_pending" },
];

const OF_A_TASK: readonly OutcomeRule<"not_found" | "unclear" | "refused">[] = [
  ...GATEWAY,
  { http: 404, code: 404, outcome: "not_found" },
  { http: "any", code: 62, outcome: "unclear", error: "engine_timeout" },
  ...SHARED,
];

/**
 * Agora's documented answers (status code page and best practices of Cloud Recording; older code lists where they say
 * more), the most telling first: the first rule that fits decides. Each list ends with a rule that fits everything.
 */
export const OUTCOME_RULES: { readonly [Call in AgoraCall]: readonly OutcomeRule<Verdicts[Call]>[] } = {
  acquire: [
    ...GATEWAY,
    { http: 400, code: 400, outcome: "refused", error: "engine_app_not_enabled" },
    { http: 400, code: 401, outcome: "refused", error: "channel_name_invalid" },
    { http: 400, code: 405, outcome: "refused", error: "engine_account_inactive" },
    { http: 400, code: 406, outcome: "refused", error: "engine_ceiling_reached" },
    { http: 500, code: 500, outcome: "refused", error: "engine_internal_error" },
    { http: 500, code: 501, outcome: "refused", error: "engine_no_worker" },
    { http: 500, code: 504, outcome: "refused", error: "engine_timeout" },
    // On acquire, and only there, older pages give 62 this meaning.
    { http: "any", code: 62, outcome: "refused", error: "engine_app_not_enabled" },
    ...SHARED,
    { http: 408, outcome: "refused", error: "engine_timeout" },
    ...UNKNOWN_REFUSAL,
    { http: "5xx", outcome: "refused", error: "engine_unavailable" },
    { http: "any", outcome: "refused", error: "engine_answer_unreadable" },
  ],
  start: [
    ...GATEWAY,
    { http: "any", code: 7, outcome: "already_started" },
    { http: "any", code: 53, outcome: "conflict" },
    { http: "any", code: 62, outcome: "unclear", error: "engine_timeout" },
    { http: 500, code: 502, outcome: "refused", error: "engine_no_worker" },
    // Seen once in the field and never explained; a task may exist.
    { http: 500, code: 15, outcome: "unclear", error: "engine_internal_error" },
    ...SHARED,
    ...PENDING_REPLY,
    ...OPEN_REPLY,
  ],
  query: [
    ...OF_A_TASK,
    { http: "any", code: 501, outcome: "unclear", error: "engine_task_exiting" },
    ...PENDING_REPLY,
    ...OPEN_REPLY,
  ],
  updateLayout: [...OF_A_TASK, ...PENDING_REPLY, ...OPEN_REPLY],
  stop: [
    { http: "any", code: 435, outcome: "stopped_empty" },
    { http: "any", code: 49, outcome: "already_exiting" },
    // A stop that takes longer than 20 s: code 50 on the English pages, HTTP 206 on the Chinese ones.
    { http: "any", code: 50, outcome: "accepted" },
    { http: "any", code: 65, outcome: "accepted" },
    ...OF_A_TASK,
    { http: 206, outcome: "accepted" },
    // A success we cannot read: it has stopped, and the list of files comes by event.
    { http: "2xx", outcome: "accepted" },
    ...OPEN_REPLY,
  ],
};

/** A verdict as the caller gets it: with the error where there is one. */
export type Verdict<Outcome extends string> = Outcome extends "refused" | "unclear"
  ? { outcome: Outcome; error: RecorderError }
  : { outcome: Outcome };

/**
 * What an answer means that is not the call's plain success. The error's detail tells HTTP status, code, reason and
 * Agora's request id; `secrets` are blotted out of it, since the reason is a text we do not control.
 */
export function verdictOf<Call extends AgoraCall>(
  call: Call,
  answer: AgoraAnswer,
  secrets: readonly string[],
): Verdict<Verdicts[Call]> {
  const told = refusalBody.safeParse(answer.body).data;
  const says = told?.reason ?? told?.message;
  const rule = ruleFor(call, { httpStatus: answer.httpStatus, code: told?.code, says });
  const verdict: Verdict<Verdicts[AgoraCall]> =
    "error" in rule
      ? { outcome: rule.outcome, error: errorOf(rule.error, answer, { code: told?.code, says }, secrets) }
      : { outcome: rule.outcome };
  // The table's type ties each call to its own outcomes; the compiler cannot follow that through the lookup.
  return verdict as Verdict<Verdicts[Call]>;
}

function errorOf(
  name: EngineErrorCode,
  answer: AgoraAnswer,
  told: { code: number | undefined; says: string | undefined },
  secrets: readonly string[],
): RecorderError {
  // Blotted out before it is cut, so that no half of a secret is left at the cut.
  const says = secrets
    .reduce((text, secret) => text.replaceAll(secret, "[secret]"), told.says ?? "")
    .slice(0, 300);
  const facts = [
    `HTTP ${answer.httpStatus}`,
    told.code === undefined ? "" : `code ${told.code}`,
    says,
    answer.requestId === undefined ? "" : `request ${answer.requestId}`,
  ];
  const detail = facts.filter((fact) => fact !== "").join(", ");
  return engineError(name, { detail, retryAfterMs: answer.retryAfterMs });
}

/** The rule for an answer that is not the call's plain success. */
export function ruleFor(
  call: AgoraCall,
  answer: { httpStatus: number; code?: number | undefined; says?: string | undefined },
): OutcomeRule<Verdicts[AgoraCall]> {
  const says = answer.says?.toLowerCase() ?? "";
  const rules: readonly OutcomeRule<Verdicts[AgoraCall]>[] = OUTCOME_RULES[call];
  const rule = rules.find(
    (candidate) =>
      httpFits(candidate.http, answer.httpStatus) &&
      (candidate.code === undefined || candidate.code === answer.code) &&
      (candidate.says === undefined || says.includes(candidate.says)),
  );
  if (rule === undefined) throw new Error(`the rules for ${call} do not end with one that fits everything`);
  return rule;
}

function httpFits(wanted: number | HttpClass, status: number): boolean {
  if (wanted === "any") return true;
  return typeof wanted === "number" ? wanted === status : Math.floor(status / 100) === Number(wanted[0]);
}
