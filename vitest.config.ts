import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["local/**/*.test.ts", "tests/**/*.test.ts", "bench/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores are the smallest machine we promise to work on; parts start real processes.
    maxWorkers: 2,
  },
});
