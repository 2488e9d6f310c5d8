import { alertWebhook, notifySettings } from "../config.ts";
import type { Handlers } from "../jobs/job.ts";
import type { LaneDeps } from "../jobs/lane.ts";
import { deliverEvent } from "./deliver.ts";
import { deliverAlert } from "./deliver-alert.ts";

/** What the lane `notify` can do, by kind of job. What people read in the portal needs no lane: a trigger writes it. */
export function notifyHandlers(lane: LaneDeps): Handlers {
  const deps = {
    ...lane,
    receiver: () => notifySettings(lane.environment),
    webhook: () => alertWebhook(lane.environment),
  };
  return {
    notify: (job) => deliverEvent(job, deps),
    alert: { withoutRecording: (job) => deliverAlert(job, deps) },
  };
}
