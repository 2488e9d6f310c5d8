import { BeepFinder, windowSamples } from "./tone.ts";

declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
  constructor(options?: unknown);
}
declare function registerProcessor(name: string, type: typeof AudioWorkletProcessor): void;

/** Listens to what is played and tells the number of each pitch (in the order given) whose beep begins. */
registerProcessor(
  "listener",
  class extends AudioWorkletProcessor {
    readonly #finders: BeepFinder[];
    readonly #window = new Float32Array(windowSamples);
    #filled = 0;
    #windows = 0;

    constructor({ processorOptions }: { processorOptions: { pitches: number[] } }) {
      super();
      this.#finders = processorOptions.pitches.map((pitch) => new BeepFinder(pitch, sampleRate));
    }

    process([input]: Float32Array[][]): boolean {
      for (const sample of input?.[0] ?? []) {
        this.#window[this.#filled++] = sample;
        if (this.#filled < windowSamples) continue;
        this.#filled = 0;
        const ms = (this.#windows++ * windowSamples * 1000) / sampleRate;
        this.#finders.forEach((finder, index) => {
          if (finder.take(this.#window, ms) !== null) this.port.postMessage(index);
        });
      }
      return true;
    }
  },
);
