import { z } from "zod";

const moment = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), "not a time")
  .transform((text) => Date.parse(text));

export const auditAnswer = z.object({
  audit_id: z.uuid(),
  began_at: moment,
  after_key: z.string().nullable(),
  after_id: z.uuid().nullable(),
});

export const recordingFacts = z.object({
  id: z.uuid(),
  status: z.enum(["starting", "recording", "stopping", "processing", "recorded", "failed", "expired"]),
  finished_at: moment.nullable(),
  error_code: z.string().nullable(),
  is_held: z.boolean(),
  is_being_deleted: z.boolean(),
  /** When its deletion was finished; null also for one that expired before deletions were written down. */
  deleted_at: moment.nullable(),
  files: z.array(
    z.object({
      kind: z.enum(["playlist", "mp4", "thumbnail"]),
      attempt: z.number().int(),
      object_key: z.string(),
      size_bytes: z.number(),
    }),
  ),
  tasks: z.array(
    z.object({
      attempt: z.number().int(),
      has_recorded: z.boolean(),
      is_empty: z.boolean(),
      superseded: z.boolean(),
    }),
  ),
});
/** What the rows say of one recording. Times are milliseconds since 1970. */
export type RecordingFacts = z.output<typeof recordingFacts>;

export type FindingKind =
  | "unknown_object"
  | "unknown_attempt"
  | "file_missing"
  | "file_hidden"
  | "file_size_differs"
  | "expired_left"
  | "old_versions"
  | "orphan_upload"
  | "task_without_files"
  | "late_files"
  | "source_left"
  | "source_unknown";

/** Something that rows and bucket disagree about, as the database keeps it. */
export interface Finding {
  kind: FindingKind;
  /** An object key, a folder (ends in a slash), the id of an upload; in a source store, its name and a colon before it. */
  key: string;
  recording_id: string | null;
  detail: Record<string, string | number>;
}

export const savedFindings = z.array(z.object({ kind: z.string(), key: z.string(), id: z.uuid() }));
