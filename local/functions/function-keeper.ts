import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Log, reasonOf } from "../stack/part.ts";
import { DenoProcess, type DenoProcessOptions, type Ending, type UnloadReason } from "./deno-process.ts";
import { forward } from "./forward.ts";
import { type PlatformAnswer, platformAnswers, sendPlatformAnswer } from "./platform-answers.ts";
import { undeclaredImports } from "./undeclared-imports.ts";

export interface KeeperLimits {
  wallClockMs: number;
  /** Longest time until the first byte of an answer. */
  idleMs: number;
}

/** A process and what is under way in it. */
interface Instance {
  process: DenoProcess;
  requests: number;
  /** Running while it has work: hosted's wall clock, see `#noteActivity`. */
  clocks: NodeJS.Timeout[];
  listening: boolean;
  retired: boolean;
}

/** A process that dies sooner than this after its start makes the next pause twice as long. */
const shortLifeMs = 5_000;
const firstPauseMs = 100;
const longestPauseMs = 10_000;
/** A module that failed to load is tried again by a request, as hosted does at every one, but not more often than this. */
const loadAgainMs = 1_000;
/** Background work is announced on another channel than the answer; this is how far the two may drift apart. */
const settleMs = 50;

/**
 * Keeps one function running: one process takes requests, retired ones finish what they have begun. Starts it again
 * when it dies, replaces it when its files change, ends it at the limits.
 */
export class FunctionKeeper {
  readonly #name: string;
  readonly #makeOptions: () => DenoProcessOptions;
  readonly #limits: KeeperLimits;
  readonly #log: Log;
  readonly #instances = new Set<Instance>();
  /** The process that takes requests; undefined where the module failed to load. */
  #current: Promise<Instance | undefined>;
  #failedAt = 0;
  #deaths = 0;
  #pause = new AbortController();
  #replacing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(name: string, makeOptions: () => DenoProcessOptions, limits: KeeperLimits, log: Log) {
    this.#name = name;
    this.#makeOptions = makeOptions;
    this.#limits = limits;
    this.#log = log;
    this.#current = this.#start();
  }

  /** Resolves once the function listens (true) or has failed to load (false). */
  async ready(): Promise<boolean> {
    return (await this.#serving()) !== undefined;
  }

  /** Answers one request: by the function, or with the platform's answer where the function cannot. */
  async handle(incoming: IncomingMessage, outgoing: ServerResponse, path: string): Promise<void> {
    let instance = await this.#serving();
    if (!instance && !this.#stopped && performance.now() - this.#failedAt > loadAgainMs) {
      this.#current = this.#start();
      instance = await this.#serving();
    }
    if (!instance) return sendPlatformAnswer(outgoing, platformAnswers.bootError);
    instance.requests++;
    this.#noteActivity(instance);
    try {
      const port = await instance.process.listening;
      const outcome = await forward(incoming, outgoing, { port, path, idleMs: this.#limits.idleMs });
      if (outcome === "idle") sendPlatformAnswer(outgoing, platformAnswers.idleTimeout);
      if (outcome === "broken") sendPlatformAnswer(outgoing, await answerAfterBreak(instance.process));
    } finally {
      instance.requests--;
      setTimeout(() => this.#noteActivity(instance), settleMs);
    }
  }

  /** Starts a process from the files as they are now; it takes over once it listens or has failed to load. */
  replace(): Promise<void> {
    this.#replacing = this.#replacing.then(() => this.#replaceNow());
    return this.#replacing;
  }

  /** Ends all its processes; work that is under way has `graceMs` to finish. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    this.#pause.abort();
    const kill = setTimeout(() => {
      for (const { process } of this.#instances) process.kill("asked");
    }, graceMs);
    await Promise.all(
      [...this.#instances].map((instance) => {
        this.#retire(instance, "termination");
        return instance.process.ended;
      }),
    );
    clearTimeout(kill);
  }

  /** The process for a request; waits for one that is starting, also where that one is overtaken meanwhile. */
  async #serving(): Promise<Instance | undefined> {
    for (;;) {
      const awaited = this.#current;
      const instance = await awaited;
      if (awaited === this.#current) return instance;
    }
  }

  async #start(): Promise<Instance | undefined> {
    const options = this.#makeOptions();
    const instance: Instance = {
      process: new DenoProcess(options),
      requests: 0,
      clocks: [],
      listening: false,
      retired: false,
    };
    const startedAt = performance.now();
    this.#instances.add(instance);
    instance.process.onBackgroundChange = () => this.#noteActivity(instance);
    void instance.process.ended.then((ending) =>
      this.#afterEnd(instance, ending, performance.now() - startedAt),
    );
    try {
      const refused = await undeclaredImports(options.entryFile, options.denoConfig);
      if (refused.length > 0) throw new Error(refused.join("; "));
      await instance.process.listening;
      instance.listening = true;
      return instance;
    } catch (error) {
      instance.process.kill("asked");
      this.#failedAt = performance.now();
      if (!this.#stopped) this.#log(`${this.#name} failed to start: ${reasonOf(error)}`);
      return undefined;
    }
  }

  async #startAfter(pauseMs: number): Promise<Instance | undefined> {
    this.#pause = new AbortController();
    const { signal } = this.#pause;
    // Only the abort rejects, and it is asked about right below.
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    return signal.aborted ? undefined : this.#start();
  }

  async #replaceNow(): Promise<void> {
    if (this.#stopped) return;
    this.#pause.abort();
    this.#deaths = 0;
    const next = this.#start();
    const old = [...this.#instances].find((instance) => instance.listening && !instance.retired);
    if (!old) this.#current = next;
    const started = await next;
    this.#current = next;
    for (const instance of this.#instances) {
      if (instance !== started && !instance.retired) this.#retire(instance, "early_drop");
    }
  }

  #afterEnd(instance: Instance, ending: Ending, livedMs: number): void {
    this.#instances.delete(instance);
    stopClocks(instance);
    if (this.#stopped || instance.retired || !instance.listening) return;
    this.#deaths = livedMs < shortLifeMs ? this.#deaths + 1 : 1;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#deaths - 1));
    const what = ending === "limit" ? "was ended at a limit" : "died";
    this.#log(`${this.#name} ${what} and is started again`, { in_ms: pauseMs });
    this.#current = this.#startAfter(pauseMs);
  }

  /**
   * Hosted's clock runs from a worker's start, and idle workers are dropped. A process here lives on while it is idle,
   * so its clock runs while it has requests or background work: at half time it takes no new requests, at the full time
   * it is told `wall_clock` and killed.
   */
  #noteActivity(instance: Instance): void {
    const busy = instance.requests > 0 || instance.process.backgroundBusy;
    if (!busy) {
      stopClocks(instance);
      if (instance.retired) instance.process.end();
    } else if (instance.clocks.length === 0) {
      const { wallClockMs } = this.#limits;
      instance.clocks = [
        setTimeout(() => {
          if (!instance.retired) void this.replace();
        }, wallClockMs / 2),
        setTimeout(() => {
          this.#log(`${this.#name} reached its wall clock limit`, { seconds: wallClockMs / 1000 });
          instance.process.unload("wall_clock");
          setTimeout(() => instance.process.kill("limit"), settleMs);
        }, wallClockMs),
      ];
    }
  }

  #retire(instance: Instance, reason: UnloadReason): void {
    instance.retired = true;
    instance.process.unload(reason);
    setTimeout(() => this.#noteActivity(instance), settleMs);
  }
}

function stopClocks(instance: Instance): void {
  for (const clock of instance.clocks) clearTimeout(clock);
  instance.clocks = [];
}

async function answerAfterBreak(process: DenoProcess): Promise<PlatformAnswer> {
  // A process that lives on has only cut this one connection.
  const ending = await Promise.race([process.ended, sleep(2_000, "crash", { ref: false })]);
  return ending === "limit" ? platformAnswers.workerLimit : platformAnswers.workerError;
}
