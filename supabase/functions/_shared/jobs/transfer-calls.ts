import { z } from "zod";
import type { RecorderError } from "../errors.ts";

/** One call of recorder_api, whose answer is parsed. */
export type Call = <Answer extends z.ZodType>(
  name: string,
  args: Record<string, unknown>,
  answer: Answer,
) => Promise<z.output<Answer>>;

const openTransfer = z.object({
  id: z.uuid(),
  attempt: z.number().int(),
  source_store: z.string(),
  source_key: z.string(),
  source_etag: z.string(),
  total_bytes: z.number().int(),
  destination_key: z.string(),
  content_type: z.string(),
  copy_order: z.number().int(),
  part_bytes: z.number().int().nullable(),
  state: z.enum(["created", "uploading", "completing", "verifying"]),
  upload_id: z.string().nullable(),
  parts: z.array(z.object({ part_number: z.number().int(), size_bytes: z.number().int(), etag: z.string() })),
});
/** One object that is to be copied, and what has arrived of it. */
export type OpenTransfer = z.output<typeof openTransfer>;

const planAnswer = z.object({
  open_count: z.number().int(),
  given_up: z.array(z.object({ key: z.string(), upload_id: z.string() })),
});
/** A source whose copy is verified and published. */
const sourceAnswer = z.object({
  id: z.uuid(),
  source_store: z.string(),
  source_key: z.string(),
  source_etag: z.string(),
});

/** An object of a source store as a plan names it. */
export interface PlannedCopy {
  attempt: number;
  source_key: string;
  source_etag: string;
  source_modified_at: string;
  total_bytes: number;
  destination_key: string;
  content_type: string;
  copy_order: number;
  part_bytes: number | null;
}

export type RestartReason = "source_changed" | "source_missing" | "upload_lost" | "copy_differs";

/** The calls about copies from a source store into ours. Refusals and failures are those of every call. */
export function transferCalls(call: Call) {
  return {
    /** Says which objects of a source store are to be copied; those that are planned or done already are left alone. */
    planTransfers: (recordingId: string, sourceStore: string, objects: PlannedCopy[]) =>
      call(
        "plan_transfers",
        { p_recording_id: recordingId, p_source_store: sourceStore, p_objects: objects },
        planAnswer,
      ),
    /** The next open copies, in the order in which they are made. */
    nextTransfers: (recordingId: string, limit: number) =>
      call("next_transfers", { p_recording_id: recordingId, p_limit: limit }, z.array(openTransfer)),
    /** Saves an upload; gives the one that holds, or null where the copy is over. */
    beginUpload: (transferId: string, uploadId: string) =>
      call("begin_upload", { p_transfer_id: transferId, p_upload_id: uploadId }, z.string().nullable()),
    /** Saves parts that arrived. False where the copy has another upload by now, or is over. */
    recordParts: (
      transferId: string,
      uploadId: string,
      parts: { part_number: number; size_bytes: number; etag: string }[],
    ) =>
      call("record_parts", { p_transfer_id: transferId, p_upload_id: uploadId, p_parts: parts }, z.boolean()),
    /** Saves which copies are whole objects now. */
    completeTransfers: (recordingId: string, completed: { id: string; version_id: string; etag: string }[]) =>
      call("complete_transfers", { p_recording_id: recordingId, p_completed: completed }, z.number().int()),
    /** Saves which copies were seen in our bucket. */
    verifyTransfers: (
      recordingId: string,
      verified: { id: string; size_bytes: number; etag_agrees: boolean }[],
    ) => call("verify_transfers", { p_recording_id: recordingId, p_verified: verified }, z.number().int()),
    /** Gives a copy up, and begins it anew where a source is given. */
    restartTransfer: (
      transferId: string,
      reason: RestartReason,
      source: Pick<PlannedCopy, "source_etag" | "source_modified_at" | "total_bytes" | "part_bytes"> | null,
    ) =>
      call(
        "restart_transfer",
        { p_transfer_id: transferId, p_reason: reason, p_source: source },
        z.boolean(),
      ),
    /** Says that one file cannot be copied. */
    failTransfer: (transferId: string, error: RecorderError) =>
      call("fail_transfer", { p_transfer_id: transferId, p_error: error }, z.boolean()),
    /** Sources that may be deleted: copied, verified and published. */
    sourcesToDelete: (recordingId: string) =>
      call("sources_to_delete", { p_recording_id: recordingId }, z.array(sourceAnswer)),
    noteSourcesDeleted: (ids: string[]) => call("note_sources_deleted", { p_ids: ids }, z.number().int()),
    /** Uploads that somebody still works on. */
    openUploads: () => call("open_uploads", {}, z.array(z.string())),
  };
}
