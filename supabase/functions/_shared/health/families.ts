import type { Metrics } from "../jobs/health-calls.ts";
import type { Family } from "./openmetrics.ts";

type Meaning = { name: string; type: "gauge" | "counter" | "histogram"; help: string; unit?: string };

/** What the numbers of recorder_api.read_metrics are called outside; listed in docs/operations.md. */
export const METRICS: Record<string, Meaning> = {
  queue_age_seconds: {
    name: "recorder_queue_age_seconds",
    type: "gauge",
    unit: "seconds",
    help: "How long the oldest due job of a lane has been due; 0 where nothing is.",
  },
  jobs: { name: "recorder_jobs", type: "gauge", help: "Jobs that wait, run or were given up." },
  job_runs: {
    name: "recorder_job_runs",
    type: "counter",
    help: "Runs of jobs by what came of them: done, retry, snooze (waiting, not counted as a try), give_up.",
  },
  recordings: {
    name: "recorder_recordings",
    type: "gauge",
    help: "Recordings by status; by outcome where they are over.",
  },
  recording_outcomes: {
    name: "recorder_recording_outcomes",
    type: "counter",
    help: "Recordings that came out. One that failed and is tried again comes out once more.",
  },
  success_ratio: {
    name: "recorder_success_ratio",
    type: "gauge",
    unit: "ratio",
    help: "Of the recordings of the last day that somebody wanted, the part that is there.",
  },
  stop_to_recorded_seconds: {
    name: "recorder_stop_to_recorded_seconds",
    type: "histogram",
    unit: "seconds",
    help: "From the wish to stop (else the end of the recorder) until the recording is there.",
  },
  webhook_verdicts: {
    name: "recorder_webhook_verdicts",
    type: "counter",
    help: "Events that came to agora-events, by what became of them.",
  },
  transfer_bytes: {
    name: "recorder_transfer_bytes",
    type: "counter",
    unit: "bytes",
    help: "Bytes copied from the staging store that arrived; what is copied again counts again.",
  },
  engine_slots: {
    name: "recorder_engine_slots",
    type: "counter",
    help: "Slots of the engine's request rate that jobs took.",
  },
  engine_recorders: {
    name: "recorder_engine_recorders",
    type: "gauge",
    help: "Recorders that are starting or running at the engine.",
  },
  engine_recorder_limit: {
    name: "recorder_engine_recorder_limit",
    type: "gauge",
    help: "How many recorders an account at the engine may have at once.",
  },
  alerts_firing: { name: "recorder_alerts_firing", type: "gauge", help: "1 for each alert that is firing." },
};

/** The families of what the database told, in the order of the list. Throws Error for a number that has no meaning here. */
export function familiesOf({ samples, histograms }: Metrics): Family[] {
  const unknown = [...samples, ...histograms].find(({ metric }) => !Object.hasOwn(METRICS, metric));
  if (unknown !== undefined) throw new Error(`nobody knows the metric ${unknown.metric}`);
  return Object.entries(METRICS).flatMap(([metric, { type, ...meaning }]): Family[] => {
    if (type === "histogram") {
      return histograms
        .filter((told) => told.metric === metric)
        .map((histogram) => ({ ...meaning, type, histogram }));
    }
    const told = samples.filter((sample) => sample.metric === metric);
    return told.length === 0 ? [] : [{ ...meaning, type, samples: told }];
  });
}
