import { MINUTE_MS, minuteOf, type Plan, parseSchedule, runsDue } from "./schedule.ts";

/** One row of cron.job that is active. */
export interface Job {
  id: string;
  schedule: string;
  command: string;
  database: string;
  username: string;
}

interface Task {
  job: Job;
  plan: Plan | undefined;
  /** Runs that are due and have not begun. */
  pending: number;
  running: boolean;
  /** ms; of a job that never ran: when we first saw it. */
  lastStart: number;
}

/** As many as hosted recommends. */
export const MAX_RUNNING = 8;

/**
 * Which job is to start when: pg_cron's bookkeeping, without clock or database. A job never runs beside itself: a
 * five-field one makes up for every run it missed meanwhile, an `N seconds` one for a single one.
 */
export class Tasks {
  private readonly tasks = new Map<string, Task>();
  private lastMinute: number;
  private atStart = true;

  /** @param now ms; runs of the minute we start in are not made up for. */
  constructor(now: number) {
    this.lastMinute = minuteOf(now);
  }

  /**
   * Takes over the jobs as they are now.
   *
   * @returns the jobs without a schedule that can be understood, and the ids of running ones that are gone.
   */
  update(jobs: Job[], now: number): { unreadable: Job[]; gone: string[] } {
    const unreadable: Job[] = [];
    for (const job of jobs) {
      const known = this.tasks.get(job.id);
      const plan = parseSchedule(job.schedule);
      if (!plan && known?.job.schedule !== job.schedule) unreadable.push(job);
      if (known) Object.assign(known, { job, plan });
      else this.tasks.set(job.id, { job, plan, pending: 0, running: false, lastStart: now });
    }
    const present = new Set(jobs.map(({ id }) => id));
    const gone = [...this.tasks.values()].filter(({ job }) => !present.has(job.id));
    for (const { job } of gone) this.tasks.delete(job.id);
    return { unreadable, gone: gone.filter(({ running }) => running).map(({ job }) => job.id) };
  }

  /** The jobs to start now; they count as running from here on. */
  start(now: number): Job[] {
    for (const task of this.tasks.values()) {
      if (!task.plan) continue;
      if (task.plan.kind === "seconds") {
        if (task.pending === 0 && now - task.lastStart >= task.plan.seconds * 1_000) task.pending = 1;
      } else if (task.plan.kind === "start") {
        if (this.atStart) task.pending += 1;
      } else task.pending += runsDue(task.plan, this.lastMinute, now);
    }
    this.atStart = false;
    this.lastMinute = Math.max(this.lastMinute, minuteOf(now));
    const running = [...this.tasks.values()].filter((task) => task.running).length;
    const starting = [...this.tasks.values()]
      .filter((task) => task.pending > 0 && !task.running)
      .slice(0, Math.max(0, MAX_RUNNING - running));
    for (const task of starting)
      Object.assign(task, { pending: task.pending - 1, running: true, lastStart: now });
    return starting.map(({ job }) => job);
  }

  finished(id: string): void {
    const task = this.tasks.get(id);
    if (task) task.running = false;
  }

  /** ms until `start` has to be asked again, unless a job changes or ends before. */
  wait(now: number): number {
    const minute = minuteOf(now) + MINUTE_MS;
    const intervals = [...this.tasks.values()].flatMap(({ plan, pending, lastStart }) =>
      plan?.kind === "seconds" && pending === 0 ? [lastStart + plan.seconds * 1_000] : [],
    );
    return Math.max(1, Math.min(minute, ...intervals) - now);
  }
}
