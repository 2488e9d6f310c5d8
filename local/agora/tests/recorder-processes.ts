import { readdirSync, readFileSync } from "node:fs";

/** The processes that record calls for an engine, by the engine's pid. */
export function recordersOf(enginePid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        const parent = Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[1]);
        return words.some((word) => word.endsWith("/capture/main.ts")) && parent === enginePid;
      } catch {
        // It ended while it was looked at.
        return false;
      }
    });
}
