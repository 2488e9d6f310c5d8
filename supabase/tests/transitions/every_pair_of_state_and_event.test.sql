-- All states × all events × all actors: either the row of the table applies, or nothing changes.
begin;
select plan(6);
select tests.people();

-- Written out, so that a row that is lost or added is seen.
create temporary table expected (event text, from_status text, to_status text);
insert into expected values
  ('engine.requested', 'starting', 'starting'), ('engine.attempt_lost', 'starting', 'starting'),
  ('engine.confirmed', 'starting', 'recording'), ('engine.start_failed', 'starting', 'failed'),
  ('recording.queue_timed_out', 'starting', 'failed'), ('recording.cancelled', 'starting', 'failed'),
  ('recording.stop_requested', 'starting', 'stopping'), ('recording.stop_requested', 'recording', 'stopping'),
  ('engine.never_started', 'stopping', 'failed'),
  ('engine.gone', 'recording', 'processing'), ('engine.gone', 'stopping', 'processing'),
  ('files.awaited', 'processing', 'processing'), ('files.transferring', 'processing', 'processing'),
  ('files.published', 'processing', 'recorded'), ('files.empty', 'processing', 'failed'), ('files.missing', 'processing', 'failed'),
  ('files.announced', 'failed', 'processing'), ('recording.retried', 'failed', 'processing'),
  ('recording.expired', 'recorded', 'expired'), ('recording.expired', 'failed', 'expired');
select set_eq(
  'select event, from_status, to_status from recorder.transitions', 'select event, from_status, to_status from expected',
  'the table holds exactly these moves');

create temporary table states (name text primary key, id uuid default gen_random_uuid(), facts jsonb);
insert into states (name, facts) values
  ('starting', '{"phase": "queued", "deadline_at": "2100-01-01"}'),
  ('starting, requested', '{"phase": "requested", "attempt": 1, "deadline_at": "2100-01-01"}'),
  ('recording', '{"attempt": 1, "started_at": "2026-01-01", "deadline_at": "2100-01-01"}'),
  ('stopping', '{"attempt": 1, "stop_requested_at": "2026-01-01", "stop_reason": "user", "deadline_at": "2100-01-01"}'),
  ('processing', '{"attempt": 1, "phase": "waiting_for_upload", "stopped_at": "2026-01-01", "deadline_at": "2100-01-01"}'),
  ('recorded', '{"attempt": 1, "stopped_at": "2026-01-01", "finished_at": "2026-01-01", "duration_ms": 1, "size_bytes": 1, "stored_bytes": 1}'),
  ('failed', '{"attempt": 1, "stopped_at": "2026-01-01", "finished_at": "2026-01-01", "error": {"code": "files_missing", "blame": "storage", "retry": "later", "message": "m"}}'),
  ('expired', '{"attempt": 1, "stopped_at": "2026-01-01", "finished_at": "2026-01-01", "duration_ms": 1, "size_bytes": 1, "stored_bytes": 1}');

insert into public.video_calls (id, mentorship_id, channel) select id, tests.mentorship(), replace(id::text, '-', '') from states;
insert into public.recordings (id, call_id, mentorship_id, channel, status, quality, layout, phase, attempt, started_at,
  stop_requested_at, stop_reason, stopped_at, finished_at, deadline_at, duration_ms, size_bytes, stored_bytes, error)
select s.id, s.id, tests.mentorship(), replace(s.id::text, '-', ''), split_part(s.name, ',', 1), '720p', 'best_fit', f.phase,
  coalesce(f.attempt, 0), f.started_at, f.stop_requested_at, f.stop_reason, f.stopped_at, f.finished_at, f.deadline_at,
  f.duration_ms, f.size_bytes, f.stored_bytes, f.error
from states s cross join jsonb_populate_record(null::public.recordings, s.facts) f;
-- Any write lets a call catch up with its recording.
update public.video_calls set participants = '[]';

create function pg_temp.try(p_state states, p_event text, p_actor text) returns text
  language plpgsql
as $$
declare
  v_before public.recordings;
  v_after public.recordings;
  v_call_before public.video_calls;
  v_call_after public.video_calls;
  v_status text := split_part(p_state.name, ',', 1);
  v_to text := (select e.to_status from expected e where e.event = p_event and e.from_status = v_status);
  v_applied boolean;
  v_last public.recording_events;
  v_answer text := 'ok';
begin
  begin
    select * into v_before from public.recordings where id = p_state.id;
    select * into v_call_before from public.video_calls where id = p_state.id;

    v_applied := recorder.apply(p_state.id, p_event, p_actor, jsonb_build_object(
      'attempt', 2, 'reason', 'user', 'duration_ms', 60000, 'size_bytes', 10, 'stored_bytes', 12));

    select * into v_after from public.recordings where id = p_state.id;
    select * into v_call_after from public.video_calls where id = p_state.id;
    select * into v_last from public.recording_events where recording_id = p_state.id order by id desc limit 1;
    v_answer := case
      when v_applied is distinct from (v_to is not null) then 'apply says ' || coalesce(v_applied::text, 'null')
      when v_to is null and v_after is distinct from v_before then 'changed the recording'
      when v_to is null and v_call_after is distinct from v_call_before then 'changed the call'
      when v_to is null and v_last.id is not null then 'wrote into the story'
      when v_to is null and exists (select from recorder.jobs where recording_id = p_state.id) then 'made work'
      when v_to is null then 'ok'
      when v_after.status <> v_to then 'became ' || v_after.status
      when (v_last.event, v_last.actor, v_last.from_status, v_last.to_status) is distinct from (p_event, p_actor, v_status, v_to)
        then 'the story says ' || to_jsonb(v_last)::text
      when v_after.version <= v_before.version then 'the version did not grow'
      when (v_call_after.recording_status, v_call_after.recording_version) is distinct from (v_after.status, v_after.version)
        then 'the call did not follow'
      when v_before.stop_requested_at is not null and v_after.stop_requested_at is distinct from v_before.stop_requested_at
        then 'the wish to stop was changed'
      when v_before.status = 'recorded' and v_after.finished_at <> v_before.finished_at then 'finished twice'
      else 'ok' end;
    raise exception using errcode = 'TT000';
  exception
    when sqlstate 'TT000' then null;
    when others then v_answer := sqlstate || ' ' || sqlerrm;
  end;
  return v_answer;
end
$$;

create temporary table tried as
select s.name as state, e.event, a.actor, pg_temp.try(s, e.event, a.actor) as answer
from states s
cross join (select distinct event from recorder.transitions) e
cross join unnest(array['user', 'service', 'administrator', 'engine', 'storage', 'system']) as a (actor);
select is((select count(*) from tried)::integer, 8 * 17 * 6, 'all states meet all events of all actors');
select is_empty($$ select * from tried where answer <> 'ok' $$, 'either the row of the table applies, or nothing changes');

-- Which job follows from which move, in the same transaction.
create function pg_temp.job_after(p_status text, p_event text) returns text
  language plpgsql
as $$
declare
  v_jobs text;
begin
  begin
    perform recorder.apply(s.id, p_event, 'system', '{"duration_ms": 1, "size_bytes": 1, "stored_bytes": 1}') from states s where s.name = p_status;
    -- What the outside is told of every end is tested on its own (notify).
    select string_agg(j.kind, ',') into v_jobs from recorder.jobs j join states s on s.id = j.recording_id
    where s.name = p_status and j.kind <> 'notify';
    raise exception using errcode = 'TT000';
  exception when sqlstate 'TT000' then null;
  end;
  return v_jobs;
end
$$;
select results_eq(
  $$ select event, from_status, pg_temp.job_after(from_status, event) from expected
     where event not in ('engine.requested') order by 1, 2 $$,
  $$ values
    ('engine.attempt_lost', 'starting', 'start'), ('engine.confirmed', 'starting', null), ('engine.gone', 'recording', 'collect'),
    ('engine.gone', 'stopping', 'collect'), ('engine.never_started', 'stopping', null), ('engine.start_failed', 'starting', null),
    ('files.announced', 'failed', 'collect'), ('files.awaited', 'processing', null), ('files.empty', 'processing', null), ('files.missing', 'processing', null),
    ('files.published', 'processing', null), ('files.transferring', 'processing', null), ('recording.cancelled', 'starting', null), 
    ('recording.expired', 'failed', null), ('recording.expired', 'recorded', null),
    ('recording.queue_timed_out', 'starting', null), ('recording.retried', 'failed', 'collect'),
    ('recording.stop_requested', 'recording', 'stop'), ('recording.stop_requested', 'starting', 'stop') $$,
  'a move and the job that follows from it are one');

select throws_ok(
  $$ select recorder.apply(gen_random_uuid(), 'engine.exploded', 'engine') $$, 'RC014', null, 'an event that nobody knows is refused');
select throws_ok(
  $$ select recorder.apply(gen_random_uuid(), 'engine.gone', 'engine') $$, 'RC012', null, 'a recording that nobody knows is refused');
select * from finish();
rollback;
