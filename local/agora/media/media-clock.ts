/** Media time: monotonic, stands still in pauses, and can be told as wall time. */
export class MediaClock {
  #wallOffset = 0;
  #resumedAt = 0;
  #before = 0;
  #runs = false;

  get isPaused(): boolean {
    return !this.#runs;
  }

  start(paused: boolean): number {
    const now = Date.now();
    this.#wallOffset = now;
    this.#resumedAt = performance.now();
    this.#runs = !paused;
    return now;
  }

  /** Media seconds so far. */
  seconds(): number {
    return this.#before + (this.#runs ? (performance.now() - this.#resumedAt) / 1000 : 0);
  }

  /** UTC in ms of a media time since the last resume. */
  wallAt(seconds: number): number {
    return Math.round(this.#wallOffset + (seconds - this.#before) * 1000);
  }

  pause(): void {
    this.#before = this.seconds();
    this.#runs = false;
    this.#wallOffset = Date.now();
  }

  resume(): void {
    if (this.#runs) return;
    this.#wallOffset = Date.now();
    this.#resumedAt = performance.now();
    this.#runs = true;
  }

  /** Freezes media time; gives the wall time that belongs to it, UTC ms. */
  stop(): number {
    if (!this.#runs) return Date.now();
    const seconds = this.seconds();
    const endedAt = this.wallAt(seconds);
    this.#before = seconds;
    this.#runs = false;
    this.#wallOffset = endedAt;
    return endedAt;
  }
}
