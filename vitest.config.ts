import { configDefaults, defineConfig } from "vitest/config";

/** They take minutes and kill by the moment: `npm run chaos`, before a change of a lane goes out. */
const onlyOnRequest = process.env.CHAOS
  ? []
  : ["tests/chaos/every-awaited-call-survives-a-kill.test.ts", "tests/chaos/a-killed-copy-goes-on.test.ts"];

export default defineConfig({
  test: {
    exclude: [...configDefaults.exclude, ...onlyOnRequest],
    include: ["local/**/*.test.ts", "tests/**/*.test.ts", "bench/**/*.test.ts", "web/**/*.test.{ts,tsx}"],
    // A limit, not a measure: a busy machine is several times slower, and what waits for a condition ends with it.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    // Two cores are the smallest machine we promise to work on; parts start real processes.
    maxWorkers: 2,
  },
});
