/** What must hold whatever happened, as queries that give the rows that lie. Run when nobody is at work any more. */
import type postgres from "postgres";

/** Writes down every state a row ever had, under the lock of that row: what must never be seen in between. */
export const AUDIT = `
  create table tests_recording_history (
    place bigint generated always as identity, id uuid, status text, version bigint, stop_requested_at timestamptz,
    deadline_at timestamptz, finished_at timestamptz);
  create table tests_call_history (place bigint generated always as identity, id uuid, version bigint);
  create function tests_write_history() returns trigger language plpgsql security definer as $$
  begin
    if tg_table_name = 'recordings' then
      insert into public.tests_recording_history (id, status, version, stop_requested_at, deadline_at, finished_at)
      values (new.id, new.status, new.version, new.stop_requested_at, new.deadline_at, new.finished_at);
    else
      insert into public.tests_call_history (id, version) values (new.id, new.recording_version);
    end if;
    return null;
  end $$;
  create trigger write_history after insert or update on public.recordings
    for each row execute function tests_write_history();
  create trigger write_history after insert or update on public.video_calls
    for each row execute function tests_write_history();
`;

const LIVE = "('starting', 'recording', 'stopping')";

/** Claim and the query whose rows contradict it. */
const INVARIANTS: Record<string, string> = {
  "a channel has at most one live recording": `
    select channel, count(*) from public.recordings where status in ${LIVE} group by channel having count(*) > 1`,

  "a call mirrors the live recording of its channel while it is active, else the newest it had": `
    with wanted as (
      select c.*, coalesce(
        (select r.id from public.recordings r
         where c.status = 'active' and c.end_time is null and r.channel = c.channel and r.status in ${LIVE}),
        (select r.id from public.recordings r where r.call_id = c.id or r.id = c.recording_id
         order by r.created_at desc, r.id limit 1)) as wanted_id
      from public.video_calls c)
    select w.id, w.recording_id, w.wanted_id, w.recording_status, r.status, w.recording_version, r.version
    from wanted w left join public.recordings r on r.id = w.wanted_id
    where (w.recording_id, w.recording_status, w.recording_phase, w.recording_version, w.recording_error)
      is distinct from (r.id, r.status, r.phase, coalesce(r.version, 0), r.error)
      or (w.recording_url is not null) <> (coalesce(r.status, '') = 'recorded')`,

  "no call is owed anything after a sweep": `select * from recorder.channels where owed_call_ids <> '{}'`,

  "the version of a recording only grows": `
    select * from (
      select id, version, lag(version) over w as before, status, lag(status) over w as status_before
      from tests_recording_history window w as (partition by id order by place)) h
    where version < before or version = before and status <> status_before`,
  "the version of a call never goes back": `
    select * from (
      select id, version, lag(version) over (partition by id order by place) as before from tests_call_history) h
    where version < before`,

  "the story of a recording has no gap": `
    select * from (
      select recording_id, id, event, from_status, to_status,
        lag(to_status) over (partition by recording_id order by id) as before
      from public.recording_events where to_status is not null) e
    where from_status is distinct from before`,
  "the story ends where the recording is": `
    select r.id, r.status, e.to_status from public.recordings r
    cross join lateral (
      select to_status from public.recording_events e
      where e.recording_id = r.id and e.to_status is not null order by e.id desc limit 1) e
    where r.status <> e.to_status`,
  "every step of a story is in the transition table": `
    select e.* from public.recording_events e
    where e.from_status is not null and not exists (
      select from recorder.transitions t
      where t.event = e.event and t.from_status = e.from_status and t.to_status = e.to_status)`,

  "an open recording always had a deadline": `
    select * from tests_recording_history where (deadline_at is null) <> (status in ('recorded', 'failed', 'expired'))`,
  "a wish to stop is never lost": `
    select * from (
      select id, place, status, stop_requested_at,
        lag(stop_requested_at) over (partition by id order by place) as before from tests_recording_history) h
    where stop_requested_at is distinct from before and before is not null
      or stop_requested_at is not null and status in ('starting', 'recording')`,
  "what is over stays over, but for files that come late": `
    select * from (
      select id, status, lag(status) over (partition by id order by place) as before from tests_recording_history) h
    where before in ('recorded', 'expired') and status not in ('recorded', 'expired')
      or before = 'failed' and status not in ('failed', 'processing')`,

  "a recording that records has a recorder": `
    select r.id from public.recordings r
    where r.status = 'recording' and not exists (
      select from recorder.engine_tasks t
      where t.recording_id = r.id and t.state in ('requested', 'running') and not t.superseded)`,
  "a recorder without a live recording is being stopped": `
    select t.* from recorder.engine_tasks t join public.recordings r on r.id = t.recording_id
    where t.state in ('requested', 'running') and (t.superseded or r.status not in ('starting', 'recording'))
      and not exists (
        select from recorder.jobs j
        where j.recording_id = r.id and j.kind in ('stop', 'repair') and j.state in ('queued', 'running'))`,
  "what was never sent to the engine is not waited for": `
    select t.* from recorder.engine_tasks t join public.recordings r on r.id = t.recording_id
    where t.state = 'preparing' and (t.superseded or r.status <> 'starting')`,
  "an open recording has the job that its state needs": `
    select r.id, r.status, r.phase from public.recordings r
    where (r.phase = 'queued' and not exists (
        select from recorder.jobs j where j.recording_id = r.id and j.kind = 'start' and j.state in ('queued', 'running')))
      or (r.status = 'processing' and not exists (
        select from recorder.jobs j where j.recording_id = r.id and j.kind = 'collect' and j.state in ('queued', 'running')))
      or (r.status = 'stopping' and not exists (
        select from recorder.jobs j where j.recording_id = r.id and j.kind = 'stop' and j.state in ('queued', 'running')))`,
  "a recorded recording has a file": `
    select r.id from public.recordings r
    where r.status = 'recorded' and not exists (select from public.recording_files f where f.recording_id = r.id)`,

  "no two jobs of one key are under way": `
    select dedupe_key, state, count(*) from recorder.jobs where state in ('queued', 'running')
    group by dedupe_key, state having count(*) > 1`,
  "a running job has a lease, a finished one has none": `
    select * from recorder.jobs
    where (state = 'running') <> (lease_token is not null) or (lease_token is null) <> (leased_until is null)`,
  "no event of a known engine task is forgotten": `
    select i.notice_id from recorder.inbox i
    where i.applied_at is null and i.engine_task_id is not null and not exists (
      select from recorder.jobs j
      where j.engine_task_id = i.engine_task_id and j.kind = 'apply_events' and j.state in ('queued', 'running', 'dead', 'done'))`,
};

/** The claims that do not hold, each with a few rows that say so. Empty when all is well. */
export async function brokenInvariants(sql: postgres.Sql): Promise<string[]> {
  const broken: string[] = [];
  for (const [claim, query] of Object.entries(INVARIANTS)) {
    const rows = await sql.unsafe(query);
    if (rows.length > 0)
      broken.push(`${claim}: ${rows.length} rows, e.g. ${JSON.stringify(rows.slice(0, 2))}`);
  }
  return broken;
}
