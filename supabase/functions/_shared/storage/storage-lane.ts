import { createB2Client } from "../b2/client.ts";
import { bucketSettings } from "../config.ts";
import type { Handler } from "../jobs/job.ts";
import type { LaneDeps } from "../jobs/lane.ts";
import { collectFiles, type StorageDeps } from "./collect.ts";

/** What the lane `storage` can do, by kind of job. Settings are read at first use, so that a missing one is named. */
export function storageHandlers(lane: LaneDeps): Record<string, Handler> {
  let made: StorageDeps | undefined;
  const deps = (): StorageDeps => {
    made ??= { ...lane, bucket: createB2Client(bucketSettings(lane.environment, "storage"), lane) };
    return made;
  };
  return { collect: (job, settings) => collectFiles(job, settings, deps()) };
}
