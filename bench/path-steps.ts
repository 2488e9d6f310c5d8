import { follow, lastBefore, type Observation } from "./observations.ts";
import type { RecordingTimes } from "./recording-path.ts";

/** Names of the steps with their milliseconds; they add up to the whole. */
export type Steps = Record<string, number>;

export interface PathOfRecording {
  /** From the client's update to the moment the engine's server had read the head of the acquire request. */
  toAcquireMs: number;
  /** Undefined where it went another way: the sweep, which runs every 10 s, was faster than the wake-up. */
  acquireSteps: Steps | undefined;
  /** From the client's second update to the same moment of the stop request. */
  toStopMs: number;
  stopSteps: Steps | undefined;
}

const update = { part: "gateway", kind: "received", path: "/rest/v1/video_calls" } as const;
const work = { part: "gateway", kind: "received", path: "/rest/v1/rpc/work" } as const;
const beginAttempt = { part: "gateway", kind: "received", path: "/rest/v1/rpc/begin_attempt" } as const;
const acquire = { part: "agora", kind: "received", path: "/acquire" } as const;
const stop = { part: "agora", kind: "received", path: "/stop" } as const;

/**
 * Finds one recording in what the parts saw. Recordings do not overlap, so the first fitting request after the wish is
 * the right one.
 *
 * @throws Error when the engine was never asked.
 */
export function pathOf(times: RecordingTimes, observations: readonly Observation[]): PathOfRecording {
  const { wishedAt, stopWishedAt, doneAt } = times;
  const [acquiredAt] = follow(observations, wishedAt, stopWishedAt, [acquire]) ?? [];
  const [stoppedAt] = follow(observations, stopWishedAt, doneAt, [stop]) ?? [];
  if (acquiredAt === undefined) throw new Error("the engine never received acquire");
  if (stoppedAt === undefined) throw new Error("the engine never received stop");
  return {
    toAcquireMs: acquiredAt - wishedAt,
    acquireSteps: acquireStepsOf(times, observations, acquiredAt),
    toStopMs: stoppedAt - stopWishedAt,
    stopSteps: stopStepsOf(times, observations, stoppedAt),
  };
}

function acquireStepsOf(
  { wishedAt, transactionBeganAt }: RecordingTimes,
  observations: readonly Observation[],
  acquiredAt: number,
): Steps | undefined {
  const seen = follow(observations, wishedAt, acquiredAt, [
    update,
    { part: "net", kind: "sent", path: "/run-control" },
    { part: "functions", kind: "received", path: "/run-control" },
    work,
    beginAttempt,
  ]);
  if (seen === undefined) return undefined;
  const [updated = 0, sent = 0, woken = 0, claiming = 0, preparing = 0] = seen;
  return {
    "client sends, gateway receives the update": updated - wishedAt,
    "gateway until the transaction begins": transactionBeganAt - updated,
    "transaction begins, pg_net sends the wake-up": sent - transactionBeganAt,
    "wake-up reaches the functions": woken - sent,
    "function verifies it and asks for work": claiming - woken,
    "the database gives the job, function reads it": preparing - claiming,
    "the database notes the attempt, function sends acquire": acquiredAt - preparing,
  };
}

function stopStepsOf(
  { stopWishedAt }: RecordingTimes,
  observations: readonly Observation[],
  stoppedAt: number,
): Steps | undefined {
  const [updated] = follow(observations, stopWishedAt, stoppedAt, [update]) ?? [];
  // Looks before it may have found nothing; the last one before the stop found it.
  const looked = lastBefore(observations, stopWishedAt, stoppedAt, work);
  if (updated === undefined || looked === undefined || looked < updated) return undefined;
  return {
    "client sends, gateway receives the update": updated - stopWishedAt,
    "update received, function looks for work": looked - updated,
    "the database gives the job, function sends stop": stoppedAt - looked,
  };
}
