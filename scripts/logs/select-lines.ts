import type { LogLine } from "./read-lines.ts";

/**
 * The lines about one recording, in the order they came: those that name it or one of the ids that the database knows of it
 * (correlation id, sids, engine tasks), and those that carry a correlation id that such a line has.
 */
export function linesAbout(
  recordingId: string,
  lines: readonly LogLine[],
  known: readonly string[] = [],
): LogLine[] {
  const ids = new Set([recordingId, ...known]);
  const isNamed = ({ fields }: LogLine) =>
    Object.entries(fields).some(([name, value]) => isId(name) && typeof value === "string" && ids.has(value));
  for (const line of lines) {
    const { correlation_id } = line.fields;
    if (typeof correlation_id === "string" && isNamed(line)) ids.add(correlation_id);
  }
  return lines.filter(isNamed);
}

const isId = (name: string) => name === "sid" || name.endsWith("_id");

/** A line as one sentence: the step, then what it says; ids that are the same on every line of a story are left out. */
export function sentenceOf({ step, fields }: LogLine): string {
  const { recording_id, correlation_id, lane, ...told } = fields;
  const words = Object.entries(told)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return [step, ...words].join(" ");
}
