import { z } from "zod";

/** One lifecycle rule, as the store keeps it. */
export const lifecycleRuleSchema = z.object({
  id: z.string().optional(),
  prefix: z.string(),
  enabled: z.boolean(),
  /** Days until the current version is hidden. */
  expirationDays: z.int().min(1).optional(),
  expiredObjectDeleteMarker: z.boolean().optional(),
  /** Days until a version that is no longer current is deleted. */
  noncurrentDays: z.int().min(1).optional(),
  /** Days until an unfinished multipart upload is cancelled. */
  abortIncompleteDays: z.int().min(1).optional(),
});
export type LifecycleRule = z.output<typeof lifecycleRuleSchema>;
