import { z } from "zod";

/** One file as the engine names it in a reply or an event. Whether the name holds the prefix is not documented: see files.ts. */
export interface EngineFile {
  fileName: string;
  trackType?: "audio" | "video" | "audio_and_video";
  /** "0" in mix mode. */
  streamUid?: string;
  mixedAllUser?: boolean;
  isPlayable?: boolean;
  /** When the file's first picture was taken, ms UTC. */
  sliceStartTimeMs?: number;
}

/**
 * A time as Agora writes it: most pages say milliseconds, one says seconds, and all printed values have 13 digits.
 * 1e11 as seconds lies in the year 5138 and as milliseconds in 1973, so it parts the two for good.
 */
export const timeMs = z
  .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
  .pipe(z.number().nonnegative())
  .transform((value) => (value >= 1e11 ? value : value * 1000));

/** A time that Agora leaves out or sets to 0 while it has none. */
export const optionalTimeMs = timeMs
  .nullish()
  .transform((value) => (value === undefined || value === null || value === 0 ? undefined : value));

/** Uids are strings in Agora's replies, numbers in some events. */
export const uidText = z.union([z.string(), z.number().int().transform(String)]);

// Web mode and some pages write `filename`, all others `fileName`.
const fileItem = z
  .looseObject({
    fileName: z.string().min(1).optional(),
    filename: z.string().min(1).optional(),
    trackType: z.enum(["audio", "video", "audio_and_video"]).optional().catch(undefined),
    uid: uidText.optional().catch(undefined),
    mixedAllUser: z.boolean().optional().catch(undefined),
    isPlayable: z.boolean().optional().catch(undefined),
    sliceStartTime: optionalTimeMs.catch(undefined),
  })
  .transform((item, context): EngineFile => {
    const fileName = item.fileName ?? item.filename;
    if (fileName === undefined) {
      context.addIssue({ code: "custom", message: "a file without fileName" });
      return z.NEVER;
    }
    return {
      fileName,
      ...(item.trackType === undefined ? {} : { trackType: item.trackType }),
      ...(item.uid === undefined ? {} : { streamUid: item.uid }),
      ...(item.mixedAllUser === undefined ? {} : { mixedAllUser: item.mixedAllUser }),
      ...(item.isPlayable === undefined ? {} : { isPlayable: item.isPlayable }),
      ...(item.sliceStartTime === undefined ? {} : { sliceStartTimeMs: item.sliceStartTime }),
    };
  });

/**
 * A file list in any documented form (absent, null, "", a name, [], items) as items. fileListMode is not needed to
 * tell them apart. A comma or semicolon cannot be part of a name (Agora replaces both), so in text they separate names.
 */
export const fileList = z
  .union([
    z.array(fileItem),
    z.string().transform((text): EngineFile[] =>
      text
        .split(/[;,]/)
        .map((name) => name.trim())
        .filter((name) => name !== "")
        .map((fileName) => ({ fileName })),
    ),
    z.null().transform((): EngineFile[] => []),
  ])
  .default([]);
