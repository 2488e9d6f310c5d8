import { traceNow } from "./trace.ts";

/** Fields of one step: ids, outcome, milliseconds. Never a secret, a token or a signed address. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;
export type Log = (step: string, fields?: LogFields) => void;

/** One JSON line per step, with the trace of the job it belongs to, so that a recording's story can be found by its ids. */
export function createLog(write: (line: string) => void, always: LogFields = {}): Log {
  return (step, fields = {}) => write(JSON.stringify({ step, ...always, ...traceNow(), ...fields }));
}
