/** A sender's own statement is not believed beyond this, ms: then its clock is not this machine's. */
const plausibleMs = 10_000;
/** A statement that grows old and that arrivals contradict by more than this is of a time line that was left, ms. */
const contradictedMs = 700;
/** Beyond this a stream has begun anew, ms. */
const restartMs = 10_000;
/** The earliest arrival of the last one or two of these counts, ms: after a pause some senders go on where their time stood. */
const windowMs = 1_500;

/** What is known of one unbroken run of a stream's time: how far the monotonic clock is from it, ms. */
interface Run {
  /** Earliest arrivals of this window and of the one before. */
  earliest: number;
  earliestBefore: number;
  windowBegan: number;
  report: { offset: number; at: number } | null;
}

/** A place in the time of a stream; when that was, its clock tells, and better once more is known. */
export interface RtpMoment {
  readonly mediaMs: number;
  readonly run: Run;
}

/**
 * Tells when something was captured, in ms of the monotonic clock, from its RTP time: from the earliest arrivals (a packet cannot come
 * before it was made) and from what the sender says about its clock, where that is plausible. All senders are on this machine, so
 * their clock is ours. Asked late, it answers with what came after the packet too: so it is asked when something is to be shown, never
 * when it arrives.
 */
export class RtpClock {
  readonly #perMs: number;
  #lastRtp: number | null = null;
  #unwrapped = 0;
  #run = newRun();

  /** `rate`: ticks per second. */
  constructor(rate: number) {
    this.#perMs = rate / 1000;
  }

  /** Takes in a packet that came `at`. */
  arrived(rtpTime: number, at: number): RtpMoment {
    const mediaMs = this.#unwrap(rtpTime) / this.#perMs;
    const offset = at - mediaMs;
    if (Math.abs(offset - arrivalOffset(this.#run)) > restartMs) this.#run = newRun();
    const run = this.#run;
    if (at - run.windowBegan > windowMs) {
      run.earliestBefore = run.earliest;
      run.earliest = Number.POSITIVE_INFINITY;
      run.windowBegan = at;
    }
    run.earliest = Math.min(run.earliest, offset);
    return { mediaMs, run };
  }

  /** Takes in a sender's statement, which came `at`, that `rtpTime` was captured at `capturedAt`. */
  reported(rtpTime: number, capturedAt: number, at: number): void {
    this.#run.report = { offset: capturedAt - this.#unwrap(rtpTime) / this.#perMs, at };
  }

  /** When that was, as far as is known now. */
  capturedAt({ mediaMs, run }: RtpMoment): number {
    return mediaMs + offsetOf(run);
  }

  /** RTP time without its wrap at 2^32. */
  #unwrap(rtpTime: number): number {
    if (this.#lastRtp === null) this.#unwrapped = rtpTime;
    else this.#unwrapped += (rtpTime - this.#lastRtp) | 0;
    this.#lastRtp = rtpTime;
    return this.#unwrapped;
  }
}

function newRun(): Run {
  const none = Number.POSITIVE_INFINITY;
  return { earliest: none, earliestBefore: none, windowBegan: Number.NEGATIVE_INFINITY, report: null };
}

function arrivalOffset({ earliest, earliestBefore }: Run): number {
  return Math.min(earliest, earliestBefore);
}

function offsetOf(run: Run): number {
  const arrived = arrivalOffset(run);
  const { report } = run;
  if (report === null) return arrived;
  const delay = arrived - report.offset;
  const isOld = report.at < run.windowBegan;
  if (delay > plausibleMs || (isOld && delay > contradictedMs)) return arrived;
  return Math.min(arrived, report.offset);
}
