import { from, type RefusalRule, service } from "./refusal.ts";

/** What start refuses for what it is about: the resource id, the mode, the tasks that run. */
export const startRefusals = {
  "start.resource_unreadable": {
    what: "a resourceId that is none of the service's",
    source: from("olderErrors", "unconfirmed"),
    answer: ({ statusOfOlderCodes }) => service(statusOfOlderCodes, 1001, "resourceId cannot be parsed"),
  },
  "start.resource_of_another_app": {
    what: "a resourceId of another App ID",
    source: from("olderErrors", "unconfirmed"),
    answer: ({ statusOfOlderCodes }) =>
      service(statusOfOlderCodes, 1003, "appid or sid does not match the resourceId"),
  },
  "start.resource_mismatch": {
    what: "another cname or uid than the resourceId was acquired for",
    source: from("olderErrors", "unconfirmed"),
    answer: ({ statusOfOlderCodes }) =>
      service(statusOfOlderCodes, 432, "cname or uid does not match the resourceId"),
  },
  "start.already_started": {
    what: "a second start of one resourceId",
    source: from("statusCodes"),
    answer: service(201, 7, "already started"),
  },
  "start.resource_expired": {
    what: "a resourceId that is older than five minutes",
    source: from("olderErrors", "unconfirmed"),
    answer: ({ statusOfOlderCodes }) => service(statusOfOlderCodes, 433, "resourceId expired"),
  },
  "start.mode": {
    what: "another mode than mix",
    source: from("none", "stand-in"),
    answer: service(400, 2, "this stand-in serves mode mix only"),
  },
  "start.scene": {
    what: "mode mix for a resourceId that was acquired for another scene than 0",
    source: from("acquire"),
    answer: service(400, 2, "the scene does not fit the mode"),
  },
  "start.request_hash": {
    what: "another request than the startParameter that acquire announced",
    source: from("tickets", "field"),
    answer: service(400, 2, "request_hash mismatch!"),
  },
  "start.services": {
    what: "a request in which nothing is to be recorded",
    source: from("tickets", "field"),
    answer: service(400, 2, "services not selected!"),
  },
  "start.task_conflict": {
    what: "a second task of one channel and uid",
    source: from("statusCodes"),
    answer: service(400, 53, "task conflict"),
  },
  "start.ceiling": {
    what: "one task more than may run at once, though acquire still gave an id",
    source: from("statusCodes"),
    answer: service(500, 502, "Failed to allocate worker"),
  },
} as const satisfies Record<string, RefusalRule>;
