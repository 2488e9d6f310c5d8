/** Lets requests through no faster than a rate, counted where they leave. */
export interface RequestWindow {
  /**
   * Resolves when one more request may leave, in the order of asking. With 9.5 a second: at most 10 in any 1.05 s.
   * Never rejects; whoever has no time left is let through, and its request ends with its own limit.
   */
  pass(perSecond: number, limit: AbortSignal): Promise<void>;
}

/**
 * Slots are planned in the database, for all workers; this keeps the plan when a worker is late. Requests whose slots went
 * by while a process was busy would leave together, and Agora answers what is more than its rate in one second with 429.
 */
export function createRequestWindow(deps: {
  now(): number;
  sleep(ms: number): Promise<void>;
}): RequestWindow {
  let left: number[] = [];
  let turn: Promise<void> = Promise.resolve();

  async function wait(perSecond: number, limit: AbortSignal): Promise<void> {
    const most = Math.max(1, Math.ceil(perSecond));
    const windowMs = (most / Math.max(perSecond, 0.001)) * 1000;
    while (!limit.aborted) {
      const now = deps.now();
      left = left.filter((at) => at <= now && now - at < windowMs);
      const [oldest] = left;
      if (oldest === undefined || left.length < most) break;
      await deps.sleep(oldest + windowMs - now);
    }
    left.push(deps.now());
  }

  return {
    pass(perSecond, limit) {
      turn = turn.then(() => wait(perSecond, limit));
      return turn;
    },
  };
}
