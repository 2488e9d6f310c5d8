import { from, gateway, type RefusalRule, service } from "./refusal.ts";

/** What is refused before the recording service sees the call. */
export const gatewayRefusals = {
  "gateway.route": {
    what: "a method or a path that is none of the API's, case and all",
    source: from("statusCodes"),
    answer: gateway(404, "no Route matched with those values"),
  },
  "gateway.authorization": {
    what: "a call without an Authorization header",
    source: from("statusCodes"),
    answer: gateway(401, "Unauthorized"),
  },
  "gateway.credentials": {
    what: "credentials other than the Customer ID and the Customer Secret, App ID and App Certificate among them",
    source: from("statusCodes"),
    answer: gateway(401, "Invalid authentication credentials"),
  },
  "gateway.app_id": {
    what: "an App ID for which the service is not enabled",
    source: from("statusCodes"),
    answer: gateway(400, "appid is invalid"),
  },
  "gateway.app_of_another_account": {
    what: "right credentials for the App ID of another account",
    source: from("statusCodes"),
    answer: gateway(401, "Invalid authentication credentials"),
  },
  "gateway.rate": {
    what: "more calls in a second than the account may make",
    source: from("statusCodes"),
    answer: gateway(429, "API rate limit exceeded"),
  },
  "gateway.rate_beside_ceiling": {
    what: "more calls in a second than a tenth of the ceiling of tasks, where that is switched on",
    source: from("quota", "chinese"),
    answer: gateway(400, "QPS exceeds the limit"),
  },
  "gateway.body_too_large": {
    what: "a body above 1 MiB",
    source: from("none", "stand-in"),
    answer: service(400, 8, "the body is too large"),
  },
  "gateway.content_type": {
    what: "a body that is not called application/json",
    source: from("olderErrors", "older"),
    answer: service(400, 8, "Content-Type must be application/json"),
  },
  "gateway.json": {
    what: "a body that is not JSON",
    source: from("olderErrors", "older"),
    answer: service(400, 8, "the body is not JSON"),
  },
} as const satisfies Record<string, RefusalRule>;
