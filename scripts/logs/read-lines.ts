import { z } from "zod";

/** One line that a function logged. */
export interface LogLine {
  /** When, ms since 1970; undefined where neither the line nor what it was wrapped in says so. */
  atMs: number | undefined;
  /** The function, as far as it is known. */
  source: string;
  step: string;
  fields: Record<string, unknown>;
}

const ourLine = z.looseObject({ step: z.string() });

/** A row of the log as a hosted project gives it for download: our line is its message; the time is in microseconds or ISO. */
const hostedRow = z.looseObject({
  event_message: z.string(),
  timestamp: z.union([z.number(), z.string()]).optional(),
  metadata: z.unknown().optional(),
});
const hostedMetadata = z.array(z.looseObject({ function_id: z.string().nullish() }));

/** `<time> <function>: {…}`, as the local stack writes its log files. */
const LOCAL = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) ([a-z][a-z0-9-]*): (\{.*\})$/;

/**
 * Reads logs in whatever form they come: a log file of the local stack, JSON lines as a function writes them, JSON
 * lines or one JSON array of rows as a hosted project's log explorer gives them. What is no line of ours is left out.
 */
export function readLines(text: string): LogLine[] {
  const whole = text.trimStart().startsWith("[") ? parseJson(text) : undefined;
  const rows: unknown[] = Array.isArray(whole) ? whole : text.split("\n").map(rowOf);
  return rows.flatMap((row) => readRow(row));
}

function rowOf(line: string): unknown {
  const [, at, source, json] = LOCAL.exec(line.trim()) ?? [];
  if (at === undefined) return parseJson(line);
  return { event_message: json, timestamp: at, metadata: [{ function_id: source }] };
}

function readRow(row: unknown): LogLine[] {
  const hosted = hostedRow.safeParse(row);
  if (hosted.success) {
    const { event_message, timestamp, metadata } = hosted.data;
    const source = hostedMetadata.safeParse(metadata).data?.[0]?.function_id ?? "";
    return readRow(parseJson(event_message)).map((line) => ({
      ...line,
      atMs: millisecondsOf(timestamp),
      source,
    }));
  }
  const ours = ourLine.safeParse(row);
  if (!ours.success) return [];
  const { step, ...fields } = ours.data;
  return [{ atMs: undefined, source: "", step, fields }];
}

function millisecondsOf(timestamp: number | string | undefined): number | undefined {
  if (timestamp === undefined) return undefined;
  if (typeof timestamp === "number") return timestamp > 1e14 ? timestamp / 1_000 : timestamp;
  const atMs = Date.parse(timestamp);
  return Number.isNaN(atMs) ? undefined : atMs;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Other parts log in words.
    return undefined;
  }
}
