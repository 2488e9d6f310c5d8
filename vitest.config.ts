import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["local/**/*.test.ts", "tests/**/*.test.ts", "bench/**/*.test.ts", "web/**/*.test.{ts,tsx}"],
    // A limit, not a measure: a busy machine is several times slower, and what waits for a condition ends with it.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    // Two cores are the smallest machine we promise to work on; parts start real processes.
    maxWorkers: 2,
  },
});
