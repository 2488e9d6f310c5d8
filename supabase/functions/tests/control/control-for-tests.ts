import type { AcquireOutcome, QueryOutcome, StartOutcome, StopOutcome } from "../../_shared/agora/client.ts";
import { type EngineErrorCode, engineError } from "../../_shared/agora/errors.ts";
import type { ControlDeps } from "../../_shared/control/control-deps.ts";
import type { LogFields } from "../../_shared/log.ts";
import { CHANNEL, RESOURCE_ID, SID, TASK_ID, UID } from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";

export const SETTINGS = {
  recorder_token_lifetime: 86_400,
  death_after: 90,
  idle_limit: 300,
};

/** Marked, so that a test can look for them where they must not be. */
export const SECRETS = {
  customerSecret: "SECRET-of-the-customer",
  appCertificate: "5CFd2fd1755d40ecb72977518be15d3b",
  applicationKey: "SECRET-application-key-of-the-store",
} as const;

export const refused = (code: EngineErrorCode, more: { detail?: string; retryAfterMs?: number } = {}) => ({
  outcome: "refused" as const,
  error: engineError(code, more),
});
export const unclear = { outcome: "unclear" as const, error: engineError("engine_unreachable") };

/** What the engine answers, call by call; a list that is used up repeats its last answer. */
export interface EngineScript {
  acquire?: AcquireOutcome[];
  start?: StartOutcome[];
  query?: QueryOutcome[];
  stop?: StopOutcome[];
  /** Keys that are in the bucket, or what looking for them fails with. */
  files?: string[] | Error;
}

export interface ControlOptions {
  /** Asked before each report: what it fails with. */
  reportFails?: (event: string, count: number) => Error | undefined;
  beginAttempt?: "refuses" | "gives";
  /** Whether the start is this worker's to send. */
  isWon?: boolean;
  nowMs?: number;
}

/** Dependencies of the control lane in memory: `story` holds every call to the database and the engine in order. */
export function controlForTest(script: EngineScript = {}, options: ControlOptions = {}) {
  const story: [call: string, ...details: unknown[]][] = [];
  const logged: (LogFields & { step: string })[] = [];
  let nowMs = options.nowMs ?? BEGIN_MS;
  let reports = 0;

  function next<Answer>(call: string, request: unknown, answers: Answer[] | undefined): Promise<Answer> {
    story.push([call, request]);
    const answer = answers !== undefined && answers.length > 1 ? answers.shift() : answers?.[0];
    if (answer === undefined) throw new Error(`the script has no answer to ${call}`);
    return Promise.resolve(answer);
  }

  const deps: ControlDeps = {
    now: () => nowMs,
    sleep: (ms) => {
      story.push(["sleep", ms]);
      nowMs += ms;
      return Promise.resolve();
    },
    log: (step, fields = {}) => logged.push({ step, ...fields }),
    engineSettings: { appId: "970CA35de60c44645bbae8a215061b33", appCertificate: SECRETS.appCertificate },
    bucket: {
      endpoint: "https://s3.us-west-004.backblazeb2.com",
      bucket: "recordings-bucket",
      keyId: "0040000000000000000000001",
      applicationKey: SECRETS.applicationKey,
    },
    engine: {
      acquire: (request) =>
        next("acquire", request, script.acquire ?? [{ outcome: "acquired", resourceId: RESOURCE_ID }]),
      start: (request) => next("start", request, script.start ?? [{ outcome: "started", sid: SID }]),
      query: (request) => next("query", request, script.query),
      stop: (request) => next("stop", request, script.stop),
    },
    files: {
      async *list(prefix) {
        story.push(["list", prefix]);
        if (script.files instanceof Error) throw script.files;
        const keys = (script.files ?? []).filter((key) => key.startsWith(prefix));
        yield await Promise.resolve({
          objects: keys.map((key) => ({
            key,
            sizeBytes: 1,
            etag: "e",
            lastModified: new Date(BEGIN_MS),
          })),
          prefixes: [],
        });
      },
    },
    database: {
      beginAttempt: (recordingId, tokenExpiresAt) => {
        story.push(["beginAttempt", recordingId, tokenExpiresAt.toISOString()]);
        return Promise.resolve(
          options.beginAttempt === "refuses"
            ? null
            : {
                id: TASK_ID,
                attempt: 2,
                channel: CHANNEL,
                uid: UID,
                token_expires_at: tokenExpiresAt.getTime(),
              },
        );
      },
      report: (taskId, event, facts = {}) => {
        story.push(["report", event, facts, taskId]);
        reports += 1;
        const failure = options.reportFails?.(event, reports);
        if (failure !== undefined) return Promise.reject(failure);
        return Promise.resolve({
          status: "starting",
          attempt: 2,
          is_won: options.isWon ?? true,
          lanes_to_wake: [],
        });
      },
      markApplied: (noticeIds) => {
        story.push(["markApplied", noticeIds]);
        return Promise.resolve(noticeIds.length);
      },
    },
  };
  return {
    deps,
    story,
    logged,
    /** The calls in order, reports by their event. */
    steps: () => story.map(([call, first]) => (call === "report" ? String(first) : call)),
    /** Event and facts of every report. */
    reports: () => story.flatMap(([call, event, facts]) => (call === "report" ? [[event, facts]] : [])),
    marked: () => story.flatMap(([call, ids]) => (call === "markApplied" ? [ids] : [])),
  };
}
