import { z } from "zod";

/**
 * What Agora's pages leave open or tell in two ways: each can be had either way, so that whoever talks to the service is
 * tried against both. The defaults are what seems likeliest. A test shows both ways of each.
 */
export const unconfirmedRules = z.object({
  /** HTTP status of the codes 432, 433, 501, 1001, 1003, 1013 and 1028, which only older pages name. */
  statusOfOlderCodes: z.literal([400, 404, 500]).default(400),
  /** Code for a forbidden channel name: today's 401 or the older 1013. */
  channelNameCode: z.literal([401, 1013]).default(401),
  /** Code for a bad body of updateLayout: today's 2 or the older 1028. */
  layoutErrorCode: z.literal([2, 1028]).default(2),
  /** Whether the 201 of a second start names the task; its documented body does not. */
  sidInAlreadyStarted: z.boolean().default(false),
  /** What serverResponse of an asynchronous stop holds. */
  asyncStopTells: z.enum(["nothing", "unknown status", "files"]).default("nothing"),
  /** A synchronous stop that takes too long: English pages name code 50, Chinese ones HTTP 206. */
  slowStop: z.enum(["206 with code 50", "206 alone", "400 with code 50"]).default("206 with code 50"),
  /** A query of a task that is leaving: its status, or the older code 501. */
  queryWhileExiting: z.enum(["status", "501"]).default("status"),
  /** How uploadingStatus spells that it does not know. */
  unknownStatus: z.enum(["unknown", "unknow"]).default("unknown"),
  /** Whether `fileName` in answers and events carries the folder prefix. */
  prefixInFileNames: z.boolean().default(false),
  /** Hyphens and underscores in fileNamePrefix: refused with code 2, or silently left out. */
  hyphenInPrefix: z.enum(["refused", "left out"]).default("refused"),
  /** sliceStartTime in answers and events: one page says seconds, all examples are milliseconds. */
  sliceStartTimeIn: z.enum(["ms", "s"]).default("ms"),
  /** `https://` in extensionParams.endpoint, and `http://` here. */
  endpointWithScheme: z.enum(["refused", "taken"]).default("refused"),
  /** How the bucket is addressed in uploads. */
  addressing: z.enum(["path", "virtual host"]).default("path"),
  /** Headers of uploads that B2 takes or refuses. */
  uploadContentType: z.string().optional(),
  uploadChecksum: z.enum(["none", "md5", "sha256"]).default("none"),
  uploadAcl: z.enum(["none", "private"]).default("none"),
  /** SigV4 region of uploads where storageConfig.region is 0: the one that the endpoint tells, or this. */
  uploadRegion: z.string().optional(),
  /** Whether the end of resourceExpiredHour ends the recording too, beside its control. */
  expiryEndsTask: z.boolean().default(false),
  /** A token for more than a day: good for a day, or refused. */
  tokenBeyondADay: z.enum(["a day", "refused"]).default("a day"),
  /** More calls a second than a tenth of the ceiling are refused with 400 (Chinese page). */
  rateBesideCeiling: z.boolean().default(false),
  /** Whether `/cn`, `/eu`, `/ap` or `/us` may stand before `/v1` (Chinese page). */
  areaInPath: z.boolean().default(false),
  /** Whether a resend keeps its noticeId; implied, not stated. */
  noticeIdOfResend: z.enum(["same", "new"]).default("same"),
  /** Which answers count as delivered: taken literally 200 with JSON. */
  deliveredBy: z.enum(["200 with JSON", "any 2xx"]).default("200 with JSON"),
  /** What `sequence` counts: the events of the task, or those of each of its modules. */
  sequencePer: z.enum(["task", "module"]).default("task"),
  /** serviceScene of mix mode: seen in the field, or the listed one. */
  serviceScene: z.enum(["mix_record", "rtc_record"]).default("mix_record"),
  /** Events that are named without a schema: 13, 46, 47. */
  eventsWithoutSchema: z.boolean().default(false),
  /** How the console's test event names its channel, and whether it is signed: the secret is shown after it only. */
  testEventNames: z.enum(["cname", "channelName"]).default("cname"),
  testEventSigned: z.boolean().default(true),
});

export type Unconfirmed = z.output<typeof unconfirmedRules>;
