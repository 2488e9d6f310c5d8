import { configDefaults, defineConfig } from "vitest/config";

/** It takes minutes: `npm run chaos`, before a change of the storage lane goes out. */
const onlyOnRequest = process.env.CHAOS ? [] : ["tests/chaos/every-fault-of-the-store-ends-well.test.ts"];

/** Calls and pages whose clocks are compared with the wall's: nothing else runs beside them, or what is late is the machine's. */
const calls = [
  "local/agora/tests/a-real-call-is-recorded-as-it-was.test.ts",
  "local/agora/tests/what-people-send-is-recorded.test.ts",
  "tests/browser/**/*.test.ts",
];

const include = ["local/**/*.test.ts", "tests/**/*.test.ts", "bench/**/*.test.ts", "web/**/*.test.{ts,tsx}"];
const exclude = [...configDefaults.exclude, ...onlyOnRequest];

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: "ordinary", include, exclude: [...exclude, ...calls] } },
      {
        extends: true,
        test: { name: "calls", include: calls, exclude, fileParallelism: false, testTimeout: 300_000 },
      },
    ],
    // A limit, not a measure: a busy machine is several times slower, and what waits for a condition ends with it.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    // Two cores are the smallest machine we promise to work on; parts start real processes.
    maxWorkers: 2,
  },
});
