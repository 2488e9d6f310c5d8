/** One line of the store's log of uploads. */
export interface UploadLine {
  event: "began" | "ended" | "broke off";
  key: string;
  part: number | undefined;
  bytes: number;
  atMs: number;
}

/** What the store wrote down about uploads into one bucket, as it writes it. */
export interface UploadLog {
  lines: UploadLine[];
  /** Takes a line of a part's output; what is no upload is left out. */
  take(part: string, line: string): void;
  /** Called for every new line. */
  onLine: (line: UploadLine) => void;
}

export function createUploadLog(bucket: string): UploadLog {
  const log: UploadLog = {
    lines: [],
    onLine: () => undefined,
    take(part, line) {
      const match = /upload (began|ended|broke off) (.*)$/.exec(line);
      if (part !== "b2" || match === null) return;
      const [, event = "", rest = ""] = match;
      const fields = Object.fromEntries(
        rest.split(" ").map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
      );
      if (fields.bucket !== bucket) return;
      const parsed: UploadLine = {
        event: event as UploadLine["event"],
        key: fields.key ?? "",
        part: fields.part === undefined ? undefined : Number(fields.part),
        bytes: Number(fields.bytes),
        atMs: Date.now(),
      };
      log.lines.push(parsed);
      log.onLine(parsed);
    },
  };
  return log;
}

/** Parts that were begun more than once, how often. */
export function resentParts(lines: readonly UploadLine[]): number {
  const begun = new Map<string, number>();
  for (const { event, key, part } of lines) {
    if (event !== "began" || part === undefined) continue;
    begun.set(`${key} ${part}`, (begun.get(`${key} ${part}`) ?? 0) + 1);
  }
  return [...begun.values()].reduce((sum, count) => sum + count - 1, 0);
}

/** Parts that were in the air when their sender died. */
export function brokenOff(lines: readonly UploadLine[]): number {
  return lines.filter(({ event, part }) => event === "broke off" && part !== undefined).length;
}
