import type { RTCRtpSender } from "werift";

/** Seconds from 1900, where NTP counts from, to 1970. */
export const ntpEpochSeconds = 2_208_988_800;

/** A moment (UTC ms) as NTP writes it: seconds since 1900 in 32 bits, their fraction in 32 more. */
export function ntpOf(wallMs: number): bigint {
  const seconds = Math.floor(wallMs / 1000);
  const fraction = Math.floor(((wallMs - seconds * 1000) / 1000) * 2 ** 32);
  return (BigInt(seconds + ntpEpochSeconds) << 32n) | BigInt(fraction);
}

/**
 * Lets a sender's reports tell the time. werift 0.25.2 writes the decimal digits of a second's fraction as if they were the fraction, so
 * that its reports are up to a second wrong, each by another amount, and receivers put sound and picture apart by it. `wallMs` gives
 * the time of the packet that is being sent (UTC ms).
 */
export function withTrueTime(
  sender: RTCRtpSender,
  wallMs: () => number = () => performance.timeOrigin + performance.now(),
): void {
  let sentAt = 0n;
  Object.defineProperty(sender, "ntpTimestamp", {
    get: () => sentAt,
    // Set by the library with each packet, to a value of its own.
    set: () => {
      sentAt = ntpOf(wallMs());
    },
  });
}
