import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** How many logs of earlier runs are kept beside the present one. */
const keptRuns = 3;

export interface PartLog {
  write(line: string): void;
  close(): Promise<void>;
}

/**
 * Opens `<logsDir>/<part>.log` for a new run; the logs of the last runs stay as `.log.1` (the newest) to `.log.3`.
 * Each line gets the time in UTC.
 */
export async function openPartLog(logsDir: string, part: string): Promise<PartLog> {
  await mkdir(logsDir, { recursive: true, mode: 0o700 });
  const file = join(logsDir, `${part}.log`);
  await rm(`${file}.${keptRuns}`, { force: true });
  for (let run = keptRuns - 1; run >= 0; run -= 1) {
    const from = run === 0 ? file : `${file}.${run}`;
    await rename(from, `${file}.${run + 1}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  const stream = createWriteStream(file, { flags: "a", mode: 0o600 });
  // A full disk must not end the stack: the lines are still shown, only their copy is lost.
  stream.on("error", () => undefined);
  return {
    write: (line) => void stream.write(`${new Date().toISOString()} ${line}\n`),
    close: () => new Promise((resolve) => stream.close(() => resolve())),
  };
}

/** Calls `onLine` for every line of a stream, also for a last one without a line break. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  const give = (line: string) => {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (text !== "") onLine(text);
  };
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) give(line);
  });
  stream.on("end", () => {
    give(rest);
    rest = "";
  });
}
