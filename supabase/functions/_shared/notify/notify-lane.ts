import { notifySettings } from "../config.ts";
import type { Handler } from "../jobs/job.ts";
import type { LaneDeps } from "../jobs/lane.ts";
import { deliverEvent } from "./deliver.ts";

/** What the lane `notify` can do, by kind of job. What people read in the portal needs no lane: a trigger writes it. */
export function notifyHandlers(lane: LaneDeps): Record<string, Handler> {
  const deps = { ...lane, receiver: () => notifySettings(lane.environment) };
  return { notify: (job) => deliverEvent(job, deps) };
}
