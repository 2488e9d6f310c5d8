/** Counts a channel's own presence calls: so many in each window, which begins with the first call after the last one's end. */
export class PresenceCalls {
  readonly #most: number;
  readonly #windowMs: number;
  #count = 0;
  #endsAt = Number.NEGATIVE_INFINITY;

  constructor(most: number, windowMs: number) {
    this.#most = most;
    this.#windowMs = windowMs;
  }

  /** Whether one more call is allowed now; it is counted when it is. `nowMs` is monotonic. */
  take(nowMs: number): boolean {
    if (nowMs > this.#endsAt) {
      this.#count = 0;
      this.#endsAt = nowMs + this.#windowMs;
    }
    if (this.#count >= this.#most) return false;
    this.#count += 1;
    return true;
  }
}

/**
 * Counts the presence messages of the whole project within the last second. The service goes by an average over up to a minute,
 * so that it lets a short burst pass which is refused here: whoever keeps to this, keeps to that.
 */
export class PresenceRate {
  readonly #mostPerSecond: number;
  #times: number[] = [];

  constructor(mostPerSecond: number) {
    this.#mostPerSecond = mostPerSecond;
  }

  take(nowMs: number): boolean {
    this.#times = this.#times.filter((time) => nowMs - time < 1_000);
    if (this.#times.length >= this.#mostPerSecond) return false;
    this.#times.push(nowMs);
    return true;
  }
}
