/** What the platform gives to every function beside Deno's own globals. */
declare namespace EdgeRuntime {
  /** Keeps the worker until the promise settles or a limit of the platform hits. */
  function waitUntil(work: Promise<unknown>): void;
}
