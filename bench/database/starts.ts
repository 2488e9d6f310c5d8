/** What the database takes for one start, on its first days and after years: what is over must cost nothing. */
import { randomUUID } from "node:crypto";
import type postgres from "postgres";
import type { BenchServer } from "./server.ts";

const SESSIONS = 8;
const STARTS_PER_SESSION = 8;
const PAST = 50_000;

/** ms from the client, one value per start. */
export interface StartTimes {
  /** The first start of a session, whose statements nobody has planned yet. */
  firstClaim: number[];
  /** The claims after it. */
  claim: number[];
  /** Wish, claim, attempt and the word that it was acquired, after the first of a session. */
  whole: number[];
}

export interface StartFigures {
  past: number;
  without: StartTimes;
  withPast: StartTimes;
}

/** Measures single starts without a past and with one of 50,000 recordings, each with its recorder, job and outcome. */
export async function benchStarts(server: BenchServer): Promise<StartFigures> {
  const admin = server.connect(server.adminUrl);
  await admin`truncate recorder.jobs`;
  await admin`
    update recorder.settings set value = 1000000 where name in ('requests_per_second', 'concurrent_tasks', 'sweep_overdue')`;
  const mentorshipId = randomUUID();
  await admin`insert into public.mentorships (id) values (${mentorshipId})`;
  const without = await startOneByOne(server, admin, mentorshipId);
  await makePast(admin);
  const withPast = await startOneByOne(server, admin, mentorshipId);
  return { past: PAST, without, withPast };
}

async function makePast(admin: postgres.Sql): Promise<void> {
  await admin.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`
      insert into public.recordings (
        id, channel, status, quality, layout, stopped_at, finished_at, expires_at, duration_ms, size_bytes, stored_bytes)
      select md5('past' || n)::uuid, md5('past' || n), 'recorded', '720p', 'best_fit', p.at, p.at,
        now() + interval '60 days', 1, 1, 1
      from generate_series(1, ${PAST}) n cross join (select now() - interval '30 days') p (at)`;
    await sql`
      insert into recorder.engine_tasks (recording_id, attempt, channel, uid, state, resource_id, sid, start_sent_at, gone_at)
      select md5('past' || n)::uuid, 1, md5('past' || n), '4000000001', 'gone', 'resource ' || n, 'sid ' || n, p.at, p.at
      from generate_series(1, ${PAST}) n cross join (select now() - interval '30 days') p (at)`;
    await sql`
      insert into recorder.outcomes (recording_id, outcome, decided_at)
      select md5('past' || n)::uuid, 'recorded', now() - interval '30 days' from generate_series(1, ${PAST}) n`;
    await sql`
      insert into recorder.jobs (kind, lane, priority, recording_id, dedupe_key, max_attempts, state, finished_at)
      select 'start', 'control', 3, md5('past' || n)::uuid, 'past:' || n, 20, 'done', now() - interval '3 days'
      from generate_series(1, ${PAST}) n`;
  });
  await admin`analyze public.recordings, recorder.engine_tasks, recorder.outcomes, recorder.jobs`;
}

async function startOneByOne(
  server: BenchServer,
  admin: postgres.Sql,
  mentorshipId: string,
): Promise<StartTimes> {
  const times: StartTimes = { firstClaim: [], claim: [], whole: [] };
  for (let session = 0; session < SESSIONS; session++) {
    const sql = server.connect(server.postgresUrl);
    await sql`select 1`;
    for (let start = 0; start < STARTS_PER_SESSION; start++) {
      const { wholeMs, claimMs } = await startOnce(sql, mentorshipId);
      await admin`update recorder.engine_tasks set state = 'gone', gone_at = now() - interval '1 hour', superseded = true where state <> 'gone'`;
      await admin`delete from recorder.jobs where state in ('queued', 'running')`;
      if (start === 0) {
        times.firstClaim.push(claimMs);
      } else {
        times.claim.push(claimMs);
        times.whole.push(wholeMs);
      }
    }
    await sql.end();
  }
  return times;
}

async function startOnce(
  sql: postgres.Sql,
  mentorshipId: string,
): Promise<{ wholeMs: number; claimMs: number }> {
  const callId = randomUUID();
  await sql`
    insert into public.video_calls (id, mentorship_id, channel)
    values (${callId}, ${mentorshipId}, ${callId.replaceAll("-", "")})`;
  const startedAt = performance.now();
  await sql`update public.video_calls set recording_status = 'starting' where id = ${callId}`;
  const claimingAt = performance.now();
  const [work] = await sql`select recorder_api.work('control', ${randomUUID()}, '[]', 10) as step`;
  const claimMs = performance.now() - claimingAt;
  const [job, ...others] = work?.step.jobs ?? [];
  if (job?.kind !== "start" || others.length > 0)
    throw new Error("a claim gave something else than one start");
  const [attempt] = await sql`
    select recorder_api.begin_attempt(${job.recording_id}, now() + interval '1 hour') as task`;
  await sql`
    select recorder_api.report(${attempt?.task.id}, 'task.acquired', ${sql.json({ resource_id: randomUUID() })})`;
  const wholeMs = performance.now() - startedAt;
  // The lane has two places.
  await sql`update recorder.drains set token = null, leased_until = '-infinity'`;
  return { wholeMs, claimMs };
}
