import { setTimeout as sleep } from "node:timers/promises";
import { type DatabaseSession, openSession } from "../net/database-session.ts";
import { openAgain } from "../net/open-again.ts";
import { type Log, type RunningPart, reasonOf } from "../stack/part.ts";
import { type JobRun, startRun } from "./job-run.ts";
import { serverSettings } from "./login-settings.ts";
import { failLeftoverRuns, readJobs, recordOutcome, recordRunning, recordStarting } from "./run-details.ts";
import type { CronSettings } from "./settings.ts";
import { type Job, Tasks } from "./tasks.ts";

/** How long it rests after the database refused something. */
const REFUSED_MS = 250;
/** How often it looks whether the extension has been installed. */
const UNINSTALLED_MS = 1_000;

/**
 * Stands in for the scheduler of pg_cron 1.6.4: runs the jobs of cron.job, each in its own session as its own user,
 * and records them in cron.job_run_details. Hears of changes at once.
 *
 * What it does not do: sign in as the job's user (the superuser's session becomes the user's, so a command may `reset
 * session authorization`); run on another host than the database's; record the states connecting and sending; point
 * at the place of an error in the command; read the settings cron.*. Of a schedule it refuses what follows the fifth
 * field, which the real one ignores.
 *
 * @throws Error when the database cannot be reached at the start. Later losses are survived and said in the log.
 */
export async function startCron(settings: CronSettings, log: Log): Promise<RunningPart> {
  const scheduler = new Scheduler(settings, log);
  await scheduler.open();
  const done = scheduler.run();
  return {
    stop: async () => {
      await scheduler.end();
      await done;
    },
  };
}

class Scheduler {
  private readonly settings: CronSettings;
  private readonly log: Log;
  private readonly ending = new AbortController();
  private session: DatabaseSession | undefined;
  private readonly runs = new Set<{ jobId: string; run: JobRun; recorded: Promise<void> }>();
  private jobsChanged = true;
  private wanted = Promise.withResolvers<void>();

  constructor(settings: CronSettings, log: Log) {
    this.settings = settings;
    this.log = log;
  }

  async open(): Promise<DatabaseSession> {
    const session = await openSession(this.settings.databaseUrl, "pg_cron scheduler", {
      listen: {
        channel: "pg_cron",
        heard: () => {
          this.jobsChanged = true;
          this.wanted.resolve();
        },
      },
    });
    this.session = session;
    this.jobsChanged = true;
    return session;
  }

  async run(): Promise<void> {
    while (!this.ending.signal.aborted) {
      const session = this.session ?? (await openAgain(() => this.open(), this.ending.signal, this.log));
      if (!session) break;
      void session.lost.then(() => this.wanted.resolve());
      try {
        await this.serve(session);
      } catch (error) {
        if (!this.ending.signal.aborted) this.log(`starting again: ${reasonOf(error)}`);
        await this.pause(REFUSED_MS);
      }
      await this.close();
    }
  }

  async end(): Promise<void> {
    this.ending.abort();
    this.wanted.resolve();
    await this.close();
  }

  /** As when the real one's process ends: what runs is hung up on, and stays `running` until the next start. */
  private async close(): Promise<void> {
    const { session } = this;
    this.session = undefined;
    await session?.drop();
    for (const { run } of this.runs) run.hangUp("server restarted");
    await Promise.all([...this.runs].map(({ recorded }) => recorded));
  }

  /** Schedules until the session is lost or we end. @throws when the database refuses something. */
  private async serve(session: DatabaseSession): Promise<void> {
    const { sql } = session;
    let tasks: Tasks | undefined;
    const defaults = await serverSettings(this.settings.databaseUrl, sql);
    while (!this.ending.signal.aborted) {
      if (session.isLost()) throw new Error("lost the connection to the database");
      // Before looking, so that what changes while we look wakes us again.
      this.wanted = Promise.withResolvers();
      if (this.jobsChanged || !tasks) {
        this.jobsChanged = false;
        const jobs = await readJobs(sql);
        if (!jobs) {
          tasks = undefined;
          await this.pause(UNINSTALLED_MS);
          continue;
        }
        if (!tasks) {
          await failLeftoverRuns(sql);
          tasks = new Tasks(Date.now());
        }
        this.takeOver(tasks, jobs);
      }
      for (const job of tasks.start(Date.now())) this.startJob(session, job, tasks, defaults);
      await this.pause(tasks.wait(Date.now()));
    }
  }

  private takeOver(tasks: Tasks, jobs: Job[]): void {
    const { unreadable, gone } = tasks.update(jobs, Date.now());
    for (const job of unreadable) this.log(`invalid pg_cron schedule for job ${job.id}: ${job.schedule}`);
    for (const { jobId, run } of this.runs) if (gone.includes(jobId)) run.hangUp("job canceled");
  }

  private startJob(session: DatabaseSession, job: Job, tasks: Tasks, defaults: Map<string, string>): void {
    const { sql } = session;
    const runId = recordStarting(sql, job);
    // Whoever needs it hears of a failure; it may come before anybody does.
    runId.catch(() => undefined);
    const run = startRun({
      job,
      databaseUrl: this.settings.databaseUrl,
      serverSettings: defaults,
      onStarted: async (pid) => recordRunning(sql, await runId, pid),
      onNotice: (message) => this.log(`job ${job.id} says: ${message}`),
    });
    const record = async () => {
      const outcome = await run.done;
      if (outcome.status === "failed") this.log(`job ${job.id} failed: ${outcome.message.trim()}`);
      await recordOutcome(sql, await runId, outcome);
    };
    const recorded = record()
      .catch((error: unknown) => {
        if (session.isLost()) return;
        this.log(`a run of job ${job.id} could not be recorded: ${reasonOf(error)}`);
        // Dropping the extension takes the jobs with it and tells nobody.
        this.jobsChanged = true;
      })
      .finally(() => {
        this.runs.delete(entry);
        tasks.finished(job.id);
        this.wanted.resolve();
      });
    const entry = { jobId: job.id, run, recorded };
    this.runs.add(entry);
  }

  /** Until the time is over, or something happened. */
  private async pause(ms: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([
      sleep(ms, undefined, { signal: over.signal }).catch(() => undefined),
      this.wanted.promise,
    ]);
    over.abort();
  }
}
