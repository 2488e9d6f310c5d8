/** How patient one call is inside one invocation; whatever outlasts it is for the job queue. */
export interface RetryPolicy {
  attempts: number;
  firstPauseMs: number;
  /** Each pause is twice the one before, plus up to this share of itself at random. */
  jitter: number;
  /** A pause the store asks for (Retry-After) that is longer than this ends the call instead. */
  longestPauseMs: number;
  /** For one attempt, until the answer's head and, where we read it, its body have come. */
  timeoutMs: number;
  /** The same for a put, which has to send a body first. */
  putTimeoutMs: number;
  /** No attempt begins later than this after the call did. */
  budgetMs: number;
}

/** B2's own SDK doubles from 1 s with half of it as jitter; it has longer to live than a function. */
export const B2_RETRY_POLICY: RetryPolicy = {
  attempts: 4,
  firstPauseMs: 1_000,
  jitter: 0.5,
  longestPauseMs: 10_000,
  timeoutMs: 20_000,
  putTimeoutMs: 60_000,
  budgetMs: 60_000,
};

/** The pause after attempt number `attempt` (from 1), ms. `random` is from 0 up to 1. */
export function pauseAfter(
  attempt: number,
  policy: RetryPolicy,
  retryAfterMs: number | undefined,
  random: number,
): number {
  if (retryAfterMs !== undefined) return retryAfterMs;
  const doubled = policy.firstPauseMs * 2 ** (attempt - 1);
  return Math.min(doubled * (1 + policy.jitter * random), policy.longestPauseMs);
}

/** The longest that one call can take, ms: what a lease on it has to outlive. */
export function longestCallMs(policy: RetryPolicy): number {
  return policy.budgetMs + Math.max(policy.timeoutMs, policy.putTimeoutMs);
}

/** A Retry-After header (seconds or an HTTP date) in ms from `nowMs` on; undefined when absent or malformed. */
export function retryAfterMsOf(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,6}$/.test(header)) return Number(header) * 1000;
  // Only HTTP's own date form: Date.parse alone would take nearly anything for a date.
  if (!/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(header)) return undefined;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
