/**
 * Postgres is stopped `immediate` while 500 jobs and their wake-ups are in flight, and started again. What pg_net had
 * queued is gone (its table is unlogged), leases were out, results were on their way: every job is done all the same,
 * and what it did is there exactly once.
 */
import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { removeDataDir } from "../../local/postgres/place.ts";
import { type RunningPostgres, startPostgres } from "../../local/postgres/server.ts";
import { quietLog } from "../../local/stack/part.ts";
import { connect, makePair, withMigrations } from "./recorder-database.ts";

const JOBS = 500;
const WORKERS = 4;

let dataDir: string;
let server: RunningPostgres;

const passwords = {
  superuserPassword: randomUUID(),
  postgresPassword: randomUUID(),
  authenticatorPassword: randomUUID(),
};
const start = () => startPostgres({ dataDir, port: 0, ...passwords, durable: true }, quietLog);

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "call-recording-crash-"));
  // As root the server runs as somebody else, who must get in.
  await chmod(dataDir, 0o755);
  server = await start();
  await withMigrations(server);
});

afterAll(async () => {
  await server.stop();
  await removeDataDir(dataDir);
});

/** What `pg_ctl stop -m immediate` does: no checkpoint, no goodbye. */
async function crash(): Promise<void> {
  const sql = connect(server.adminUrl);
  const [place] = await sql`show data_directory`;
  await sql.end();
  const pid = Number(
    (await readFile(join(String(place?.data_directory), "postmaster.pid"), "utf8")).split("\n")[0],
  );
  process.kill(pid, "SIGQUIT");
  await server.ended;
}

interface Claimed {
  id: number;
  lease: string;
  kind: string;
  recording_id: string;
}

/** Works off the control lane until told to stop, as a function would: claim, act, bring the results back. */
async function work(url: string, isOver: () => boolean, onStep: (jobs: Claimed[]) => void): Promise<void> {
  const sql = connect(url);
  const drain = randomUUID();
  let finished: postgres.JSONValue[] = [];
  try {
    while (!isOver()) {
      const [row] =
        await sql`select recorder_api.work('control', ${drain}, ${sql.json(finished)}, 10) as step`;
      finished = [];
      const jobs: Claimed[] = row?.step.jobs ?? [];
      onStep(jobs);
      for (const job of jobs) {
        if (job.kind === "start") await actOut(sql, job);
        finished.push({ id: job.id, lease: job.lease, outcome: "done" });
      }
      if (jobs.length === 0) await pause(10);
    }
    await sql`select recorder_api.leave('control', ${drain}, ${sql.json(finished)})`;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** What a start does, in as many transactions as the real one: any of them may be the last before the crash. */
async function actOut(sql: postgres.Sql, job: Claimed): Promise<void> {
  const [row] =
    await sql`select recorder_api.begin_attempt(${job.recording_id}, now() + interval '1 day') as task`;
  const task: string | undefined = row?.task?.id;
  if (task === undefined) return;
  await sql`select recorder_api.report(${task}, 'task.acquired', ${sql.json({ resource_id: `resource-${task}` })})`;
  await sql`select recorder_api.report(${task}, 'task.started', ${sql.json({ sid: `sid-${task}` })})`;
}

/** Lets workers at the lane until there is nothing left to do. */
async function workUntil(isDone: () => Promise<boolean>): Promise<void> {
  let isOver = false;
  const workers = Array.from({ length: WORKERS }, () =>
    work(
      server.postgresUrl,
      () => isOver,
      () => undefined,
    ),
  );
  const deadline = Date.now() + 60_000;
  try {
    while (!(await isDone())) {
      if (Date.now() > deadline) throw new Error("the workers do not get done");
      await pause(50);
    }
  } finally {
    isOver = true;
    await Promise.all(workers);
  }
}

test("500 jobs and their wake-ups in flight, an immediate stop: none is lost, each has its effect once", async () => {
  const sql = connect(server.postgresUrl);
  await sql`update recorder.settings set value = 100000 where name in ('requests_per_second', 'concurrent_tasks')`;
  await sql`update recorder.settings set value = ${WORKERS} where name = 'drains_per_lane'`;
  await sql`select recorder.sweep()`;
  const pair = await makePair(sql);
  await sql`
    insert into public.video_calls (id, mentorship_id, channel)
    select i.id, ${pair.mentorshipId}, replace(i.id::text, '-', '')
    from (select gen_random_uuid() as id from generate_series(1, ${JOBS})) i`;
  await sql`update public.video_calls set recording_status = 'starting'`;
  const [before] = await sql`
    select (select count(*)::int from net.http_request_queue) as wake_ups,
      (select count(*)::int from recorder.jobs where kind = 'start' and state = 'queued') as jobs`;
  expect(before?.jobs).toBe(JOBS);
  expect(before?.wake_ups).toBeGreaterThan(0);
  await sql.end();

  // Workers are at it when the power goes.
  let claimed = 0;
  const crashing = Array.from({ length: WORKERS }, () =>
    work(
      server.postgresUrl,
      () => false,
      (jobs) => {
        claimed += jobs.length;
      },
    ).then(
      () => "finished",
      (error: unknown) => {
        const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
        // The server's own last word, or that of a connection which is not there any more.
        return /^(57P|CONNECTION_|ECONN)/.test(code) ? "cut off" : code;
      },
    ),
  );
  while (claimed < 100) await pause(5);
  await crash();
  expect(await Promise.all(crashing)).toEqual(Array(WORKERS).fill("cut off"));

  server = await start();
  const again = connect(server.postgresUrl);
  const [after] = await again`
    select (select count(*)::int from net.http_request_queue) as wake_ups,
      (select count(distinct recording_id)::int from recorder.jobs where kind = 'start') as jobs,
      (select count(*)::int from recorder.jobs where state = 'queued' and kind = 'start') as queued,
      (select count(*)::int from recorder.jobs where state = 'running') as running`;
  expect(after?.wake_ups).toBe(0);
  expect(after?.jobs).toBe(JOBS);
  expect(after?.queued).toBeGreaterThan(0);
  expect(after?.running).toBeGreaterThan(0);

  // Time passes: leases and the rest between two wake-ups are over.
  await again`update recorder.jobs set leased_until = now() - interval '1 second' where state = 'running'`;
  await again`update recorder.drains set leased_until = '-infinity'`;
  await again`update recorder.lanes set last_wake_at = '-infinity'`;
  const [swept] = await again`select recorder.sweep() as result`;
  expect(swept?.result.expired_leases).toBe(after?.running);
  expect(swept?.result.woken_lanes).toBe(1);
  const [woken] = await again`select count(*)::int as wake_ups from net.http_request_queue`;
  expect(woken?.wake_ups).toBe(1);

  const isDone = async () => {
    const [row] = await again`
      select count(*)::int as count from recorder.jobs where kind = 'start' and state in ('queued', 'running')`;
    return row?.count === 0;
  };
  await workUntil(isDone);

  // Who was cut off between asking the engine and its answer does not know whether a recorder comes up: it is not asked
  // twice, the attempt's deadline decides. Time passes once more.
  const cutOff = await again<{ recording_id: string }[]>`
    select recording_id from recorder.engine_tasks where state = 'requested'`;
  expect(cutOff.length).toBeLessThanOrEqual(WORKERS);
  await again`
    update public.recordings set deadline_at = now() - interval '1 second'
    where id = any (${cutOff.map((task) => task.recording_id)})`;
  await again`select recorder.sweep()`;
  await workUntil(isDone);

  const [effects] = await again`
    select
      (select count(*)::int from recorder.jobs where kind = 'start' and state = 'done') as done,
      (select count(*)::int from recorder.jobs where state = 'dead') as dead,
      (select count(*)::int from public.recordings where phase = 'requested') as asked_for,
      (select count(*)::int from recorder.engine_tasks where state = 'running' and not superseded) as recorders,
      (select count(distinct recording_id)::int from recorder.engine_tasks where state = 'running' and not superseded) as recorded,
      (select count(*)::int from recorder.engine_tasks where superseded) as superseded,
      (select count(*)::int from public.recording_events where event = 'engine.requested') as requested`;
  await again.end();
  expect(effects).toEqual({
    done: JOBS + cutOff.length,
    dead: 0,
    asked_for: JOBS,
    recorders: JOBS,
    recorded: JOBS,
    superseded: cutOff.length,
    requested: JOBS + cutOff.length,
  });
}, 120_000);
