import { createAgoraClient } from "../agora/client.ts";
import { bucketSettings, engineSettings } from "../config.ts";
import type { Handler } from "../jobs/job.ts";
import type { LaneDeps } from "../jobs/lane.ts";
import { applyEvents } from "./apply-events.ts";
import { confirmTask } from "./confirm.ts";
import type { ControlDeps } from "./control-deps.ts";
import { startRecording } from "./start.ts";
import { stopRecording } from "./stop.ts";

/** Longer than Agora's slow answers, well below the lease of a control job. */
const ENGINE_TIMEOUT_MS = 10_000;

/** What the lane `control` can do, by kind of job. Settings are read at first use, so that a missing one is named. */
export function controlHandlers(lane: LaneDeps): Record<string, Handler> {
  let made: ControlDeps | undefined;
  const deps = (): ControlDeps => {
    if (made === undefined) {
      const engine = engineSettings(lane.environment);
      made = {
        ...lane,
        engineSettings: engine,
        bucket: bucketSettings(lane.environment, "ingest"),
        engine: createAgoraClient(
          {
            appId: engine.appId,
            customerId: engine.customerId,
            customerSecret: engine.customerSecret,
            apiUrls: engine.apiUrls,
            timeoutMs: ENGINE_TIMEOUT_MS,
          },
          {
            ...lane,
            observe: ({ call, host, attempt, tookMs, httpStatus, requestId, lost }) =>
              lane.log("engine", {
                call,
                host,
                try: attempt,
                ms: tookMs,
                http: httpStatus,
                request: requestId,
                lost,
              }),
          },
        ),
      };
    }
    return made;
  };
  return {
    start: (job, settings) => startRecording(job, settings, deps()),
    confirm: (job, settings) => confirmTask(job, settings, deps()),
    // The same question and the same order, asked for by the sweep: they get their turn later.
    heartbeat: (job, settings) => confirmTask(job, settings, deps()),
    stop: (job, settings) => stopRecording(job, settings, deps()),
    repair: (job, settings) => stopRecording(job, settings, deps()),
    apply_events: (job, settings) => applyEvents(job, settings, deps()),
  };
}
