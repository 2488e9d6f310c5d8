import { errorOf, RecorderFailure } from "../errors.ts";
import type { AnyJob, Outcome } from "../jobs/job.ts";
import { NOTIFY_ERRORS, type NotifyErrorCode } from "./errors.ts";

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
 * Posts one message. Any 2xx is taken for "received"; redirects are not followed. Throws RecorderFailure
 * `receiver_unreachable`, `receiver_refused`, `receiver_redirects`, `receiver_gone` (410); none of them names the address.
 */
export async function postMessage(
  url: string,
  message: { headers: Record<string, string>; body: Uint8Array<ArrayBuffer> },
  deps: { fetch: typeof fetch },
): Promise<void> {
  let response: Response;
  try {
    response = await deps.fetch(url, {
      method: "POST",
      ...message,
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
    retryAfterMs,
  });
}

/**
 * What follows a delivery that failed: 410 ends it (the receiver's own word for "never again"), everything else is tried
 * again after growing pauses, ten times over 75 hours. Throws on what is no failure of a receiver or a setting.
 */
export function afterFailure(thrown: unknown, job: AnyJob, random: number): Outcome {
  if (!(thrown instanceof RecorderFailure)) throw thrown;
  const { error } = thrown;
  if (error.code === "receiver_gone" || job.attempts >= job.max_attempts)
    return { outcome: "give_up", error };
  return { outcome: "retry", error, afterMs: pauseMs(job.attempts, error.retryAfterMs, random) };
}

function failure(
  code: NotifyErrorCode,
  more: { detail: string; retryAfterMs?: number | undefined },
  cause?: unknown,
): RecorderFailure {
  return new RecorderFailure(errorOf(NOTIFY_ERRORS, code, more), { cause });
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
