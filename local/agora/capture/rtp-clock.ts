/** How far a sender's own statement may be from what the arrival of its packets tells, ms: a busy one sends seconds late. */
const plausibleMs = 5_000;
/** Beyond this a stream has begun anew. */
const restartMs = 10_000;
/** The earliest arrival of the last one or two of these counts, ms: after a pause some senders go on where their time stood. */
const windowMs = 1_500;

/**
 * Tells when something was captured, in ms of the monotonic clock, from its RTP time: first from the earliest arrivals (a packet
 * cannot come before it was made), then from what the sender says about its clock, where that is plausible. All senders are on
 * this machine, so their clock is ours.
 */
export class RtpClock {
  readonly #perMs: number;
  #lastRtp: number | null = null;
  #unwrapped = 0;
  /** Earliest arrivals (ms beside RTP time) of this window and of the one before. */
  #earliest = Number.POSITIVE_INFINITY;
  #earliestBefore = Number.POSITIVE_INFINITY;
  #windowBegan = 0;
  #reportOffset: number | null = null;

  /** `rate`: ticks per second. */
  constructor(rate: number) {
    this.#perMs = rate / 1000;
  }

  /** Takes in a packet; gives the moment of its capture. */
  arrived(rtpTime: number, at: number): number {
    const mediaMs = this.#unwrap(rtpTime) / this.#perMs;
    const offset = at - mediaMs;
    if (Math.abs(offset - this.#arrivalOffset()) > restartMs) {
      this.#earliest = Number.POSITIVE_INFINITY;
      this.#earliestBefore = Number.POSITIVE_INFINITY;
    }
    if (at - this.#windowBegan > windowMs) {
      this.#earliestBefore = this.#earliest;
      this.#earliest = Number.POSITIVE_INFINITY;
      this.#windowBegan = at;
    }
    this.#earliest = Math.min(this.#earliest, offset);
    return mediaMs + this.#offset();
  }

  /** Takes in a sender's statement that `rtpTime` was captured at `capturedAt`. */
  reported(rtpTime: number, capturedAt: number): void {
    this.#reportOffset = capturedAt - this.#unwrap(rtpTime) / this.#perMs;
  }

  #arrivalOffset(): number {
    return Math.min(this.#earliest, this.#earliestBefore);
  }

  #offset(): number {
    const arrived = this.#arrivalOffset();
    const reported = this.#reportOffset;
    if (reported === null) return arrived;
    const delay = arrived - reported;
    return delay > -20 && delay < plausibleMs ? reported : arrived;
  }

  /** RTP time without its wrap at 2^32. */
  #unwrap(rtpTime: number): number {
    if (this.#lastRtp === null) this.#unwrapped = rtpTime;
    else this.#unwrapped += (rtpTime - this.#lastRtp) | 0;
    this.#lastRtp = rtpTime;
    return this.#unwrapped;
  }
}
