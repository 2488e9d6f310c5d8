/** The longest time that a timer of Node's can have, ms. */
const longestTimer = 2 ** 31 - 1;

/** What a recorder does by the clock while it is in its channel: all of it ends together. */
export class Deadlines {
  #timers: NodeJS.Timeout[] = [];
  #idle: NodeJS.Timeout | undefined;

  /** Acts once, in so many ms. */
  in(ms: number, act: () => void): void {
    this.#timers.push(setTimeout(act, Math.min(ms, longestTimer)));
  }

  every(ms: number, act: () => void): void {
    this.#timers.push(setInterval(act, ms));
  }

  /** Acts when it has been idle for so many ms; each call begins anew. */
  whenIdleFor(ms: number, act: () => void): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(act, Math.min(ms, longestTimer));
  }

  notIdle(): void {
    clearTimeout(this.#idle);
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    clearTimeout(this.#idle);
  }
}
