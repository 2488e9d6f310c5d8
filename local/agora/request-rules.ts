import { z } from "zod";
import { type Answer, answers } from "./answers.ts";
import { storageConfigRules } from "./storage-rules.ts";

/** RTC uid of a recorder: decimal text, 1 to 4294967295, no leading zero. */
const uid = z
  .string()
  .regex(/^[1-9]\d{0,9}$/)
  .refine((text) => Number(text) <= 4_294_967_295);

/** Channel names: fewer than 64 bytes out of 89 characters (Agora, "Channel name"). */
const channelPattern = /^[A-Za-z0-9 !#$%&()+\-:;<=.>?@[\]^_{}|~,]{1,63}$/;

const task = { cname: z.string(), uid };

export const acquireBody = z.object({
  ...task,
  clientRequest: z.object({
    scene: z.literal([0, 1, 2]).default(0),
    resourceExpiredHour: z.unknown().optional(),
    excludeResourceIds: z.array(z.string()).optional(),
    region: z.enum(["CN", "AP", "EU", "NA"]).optional(),
    regionAffinity: z.int().min(0).max(4).optional(),
    startParameter: z.record(z.string(), z.unknown()).optional(),
  }),
});

/** Hours a task can be controlled; 72 unless said otherwise. */
export const resourceExpiredHour = z.int().min(1).max(720).default(72);

const uidList = z
  .array(z.union([z.literal("#allstream#"), z.string().regex(/^\d+$/)]))
  .min(1)
  .max(32);
const share = z.number().min(0).max(1);
const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/);

const layout = {
  maxResolutionUid: z.string().optional(),
  mixedVideoLayout: z.int().min(0).max(3).default(0),
  backgroundColor: colour.default("#000000"),
  backgroundImage: z.string().optional(),
  defaultUserBackgroundImage: z.string().optional(),
  layoutConfig: z
    .array(
      z.object({
        uid: z.string().optional(),
        x_axis: share,
        y_axis: share,
        width: share,
        height: share,
        alpha: share.default(1),
        render_mode: z.int().min(0).max(1).default(0),
      }),
    )
    .max(17)
    .optional(),
  backgroundConfig: z
    .array(
      z.object({ uid: z.string(), image_url: z.string(), render_mode: z.int().min(0).max(1).optional() }),
    )
    .optional(),
};

const documentedRates = [1, 7, 10, 15, 24, 30, 60];

const transcodingConfig = z
  .object({
    width: z.int().min(1).max(1920).default(360),
    height: z.int().min(1).max(1920).default(640),
    // A rate that is not in the list is no error: the service records at 15.
    fps: z
      .int()
      .positive()
      .default(15)
      .transform((fps) => (documentedRates.includes(fps) ? fps : 15)),
    bitrate: z.int().min(1).max(6500).default(500),
    ...layout,
  })
  .refine(({ width, height }) => width * height <= 1920 * 1080, "width x height is above 1920 x 1080");

const recordingConfig = z
  .object({
    channelType: z.literal([0, 1]),
    streamTypes: z.literal([0, 1, 2]).default(2),
    videoStreamType: z.literal([0, 1]).default(0),
    maxIdleTime: z.int().min(5).max(2_592_000).default(30),
    subscribeAudioUids: uidList.optional(),
    subscribeVideoUids: uidList.optional(),
    unSubscribeAudioUids: uidList.optional(),
    unSubscribeVideoUids: uidList.optional(),
    unsubscribeAudioUids: uidList.optional(),
    unsubscribeVideoUids: uidList.optional(),
    subscribeUidGroup: z.int().min(0).max(5).optional(),
    decryptionMode: z.int().min(0).max(8).default(0),
    secret: z.string().min(1).optional(),
    salt: z.string().optional(),
    audioProfile: z.literal([0, 1, 2]).default(0),
    transcodingConfig: transcodingConfig.default(() => transcodingConfig.parse({})),
    privateParams: z.string().refine(isJson, "privateParams is not JSON").optional(),
  })
  .superRefine((config, check) => {
    const noAudio = config.unSubscribeAudioUids ?? config.unsubscribeAudioUids;
    const noVideo = config.unSubscribeVideoUids ?? config.unsubscribeVideoUids;
    const audioLists = config.subscribeAudioUids ?? noAudio;
    const videoLists = config.subscribeVideoUids ?? noVideo;
    const refuse = (message: string) => check.addIssue({ code: "custom", message });
    if (config.subscribeAudioUids && noAudio) refuse("subscribeAudioUids excludes unSubscribeAudioUids");
    if (config.subscribeVideoUids && noVideo) refuse("subscribeVideoUids excludes unSubscribeVideoUids");
    if (config.streamTypes === 0 && videoLists) refuse("streamTypes 0 takes no video uids");
    if (config.streamTypes === 1 && audioLists) refuse("streamTypes 1 takes no audio uids");
    if (config.decryptionMode !== 0 && !config.secret) refuse("decryptionMode needs a secret");
    if (config.decryptionMode >= 7 && Buffer.from(config.salt ?? "", "base64").length !== 32) {
      refuse("decryptionMode 7 and 8 need a salt of 32 bytes in base64");
    }
  });

/** Mix mode takes HLS, or HLS and MP4; MP4 alone is refused. */
const recordingFileConfig = z.object({
  avFileType: z
    .array(z.enum(["hls", "mp4"]))
    .default(["hls"])
    .refine(
      (types) => types.includes("hls") && new Set(types).size === types.length,
      "avFileType must be [hls] or [hls, mp4]",
    ),
});

/** clientRequest of start for mode mix. */
export const startRequest = z.object({
  token: z.string().optional(),
  recordingConfig,
  recordingFileConfig: recordingFileConfig.default({ avFileType: ["hls"] }),
  storageConfig: storageConfigRules,
  snapshotConfig: z.undefined().optional(),
  extensionServiceConfig: z.undefined().optional(),
});
export type StartRequest = z.output<typeof startRequest>;

export const startBody = z.object({ ...task, clientRequest: z.record(z.string(), z.unknown()) });

export const stopBody = z.object({
  ...task,
  clientRequest: z.object({ async_stop: z.boolean().default(false) }),
});

const uidLists = (kind: "Audio" | "Video") =>
  z.object({
    [`subscribe${kind}Uids`]: uidList.optional(),
    [`unSubscribe${kind}Uids`]: uidList.optional(),
  });

export const updateBody = z.object({
  ...task,
  clientRequest: z.object({
    streamSubscribe: z
      .object({
        audioUidList: uidLists("Audio").optional(),
        videoUidList: uidLists("Video").optional(),
      })
      .optional(),
    storageConfig: storageConfigRules.optional(),
  }),
});

export const updateLayoutBody = z.object({ ...task, clientRequest: z.object(layout) });

/** Whether a channel name is one that the RTC service takes. */
export function isChannelName(cname: string): boolean {
  return channelPattern.test(cname);
}

/** Parses a body, or gives the answer that refuses it: HTTP 400, code 2. */
export function parseOr<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
  reason?: string,
): { ok: true; value: z.output<Schema> } | { ok: false; answer: Answer } {
  const parsed = schema.safeParse(body);
  if (parsed.success) return { ok: true, value: parsed.data };
  const issue = parsed.error.issues[0];
  const where = issue?.path.join(".") ?? "";
  return { ok: false, answer: answers.badBody(reason ?? `invalid ${where}: ${issue?.message ?? ""}`) };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
