/** Prints one recording's story from the functions' log and the database. Run by `npm run logs`; see docs/operations.md. */
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { z } from "zod";
import { findRunningStack } from "../local/stack/running-stack.ts";
import { readLines } from "./logs/read-lines.ts";
import { linesAbout, sentenceOf } from "./logs/select-lines.ts";

const help = `Prints one recording's story in the order of time: what the functions logged, and what the database knows.

  npm run logs -- --recording ID                 the local stack's log files and database
  npm run logs -- --recording ID --file FILE     a log that was downloaded (JSON lines, or the array that the log explorer
                                                 of a hosted project gives); several times for several files, - for stdin
  --data DIR                                     the data folder of the local stack (.local)
  --json                                         one JSON object per line

With --file the database is that of SUPABASE_DB_URL, where it is set; without one, the log alone is read.
Exit code 1 where nothing is known of the recording, 2 where it could not be looked for.`;

const known = z.array(z.object({ id: z.string() }));
const story = z.array(
  z.object({ at: z.date(), source: z.string(), event: z.string(), sentence: z.string() }),
);

interface Entry {
  atMs: number | undefined;
  source: string;
  event: string;
  sentence: string;
}

const { values } = parseArgs({
  options: {
    recording: { type: "string" },
    file: { type: "string", multiple: true },
    data: { type: "string", default: ".local" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help === true) {
  console.log(help);
} else {
  process.exitCode = await run();
}

async function run(): Promise<number> {
  const id = z.uuid().safeParse(values.recording?.toLowerCase());
  if (!id.success) {
    console.error("--recording wants the id of a recording.");
    return 2;
  }
  try {
    const logs = await Promise.all(
      logFiles().map((file) => (file === "-" ? text(process.stdin) : readFile(file, "utf8"))),
    );
    const told = await askDatabase(id.data);
    const lines = linesAbout(
      id.data,
      logs.flatMap((log) => readLines(log)),
      told.ids,
    );
    const entries: Entry[] = [
      ...told.entries,
      ...lines.map((line) => ({
        atMs: line.atMs,
        source: line.source || "log",
        event: line.step,
        sentence: sentenceOf(line),
      })),
    ];
    // A line without a time stays where its log had it: behind the ones that have one.
    entries.sort(
      (one, other) => (one.atMs ?? Number.POSITIVE_INFINITY) - (other.atMs ?? Number.POSITIVE_INFINITY) || 0,
    );
    for (const entry of entries)
      console.log(values.json === true ? JSON.stringify(jsonOf(entry)) : lineOf(entry));
    if (entries.length > 0) return 0;
    console.error("Nothing is known of this recording here.");
    return 1;
  } catch (thrown) {
    console.error(thrown instanceof Error ? thrown.message : String(thrown));
    return 2;
  }
}

/** The oldest first, so that lines of one moment stay in their order. */
function logFiles(): string[] {
  if (values.file !== undefined) return values.file;
  return globSync("functions.log*", { cwd: join(resolve(values.data), "logs") })
    .sort()
    .reverse()
    .map((name) => join(resolve(values.data), "logs", name));
}

async function askDatabase(recordingId: string): Promise<{ ids: string[]; entries: Entry[] }> {
  const url =
    values.file === undefined
      ? (await findRunningStack(resolve(values.data)))?.databaseUrls.postgres
      : process.env.SUPABASE_DB_URL;
  if (url === undefined || url === "") return { ids: [], entries: [] };
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const ids = known.parse(
      await sql`
        select r.correlation_id::text as id from public.recordings r where r.id = ${recordingId}
        union select t.sid from recorder.engine_tasks t where t.recording_id = ${recordingId} and t.sid is not null
        union select t.id::text from recorder.engine_tasks t where t.recording_id = ${recordingId}
        union select t.id::text from recorder.transfers t where t.recording_id = ${recordingId}`,
    );
    if (ids.length === 0) return { ids: [], entries: [] };
    const rows = story.parse(
      await sql`select at, source, event, sentence from recorder.story(${recordingId})`,
    );
    return {
      ids: ids.map(({ id }) => id),
      entries: rows.map(({ at, ...row }) => ({ atMs: at.getTime(), ...row })),
    };
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function jsonOf({ atMs, ...entry }: Entry) {
  return { at: atMs === undefined ? null : new Date(atMs).toISOString(), ...entry };
}

function lineOf({ atMs, source, sentence }: Entry): string {
  const at = atMs === undefined ? "" : new Date(atMs).toISOString().replace("T", " ").replace("Z", "");
  return `${at.padEnd(23)}  ${source.padEnd(13)}  ${sentence}`;
}
