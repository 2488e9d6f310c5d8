import { z } from "zod";
import { lifecycleRuleSchema } from "./lifecycle-rule.ts";
import { corsRuleSchema } from "./settings.ts";

/** A stretch of an object's bytes: one blob file. A multipart object has one per part. */
const pieceSchema = z.object({ blob: z.string(), size: z.int().min(0) });
export type Piece = z.output<typeof pieceSchema>;

const versionBase = { key: z.string(), versionId: z.string(), modifiedMs: z.number() };
const objectVersionSchema = z.object({
  ...versionBase,
  marker: z.literal(false),
  size: z.int().min(0),
  /** Without quotes. */
  etag: z.string(),
  pieces: z.array(pieceSchema),
  /** Served with the object, names in lower case. */
  headers: z.record(z.string(), z.string()),
});
const markerSchema = z.object({ ...versionBase, marker: z.literal(true) });

/** A version of a file that has bytes. */
export type ObjectVersion = z.output<typeof objectVersionSchema>;
/** A delete marker, B2's "hide marker". */
export type DeleteMarker = z.output<typeof markerSchema>;
export type Version = ObjectVersion | DeleteMarker;

const partSchema = z.object({
  number: z.int(),
  blob: z.string(),
  size: z.int(),
  etag: z.string(),
  modifiedMs: z.number(),
});
export type Part = z.output<typeof partSchema>;

/** One line of the journal. Each is a fact that became true at once; reading all of them in order gives the store. */
export const recordSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("version-added"),
    bucket: z.string(),
    version: z.discriminatedUnion("marker", [objectVersionSchema, markerSchema]),
    /** The multipart upload this version completes: it ends in the same instant. */
    completes: z.string().optional(),
  }),
  z.object({
    type: z.literal("version-removed"),
    bucket: z.string(),
    key: z.string(),
    versionId: z.string(),
  }),
  z.object({
    type: z.literal("upload-started"),
    bucket: z.string(),
    key: z.string(),
    uploadId: z.string(),
    startedMs: z.number(),
    headers: z.record(z.string(), z.string()),
  }),
  z.object({ type: z.literal("part-stored"), uploadId: z.string(), part: partSchema }),
  z.object({ type: z.literal("upload-aborted"), uploadId: z.string() }),
  z.object({ type: z.literal("cors-set"), bucket: z.string(), rules: z.array(corsRuleSchema) }),
  z.object({ type: z.literal("lifecycle-set"), bucket: z.string(), rules: z.array(lifecycleRuleSchema) }),
]);
export type StoreRecord = z.output<typeof recordSchema>;
