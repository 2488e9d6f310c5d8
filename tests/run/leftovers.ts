import { readFileSync } from "node:fs";
import { processTable, readProcess, signal } from "../../local/stack/process-groups.ts";

/** The variable that every process of one test run inherits. */
export const runMark = "CALL_RECORDING_TEST_RUN";

/**
 * The processes that a test run has left behind: those with its mark in their environment, or with its folder for
 * temporary files in their command line (Postgres gets an environment of its own). Parts that have lost their parent
 * end by themselves within moments, so it is looked for at most `patienceMs`.
 *
 * @returns a line per process, killed by now; empty when all is well or the system has no /proc.
 */
export async function endLeftovers(mark: string, runDir: string, patienceMs: number): Promise<string[]> {
  const until = Date.now() + patienceMs;
  let left = find(mark, runDir);
  while (left.length > 0 && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    left = find(mark, runDir);
  }
  for (const { pid } of left) signal(pid, "SIGKILL");
  return left.map(({ pid, command }) => `process ${pid}: ${command}`);
}

function find(mark: string, runDir: string): { pid: number; command: string }[] {
  return (processTable() ?? []).flatMap(({ pid, isZombie }) => {
    if (isZombie || pid === process.pid || readProcess(pid) === undefined) return [];
    const command = read(pid, "cmdline").replaceAll("\0", " ").trim();
    const isOurs =
      read(pid, "environ").split("\0").includes(`${runMark}=${mark}`) || command.includes(runDir);
    return isOurs ? [{ pid, command }] : [];
  });
}

function read(pid: number, file: "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // Gone by now, or somebody else's: then it is none of ours.
    return "";
  }
}
