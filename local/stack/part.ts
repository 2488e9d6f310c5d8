import { z } from "zod";

/** One readable line per thing that happened; the supervisor adds the part's name and the time. */
export type Log = (message: string, fields?: Record<string, unknown>) => void;

/** What every stand-in gives back once it serves. `stop` resolves when nothing of it is left running. */
export interface RunningPart {
  /** Where it listens, `http://127.0.0.1:PORT`; absent for a part that only works on the database. */
  address?: string;
  stop(): Promise<void>;
}

/** What a part tells its supervisor over the IPC channel. */
export type PartMessage = { type: "ready"; address?: string } | { type: "failed"; reason: string };

/** A log for parts that run inside another process (tests): silent unless `LOCAL_LOG` is set. */
export const quietLog: Log = (message, fields) => {
  if (process.env.LOCAL_LOG) printLine(message, fields);
};

function printLine(message: string, fields?: Record<string, unknown>): void {
  console.log(lineOf(message, fields));
}

/** One readable line: the message, then `name=value` for each field that has a value. */
export function lineOf(message: string, fields: Record<string, unknown> = {}): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return [message, ...pairs].join(" ");
}

/**
 * Runs one stand-in as a process of its own: reads its settings (JSON in the variable PART_SETTINGS), starts it,
 * says `ready` over IPC, and ends it on SIGTERM, on SIGINT, or when the supervisor is gone. A start that fails is
 * told as one sentence and exit code 1.
 */
export async function runPart<Schema extends z.ZodType>(
  schema: Schema,
  start: (settings: z.output<Schema>, log: Log) => Promise<RunningPart>,
): Promise<void> {
  const tell = (message: PartMessage) => process.send?.(message);
  let running: RunningPart | undefined;
  let ending = false;
  const end = async (code: number) => {
    if (ending) return;
    ending = true;
    // A part that cannot end in time must not keep the whole stack from ending.
    setTimeout(() => process.exit(code), 5_000).unref();
    await running?.stop().catch((error: unknown) => printLine(`could not stop cleanly: ${reasonOf(error)}`));
    process.exit(code);
  };
  process.on("SIGTERM", () => void end(0));
  // Ctrl-C reaches the whole process group; the supervisor decides the order of the end.
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => void end(0));
  try {
    const settings = schema.parse(JSON.parse(process.env.PART_SETTINGS ?? "{}"));
    running = await start(settings, printLine);
    tell(running.address === undefined ? { type: "ready" } : { type: "ready", address: running.address });
  } catch (error) {
    tell({ type: "failed", reason: reasonOf(error) });
    printLine(`could not start: ${reasonOf(error)}`);
    await end(1);
  }
}

/** One sentence for a person out of whatever was thrown. */
export function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const wrong = error.issues.map((issue) => `${issue.path.join(".") || "the whole"} (${issue.message})`);
    return `its settings are broken: ${wrong.join(", ")}`;
  }
  if (error instanceof Error) {
    if ("code" in error && error.code === "EADDRINUSE" && "port" in error) {
      return `port ${String(error.port)} is taken by another program`;
    }
    return error.message;
  }
  return String(error);
}
