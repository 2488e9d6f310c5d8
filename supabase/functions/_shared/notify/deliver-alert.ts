import { z } from "zod";
import { type AnyJob, done, type Outcome } from "../jobs/job.ts";
import { afterFailure, postMessage } from "./post-message.ts";

/** What the delivery of an alert reaches the world through. */
export interface AlertDeps {
  /** Where alerts go; undefined where nobody wants them. Throws RecorderFailure `setting_invalid`. */
  webhook(): string | undefined;
  fetch: typeof fetch;
  random(): number;
}

const alert = z.object({
  rule: z.string(),
  severity: z.enum(["critical", "warning"]),
  state: z.enum(["firing", "resolved"]),
  message: z.string(),
  explanation: z.string(),
  runbook: z.string(),
  fired_at: z.string(),
  resolved_at: z.string().nullable(),
});
export type Alert = z.output<typeof alert>;

/** Slack refuses a longer text in a section; what is cut off stands in recorder.alerts. */
const LONGEST_SECTION = 3_000;
/** And a longer headline. */
const LONGEST_HEADER = 150;

/**
 * Tells a chat of one alert, in the form of Slack's incoming webhooks: `text` alone says everything, for whoever does not
 * know `blocks` (Mattermost, Rocket.Chat). The address is the secret, so nothing is signed. Tried again like an event;
 * where no address is configured there is nothing to do.
 */
export async function deliverAlert(job: AnyJob, deps: AlertDeps): Promise<Outcome> {
  try {
    const url = deps.webhook();
    if (url === undefined) return done;
    const body = new TextEncoder().encode(JSON.stringify(slackMessage(alert.parse(job.payload))));
    await postMessage(url, { headers: { "content-type": "application/json" }, body }, deps);
    return done;
  } catch (thrown) {
    return afterFailure(thrown, job, deps.random());
  }
}

/** An alert as `{text, blocks}`. What was told as over without ever having been told as firing says both times. */
export function slackMessage({ rule, severity, state, message, explanation, runbook, ...alert }: Alert) {
  const sign = state === "resolved" ? "Recovered" : severity === "critical" ? "Critical" : "Warning";
  const since = `since ${minuteOf(alert.fired_at)}`;
  const times = alert.resolved_at === null ? since : `${since}, over at ${minuteOf(alert.resolved_at)}`;
  const headline = `${sign}: ${message}`;
  const page = `docs/operations.md${runbook}`;
  return {
    text: escaped(`${headline}\n${explanation}\n${rule}, ${times}. What to do: ${page}`),
    blocks: [
      { type: "header", text: { type: "plain_text", text: cut(headline, LONGEST_HEADER), emoji: false } },
      { type: "section", text: { type: "mrkdwn", text: cut(escaped(explanation), LONGEST_SECTION) } },
      {
        type: "context",
        elements: [{ type: "mrkdwn", text: escaped(`${rule}, ${times}. What to do: ${page}`) }],
      },
    ],
  };
}

/** Slack's three characters: without this an explanation could mention everybody in a channel. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** 2026-11-22 18:00 UTC. */
function minuteOf(at: string): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
