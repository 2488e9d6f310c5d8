import { z } from "zod";
import { channelName, recorderUid, unless, withoutForm } from "./body-rules.ts";
import { bodyFailed, from, type RefusalRule, service } from "./refusal.ts";

/** What acquire refuses, in the order in which it looks. */
export const acquireRefusals = {
  "acquire.body": {
    what: "a body without cname as text or without clientRequest",
    source: from("statusCodes"),
    answer: bodyFailed,
    refuses: withoutForm,
  },
  "acquire.uid": {
    what: "a uid that is not decimal text from 1 to 4294967295",
    source: from("acquire"),
    answer: bodyFailed,
    refuses: unless("uid", recorderUid),
  },
  "acquire.scene": {
    what: "a scene other than 0, 1 and 2",
    source: from("acquire"),
    answer: bodyFailed,
    refuses: unless("clientRequest.scene", z.literal([0, 1, 2]).optional()),
  },
  "acquire.region": {
    what: "a region other than CN, AP, EU and NA",
    source: from("acquire"),
    answer: bodyFailed,
    refuses: unless("clientRequest.region", z.enum(["CN", "AP", "EU", "NA"]).optional()),
  },
  "acquire.region_affinity": {
    what: "a regionAffinity outside 0 to 4",
    source: from("acquire", "chinese"),
    answer: bodyFailed,
    refuses: unless("clientRequest.regionAffinity", z.int().min(0).max(4).optional()),
  },
  "acquire.exclude_resource_ids": {
    what: "excludeResourceIds that is no list of texts",
    source: from("acquire"),
    answer: bodyFailed,
    refuses: unless("clientRequest.excludeResourceIds", z.array(z.string()).optional()),
  },
  "acquire.start_parameter": {
    what: "a startParameter that is no object",
    source: from("acquire"),
    answer: bodyFailed,
    refuses: unless("clientRequest.startParameter", z.looseObject({}).optional()),
  },
  "acquire.channel_name": {
    what: "a channel name of 64 bytes and more or with other characters than the 89",
    source: from("statusCodes"),
    answer: ({ channelNameCode, statusOfOlderCodes }) =>
      channelNameCode === 401
        ? service(400, 401, "invalid_channel_name")
        : service(statusOfOlderCodes, 1013, "invalid channel name"),
    refuses: unless("cname", channelName),
  },
  "acquire.expired_hour": {
    what: "a resourceExpiredHour outside 1 to 720",
    source: from("statusCodes"),
    answer: service(400, 2, "Acquire: invalid resourceExpiredHour value!"),
    refuses: unless("clientRequest.resourceExpiredHour", z.int().min(1).max(720).optional()),
  },
  "acquire.ceiling": {
    what: "one task more than may run at once",
    source: from("statusCodes"),
    answer: service(400, 406, "vendor_over_load"),
  },
} as const satisfies Record<string, RefusalRule>;
