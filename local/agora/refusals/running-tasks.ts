import { z } from "zod";
import type { Unconfirmed } from "../unconfirmed.ts";
import { at, colour, layoutRegion, recorderUid, unless, userBackground, withoutForm } from "./body-rules.ts";
import { bodyFailed, from, type RefusalRule, service } from "./refusal.ts";

const gone = service(404, 404, "failed to find worker");
const layoutFailed =
  (what: string) =>
  ({ layoutErrorCode, statusOfOlderCodes }: Unconfirmed) =>
    layoutErrorCode === 2
      ? service(400, 2, `invalid layout: ${what}`)
      : service(statusOfOlderCodes, 1028, `invalid layout: ${what}`);

function layout(name: string, what: string, form: z.ZodType) {
  return {
    what,
    source: from("updateLayout"),
    answer: layoutFailed(what),
    refuses: unless(`clientRequest.${name}`, form),
  };
}

/** The form of the body of update, updateLayout and stop. */
export const taskBodyRefusals = {
  "task.body": {
    what: "a body without cname as text or without clientRequest",
    source: from("statusCodes"),
    answer: bodyFailed,
    refuses: withoutForm,
  },
  "task.uid": {
    what: "a uid that is not decimal text from 1 to 4294967295",
    source: from("statusCodes"),
    answer: bodyFailed,
    refuses: unless("uid", recorderUid),
  },
} as const satisfies Record<string, RefusalRule>;

/** What query, update, updateLayout and stop refuse, whatever is asked of the task. */
export const taskRefusals = {
  "task.resource_unreadable": {
    what: "a resourceId that is none of the service's",
    source: from("olderErrors", "unconfirmed"),
    answer: ({ statusOfOlderCodes }) => service(statusOfOlderCodes, 1001, "resourceId cannot be parsed"),
  },
  "task.gone": {
    what: "a sid that nothing runs under: never begun, ended, or of another mode",
    source: from("statusCodes"),
    answer: gone,
  },
  "task.failover": {
    what: "a call about a task that is being moved to another server",
    source: from("bestPractices"),
    answer: gone,
  },
  "task.control_expired": {
    what: "a call after resourceExpiredHour",
    source: from("acquire"),
    answer: gone,
  },
  "task.sid_mismatch": {
    what: "the sid of one resourceId under another",
    source: from("olderErrors", "unconfirmed"),
    answer: ({ statusOfOlderCodes }) =>
      service(statusOfOlderCodes, 1003, "appid or sid does not match the resourceId"),
  },
  "task.resource_mismatch": {
    what: "another cname or uid than the task's",
    source: from("olderErrors", "unconfirmed"),
    answer: ({ statusOfOlderCodes }) =>
      service(statusOfOlderCodes, 432, "cname or uid does not match the resourceId"),
  },
} as const satisfies Record<string, RefusalRule>;

export const queryRefusals = {
  "query.exiting": {
    what: "a query of a task that is exiting, where the service is set to the older pages",
    source: from("olderErrors", "older"),
    answer: ({ statusOfOlderCodes }) => service(statusOfOlderCodes, 501, "service is exiting"),
  },
} as const satisfies Record<string, RefusalRule>;

export const updateRefusals = {
  "update.lists": {
    what: "lists of uids in update that are no lists of texts",
    source: from("statusCodes"),
    answer: service(400, 2, "invalid streamSubscribe"),
    refuses: unless(
      "clientRequest.streamSubscribe",
      z.record(z.string(), z.record(z.string(), z.array(z.string()))).optional(),
    ),
  },
} as const satisfies Record<string, RefusalRule>;

export const updateLayoutRefusals = {
  "layout.layout": layout(
    "mixedVideoLayout",
    "a mixedVideoLayout outside 0 to 3",
    z.int().min(0).max(3).optional(),
  ),
  "layout.background_color": layout(
    "backgroundColor",
    "a colour that is not like #000000",
    colour.optional(),
  ),
  "layout.config": layout(
    "layoutConfig",
    "places that are not at most 17 with four sides from 0 to 1 each",
    z.array(layoutRegion).max(17).optional(),
  ),
  "layout.config_alone": {
    what: "a layoutConfig with another layout than 3",
    source: from("updateLayout"),
    answer: layoutFailed("a layoutConfig with another layout than 3"),
    refuses: (body) =>
      at(body, "clientRequest", "layoutConfig") !== undefined &&
      at(body, "clientRequest", "mixedVideoLayout") !== 3,
  },
  "layout.background_config": layout(
    "backgroundConfig",
    "a background without uid or image_url",
    z.array(userBackground).optional(),
  ),
} as const satisfies Record<string, RefusalRule>;

export const stopRefusals = {
  "stop.async_stop": {
    what: "an async_stop that is not true or false",
    source: from("stop"),
    answer: service(400, 2, "invalid async_stop"),
    refuses: unless("clientRequest.async_stop", z.boolean().optional()),
  },
  "stop.exiting": {
    what: "a stop of a task that is leaving already",
    source: from("statusCodes"),
    answer: service(400, 49, "invalid operation"),
  },
  "stop.nothing_recorded": {
    what: "to name files where nobody published anything",
    source: from("statusCodes"),
    answer: service(206, 435, "no recorded data"),
  },
  "stop.slow": {
    what: "to wait for uploads longer than 20 s",
    source: from("stop", "unconfirmed"),
    answer: ({ slowStop }) =>
      slowStop === "206 with code 50"
        ? service(206, 50, "upload timeout")
        : slowStop === "400 with code 50"
          ? service(400, 50, "upload timeout")
          : { status: 206, body: {} },
  },
} as const satisfies Record<string, RefusalRule>;
