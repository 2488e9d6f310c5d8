import type { World } from "./world.ts";

/** The world of a deployed function, and the only place where globals are read. */
export const edgeWorld = (): World => ({
  environment: { get: (name) => Deno.env.get(name) },
  fetch,
  now: Date.now,
  sleep: (ms) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  random: Math.random,
  newId: () => crypto.randomUUID(),
  waitUntil: (work) => EdgeRuntime.waitUntil(work),
  write: (line) => console.log(line),
});
