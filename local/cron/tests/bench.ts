/** What every test of the pg_cron stand-in needs: a database with the extension, the scheduler, a look at the runs. */
import postgres from "postgres";
import type { Prepare, TestDatabase, TestServer } from "../../postgres/testing.ts";
import { type Log, quietLog, type RunningPart } from "../../stack/part.ts";
import { startCron } from "../scheduler.ts";
import { cronSettings } from "../settings.ts";

/** Installs the extension the way migrations do: as postgres, which is no superuser. */
export const withPgCron: Prepare = async ({ postgresUrl }) => {
  const sql = postgres(postgresUrl, { max: 1, onnotice: () => undefined });
  await sql`create extension if not exists pg_cron with schema pg_catalog`;
  await sql`create table public.ticks (at timestamptz not null default clock_timestamp(), who text, note text)`;
  await sql.end();
};

export interface RunRow {
  jobid: string;
  job_pid: number | null;
  database: string;
  username: string;
  command: string;
  status: string;
  return_message: string | null;
  start_time: Date | null;
  end_time: Date | null;
}

export interface Bench {
  database: TestDatabase;
  /** As postgres. */
  sql: postgres.Sql;
  /** As supabase_admin. */
  admin: postgres.Sql;
  startScheduler(log?: Log): Promise<RunningPart>;
  /** The recorded runs of a job, the oldest first. */
  runsOf(jobId: string): Promise<RunRow[]>;
  close(): Promise<void>;
}

export async function openBench(server: TestServer): Promise<Bench> {
  const database = await server.createDatabase({ prepare: withPgCron });
  const sql = postgres(database.postgresUrl, { max: 3, onnotice: () => undefined });
  const admin = postgres(database.adminUrl, { max: 2, onnotice: () => undefined });
  const schedulers: RunningPart[] = [];
  return {
    database,
    sql,
    admin,
    async startScheduler(log = quietLog) {
      const scheduler = await startCron(cronSettings.parse({ databaseUrl: database.adminUrl }), log);
      schedulers.push(scheduler);
      return scheduler;
    },
    runsOf: async (jobId) => [
      ...(await admin<RunRow[]>`select * from cron.job_run_details where jobid = ${jobId} order by runid`),
    ],
    async close() {
      await Promise.all(schedulers.map((scheduler) => scheduler.stop()));
      await Promise.all([sql.end(), admin.end()]);
      await database.drop();
    },
  };
}

/** Looks again and again until there is something to see. For tests that run side by side, which `expect.poll` cannot. */
export async function until<T>(look: () => Promise<T | undefined | false>, withinMs = 30_000): Promise<T> {
  for (const end = performance.now() + withinMs; performance.now() < end; ) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not seen within ${withinMs} ms: ${look.toString()}`);
}
