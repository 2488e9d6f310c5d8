import { z } from "zod";
import { colour, layoutRegion, uidList, userBackground } from "./refusals/body-rules.ts";

/**
 * What a request means once nothing in the list of refusals was against it: members that are missing, or of a form that
 * only a list without its rule lets through, have their documented defaults. Nothing is refused here.
 */

const optional = <Form extends z.ZodType>(form: Form) => form.optional().catch(undefined);

const layout = {
  maxResolutionUid: optional(z.string()),
  mixedVideoLayout: z.int().min(0).max(3).catch(0),
  backgroundColor: colour.catch("#000000"),
  backgroundImage: optional(z.string()),
  defaultUserBackgroundImage: optional(z.string()),
  layoutConfig: optional(z.array(layoutRegion)),
  backgroundConfig: optional(z.array(userBackground)),
};

/** How the picture is put together; each updateLayout replaces all of it, so what is left out falls back. */
export const layoutOf = z.object(layout);
export type Layout = z.output<typeof layoutOf>;

const documentedRates = [1, 7, 10, 15, 24, 30, 60];

const transcodingConfig = z.object({
  width: z.int().min(1).max(1920).catch(360),
  height: z.int().min(1).max(1920).catch(640),
  // A rate that is not in the list is no error: the service records at 15.
  fps: z
    .int()
    .positive()
    .catch(15)
    .transform((fps) => (documentedRates.includes(fps) ? fps : 15)),
  bitrate: z.int().min(1).max(6500).catch(500),
  ...layout,
});

const recordingConfig = z.object({
  channelType: z.literal([0, 1]).catch(0),
  streamTypes: z.literal([0, 1, 2]).catch(2),
  maxIdleTime: z.int().min(5).max(2_592_000).catch(30),
  subscribeAudioUids: optional(uidList),
  subscribeVideoUids: optional(uidList),
  unSubscribeAudioUids: optional(uidList),
  unSubscribeVideoUids: optional(uidList),
  unsubscribeAudioUids: optional(uidList),
  unsubscribeVideoUids: optional(uidList),
  audioProfile: z.literal([0, 1, 2]).catch(0),
  transcodingConfig: transcodingConfig.catch(() => transcodingConfig.parse({})),
  privateParams: optional(z.string()),
});

export const storageConfigOf = z.object({
  vendor: z.int().catch(-1),
  bucket: z.string().catch(""),
  accessKey: z.string().catch(""),
  secretKey: z.string().catch(""),
  fileNamePrefix: z.array(z.string()).catch([]),
  extensionParams: optional(z.object({ endpoint: optional(z.string()) })),
});
export type StorageConfig = z.output<typeof storageConfigOf>;

/** clientRequest of start for mode mix. */
export const startRequestOf = z.object({
  token: optional(z.string()),
  recordingConfig: recordingConfig.catch(() => recordingConfig.parse({})),
  recordingFileConfig: z
    .object({ avFileType: z.array(z.enum(["hls", "mp4"])).catch(["hls"]) })
    .catch({ avFileType: ["hls"] }),
  storageConfig: storageConfigOf.catch(() => storageConfigOf.parse({})),
});
export type StartRequest = z.output<typeof startRequestOf>;

const task = { cname: z.string().catch(""), uid: z.string().catch("") };
const request = z.record(z.string(), z.unknown()).catch({});

export const acquireBodyOf = z.object({
  ...task,
  clientRequest: z
    .object({
      scene: z.literal([0, 1, 2]).catch(0),
      /** Hours a task can be controlled; 72 unless said otherwise. */
      resourceExpiredHour: z.int().min(1).max(720).catch(72),
      startParameter: optional(z.record(z.string(), z.unknown())),
    })
    .catch({ scene: 0, resourceExpiredHour: 72, startParameter: undefined }),
});

export const taskBodyOf = z.object({ ...task, clientRequest: request });

/** The folders in front of each file name: `a/b/`, or nothing. */
export function prefixOf(folders: string[]): string {
  return folders.map((name) => `${name}/`).join("");
}
