import { from, gateway, type RefusalRule, service } from "./refusal.ts";

export const calls = ["acquire", "start", "query", "update", "updateLayout", "stop"] as const;
/** The calls of the REST API. */
export type Call = (typeof calls)[number];

/** A documented answer that only a fault brings about: the service's own trouble cannot be provoked from outside. */
interface OnDemand extends RefusalRule {
  calls: readonly Call[];
  /** The status a fault asks by where it is not the answer's own: acquire and start tell a time-out as HTTP 500. */
  askedAs?: number;
}

const ofTask = ["query", "update", "updateLayout", "stop"] as const;

/** The first one of a call and a status is what a fault without a code gets. */
export const onDemandRefusals = {
  "demand.rate": {
    what: "any call, at an account whose rate is used up by others",
    source: from("statusCodes"),
    answer: gateway(429, "API rate limit exceeded"),
    calls,
  },
  "demand.unavailable": {
    what: "any call, while the gateway finds no service behind it",
    source: from("bestPractices", "field"),
    answer: gateway(503, "Service unavailable"),
    calls,
  },
  "demand.not_completed": {
    what: "any call but acquire, when the backend has not answered in time",
    source: from("statusCodes"),
    answer: service(206, 65, "request not completed"),
    calls: ["start", ...ofTask],
  },
  "demand.acquire_internal": {
    what: "acquire, by an internal error",
    source: from("statusCodes"),
    answer: service(500, 500, "internal_error"),
    calls: ["acquire"],
  },
  "demand.acquire_no_worker_manager": {
    what: "acquire, when no worker manager is free",
    source: from("statusCodes"),
    answer: service(500, 501, "no_worker_manager_available"),
    calls: ["acquire"],
  },
  "demand.acquire_timeout": {
    what: "acquire, when no recorder was found in time",
    source: from("statusCodes"),
    answer: service(500, 504, "allocate_timeout"),
    calls: ["acquire"],
    askedAs: 504,
  },
  "demand.acquire_not_enabled": {
    what: "acquire, for an App ID without the service",
    source: from("statusCodes"),
    answer: service(400, 400, "invalid_appid"),
    calls: ["acquire"],
  },
  "demand.acquire_inactive": {
    what: "acquire, for an account that is suspended or unpaid",
    source: from("statusCodes"),
    answer: service(400, 405, "no_active_status"),
    calls: ["acquire"],
  },
  "demand.acquire_over_load": {
    what: "acquire, when the account's ceiling is reached elsewhere",
    source: from("statusCodes"),
    answer: service(400, 406, "vendor_over_load"),
    calls: ["acquire"],
  },
  "demand.acquire_service_off": {
    what: "acquire, for an account without the service, in the older words",
    source: from("olderErrors", "older"),
    answer: service(400, 62, "service not enabled"),
    calls: ["acquire"],
  },
  "demand.start_no_worker": {
    what: "start, when no recorder can be allocated",
    source: from("statusCodes"),
    answer: service(500, 502, "Failed to allocate worker"),
    calls: ["start"],
  },
  "demand.start_timeout": {
    what: "start, when the recorder did not answer in time",
    source: from("statusCodes"),
    answer: service(500, 62, "request timeout"),
    calls: ["start"],
    askedAs: 504,
  },
  "demand.start_unexplained": {
    what: "start, with a code that was seen and never explained",
    source: from("tickets", "field"),
    answer: { status: 500, body: { sid: "", code: 15 } },
    calls: ["start"],
  },
  "demand.start_conflict": {
    what: "start, as if a leaked task had this channel and uid",
    source: from("statusCodes"),
    answer: service(400, 53, "task conflict"),
    calls: ["start"],
  },
  "demand.task_timeout": {
    what: "a call about a task that the recorder did not answer in time",
    source: from("statusCodes"),
    answer: service(504, 62, "request timeout"),
    calls: ofTask,
  },
  "demand.task_internal": {
    what: "a call about a task, by an internal error",
    source: from("statusCodes", "unconfirmed"),
    answer: service(500, 500, "internal_error"),
    calls: ofTask,
  },
} as const satisfies Record<string, OnDemand>;

export type OnDemandId = keyof typeof onDemandRefusals;

/** The documented answer that a fault asks for; undefined where none is documented. */
export function onDemand(call: Call, status: number, code?: number): OnDemandId | undefined {
  const ids = Object.keys(onDemandRefusals) as OnDemandId[];
  return ids.find((id) => {
    const rule: OnDemand = onDemandRefusals[id];
    if (!rule.calls.includes(call) || typeof rule.answer === "function" || "event" in rule.answer)
      return false;
    const { body } = rule.answer;
    const told = typeof body === "object" && body !== null && "code" in body ? body.code : undefined;
    return (rule.askedAs ?? rule.answer.status) === status && (code === undefined || code === told);
  });
}
