import { z } from "zod";
import { RecorderFailure } from "../errors.ts";
import { engineError } from "./errors.ts";

/**
 * What we send, checked before it leaves: most of Agora's refusals of a body come seconds later as a recording that
 * never begins, not as an answer (start says 200 to nearly everything).
 */

/** Agora's channel alphabet; fewer than 64 bytes, all of them ASCII. */
export const channelName = z
  .string()
  .regex(/^[A-Za-z0-9 !#$%&()+\-:;<=.>?@[\]^_{}|~,]{1,63}$/, "not a channel name Agora accepts");

/** The recorder's own uid: decimal text, 1 to 4294967295, no leading zero; "0" is not allowed for a recorder. */
export const recorderUid = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, "not a decimal uid from 1 to 4294967295")
  .refine((text) => Number(text) <= 4_294_967_295, "not a decimal uid from 1 to 4294967295");

const opaqueId = z.string().regex(/^[\w-]+$/, "not an id of Agora's");
const task = { cname: channelName, uid: recorderUid };

/** Vendor 11 is any S3-protocol store; region is 0 for it and `extensionParams.endpoint` a bare host name. */
export const storageConfig = z
  .strictObject({
    vendor: z.number().int().min(0),
    region: z.number().int().min(0),
    bucket: z.string().min(1),
    accessKey: z.string().min(1),
    secretKey: z.string().min(1),
    fileNamePrefix: z
      .array(z.string().regex(/^[A-Za-z0-9]+$/, "only letters and digits"))
      .refine((folders) => `${folders.join("/")}/`.length <= 128, "longer than 128 characters")
      .optional(),
    extensionParams: z
      .strictObject({
        endpoint: z.string().regex(/^[A-Za-z0-9.-]+(?::\d+)?(?:\/\S*)?$/, "must be a host without scheme"),
      })
      .optional(),
  })
  .refine(
    (store) => store.vendor !== 11 || store.extensionParams !== undefined,
    "vendor 11 needs extensionParams.endpoint",
  );

const layout = {
  mixedVideoLayout: z.number().int().min(0).max(3).optional(),
  maxResolutionUid: z.string().optional(),
  backgroundColor: z
    .string()
    .regex(/^#[0-9A-Fa-f]{6}$/, "not a colour like #000000")
    .optional(),
  layoutConfig: z
    .array(
      z.strictObject({
        uid: z.string().optional(),
        x_axis: z.number().min(0).max(1),
        y_axis: z.number().min(0).max(1),
        width: z.number().min(0).max(1),
        height: z.number().min(0).max(1),
        alpha: z.number().min(0).max(1).optional(),
        render_mode: z.union([z.literal(0), z.literal(1)]).optional(),
      }),
    )
    .max(17)
    .optional(),
};

// All four numbers or no object: with some missing the service refuses the whole body.
const transcodingConfig = z
  .strictObject({
    width: z.number().int().min(1).max(1920),
    height: z.number().int().min(1).max(1920),
    fps: z.union([1, 7, 10, 15, 24, 30, 60].map((fps) => z.literal(fps))),
    bitrate: z.number().int().min(1).max(6500),
    ...layout,
  })
  .refine((video) => video.width * video.height <= 1920 * 1080, "larger than 1920 x 1080")
  .refine(
    (video) => (video.mixedVideoLayout === 3) === (video.layoutConfig !== undefined),
    "layoutConfig goes with mixedVideoLayout 3, and only with it",
  );

export const recordingConfig = z
  .strictObject({
    channelType: z.union([z.literal(0), z.literal(1)]),
    streamTypes: z.union([z.literal(0), z.literal(1), z.literal(2)]),
    videoStreamType: z.union([z.literal(0), z.literal(1)]).optional(),
    audioProfile: z.union([z.literal(0), z.literal(1), z.literal(2)]).optional(),
    maxIdleTime: z.number().int().min(5).max(2_592_000),
    transcodingConfig: transcodingConfig.optional(),
    subscribeAudioUids: z.array(z.string()).min(1).max(32).optional(),
    subscribeVideoUids: z.array(z.string()).min(1).max(32).optional(),
    privateParams: z.string().optional(),
  })
  .refine(
    (config) =>
      config.streamTypes !== 2 ||
      (config.subscribeAudioUids === undefined) === (config.subscribeVideoUids === undefined),
    "one subscription list alone would switch the other kind of media off",
  );

// ["mp4"] alone is refused with code 2.
export const recordingFileConfig = z.strictObject({
  avFileType: z.union([z.tuple([z.literal("hls")]), z.tuple([z.literal("hls"), z.literal("mp4")])]),
});

export const acquireRequest = z.strictObject({
  ...task,
  resourceExpiredHour: z.number().int().min(1).max(720),
});

export const startRequest = z.strictObject({
  ...task,
  resourceId: opaqueId,
  token: z.string().min(1),
  recordingConfig,
  recordingFileConfig,
  storageConfig,
});

export const queryRequest = z.strictObject({ resourceId: opaqueId, sid: opaqueId });

export const updateLayoutRequest = z.strictObject({
  ...task,
  resourceId: opaqueId,
  sid: opaqueId,
  layout: z.strictObject(layout),
});

export const stopRequest = z.strictObject({
  ...task,
  resourceId: opaqueId,
  sid: opaqueId,
  asyncStop: z.boolean(),
});

export type RecordingConfig = z.input<typeof recordingConfig>;
export type RecordingFileConfig = z.input<typeof recordingFileConfig>;
export type StorageConfig = z.input<typeof storageConfig>;
export type AcquireRequest = z.input<typeof acquireRequest>;
export type StartRequest = z.input<typeof startRequest>;
export type QueryRequest = z.input<typeof queryRequest>;
export type UpdateLayoutRequest = z.input<typeof updateLayoutRequest>;
export type StopRequest = z.input<typeof stopRequest>;

/** What is wrong, member by member and without any value: the request holds keys and a token. */
export function issuesOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join(".") || "request"}: ${issue.message}`).join("; ");
}

// Basic credentials may cross a network only encrypted; loopback is no network.
const apiUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => {
    const url = new URL(text);
    return url.protocol === "https:" || ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  }, "must be https")
  .transform((text) => text.replace(/\/+$/, ""));

const agoraSettings = z.object({
  appId: z.string().regex(/^[0-9a-fA-F]{32}$/, "must be 32 hex digits"),
  // A stray space or line break, usually pasted along, is the commonest reason for a 401.
  customerId: z.string().regex(/^[^\s:]+$/, "must not be empty nor hold spaces or colons"),
  customerSecret: z.string().regex(/^\S+$/, "must not be empty nor hold spaces"),
  apiUrls: z.array(apiUrl).min(1),
  timeoutMs: z.number().int().positive(),
  stopTimeoutMs: z.number().int().positive().optional(),
  triesPerCall: z.number().int().positive().optional(),
  pausesMs: z.array(z.number().int().nonnegative()).optional(),
});

export type AgoraSettings = z.input<typeof agoraSettings>;

/** Checked settings. Throws RecorderFailure `engine_settings_invalid`, naming the members but no value. */
export function parseSettings(settings: AgoraSettings): z.output<typeof agoraSettings> {
  const parsed = agoraSettings.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw new RecorderFailure(engineError("engine_settings_invalid", { detail: issuesOf(parsed.error) }));
}
