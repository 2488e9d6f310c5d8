/** Does something after `ms`; gives the way to call it off. */
export type After = (ms: number, act: () => void) => () => void;

/** The platform's own timers. */
export const after: After = (ms, act) => {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
};

/** A signal that aborts when time is up, or with the signal of whatever it is part of. `end` frees its timer. */
export interface TimeLimit {
  signal: AbortSignal;
  end(): void;
}

/** Limits one piece of work to `ms`; `outer` is the limit of the work it is part of. `says` is the reason it aborts with. */
export function timeLimit(
  ms: number,
  says: string,
  { outer, after: startTimer = after }: { outer?: AbortSignal | undefined; after?: After | undefined } = {},
): TimeLimit {
  const own = new AbortController();
  const end = startTimer(Math.max(0, ms), () => own.abort(new DOMException(says, "TimeoutError")));
  return { signal: outer === undefined ? own.signal : AbortSignal.any([outer, own.signal]), end };
}
