import { z } from "zod";
import { type EngineFile, fileList, optionalTimeMs } from "./file-list.ts";

/**
 * Where the finished files are: all in our bucket, at least one still in Agora's backup cloud, parked on the
 * recording server (mode raw), or not told. All but the first mean "files may come late", none is a failure.
 */
export type UploadingStatus = "uploaded" | "backuped" | "stranded" | "unknown";

/** What a query's status number says about the task. */
export type TaskPhase = "starting" | "recording" | "stopping" | "abnormal" | "unknown";

const numeric = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(z.number().int());
// Older service versions spell "unknow"; a word we do not know is no reason to lose the stop.
const uploadingStatus = z.enum(["uploaded", "backuped", "stranded", "unknown"]).catch("unknown");

/** `{code, reason}` of the service or `{message}` of the gateway in front of it. */
export const refusalBody = z.looseObject({
  code: numeric.optional().catch(undefined),
  reason: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
});

const id = z.string().regex(/^[\w-]+$/);

export const acquireBody = z.looseObject({ resourceId: id });
// A refusal may carry the sid of the task it is about, beside its code.
export const startBody = z.looseObject({ sid: id, code: z.never().optional() });
export const startedTwiceBody = z.looseObject({ sid: id.optional().catch(undefined) });

// Web mode nests its members per extension service; old pages and the Chinese one misspell payload.
const extensionState = z
  .looseObject({
    payload: z.looseObject({ fileList, uploadingStatus: z.unknown().optional() }).optional(),
    playload: z.looseObject({ fileList, uploadingStatus: z.unknown().optional() }).optional(),
  })
  .transform((service) => service.payload ?? service.playload);

const serverResponse = z.looseObject({
  status: numeric.optional(),
  fileList,
  sliceStartTime: optionalTimeMs,
  uploadingStatus: z.unknown().optional(),
  extensionServiceState: z.array(extensionState).optional(),
});

function filesOf(response: z.output<typeof serverResponse>): EngineFile[] {
  return [
    ...response.fileList,
    ...(response.extensionServiceState ?? []).flatMap((state) => state?.fileList ?? []),
  ];
}

function uploadingStatusOf(response: z.output<typeof serverResponse>): UploadingStatus {
  const told = [response, ...(response.extensionServiceState ?? [])]
    .map((place) => place?.uploadingStatus)
    .find((value) => value !== undefined);
  return uploadingStatus.parse(told);
}

/** 200 of query. */
export const queryBody = z
  .looseObject({ serverResponse: serverResponse.extend({ status: numeric }) })
  .transform(({ serverResponse: response }) => ({
    status: response.status,
    files: filesOf(response),
    sliceStartTimeMs: response.sliceStartTime,
  }));

/** 200 of a synchronous stop. */
export const stopBody = z.looseObject({ serverResponse }).transform(({ serverResponse: response }) => ({
  files: filesOf(response),
  uploadingStatus: uploadingStatusOf(response),
}));

/**
 * 4 and 5 are the only proof that a recorder is in the channel; a bad token or bucket shows 1 to 4 for some seconds
 * and then 404, and a channel nobody publishes into stays at 4. 9 to 19 are not defined.
 */
export function phaseOf(status: number): TaskPhase {
  if (status >= 0 && status <= 3) return "starting";
  if (status === 4 || status === 5) return "recording";
  if (status >= 6 && status <= 8) return "stopping";
  return status === 20 ? "abnormal" : "unknown";
}
