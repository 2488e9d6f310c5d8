import { z } from "zod";
import type { Call } from "./transfer-calls.ts";

/** One row of recorder.health. */
const healthCheck = z.object({
  name: z.string(),
  is_ok: z.boolean().nullable(),
  value: z.number().nullable(),
  unit: z.string(),
  threshold: z.number().nullable(),
  explanation: z.string(),
});

const healthAnswer = z.object({
  is_ok: z.boolean(),
  checks: z.array(healthCheck),
  lanes_to_wake: z.array(
    z.object({ lane: z.string(), function_name: z.string().regex(/^[a-z][a-z0-9-]*$/) }),
  ),
});
export type Health = z.output<typeof healthAnswer>;

const metricsAnswer = z.object({
  samples: z.array(
    z.object({ metric: z.string(), labels: z.record(z.string(), z.string()), value: z.number() }),
  ),
  histograms: z.array(
    z.object({
      metric: z.string(),
      buckets: z.array(z.object({ le: z.number(), count: z.number() })),
      count: z.number(),
      sum: z.number(),
    }),
  ),
});
export type Metrics = z.output<typeof metricsAnswer>;

/** What a monitor's function asks of the database. */
export function healthCalls(call: Call) {
  return {
    /** All checks, and the lanes that nobody wakes. */
    readHealth: () => call("read_health", {}, healthAnswer),
    /** All numbers. */
    readMetrics: () => call("read_metrics", {}, metricsAnswer),
    /** Adds to the counts of what became of events; gives how many verdicts there were. */
    countWebhookVerdicts: (counts: Record<string, number>) =>
      call("count_webhook_verdicts", { p_counts: counts }, z.number().int()),
  };
}
