import { readFile } from "node:fs/promises";

/** What one process has used. */
export interface Usage {
  /** Of processor time, user and system. */
  cpuSeconds: number;
  /** The most memory it held since the watch began, bytes (resident set). */
  peakBytes: number;
  /** What it held when the watch began. */
  firstBytes: number;
}

/** Linux counts processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** Watches one process until `stop`, which gives what it used meanwhile. @throws Error when there is no such process. */
export async function watchProcess(pid: number): Promise<{ stop(): Promise<Usage> }> {
  const cpuBefore = await cpuSecondsOf(pid);
  const firstBytes = await residentBytesOf(pid);
  let peakBytes = firstBytes;
  const timer = setInterval(() => {
    // One that has just ended has nothing more to tell.
    residentBytesOf(pid).then(
      (bytes) => {
        peakBytes = Math.max(peakBytes, bytes);
      },
      () => undefined,
    );
  }, 20);
  return {
    async stop() {
      clearInterval(timer);
      return { cpuSeconds: (await cpuSecondsOf(pid)) - cpuBefore, peakBytes, firstBytes };
    },
  };
}

async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function residentBytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
