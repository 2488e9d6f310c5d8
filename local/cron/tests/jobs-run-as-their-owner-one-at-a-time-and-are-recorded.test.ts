import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../postgres/testing.ts";
import { type Bench, openBench, type RunRow, until } from "./bench.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());

/** Schedules a command for every second. @returns the id of the job. */
async function everySecond(bench: Bench, command: string, name = "job"): Promise<string> {
  const [row] = await bench.sql<
    { id: string }[]
  >`select cron.schedule(${name}, '1 seconds', ${command}) as id`;
  return row?.id ?? "";
}

/** The first run of a job that has got so far. */
const firstRun = (bench: Bench, id: string, ...statuses: string[]): Promise<RunRow> =>
  until(async () => (await bench.runsOf(id)).find(({ status }) => statuses.includes(status)));

const ticksOf = (bench: Bench, note: string) =>
  bench.sql`select at, who from public.ticks where note = ${note} order by at`;

/** A database and a scheduler of a test's own, so that the tests can wait side by side. */
const inBench = (use: (bench: Bench) => Promise<void>) => async () => {
  const bench = await openBench(server);
  try {
    await use(bench);
  } finally {
    await bench.close();
  }
};

describe("a run", () => {
  let bench: Bench;
  const ids = new Map<string, string>();
  const run = (name: string, ...statuses: string[]) => firstRun(bench, ids.get(name) ?? "", ...statuses);

  const results: [command: string, message: string][] = [
    ["select 1", "1 row"],
    ["select generate_series(1, 3)", "3 rows"],
    ["select 1 where false", "0 rows"],
    [
      "select 1; create temp table made (); insert into public.ticks (note) values ('a'), ('b')",
      "INSERT 0 2",
    ],
    ["insert into public.ticks (note) values ('a') returning note", "1 row"],
    ["delete from public.ticks where false; select 1", "1 row"],
    ["do $$ begin end $$", "DO"],
    ["-- nothing", "0 rows"],
  ];
  const commands: Record<string, string> = {
    owner: `insert into public.ticks (who, note)
      values (session_user || '/' || current_user || '/' || current_setting('application_name'), 'owner')`,
    fails: "insert into public.ticks (note) values ('fails'); select 1 / 0",
    forbidden: "delete from cron.job",
    copies: "copy public.ticks to stdout",
    settings: `insert into public.ticks (who, note)
      select current_setting('search_path') || '/' || current_setting('statement_timeout'), 'settings'`,
    ...Object.fromEntries(results.map(([command]) => [command, command])),
  };

  // All at once, because every job waits a second for its first run.
  beforeAll(async () => {
    bench = await openBench(server);
    await bench.admin`create role leaver login`;
    await bench.admin`
      select cron.schedule_in_database('left', '1 second', 'select 1', ${bench.database.name}, 'leaver')`;
    await bench.admin`alter role leaver nologin`;
    ids.set("left", "1");
    await bench.startScheduler();
    for (const [name, command] of Object.entries(commands))
      ids.set(name, await everySecond(bench, command, name));
  });
  afterAll(async () => {
    await bench?.close();
    const admin = await openBench(server);
    await admin.admin`drop role leaver`;
    await admin.close();
  });

  test("runs about every second as the job's owner, in a session of its own, and is recorded", async () => {
    await until(async () => (await ticksOf(bench, "owner")).length > 2);
    const ticks = await ticksOf(bench, "owner");
    expect(ticks[0]).toMatchObject({ who: "postgres/postgres/pg_cron" });
    const gaps = ticks.slice(1).map(({ at }, index) => at - ticks[index]?.at);
    for (const gap of gaps) expect(gap).toBeGreaterThan(500);
    const found = await run("owner", "succeeded");
    expect(found).toMatchObject({
      database: bench.database.name,
      username: "postgres",
      command: commands.owner,
      return_message: "INSERT 0 1",
      job_pid: expect.any(Number),
    });
    expect(found.end_time?.getTime()).toBeGreaterThanOrEqual(
      found.start_time?.getTime() ?? Number.POSITIVE_INFINITY,
    );
  });

  test.each(results)("%s is recorded as: %s", async (command, message) => {
    expect((await run(command, "succeeded", "failed")).return_message).toBe(message);
  });

  test("one that fails is recorded with the error, undoes all its commands, and is tried again next time", async () => {
    const failed = await run("fails", "failed");
    expect(failed.return_message).toBe("ERROR:  division by zero\n");
    expect(failed.end_time).not.toBeNull();
    await until(async () => (await bench.runsOf(failed.jobid)).length > 1);
    expect(await ticksOf(bench, "fails")).toHaveLength(0);
  });

  test("what the owner may not do fails, and COPY to a client is not supported", async () => {
    expect((await run("forbidden", "failed")).return_message).toBe(
      "ERROR:  permission denied for table job\n",
    );
    expect((await run("copies", "failed")).return_message).toBe("COPY not supported");
  });

  test("it has the settings its owner would sign in with, not the superuser's", async () => {
    await run("settings", "succeeded");
    const [mine] = await bench.sql`
      select current_setting('search_path') || '/' || current_setting('statement_timeout') as who`;
    expect(mine).toEqual({ who: '"$user", public, extensions/2min' });
    const [theirs] = await ticksOf(bench, "settings");
    expect(theirs?.who).toBe(mine?.who);
  });

  test("a job whose owner can no longer sign in fails to connect", async () => {
    expect(await run("left", "failed")).toMatchObject({
      return_message: "connection failed",
      end_time: null,
    });
  });
});

describe.concurrent("runs, jobs that change, and the scheduler itself", () => {
  test(
    "a job never runs beside itself; a run that was missed follows at once",
    inBench(async (bench) => {
      await bench.startScheduler();
      const id = await everySecond(bench, "select pg_sleep(1.3)");
      const done = async () => (await bench.runsOf(id)).filter(({ status }) => status === "succeeded");
      await until(async () => (await done()).length >= 2);
      const [first, second] = await done();
      const pause = (second?.start_time?.getTime() ?? 0) - (first?.end_time?.getTime() ?? 0);
      expect(pause).toBeGreaterThanOrEqual(0);
      expect(pause).toBeLessThan(900);
    }),
  );

  test(
    "an overwritten job runs its new command only",
    inBench(async (bench) => {
      await bench.startScheduler();
      const id = await everySecond(bench, "insert into public.ticks (note) values ('old')");
      await firstRun(bench, id, "succeeded");
      await everySecond(bench, "insert into public.ticks (note) values ('new')");
      const before = (await ticksOf(bench, "old")).length;
      await until(async () => (await ticksOf(bench, "new")).length > 0);
      // One may have been under way.
      expect((await ticksOf(bench, "old")).length - before).toBeLessThanOrEqual(1);
    }),
  );

  test(
    "an unscheduled job is hung up on and recorded as canceled, an inactive one no longer starts",
    inBench(async (bench) => {
      await bench.startScheduler();
      const slow = await everySecond(bench, "select pg_sleep(30)", "slow");
      const idle = await everySecond(bench, "select 1", "idle");
      await firstRun(bench, slow, "running");
      await firstRun(bench, idle, "succeeded");
      await bench.sql`select cron.unschedule('slow')`;
      expect(await firstRun(bench, slow, "failed")).toMatchObject({
        return_message: "job canceled",
        end_time: null,
      });
      await bench.sql`select cron.alter_job(${idle}::bigint, active => false)`;
      const other = await everySecond(bench, "select 1", "other");
      await until(async () =>
        (await bench.runsOf(idle)).every(({ status }) => status === "succeeded" || status === "failed"),
      );
      const runs = (await bench.runsOf(idle)).length;
      await until(async () => (await bench.runsOf(other)).length > 1);
      expect(await bench.runsOf(idle)).toHaveLength(runs);
    }),
  );

  test(
    "killed in the middle of a run, it marks that run as failed at its next start and goes on",
    inBench(async (bench) => {
      const child = fork(fileURLToPath(new URL("../main.ts", import.meta.url)), {
        env: { ...process.env, PART_SETTINGS: JSON.stringify({ databaseUrl: bench.database.adminUrl }) },
        execArgv: [],
        silent: true,
      });
      const exited = once(child, "exit");
      let id = "";
      try {
        expect((await once(child, "message"))[0]).toEqual({ type: "ready" });
        id = await everySecond(bench, "select pg_sleep(60)");
        await firstRun(bench, id, "running");
      } finally {
        child.kill("SIGKILL");
        await exited;
      }
      await bench.sql`select cron.alter_job(${id}::bigint, command => 'select 1')`;
      await bench.startScheduler();
      await firstRun(bench, id, "succeeded");
      expect((await bench.runsOf(id))[0]).toMatchObject({
        status: "failed",
        return_message: "server restarted",
      });
    }),
  );

  test(
    "it can be seen in pg_stat_activity, says when it loses its connection, and comes back by itself",
    inBench(async (bench) => {
      const lines: string[] = [];
      await bench.startScheduler((message) => lines.push(message));
      const cut = await bench.admin`
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'pg_cron scheduler' and datname = current_database()`;
      expect(cut).toHaveLength(1);
      await until(async () => lines.includes("connected to the database again"));
      expect(lines[0]).toMatch(/^starting again: /);
      await firstRun(bench, await everySecond(bench, "select 1"), "succeeded");
    }),
  );

  test(
    "it waits for the extension to be installed",
    inBench(async (bench) => {
      await bench.sql`drop extension pg_cron`;
      await bench.startScheduler();
      await bench.sql`create extension pg_cron with schema pg_catalog`;
      await firstRun(bench, await everySecond(bench, "select 1"), "succeeded");
    }),
  );
});
