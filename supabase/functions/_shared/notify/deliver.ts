import { z } from "zod";
import { type RecorderError, RecorderFailure } from "../errors.ts";
import { type AnyJob, done, type Outcome } from "../jobs/job.ts";
import { signStandardWebhook } from "../webhooks/standard-webhooks.ts";
import { NOTIFY_ERRORS, type NotifyErrorCode } from "./errors.ts";

/** What a delivery reaches the world through. */
export interface NotifyDeps {
  /** Where events go; undefined where nobody wants them. Throws RecorderFailure `setting_invalid`. */
  receiver(): { url: string; secret: string } | undefined;
  fetch: typeof fetch;
  now(): number;
  random(): number;
}

const event = z.object({
  /** The same for every try: the receiver drops what it has seen. */
  id: z.string(),
  type: z.string(),
  occurred_at: z.string(),
  data: z.record(z.string(), z.unknown()),
});

/** The receiver's whole time for an answer, ms. */
const TIMEOUT_MS = 10_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** The pauses after each failed try: 75 hours in all, as the Standard Webhooks specification advises. */
const PAUSES_MS = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];
/** Nothing waits longer, whatever a receiver asks for. */
const LONGEST_PAUSE_MS = 24 * HOUR;

/**
 * Sends one event to the operator's address, signed by Standard Webhooks. Any 2xx is taken for "received"; 410 ends it
 * (the receiver's own word for "never again"), everything else is tried again after growing pauses, ten times over 75
 * hours. Where no receiver is configured there is nothing to do.
 */
export async function deliverEvent(job: AnyJob, deps: NotifyDeps): Promise<Outcome> {
  try {
    const receiver = deps.receiver();
    if (receiver === undefined) return done;
    await send(event.parse(job.payload), receiver, deps);
    return done;
  } catch (thrown) {
    if (!(thrown instanceof RecorderFailure)) throw thrown;
    const { error } = thrown;
    if (error.code === "receiver_gone" || job.attempts >= job.max_attempts) {
      return { outcome: "give_up", error };
    }
    return { outcome: "retry", error, afterMs: pauseMs(job.attempts, error.retryAfterMs, deps.random()) };
  }
}

async function send(
  { id, type, occurred_at, data }: z.output<typeof event>,
  { url, secret }: { url: string; secret: string },
  deps: NotifyDeps,
): Promise<void> {
  const body = new TextEncoder().encode(JSON.stringify({ type, timestamp: occurred_at, data }));
  const headers = signStandardWebhook({
    id,
    timestampSeconds: Math.floor(deps.now() / 1000),
    body,
    secret,
  });
  let response: Response;
  try {
    response = await deps.fetch(url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw failure("receiver_unreachable", { detail: reasonOf(cause) }, cause);
  }
  // What it says is not needed, and could be long.
  await response.body?.cancel();
  const { status } = response;
  if (status >= 200 && status < 300) return;
  if (status === 410) throw failure("receiver_gone", { detail: "HTTP 410" });
  if (status >= 300 && status < 400) throw failure("receiver_redirects", { detail: `HTTP ${status}` });
  const retryAfterMs = secondsOf(response.headers.get("retry-after"));
  throw failure("receiver_refused", {
    detail: `HTTP ${status}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function failure(code: NotifyErrorCode, more: Partial<RecorderError>, cause?: unknown): RecorderFailure {
  return new RecorderFailure({ code, ...NOTIFY_ERRORS[code], ...more }, { cause });
}

/** Without the address, which may hold a token of the receiver's. */
function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return text.replaceAll(/https?:\/\/[^\s)]+/g, "the address");
}

function secondsOf(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * SECOND : undefined;
}

/** The pause after try number `attempt` (from 1), up to a tenth longer at random; longer where the receiver asks for it. */
function pauseMs(attempt: number, retryAfterMs: number | undefined, random: number): number {
  const planned = PAUSES_MS[Math.min(attempt, PAUSES_MS.length) - 1] ?? LONGEST_PAUSE_MS;
  return Math.min(LONGEST_PAUSE_MS, Math.max(planned * (1 + random / 10), retryAfterMs ?? 0));
}
