/** Window of the search for beeps, samples of 48 kHz (4 ms): whole periods of 1, 1.5, 2 … kHz. */
export const windowSamples = 192;
/** A tone that holds for so many windows (20 ms) is a beep; the click at which another beep breaks off is shorter. */
const leastWindows = 5;
/** What begins sooner after a beep's beginning is the same beep, torn by a lost packet, ms. */
const sameBeepMs = 300;
const loudest = 0.08;

/** Finds the beeps of one pitch (Hz) in sound that is given window by window. */
export class BeepFinder {
  readonly #frequency: number;
  #windows = 0;
  #since = 0;
  #last = Number.NEGATIVE_INFINITY;

  constructor(pitch: number, sampleRate: number) {
    this.#frequency = pitch / sampleRate;
  }

  /** Takes the window that begins at `ms`; gives when a beep began, once that is certain. */
  take(window: Float32Array, ms: number): number | null {
    const isOn = loudnessOf(window, this.#frequency) > loudest;
    if (isOn && this.#windows === 0) this.#since = ms;
    this.#windows = isOn ? this.#windows + 1 : 0;
    if (this.#windows !== leastWindows || this.#since - this.#last <= sameBeepMs) return null;
    this.#last = this.#since;
    return this.#since;
  }
}

/** Amplitude of one frequency (as a share of the sample rate) in a window. */
function loudnessOf(window: Float32Array, frequency: number): number {
  let [sine, cosine] = [0, 0];
  window.forEach((value, index) => {
    sine += value * Math.sin(2 * Math.PI * frequency * index);
    cosine += value * Math.cos(2 * Math.PI * frequency * index);
  });
  return (2 * Math.hypot(sine, cosine)) / window.length;
}
