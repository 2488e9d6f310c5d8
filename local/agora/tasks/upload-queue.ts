import type { Storage } from "../storage.ts";

/**
 * Uploads the files of one task one after the other, in the order given. The first refusal ends the queue: what comes later
 * is not tried, and `onRefused` is told once.
 */
export class UploadQueue {
  readonly #open: () => Storage;
  readonly #onRefused: (error: unknown) => void;
  readonly #aborted = new AbortController();
  #storage: Storage | null = null;
  #chain: Promise<void> = Promise.resolve();
  #isBroken = false;

  /** `open` is called before the first upload only: wrong settings show no earlier, as in the real service. */
  constructor(open: () => Storage, onRefused: (error: unknown) => void) {
    this.#open = open;
    this.#onRefused = onRefused;
  }

  /** Queues one file; `done` runs when the store has it. */
  add(name: string, source: { path: string } | { text: string }, done: () => void): void {
    this.#chain = this.#chain.then(async () => {
      if (this.#isBroken || this.#aborted.signal.aborted) return;
      try {
        this.#storage ??= this.#open();
        await this.#storage.put(name, source, this.#aborted.signal);
        done();
      } catch (error) {
        this.#isBroken = true;
        if (!this.#aborted.signal.aborted) this.#onRefused(error);
      }
    });
  }

  /** New keys from an update call: used from the next upload on. */
  reopen(): void {
    this.#storage = null;
  }

  /** Resolves when everything queued is uploaded or given up; true when nothing was refused. */
  async drained(): Promise<boolean> {
    await this.#chain;
    return !this.#isBroken;
  }

  /** Breaks off like a killed process. */
  async abandon(): Promise<void> {
    this.#aborted.abort();
    await this.#chain;
  }
}
