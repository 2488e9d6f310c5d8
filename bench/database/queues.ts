/** Our queue against graphile-worker: claim to finish, on the same server, in turns. */
import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { Logger, type Runner, run, runMigrations, type WorkerEvents } from "graphile-worker";
import type postgres from "postgres";
import type { BenchServer } from "./server.ts";
import { median } from "./statistics.ts";

const JOBS = 10_000;
const ROUNDS = 3;
const SINGLE_JOBS = 1_500;
const RECORDINGS = 1_000;

/** Jobs per second of one way to work, one value per round. */
export interface Throughput {
  name: string;
  workers: number;
  jobsPerSecond: number[];
}

/** One worker, one job at a time: ms from one claim to the next, the finish of the job between them included. */
export interface SingleJobLatency {
  name: string;
  ms: number[];
}

export interface QueueFigures {
  throughput: Throughput[];
  latency: SingleJobLatency[];
}

/** Measures each way in turns, so that a busy minute of the machine hits all of them. */
export async function benchQueues(server: BenchServer): Promise<QueueFigures> {
  const admin = server.connect(server.adminUrl);
  await makeRecordings(admin);
  await runMigrations({ connectionString: server.adminUrl, logger: silence });

  const ways: { name: string; measure(workers: number): Promise<number> }[] = [
    { name: "recorder_api.work, batch 100", measure: (workers) => ours(server, admin, workers, 100) },
    { name: "recorder_api.work, batch 10", measure: (workers) => ours(server, admin, workers, 10) },
    {
      name: "graphile-worker, default",
      measure: (workers) => graphile(server, admin, workers, {}),
    },
    {
      name: "graphile-worker, localQueue 500 and batched completion",
      measure: (workers) =>
        graphile(server, admin, workers, {
          localQueue: { size: 500 },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
        }),
    },
  ];
  const throughput: Throughput[] = [];
  for (const workers of [1, 4]) {
    const rows = ways.map(({ name }) => ({ name, workers, jobsPerSecond: [] as number[] }));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [n, way] of ways.entries()) rows[n]?.jobsPerSecond.push(await way.measure(workers));
    }
    throughput.push(...rows);
  }
  const latency = [
    { name: "recorder_api.work, one at a time", ms: await oursOneByOne(server, admin) },
    { name: "graphile-worker, one at a time", ms: await graphileOneByOne(server, admin) },
  ];
  return { throughput, latency };
}

/** Jobs per second of the fastest way of the other side, for ratios. */
export function ratioToPeer(figures: QueueFigures, workers: number): number {
  const best = (prefix: string) =>
    Math.max(
      ...figures.throughput
        .filter((row) => row.workers === workers && row.name.startsWith(prefix))
        .map((row) => median(row.jobsPerSecond)),
    );
  return best("recorder_api") / best("graphile");
}

const silence = new Logger(() => () => undefined);

async function makeRecordings(admin: postgres.Sql): Promise<void> {
  await admin.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`
      insert into public.recordings (id, channel, status, quality, layout, deadline_at, stopped_at)
      select md5('queue' || n)::uuid, md5('queue' || n), 'processing', '720p', 'best_fit', now() + interval '1 day', now()
      from generate_series(1, ${RECORDINGS}) n`;
  });
}

// Ours ------------------------------------------------------------------------------------------------------------------

async function fillOurs(admin: postgres.Sql, count: number): Promise<void> {
  await admin`truncate recorder.jobs`;
  await admin.begin(async (sql) => {
    // Without the wake-up of each commit: what is measured begins with the claim.
    await sql`set local session_replication_role = replica`;
    await sql`
      insert into recorder.jobs (kind, lane, priority, recording_id, dedupe_key, max_attempts)
      select 'collect', 'storage', 1, md5('queue' || (1 + n % ${RECORDINGS}))::uuid, 'bench:' || n, 100
      from generate_series(1, ${count}) n`;
  });
  await admin`analyze recorder.jobs`;
}

async function ours(
  server: BenchServer,
  admin: postgres.Sql,
  workers: number,
  batch: number,
): Promise<number> {
  await fillOurs(admin, JOBS);
  await admin`update recorder.lanes set batch = ${batch} where lane = 'storage'`;
  await admin`update recorder.settings set value = ${workers} where name = 'drains_per_lane'`;
  await admin`
    insert into recorder.drains (lane, place) select 'storage', p from generate_series(1, ${workers}) p
    on conflict (lane, place) do update set token = null, leased_until = '-infinity'`;
  const connections = Array.from({ length: workers }, () => server.connect(server.postgresUrl));
  await Promise.all(connections.map((sql) => sql`select 1`));
  const startedAt = performance.now();
  await Promise.all(connections.map((sql) => drain(sql, batch)));
  const seconds = (performance.now() - startedAt) / 1000;
  await Promise.all(connections.map((sql) => sql.end()));
  const [left] = await admin`select count(*)::int as count from recorder.jobs where state <> 'done'`;
  if (left?.count !== 0) throw new Error(`${left?.count} jobs were not done`);
  return JOBS / seconds;
}

// A type and not an interface: only that is assignable to JSON.
type Claimed = {
  id: number;
  lease: string;
};

/** Finishes the last batch and claims the next in one call, as the functions do, until nothing is left. */
async function drain(sql: postgres.Sql, batch: number, onStep?: (ms: number) => void): Promise<void> {
  const me = randomUUID();
  let finished: (Claimed & { outcome: string })[] = [];
  while (true) {
    const startedAt = performance.now();
    const [row] = await sql`
      select recorder_api.work('storage', ${me}, ${sql.json(finished)}, ${batch}) as step`;
    const jobs: Claimed[] = row?.step.jobs ?? [];
    if (jobs.length === 0) return;
    onStep?.(performance.now() - startedAt);
    finished = jobs.map(({ id, lease }) => ({ id, lease, outcome: "done" }));
  }
}

async function oursOneByOne(server: BenchServer, admin: postgres.Sql): Promise<number[]> {
  await fillOurs(admin, SINGLE_JOBS);
  await admin`update recorder.drains set token = null, leased_until = '-infinity'`;
  const sql = server.connect(server.postgresUrl);
  await sql`select 1`;
  const ms: number[] = [];
  await drain(sql, 1, (step) => ms.push(step));
  await sql.end();
  return ms;
}

// graphile-worker -------------------------------------------------------------------------------------------------------

interface GraphileOptions {
  localQueue?: { size: number };
  completeJobBatchDelay?: number;
  failJobBatchDelay?: number;
}

async function fillGraphile(admin: postgres.Sql, count: number): Promise<void> {
  await admin`truncate graphile_worker._private_jobs`;
  await admin`
    select graphile_worker.add_jobs(array(
      select json_populate_record(null::graphile_worker.job_spec, json_build_object('identifier', 'noop', 'payload', json_build_object('n', n)))
      from generate_series(1, ${count}::int) n))`;
  await admin`analyze graphile_worker._private_jobs`;
}

async function startGraphile(
  server: BenchServer,
  workers: number,
  options: GraphileOptions,
  task: () => void,
  events?: WorkerEvents,
): Promise<Runner> {
  return await run({
    connectionString: server.adminUrl,
    concurrency: workers,
    noHandleSignals: true,
    logger: silence,
    taskList: { noop: async () => task() },
    ...(events === undefined ? {} : { events }),
    preset: { worker: { concurrentJobs: workers, maxPoolSize: workers + 4, ...options } },
  });
}

async function graphile(
  server: BenchServer,
  admin: postgres.Sql,
  workers: number,
  options: GraphileOptions,
): Promise<number> {
  await fillGraphile(admin, JOBS);
  let count = 0;
  let firstAt: number | undefined;
  const all = Promise.withResolvers<void>();
  const events: WorkerEvents = new EventEmitter();
  // Its start-up (signing in, migrations) is no part of the work.
  for (const name of ["worker:getJob:start", "localQueue:init"] as const) {
    events.once(name, () => {
      firstAt ??= performance.now();
    });
  }
  const runner = await startGraphile(
    server,
    workers,
    options,
    () => {
      count += 1;
      if (count === JOBS) all.resolve();
    },
    events,
  );
  await all.promise;
  // Done is what the database knows to be done.
  while (true) {
    const [left] = await admin`select count(*)::int as count from graphile_worker._private_jobs`;
    if (left?.count === 0) break;
  }
  const seconds = (performance.now() - (firstAt ?? Number.NaN)) / 1000;
  await runner.stop();
  return JOBS / seconds;
}

async function graphileOneByOne(server: BenchServer, admin: postgres.Sql): Promise<number[]> {
  await fillGraphile(admin, SINGLE_JOBS);
  const claims: number[] = [];
  const all = Promise.withResolvers<void>();
  const events: WorkerEvents = new EventEmitter();
  events.on("worker:getJob:start", () => {
    claims.push(performance.now());
    if (claims.length > SINGLE_JOBS) all.resolve();
  });
  const runner = await startGraphile(server, 1, {}, () => undefined, events);
  await all.promise;
  await runner.stop();
  return claims.slice(1).map((at, n) => at - (claims[n] ?? at));
}
