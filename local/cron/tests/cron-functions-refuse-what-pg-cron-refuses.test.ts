import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../postgres/testing.ts";
import { parseSchedule } from "../schedule.ts";
import { type Bench, openBench } from "./bench.ts";

let server: TestServer;
let bench: Bench;

beforeAll(async () => {
  server = await startTestServer();
  bench = await openBench(server);
});
afterAll(async () => {
  await bench?.close();
  await server?.stop();
});
beforeEach(async () => {
  await bench.admin`truncate cron.job`;
  await bench.admin`alter sequence cron.jobid_seq restart`;
});

const jobs = async () => [...(await bench.admin`select * from cron.job order by jobid`)];

describe("scheduling", () => {
  test("a job gets an id and belongs to the one who called, in this database", async () => {
    const [row] = await bench.sql`select cron.schedule('tidy', '*/5 * * * *', 'select 1') as id`;
    expect(row).toEqual({ id: "1" });
    expect(await jobs()).toEqual([
      {
        jobid: "1",
        schedule: "*/5 * * * *",
        command: "select 1",
        nodename: "localhost",
        nodeport: Number(new URL(bench.database.adminUrl).port),
        database: bench.database.name,
        username: "postgres",
        active: true,
        jobname: "tidy",
      },
    ]);
  });

  test("the same name overwrites schedule and command; another case of it, or another user, is another job", async () => {
    await bench.sql`select cron.schedule('tidy', '1 second', 'select 1')`;
    expect(await bench.sql`select cron.schedule('tidy', '2 seconds', 'select 2') as id`).toEqual([
      { id: "1" },
    ]);
    await bench.sql`select cron.schedule('Tidy', '3 seconds', 'select 3')`;
    await bench.admin`select cron.schedule('tidy', '4 seconds', 'select 4')`;
    expect((await jobs()).map(({ schedule, command, username }) => [schedule, command, username])).toEqual([
      ["2 seconds", "select 2", "postgres"],
      ["3 seconds", "select 3", "postgres"],
      ["4 seconds", "select 4", "supabase_admin"],
    ]);
  });

  test("jobs without a name never overwrite each other", async () => {
    await bench.sql`select cron.schedule('1 second', 'select 1'), cron.schedule('1 second', 'select 1')`;
    expect(await jobs()).toHaveLength(2);
  });

  test.each([
    "* * * *",
    "* * * * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 8",
    "*/0 * * * *",
    "1/20 * * * *",
    "a * * * *",
    "0 seconds",
    "60 seconds",
    "-1 seconds",
    "10000000000 seconds",
    "5 secondc",
    "50 seconds c",
    "1 minute",
    "@restar",
    "",
  ])("«%s» is refused as an invalid schedule", async (schedule) => {
    await expect(bench.sql`select cron.schedule(${schedule}, 'select 1')`).rejects.toMatchObject({
      code: "22023",
      message: `invalid schedule: ${schedule}`,
      hint: "Use cron format (e.g. 5 4 * * *), or interval format '[1-59] seconds'",
    });
    expect(parseSchedule(schedule)).toBeUndefined();
  });

  test.each([
    "1 second",
    " 30 sEcOnDs ",
    "59 seconds",
    "17  seconds ",
    "0 10 * * *",
    "0 0 $ * *",
    "0 0 1-5,9 jan-mar MON",
    "@daily",
    "@reboot",
  ])("«%s» is taken, and understood by the scheduler", async (schedule) => {
    await bench.sql`select cron.schedule(${schedule}, 'select 1')`;
    expect(parseSchedule(schedule)).toBeDefined();
  });

  test("NULL is no name, no schedule and no command", async () => {
    await expect(bench.sql`select cron.schedule(null, '1 second', 'x')`).rejects.toThrow(
      "job_name can not be NULL",
    );
    await expect(bench.sql`select cron.schedule('a', null, 'x')`).rejects.toThrow("schedule can not be NULL");
    await expect(bench.sql`select cron.schedule('a', '1 second', null)`).rejects.toThrow(
      "command can not be NULL",
    );
  });
});

describe("unscheduling and altering", () => {
  test("a job goes by its name or its id; an unknown one is an error", async () => {
    await bench.sql`select cron.schedule('a', '1 second', 'x'), cron.schedule('b', '1 second', 'x')`;
    expect(await bench.sql`select cron.unschedule('a') as done`).toEqual([{ done: true }]);
    expect(await bench.sql`select cron.unschedule(2) as done`).toEqual([{ done: true }]);
    expect(await jobs()).toHaveLength(0);
    await expect(bench.sql`select cron.unschedule('a')`).rejects.toMatchObject({
      code: "XX000",
      message: "could not find valid entry for job 'a'",
    });
    await expect(bench.sql`select cron.unschedule(2)`).rejects.toThrow(
      "could not find valid entry for job 2",
    );
  });

  test("somebody else's job can be neither unscheduled nor altered", async () => {
    await bench.admin`select cron.schedule('theirs', '1 second', 'x')`;
    await expect(bench.sql`select cron.unschedule('theirs')`).rejects.toThrow("could not find valid entry");
    await expect(bench.sql`select cron.unschedule(1)`).rejects.toMatchObject({
      code: "42501",
      message: "permission denied for table job",
    });
    await expect(bench.sql`select cron.alter_job(1, active => false)`).rejects.toThrow(
      "Job 1 does not exist or you don't own it",
    );
    expect(await jobs()).toHaveLength(1);
  });

  test("alter_job changes what it is given and nothing else", async () => {
    await bench.sql`select cron.schedule('a', '1 second', 'x')`;
    await bench.sql`select cron.alter_job(1, schedule => '2 seconds', active => false)`;
    expect(await jobs()).toMatchObject([
      { schedule: "2 seconds", command: "x", active: false, jobname: "a" },
    ]);
    await expect(bench.sql`select cron.alter_job(1)`).rejects.toThrow("no updates specified");
    await expect(bench.sql`select cron.alter_job(1, schedule => 'soon')`).rejects.toThrow(
      "invalid schedule: soon",
    );
    await expect(bench.sql`select cron.alter_job(1, database => 'nowhere')`).rejects.toThrow(
      'database "nowhere" does not exist',
    );
  });

  test("only a superuser can make or alter a job of another role, and that role must be able to log in", async () => {
    const schedule = (sql: postgres.Sql, user: string) =>
      sql`select cron.schedule_in_database('a', '1 second', 'x', ${bench.database.name}, ${user})`;
    await expect(schedule(bench.sql, "authenticator")).rejects.toThrow(
      "must be superuser to create a job for another role",
    );
    await expect(schedule(bench.admin, "anon")).rejects.toThrow('role "anon" can not log in');
    await expect(schedule(bench.admin, "ghost")).rejects.toThrow('role "ghost" does not exist');
    await schedule(bench.admin, "postgres");
    await expect(bench.sql`select cron.alter_job(1, username => 'supabase_admin')`).rejects.toThrow(
      "must be superuser to alter username",
    );
    expect(await jobs()).toMatchObject([{ username: "postgres" }]);
  });
});

describe("rights", () => {
  test("postgres reads the jobs but writes them through the functions only", async () => {
    await bench.sql`select cron.schedule('a', '1 second', 'x')`;
    expect(await bench.sql`select jobname from cron.job`).toEqual([{ jobname: "a" }]);
    for (const statement of [
      "insert into cron.job (schedule, command) values ('1 second', 'x')",
      "update cron.job set username = 'supabase_admin'",
      "delete from cron.job",
    ]) {
      await expect(bench.sql.unsafe(statement)).rejects.toMatchObject({
        code: "42501",
        message: "permission denied for table job",
      });
    }
    await expect(bench.sql`delete from cron.job_run_details`).resolves.toHaveLength(0);
    await expect(
      bench.sql`create trigger mine after insert on cron.job_run_details execute function cron.job_cache_invalidate()`,
    ).rejects.toMatchObject({ code: "42501" });
  });

  test("a role that was not let into the schema cannot schedule", async () => {
    await expect(
      bench.sql.begin(async (transaction) => {
        await transaction`set local role authenticated`;
        await transaction`select cron.schedule('1 second', 'select 1')`;
      }),
    ).rejects.toMatchObject({ code: "42501", message: "permission denied for schema cron" });
  });

  test("one that was let in sees its own jobs only, and cannot pass for somebody else", async () => {
    const url = new URL(bench.database.adminUrl);
    await bench.admin`create role planner login password 'planner'`;
    const planner = postgres(Object.assign(url, { username: "planner", password: "planner" }).href, {
      max: 1,
    });
    try {
      await bench.sql`grant usage on schema cron to planner`;
      await bench.sql`select cron.schedule('not mine', '1 second', 'x')`;
      await planner`select cron.schedule('mine', '1 second', 'x')`;
      expect(await planner`select jobname, username from cron.job`).toEqual([
        { jobname: "mine", username: "planner" },
      ]);
      await planner`
        insert into cron._asked (what, jobname, schedule, command, caller, active)
        values ('schedule', 'forged', '1 second', 'x', 'supabase_admin', true)`;
      expect(await planner`select jobname from cron.job where username = 'planner' order by 1`).toEqual([
        { jobname: "forged" },
        { jobname: "mine" },
      ]);
      await expect(planner`select cron._schedule(null)`).rejects.toMatchObject({ code: "42501" });
      await expect(planner`select cron.alter_job(2, active => false)`).rejects.toMatchObject({
        code: "42501",
      });
    } finally {
      await planner.end();
      await bench.sql`revoke usage on schema cron from planner`;
      await bench.admin`drop role planner`;
    }
  });

  test("inside a security definer function the job belongs to the function's owner", async () => {
    await bench.admin.unsafe(`
      create function public.plan_it() returns bigint language sql security definer set search_path = ''
      as $$ select cron.schedule('planned', '1 second', 'x') $$;
      alter function public.plan_it() owner to postgres`);
    await bench.admin`select public.plan_it()`;
    expect(await jobs()).toMatchObject([{ username: "postgres" }]);
  });

  test("it is installed by postgres, with everything in schema cron owned by supabase_admin", async () => {
    const [extension] = await bench.sql`
      select extversion, extnamespace::regnamespace::text as schema from pg_extension where extname = 'pg_cron'`;
    expect(extension).toEqual({ extversion: "1.6.4", schema: "pg_catalog" });
    const owners = await bench.sql`
      select distinct pg_get_userbyid(relowner) as owner from pg_class where relnamespace = 'cron'::regnamespace`;
    expect(owners).toEqual([{ owner: "supabase_admin" }]);
  });
});
