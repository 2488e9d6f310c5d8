import { z } from "zod";
import type { Call } from "./transfer-calls.ts";

/** What the bucket holds of a recording. */
export interface FoundFiles {
  /** Keys; versions counts each version and hide marker of them. */
  objects: number;
  versions: number;
  /** Unfinished multipart uploads. */
  uploads: number;
  bytes: number;
}

/** The calls about deleting what has expired. Refusals and failures are those of every call. */
export function deletionCalls(call: Call) {
  return {
    /** May the files of a recording be deleted, with what was found of them? Only `begun` says yes. */
    beginDeletion: (recordingId: string, found: FoundFiles) =>
      call(
        "begin_deletion",
        {
          p_recording_id: recordingId,
          p_objects: found.objects,
          p_versions: found.versions,
          p_uploads: found.uploads,
          p_bytes: found.bytes,
        },
        z.enum(["begun", "held", "kept", "not_over", "nothing_there"]),
      ),
    /** Says that nothing of a recording is in the bucket any more. True if it became expired by that. */
    finishDeletion: (recordingId: string, deleted: { versions: number; bytes: number }) =>
      call(
        "finish_deletion",
        { p_recording_id: recordingId, p_versions: deleted.versions, p_bytes: deleted.bytes },
        z.boolean(),
      ),
  };
}
