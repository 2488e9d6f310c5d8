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

/** A part that was begun once more, and when: what happened between the two is what it was sent again for. */
export interface Resend {
  key: string;
  part: number;
  /** When it was begun before, and when again, ms. */
  beforeMs: number;
  againMs: number;
}

/** Parts that were begun more than once, every time. */
export function resentParts(lines: readonly UploadLine[]): Resend[] {
  const begun = new Map<string, number>();
  const resent: Resend[] = [];
  for (const { event, key, part, atMs } of lines) {
    if (event !== "began" || part === undefined) continue;
    const place = `${key} ${part}`;
    const beforeMs = begun.get(place);
    if (beforeMs !== undefined) resent.push({ key, part, beforeMs, againMs: atMs });
    begun.set(place, atMs);
  }
  return resent;
}

/** What the store writes reaches us this much later than it happened, at most, ms. */
const LOG_DELAY_MS = 500;

/**
 * What no kill explains: one kill accounts for one part that was begun before it and again after it. What is left over
 * was sent twice by somebody who lives, or lost more than once.
 */
export function unexplained(resent: readonly Resend[], killsMs: readonly number[]): Resend[] {
  const free = new Set(killsMs);
  return [...resent]
    .sort((one, other) => one.againMs - other.againMs)
    .filter(({ beforeMs, againMs }) => {
      const kill = [...free].find((atMs) => atMs > beforeMs - LOG_DELAY_MS && atMs < againMs);
      if (kill !== undefined) free.delete(kill);
      return kill === undefined;
    });
}

/** Kills that met a part in the air: the store saw it break off between this kill and the next one. */
export function killsInTheAir(lines: readonly UploadLine[], killsMs: readonly number[]): number {
  const broken = lines.filter(({ event, part }) => event === "broke off" && part !== undefined);
  return killsMs.filter((atMs, index) => {
    const nextMs = killsMs[index + 1] ?? Number.POSITIVE_INFINITY;
    return broken.some((line) => line.atMs >= atMs && line.atMs < nextMs);
  }).length;
}
