import { z } from "zod";
import { lifecycleRuleSchema } from "./lifecycle-rule.ts";

/** Capabilities of an application key that this store looks at (B2's names, "Application Key Capabilities"). */
export const capabilitySchema = z.enum([
  "listAllBucketNames",
  "listBuckets",
  "readBuckets",
  "writeBuckets",
  "listFiles",
  "readFiles",
  "writeFiles",
  "deleteFiles",
]);
export type Capability = z.output<typeof capabilitySchema>;

/** One CORS rule; B2's limits: origins never empty, at most a day of caching. */
export const corsRuleSchema = z.object({
  id: z.string().optional(),
  allowedOrigins: z.array(z.string().min(1)).min(1),
  allowedMethods: z.array(z.enum(["GET", "HEAD", "PUT", "POST", "DELETE"])).min(1),
  allowedHeaders: z.array(z.string()).default([]),
  exposeHeaders: z.array(z.string()).default([]),
  /** Seconds a browser may keep the answer to a preflight. */
  maxAgeSeconds: z.int().min(0).max(86_400).optional(),
});
export type CorsRule = z.output<typeof corsRuleSchema>;

const bucketSchema = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z0-9-]{6,63}$/, "a bucket name is 6 to 63 letters, digits and hyphens")
    .refine((name) => !name.startsWith("b2-"), "bucket names starting with b2- are reserved"),
  /** The rules the bucket is created with; PutBucketCors replaces them for good. */
  corsRules: z.array(corsRuleSchema).max(100).default([]),
  /** The same for PutBucketLifecycle. */
  lifecycleRules: z.array(lifecycleRuleSchema).max(100).default([]),
});

const keySchema = z.object({
  keyId: z.string().min(1),
  applicationKey: z.string().min(1),
  /** The one bucket the key is limited to; absent means every bucket. */
  bucket: z.string().optional(),
  /** Only file names beginning with this may be touched. */
  prefix: z.string().default(""),
  /** Names this store never asks for are accepted, so that a real key's list can be pasted. */
  capabilities: z.array(z.string()),
});
export type ApplicationKey = z.output<typeof keySchema>;

/** Settings of the store. `dataDir` is absolute; `port` 0 takes any free port. */
export const b2Settings = z
  .object({
    port: z.int().min(0).max(65_535),
    dataDir: z.string().startsWith("/", "dataDir must be absolute"),
    region: z.string().regex(/^[a-z]+(-[a-z]+)+-\d{3}$/, "a B2 region looks like us-east-005"),
    buckets: z.array(bucketSchema).min(1),
    keys: z.array(keySchema),
    clockSkewSeconds: z.int().positive().default(900),
    /** Writes down when each upload begins and how it ends: what was in the air when a client died. */
    uploadLog: z.boolean().default(false),
    /** Opens the fault switches at /__control/faults to holders of this token; absent keeps them shut. */
    controlToken: z.string().min(16).optional(),
  })
  .superRefine((settings, context) => {
    const names = new Set(settings.buckets.map((bucket) => bucket.name));
    if (names.size !== settings.buckets.length) context.addIssue("two buckets have the same name");
    if (new Set(settings.keys.map((key) => key.keyId)).size !== settings.keys.length) {
      context.addIssue("two keys have the same keyId");
    }
    for (const key of settings.keys) {
      if (key.bucket !== undefined && !names.has(key.bucket)) {
        context.addIssue(`key ${key.keyId} is limited to the unknown bucket ${key.bucket}`);
      }
    }
  });
export type B2Settings = z.output<typeof b2Settings>;
export type B2SettingsInput = z.input<typeof b2Settings>;
