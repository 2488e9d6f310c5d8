/**
 * The beeps of a clock, made from the wall's time at the moment of their rendering: when a busy machine renders late, what is heard is
 * late too, and still true.
 */
interface BeepOptions {
  pitch: number;
  beepAtMs: number;
}

declare const sampleRate: number;
declare class AudioWorkletProcessor {
  constructor(options?: unknown);
}
declare function registerProcessor(name: string, type: typeof AudioWorkletProcessor): void;

const beepMs = 100;

registerProcessor(
  "beeps",
  class extends AudioWorkletProcessor {
    readonly #options: BeepOptions;
    #phase = 0;

    constructor({ processorOptions }: { processorOptions: BeepOptions }) {
      super();
      this.#options = processorOptions;
    }

    process(_: Float32Array[][], [output]: Float32Array[][]): boolean {
      const { pitch, beepAtMs } = this.#options;
      const sinceBeep = (Date.now() - beepAtMs + 1000) % 1000;
      const [samples] = output ?? [];
      samples?.forEach((_silence, index) => {
        this.#phase += (2 * Math.PI * pitch) / sampleRate;
        samples[index] = sinceBeep < beepMs ? 0.4 * Math.sin(this.#phase) : 0;
      });
      return true;
    }
  },
);
