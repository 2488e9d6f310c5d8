import type { Environment } from "../config.ts";
import type { After } from "../time-limit.ts";

/** The world as a function finds it. */
export interface World {
  environment: Environment;
  fetch: typeof fetch;
  now(): number;
  sleep(ms: number): Promise<void>;
  random(): number;
  newId(): string;
  waitUntil(work: Promise<unknown>): void;
  /** Takes one line of the log. */
  write(line: string): void;
  /** Timers, where they are not the platform's. */
  after?: After;
}
