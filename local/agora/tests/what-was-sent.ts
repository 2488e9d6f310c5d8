import { type Agreement, agreementOf, agreementOfBeeps } from "../../browser/clock-agreement.ts";
import type { ReadClock } from "../../browser/recorded-clock.ts";
import type { NodeCaller } from "./node-caller.ts";

/** What a starved machine sends later than this cannot be in the recording where it belongs, ms. */
const inTimeMs = 700;
/** A picture in the recording is one that was sent if their times are no farther apart than half a step of the clock, ms. */
const samePictureMs = 30;
/** A picture stands for so long while none follows, ms. */
const standsMs = 2_500;
/** A beep is judged where all of its sound around its beginning was sent in time, ms. */
const aroundBeepMs = 40;

/** What a recording shows or sounds beside what was really sent; both counts are of what was sent in time. */
export interface Judged {
  agreement: Agreement;
  expected: number;
}

/**
 * Compares a person's recorded clock between two moments (UTC ms) with what they really sent: what a starved machine did not send, or sent
 * too late, no recorder can have. `readable` is the share of recorded pictures in which the clock could be read, where one was to be seen.
 */
export function judgePictures(
  { sent }: NodeCaller,
  clock: ReadClock[],
  startedAt: number,
  [from, to]: [number, number],
): Judged & { readable: number } {
  const made = sent
    .filter(({ kind, madeAt, sentAt }) => kind === "camera" && sentAt - madeAt < inTimeMs)
    .map(({ madeAt }) => madeAt);
  const wasSent = ({ wallMs }: ReadClock) =>
    wallMs === null || made.some((madeAt) => Math.abs(madeAt - wallMs) <= samePictureMs);
  const visible = clock.filter(({ atMs }) => {
    const moment = startedAt + atMs;
    return made.some((madeAt) => madeAt <= moment && madeAt > moment - standsMs);
  });
  return {
    agreement: agreementOf(clock.filter(wasSent), startedAt),
    expected: made.filter((madeAt) => madeAt > from && madeAt < to).length,
    readable: visible.filter(({ wallMs }) => wallMs !== null).length / Math.max(1, visible.length),
  };
}

/** The same for beeps; `onsets` in ms of the recording. */
export function judgeBeeps(
  { sent, clock }: NodeCaller,
  onsets: number[],
  startedAt: number,
  [from, to]: [number, number],
): Judged {
  const sound = sent.filter(({ kind }) => kind === "microphone");
  const wasSent = (beepAt: number) => {
    const around = sound.filter(({ madeAt }) => Math.abs(madeAt - beepAt) <= aroundBeepMs);
    return around.length >= 3 && around.every(({ madeAt, sentAt }) => sentAt - madeAt < inTimeMs);
  };
  const { beepAtMs } = clock;
  const beepOf = (moment: number) => Math.round((moment - beepAtMs) / 1000) * 1000 + beepAtMs;
  let expected = 0;
  for (let beepAt = beepOf(from) + 1000; beepAt < to - 1000; beepAt += 1000) {
    if (wasSent(beepAt)) expected += 1;
  }
  const heard = onsets.filter((ms) => startedAt + ms > from && startedAt + ms < to);
  const judged = heard.filter((ms) => wasSent(beepOf(startedAt + ms)));
  return { agreement: agreementOfBeeps(judged, startedAt, beepAtMs), expected };
}
