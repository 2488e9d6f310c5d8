/** What the guard of video_calls costs: the same update with and without it, and the two wishes. */
import { randomUUID } from "node:crypto";
import type postgres from "postgres";
import type { BenchServer } from "./server.ts";

const CALLS = 2_000;

/** µs of database time per updated row, one value per update. */
export interface TriggerFigures {
  plainUpdate: number[];
  guardedUpdate: number[];
  startWish: number[];
  stopWish: number[];
}

/** Measures one update per transaction on one connection; commits wait for no disk, which would hide the triggers. */
export async function benchTriggers(server: BenchServer): Promise<TriggerFigures> {
  const admin = server.connect(server.adminUrl);
  const sql = server.connect(server.postgresUrl);
  const mentorship = randomUUID();
  await admin`insert into public.mentorships (id) values (${mentorship})`;
  const calls = await admin<{ id: string }[]>`
    insert into public.video_calls (id, mentorship_id, channel)
    select i.id, ${mentorship}, replace(i.id::text, '-', '')
    from (select gen_random_uuid() as id from generate_series(1, ${CALLS})) i returning id`;
  await admin`analyze public.video_calls`;
  await sql`set synchronous_commit = off`;
  const ids = calls.map(({ id }) => id);
  const touch = (id: string) => sql`update public.video_calls set participants = '["a"]' where id = ${id}`;
  const wish = (word: string) => (id: string) =>
    sql`update public.video_calls set recording_status = ${word} where id = ${id}`;

  const guard = "00_wishes_become_facts";
  await each(ids, touch);
  await admin`alter table public.video_calls disable trigger ${admin(guard)}`;
  const plainUpdate = await each(ids, touch);
  await admin`alter table public.video_calls enable trigger ${admin(guard)}`;
  const guardedUpdate = await each(ids, touch);
  const startWish = await each(ids, wish("starting"));
  const stopWish = await each(ids, wish("stopping"));
  return { plainUpdate, guardedUpdate, startWish, stopWish };
}

async function each(
  ids: string[],
  work: (id: string) => postgres.PendingQuery<postgres.Row[]>,
): Promise<number[]> {
  const microseconds: number[] = [];
  for (const id of ids) {
    const startedAt = performance.now();
    await work(id);
    microseconds.push((performance.now() - startedAt) * 1000);
  }
  return microseconds;
}
