import type { Sql } from "postgres";
import { z } from "zod";
import type { RunOutcome } from "./job-run.ts";
import type { Job } from "./tasks.ts";

const jobRow = z.object({
  id: z.string(),
  schedule: z.string(),
  command: z.string(),
  database: z.string(),
  username: z.string(),
});

/** The active jobs, by id; undefined while the extension is not there. */
export async function readJobs(sql: Sql): Promise<Job[] | undefined> {
  const [found] = await sql`select to_regclass('cron.job') is not null as there`;
  if (found?.there !== true) return undefined;
  const rows = await sql`
    select jobid::text as id, schedule, command, database, username from cron.job where active order by jobid`;
  return z.array(jobRow).parse([...rows]);
}

/** What was under way when the scheduler ended will never be heard of again. */
export async function failLeftoverRuns(sql: Sql): Promise<void> {
  await sql`
    update cron.job_run_details set status = 'failed', return_message = 'server restarted'
    where status in ('starting', 'running')`;
}

/** @returns the id of the run. */
export async function recordStarting(sql: Sql, job: Job): Promise<string> {
  const [row] = await sql`
    insert into cron.job_run_details (jobid, database, username, command, status)
    values (${job.id}, ${job.database}, ${job.username}, ${job.command}, 'starting')
    returning runid::text as id`;
  return String(row?.id);
}

export async function recordRunning(sql: Sql, runId: string, pid: number): Promise<void> {
  await sql`
    update cron.job_run_details set status = 'running', job_pid = ${pid}, start_time = clock_timestamp()
    where runid = ${runId}`;
}

export async function recordOutcome(sql: Sql, runId: string, outcome: RunOutcome): Promise<void> {
  await sql`
    update cron.job_run_details
    set status = ${outcome.status}, return_message = ${outcome.message},
      end_time = case when ${outcome.ended} then clock_timestamp() end
    where runid = ${runId}`;
}
