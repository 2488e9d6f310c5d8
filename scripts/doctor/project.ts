import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { findFunctions } from "../../local/functions/function-folders.ts";
import type { CronJob, Project } from "./check.ts";

/** Reads what a hosted project should have out of the repository. `projectDir` is its root. */
export async function readProject(projectDir: string): Promise<Project> {
  const supabaseDir = join(projectDir, "supabase");
  const functions = await findFunctions(join(supabaseDir, "functions"), join(supabaseDir, "config.toml"));
  const migrationsDir = join(supabaseDir, "migrations");
  const files = (await readdir(migrationsDir)).filter((name) => /^\d{14}_\w+\.sql$/.test(name)).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(migrationsDir, name), "utf8")));
  return {
    functions: functions.map(({ name, verifyJwt }) => ({ name, verifyJwt })),
    migrations: files.map((name) => name.slice(0, 14)),
    cronJobs: cronJobsIn(texts),
  };
}

/** The jobs that migrations schedule and do not take away again, by the statements themselves: there is no second list. */
function cronJobsIn(migrations: readonly string[]): CronJob[] {
  const jobs = new Map<string, CronJob>();
  const statement =
    /^select cron\.schedule\('([^']+)', '([^']+)', '((?:[^']|'')+)'\);|^select cron\.unschedule\('([^']+)'\);/gm;
  for (const text of migrations) {
    for (const [, name, schedule, command, removed] of text.matchAll(statement)) {
      if (removed !== undefined) jobs.delete(removed);
      if (name !== undefined && schedule !== undefined && command !== undefined) {
        jobs.set(name, { name, schedule, command: command.replaceAll("''", "'") });
      }
    }
  }
  return [...jobs.values()];
}
