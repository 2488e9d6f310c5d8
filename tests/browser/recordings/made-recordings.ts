import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "@supabase/supabase-js";
import type postgres from "postgres";
import { z } from "zod";
import type { Stack } from "../../../local/stack/stack.ts";
import { joinCall, wish } from "../../integration/people.ts";
import { seededPassword } from "../people.ts";

const recordingRows = z.array(z.object({ id: z.uuid(), status: z.string() }));

/** Records a call of a mentorship by the engine's stand-in, and gives the id of the recording once it is there. */
export async function recordCall(
  stack: Pick<Stack, "url" | "publishableKey">,
  email: string,
  mentorshipId: string,
  recordedMs = 9_000,
): Promise<string> {
  const client = createClient(stack.url, stack.publishableKey, { auth: { persistSession: false } });
  const { data: signedIn, error } = await client.auth.signInWithPassword({ email, password: seededPassword });
  if (error !== null) throw error;
  const { access_token: accessToken, user } = signedIn.session;
  const call = await joinCall({ id: user.id, client, accessToken }, mentorshipId);
  const until = async (status: string) => {
    const deadline = performance.now() + 120_000;
    while (performance.now() < deadline) {
      const { data } = await client.from("recordings").select("id, status").eq("call_id", call.id);
      const [row] = recordingRows.parse(data ?? []);
      if (row?.status === status) return row.id;
      await pause(200);
    }
    throw new Error(`the recording never was ${status}`);
  };
  await wish(client, call.id, "starting");
  await until("recording");
  // The time that is recorded.
  await pause(recordedMs);
  await wish(client, call.id, "stopping");
  const recordingId = await until("recorded");
  await client.rpc("end_call", { call_id: call.id });
  return recordingId;
}

/** A recording that failed for want of its files, with a recorder that did record: its people may have it looked for again. */
export async function failedRecording(sql: postgres.Sql, mentorshipId: string): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    insert into public.recordings (mentorship_id, instructor_id, mentee_id, channel, status, quality, layout, attempt, requested_by,
      requested_at, started_at, stop_requested_at, stop_reason, stopped_at, finished_at, error, created_at)
    select m.id, m.instructor_id, m.mentee_id, md5(random()::text), 'failed', '720p', 'best_fit', 1, i.user_id,
      now() - interval '2 hours', now() - interval '2 hours', now() - interval '1 hour', 'user', now() - interval '1 hour', now(),
      recorder.error_of('files_missing'), now() - interval '2 hours'
    from public.mentorships m join public.instructors i on i.id = m.instructor_id where m.id = ${mentorshipId} returning id`;
  if (row === undefined) throw new Error("there is no such mentorship");
  await sql`
    insert into recorder.engine_tasks (recording_id, attempt, channel, uid, state, resource_id, sid, start_sent_at, started_at,
      confirmed_at, last_seen_at, gone_at, left_at, token_expires_at)
    select r.id, 1, r.channel, '4000000007', 'gone', 'resource of ' || r.id, md5(r.id::text), r.started_at, r.started_at,
      r.started_at, r.stopped_at, r.stopped_at, r.stopped_at, now()
    from public.recordings r where r.id = ${row.id}`;
  return row.id;
}

/** Other states of a mentorship's recordings, for what a list shows: rows only, nothing behind them. */
export async function recordingsInEveryState(sql: postgres.Sql, mentorshipId: string): Promise<void> {
  await sql`
    insert into public.recordings (mentorship_id, instructor_id, mentee_id, channel, status, phase, quality, layout, attempt, requested_by,
      requested_at, started_at, stop_requested_at, stop_reason, stopped_at, finished_at, deadline_at, expires_at, error, is_partial, gaps,
      duration_ms, size_bytes, stored_bytes, progress, created_at)
    select m.id, m.instructor_id, m.mentee_id, md5(s.status || s.ago), s.status, s.phase, s.quality, 'best_fit', 1,
      case when s.ago % 2 = 0 then i.user_id else e.user_id end,
      t.at, t.at, t.at + interval '40 minutes', 'user', t.at + interval '40 minutes',
      case when s.status <> 'processing' then t.at + interval '42 minutes' end,
      case when s.status = 'processing' then now() + interval '1 day' end,
      now() + s.left, s.error, s.gaps <> '[]', s.gaps, s.duration_ms, s.size, s.size, s.progress, t.at
    from (values
      ('processing', 'transferring', '1080p', 1, null::interval, null::jsonb, '[]'::jsonb, null::bigint, null::bigint,
        jsonb_build_object('bytes', 412000000, 'total_bytes', 980000000, 'percent', 42, 'estimated_end_at', now() + interval '4 minutes',
          'measured_at', now())),
      ('recorded', null, '720p', 26, interval '200 days', null,
        '[{"from_ms": 184000, "to_ms": 184000, "missing_ms": 14000}, {"from_ms": 905000, "to_ms": 905000, "missing_ms": 3000}]'::jsonb,
        2390000, 498000000, null),
      ('recorded', null, 'audio', 49, interval '5 days', null, '[]', 1505000, 24000000, null),
      ('failed', null, '720p', 74, null, recorder.error_of('nothing_recorded'), '[]', null, null, null),
      ('expired', null, '480p', 9500, interval '-10 days', null, '[]', 2935000, 701824512, null)
    ) as s (status, phase, quality, ago, "left", error, gaps, duration_ms, size, progress)
    cross join lateral (select now() - s.ago * interval '1 hour' as at) t
    join public.mentorships m on m.id = ${mentorshipId}
    join public.instructors i on i.id = m.instructor_id
    join public.mentees e on e.id = m.mentee_id`;
}

/** Very many recordings that expired long ago. */
export async function manyRecordings(sql: postgres.Sql, mentorshipId: string, count: number): Promise<void> {
  // Nobody listens to them while they are made.
  await sql`
    insert into public.recordings (mentorship_id, instructor_id, mentee_id, channel, status, quality, layout, attempt, requested_by,
      requested_at, started_at, stop_requested_at, stop_reason, stopped_at, finished_at, expires_at, duration_ms, size_bytes, stored_bytes,
      created_at)
    select m.id, m.instructor_id, m.mentee_id, md5(n::text), 'recorded', '720p', 'best_fit', 1, i.user_id, t.at, t.at, t.at, 'user', t.at,
      t.at, now() + interval '1 year', 60000 + n, 1000000 + n, 1000000 + n, t.at
    from generate_series(1, ${count}::integer) n
    cross join lateral (select now() - n * interval '1 hour' as at) t
    join public.mentorships m on m.id = ${mentorshipId}
    join public.instructors i on i.id = m.instructor_id`;
}
