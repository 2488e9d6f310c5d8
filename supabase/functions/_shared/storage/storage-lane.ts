import { auditBucket } from "../audit/audit.ts";
import { type B2Client, createB2Client } from "../b2/client.ts";
import { observeStore } from "../b2/observe-store.ts";
import { createStreamSender } from "../b2/stream-sender.ts";
import { bucketSettings, stagingSettings } from "../config.ts";
import type { Handlers } from "../jobs/job.ts";
import type { LaneDeps } from "../jobs/lane.ts";
import { collectFiles } from "./collect.ts";
import { type ExpireDeps, expireRecording } from "./expire.ts";
import type { SourceStore } from "./source-store.ts";
import { type Invocation, transferFiles } from "./transfer.ts";

/** What the handlers of the storage lane reach the world through. */
export interface StorageDeps extends LaneDeps {
  bucket: B2Client;
  source: SourceStore | undefined;
  invocation: Invocation;
}

/** One for the process: its connections outlive an invocation. */
const sendStream = createStreamSender();

/** What the lane `storage` can do, by kind of job. Settings are read at first use, so that a missing one is named. */
export function storageHandlers(lane: LaneDeps): Handlers {
  let made: (StorageDeps & ExpireDeps) | undefined;
  const deps = (): StorageDeps & ExpireDeps => {
    if (made === undefined) {
      const streaming = observeStore({ ...lane, sendStream }, lane.log);
      const staging = stagingSettings(lane.environment, "storage");
      const bucket = createB2Client(bucketSettings(lane.environment, "storage"), streaming);
      const source =
        staging === undefined ? undefined : { name: "staging", store: createB2Client(staging, streaming) };
      made = {
        ...lane,
        bucket,
        source,
        stores: source === undefined ? [bucket] : [bucket, source.store],
        invocation: { budget: undefined, turn: Promise.resolve() },
      };
    }
    return made;
  };
  return {
    collect: (job, settings) => collectFiles(job, settings, deps()),
    transfer: (job, settings, limit) => transferFiles(job, settings, { ...deps(), limit }),
    expire: (job) => expireRecording(job, deps()),
    audit: { withoutRecording: (_job, settings) => auditBucket(settings, deps()) },
  };
}
