import { type AgoraClient, createAgoraClient } from "../agora/client.ts";
import { createRequestWindow, type RequestWindow } from "../agora/request-window.ts";
import { type B2Client, createB2Client } from "../b2/client.ts";
import { observeStore } from "../b2/observe-store.ts";
import { B2_RETRY_POLICY } from "../b2/retry-policy.ts";
import { bucketSettings, engineSettings, ingestSettings, stagingSettings } from "../config.ts";
import { asRecorderError } from "../errors.ts";
import type { Handler, Job, Settings } from "../jobs/job.ts";
import type { LaneDeps } from "../jobs/lane.ts";
import { applyEvents } from "./apply-events.ts";
import { confirmTask } from "./confirm.ts";
import type { ControlDeps } from "./control-deps.ts";
import { startAgain, startRecording } from "./start.ts";
import { stopRecording } from "./stop.ts";

/** Longer than Agora's slow answers; a stop, which waits for uploads, has the client's own 30 s. */
const ENGINE_TIMEOUT_MS = 10_000;
/** One look into the bucket per job: what it misses, the next job sees. */
const ONE_LOOK = { ...B2_RETRY_POLICY, attempts: 1, timeoutMs: 10_000 };

/** What all jobs of a drain share. */
interface Shared extends Pick<ControlDeps, "engineSettings" | "bucket"> {
  engine: AgoraClient;
  /** The window of an account: each has a rate of its own. */
  windowOf(engineAccount: string): RequestWindow;
  files: B2Client;
}

/** What the lane `control` can do, by kind of job. Settings are read at first use, so that a missing one is named. */
export function controlHandlers(lane: LaneDeps): Record<string, Handler> {
  let made: Shared | undefined;
  const shared = (): Shared => {
    made ??= share(lane);
    return made;
  };
  const within = (job: Job, limit: AbortSignal, settings: Settings) =>
    depsWithin(job, limit, settings, shared(), lane);
  const confirm: Handler = (job, settings, limit) => confirmTask(job, settings, within(job, limit, settings));
  const stop: Handler = (job, settings, limit) => stopRecording(job, settings, within(job, limit, settings));
  return {
    start: async (job, settings, limit) => {
      try {
        return await startRecording(job, settings, within(job, limit, settings));
      } catch (thrown) {
        // Somebody is in the call and waits: what only a person can mend is told at once, not after many tries.
        const error = asRecorderError(thrown);
        if (error.blame === "configuration") return { outcome: "give_up", error };
        throw thrown;
      }
    },
    start_again: (job, settings, limit) => startAgain(job, settings, within(job, limit, settings)),
    confirm,
    // The same question and the same order, asked for by the sweep: they get their turn later.
    heartbeat: confirm,
    stop,
    repair: stop,
    apply_events: (job, settings, limit) => applyEvents(job, within(job, limit, settings)),
  };
}

function share(lane: LaneDeps): Shared {
  const settings = engineSettings(lane.environment);
  return {
    engineSettings: settings,
    bucket: ingestSettings(lane.environment),
    // Where the engine writes: a task whose sid was lost is found by the names of its files.
    files: createB2Client(
      stagingSettings(lane.environment, "storage") ?? bucketSettings(lane.environment, "storage"),
      observeStore(lane, lane.log),
      ONE_LOOK,
    ),
    windowOf: windowsOf(lane),
    engine: createAgoraClient(
      {
        appId: settings.appId,
        customerId: settings.customerId,
        customerSecret: settings.customerSecret,
        apiUrls: settings.apiUrls,
        timeoutMs: ENGINE_TIMEOUT_MS,
        // Every request takes a slot, so each job sends what it has slots for and no more.
        triesPerCall: 1,
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

function windowsOf(lane: LaneDeps): Shared["windowOf"] {
  const windows = new Map<string, RequestWindow>();
  return (account) => {
    const window = windows.get(account) ?? createRequestWindow(lane);
    windows.set(account, window);
    return window;
  };
}

/** The world of one job: whatever it waits for ends with the job's limit. */
function depsWithin(
  job: Pick<Job, "engine_account" | "requests_per_second">,
  limit: AbortSignal,
  settings: Settings,
  { engine, windowOf, files, ...shared }: Shared,
  lane: LaneDeps,
): ControlDeps {
  const database = lane.databaseWithin(limit);
  const rate = job.requests_per_second ?? settings.requests_per_second ?? 10;
  const turn = () => windowOf(job.engine_account).pass(rate, limit);
  return {
    ...shared,
    now: lane.now,
    log: lane.log,
    sleep: (ms) => Promise.race([lane.sleep(ms), aborted(limit)]),
    database: {
      beginAttempt: database.beginAttempt,
      markApplied: database.markApplied,
      report: async (...report) => {
        const told = await database.report(...report);
        // What follows in another lane begins at once, instead of after pg_net's rest.
        lane.wake(told.lanes_to_wake);
        return told;
      },
    },
    engine: {
      acquire: async (request) => {
        await turn();
        return await engine.acquire(request, { signal: limit });
      },
      start: async (request) => {
        await turn();
        return await engine.start(request, { signal: limit });
      },
      query: async (request) => {
        await turn();
        return await engine.query(request, { signal: limit });
      },
      stop: async (request) => {
        await turn();
        return await engine.stop(request, { signal: limit });
      },
    },
    files: { list: (prefix, options) => files.list(prefix, { ...options, signal: limit }) },
  };
}

function aborted(limit: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (limit.aborted) resolve();
    limit.addEventListener("abort", () => resolve(), { once: true });
  });
}
