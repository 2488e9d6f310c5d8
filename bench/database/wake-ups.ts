/** How many wake-ups one transaction issues that changes a thousand calls. */
import { randomUUID } from "node:crypto";
import type { BenchServer } from "./server.ts";

const CALLS = 1_000;

export interface WakeUpFigures {
  calls: number;
  jobsByLane: Record<string, number>;
  wakeUpsByFunction: Record<string, number>;
  /** From the update to the end of its commit, ms. */
  transactionMs: number;
}

/** @throws Error when a lane with new work got another number of wake-ups than one. */
export async function benchWakeUps(server: BenchServer): Promise<WakeUpFigures> {
  const sql = server.connect(server.postgresUrl);
  const mentorship = randomUUID();
  await sql`insert into public.mentorships (id) values (${mentorship})`;
  await sql`
    insert into public.video_calls (id, mentorship_id, channel)
    select i.id, ${mentorship}, replace(i.id::text, '-', '')
    from (select gen_random_uuid() as id from generate_series(1, ${CALLS})) i`;
  const newestBefore = await sql`select coalesce(max(id), 0)::int as job from recorder.jobs`;
  await sql`delete from net.http_request_queue`;
  await sql`update recorder.lanes set last_wake_at = '-infinity'`;

  const startedAt = performance.now();
  await sql`update public.video_calls set recording_status = 'starting' where mentorship_id = ${mentorship}`;
  const transactionMs = performance.now() - startedAt;

  const lanes = await sql`
    select lane, count(*)::int as count from recorder.jobs where id > ${newestBefore[0]?.job ?? 0} group by lane`;
  const wakeUps = await sql`
    select regexp_replace(url, '^.*/', '') as name, count(*)::int as count from net.http_request_queue group by 1`;
  const jobsByLane = Object.fromEntries(lanes.map((row) => [row.lane, row.count]));
  const wakeUpsByFunction = Object.fromEntries(wakeUps.map((row) => [row.name, row.count]));
  if (JSON.stringify(jobsByLane) !== JSON.stringify({ control: CALLS })) {
    throw new Error(`${CALLS} wishes made these jobs: ${JSON.stringify(jobsByLane)}`);
  }
  if (JSON.stringify(wakeUpsByFunction) !== JSON.stringify({ "run-control": 1 })) {
    throw new Error(`${CALLS} wishes in one transaction sent ${JSON.stringify(wakeUpsByFunction)}`);
  }
  return { calls: CALLS, jobsByLane, wakeUpsByFunction, transactionMs };
}
