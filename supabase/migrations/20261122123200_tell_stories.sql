-- One recording's story, for whoever has to explain it: what people read of it, what recorders did, what work there was, what files
-- came.

create table recorder.event_meanings (
  event text primary key,
  meaning text not null
);
comment on table recorder.event_meanings is
  'What an event of a story means that is no move of its own; those that are stand in recorder.transitions. For recorder_admin.';
insert into recorder.event_meanings (event, meaning) values
  ('recording.requested', 'Somebody wished to record.'),
  ('recording.claim_ignored', 'The old portal wrote something about this recording; it was not believed.'),
  ('recording.taken_over', 'The old portal said this; nobody can prove it.'),
  ('recording.rebuilt', 'The rows were made again from the manifest in the bucket.'),
  ('recording.kept_longer', 'It is kept longer.'),
  ('recording.held', 'It is held: nothing deletes it.'),
  ('recording.released', 'It is held no longer.'),
  ('recording.retention_changed', 'The policy gives it another end.'),
  ('recording.person_forgotten', 'One of its people was forgotten.'),
  ('recording.expiry_announced', 'Its people were told that it will be deleted.'),
  ('recording.deletion_requested', 'One of its people deletes it.'),
  ('recording.deletion_began', 'Its files are being deleted.'),
  ('recording.files_deleted', 'Nothing of it is left in the bucket.'),
  ('recording.leftovers_deleted', 'What had come after its end was deleted.'),
  ('engine.recorder_started', 'The engine says that the recorder started.'),
  ('engine.recorder_left', 'The engine says that the recorder left.'),
  ('engine.stop_unconfirmed', 'The engine never confirmed that the recorder is gone; its token has ended.'),
  ('job.died', 'Work was given up.'),
  ('job.retried', 'An administrator asked for work again that had been given up.'),
  ('transfer.restarted', 'A copy began anew.'),
  ('transfer.failed', 'A copy was given up.');

create function recorder.megabytes(p_bytes bigint) returns text
  language sql immutable set search_path = ''
as $$ select round(p_bytes / 1000000.0, 1) || ' MB' $$;
comment on function recorder.megabytes(bigint) is 'Bytes for people, in millions. For recorder.story.';

create function recorder.story(p_recording_id uuid) returns table (
  at timestamptz, source text, event text, sentence text, detail jsonb
)
  language plpgsql stable security definer set search_path = ''
as $$
begin
  if p_recording_id is null then
    perform recorder.refuse('argument_missing');
  end if;
  if not exists (select from public.recordings r where r.id = p_recording_id) then
    perform recorder.refuse('recording_not_found');
  end if;
  return query
  select s.at, s.source, s.event, s.sentence, s.detail
  from (
    select e.happened_at as at, 'event' as source, e.event, e.id as place,
      coalesce(t.meaning, m.meaning, e.event)
        || case when e.from_status is distinct from e.to_status and e.to_status is not null
          then format(' %s → %s.', coalesce(e.from_status, 'nothing'), e.to_status) else '' end
        || coalesce(' By ' || nullif(e.actor, 'system') || '.', '')
        || coalesce(' Error: ' || (e.detail ->> 'error') || '.', '') || coalesce(' Reason: ' || (e.detail ->> 'reason') || '.', '') as sentence,
      e.detail
    from public.recording_events e
    left join recorder.transitions t on t.event = e.event and t.from_status = e.from_status
    left join recorder.event_meanings m on m.event = e.event
    where e.recording_id = p_recording_id

    union all
    select a.at, 'attempt', a.event, t.attempt, format('Attempt %s: ', t.attempt) || a.words, jsonb_strip_nulls(jsonb_build_object(
      'engine_task_id', t.id, 'uid', t.uid, 'sid', t.sid, 'state', t.state, 'superseded', nullif(t.superseded, false), 'error', t.error))
    from recorder.engine_tasks t
    cross join lateral (values
      (t.created_at, 'task.prepared', format('a recorder with uid %s is prepared.', t.uid)),
      (t.start_sent_at, 'task.requested', 'the engine was asked to start it.'),
      (t.confirmed_at, 'task.confirmed', 'the engine confirmed that it is in the channel.'),
      (t.suspect_since, 'task.suspected', 'the engine does not know it at the moment.'),
      (t.stop_sent_at, 'task.stop_sent', 'the engine was asked to stop it.'),
      (t.failed_at, 'task.failed', 'the engine reported ' || coalesce(t.error ->> 'code', 'an error') || '.'),
      (t.left_at, 'task.left', 'it left the channel.'),
      (t.gone_at, 'task.gone', case when t.is_empty then 'it is gone; nobody sent anything.' else 'it is gone.' end)) a (at, event, words)
    where t.recording_id = p_recording_id and a.at is not null

    union all
    select i.received_at, 'engine', 'engine_event.' || i.event_type, 0, format('The engine sent event %s%s.', i.event_type,
      case when i.applied_at is null then ', not applied yet' else '' end), jsonb_build_object('notice_id', i.notice_id, 'applied_at', i.applied_at)
    from recorder.inbox i join recorder.engine_tasks t on t.id = i.engine_task_id
    where t.recording_id = p_recording_id

    union all
    select a.at, 'job', a.event, j.id, format('Job %s (%s) ', j.id, j.kind) || a.words, jsonb_strip_nulls(jsonb_build_object(
      'job_id', j.id, 'kind', j.kind, 'lane', j.lane, 'state', j.state, 'attempts', j.attempts, 'run_at', j.run_at, 'last_error', j.last_error))
    from recorder.jobs j
    cross join lateral (values
      (j.created_at, 'job.queued', case j.state
        when 'queued' then format('waits since then; due %s, %s tried so far%s.', to_char(j.run_at at time zone 'utc', 'HH24:MI:SS'),
          j.attempts, coalesce(', last error ' || (j.last_error ->> 'code'), ''))
        when 'running' then format('is at work, try %s.', j.attempts) else 'was asked for.' end),
      (j.finished_at, 'job.' || j.state, case j.state
        when 'done' then format('was done, try %s.', j.attempts)
        else format('was given up, try %s: %s.', j.attempts, j.last_error ->> 'code') end)) a (at, event, words)
    where j.recording_id = p_recording_id and a.at is not null

    union all
    select a.at, 'file', a.event, 0, a.words, jsonb_build_object('kind', f.kind, 'attempt', f.attempt, 'object_key', f.object_key)
    from public.recording_files f
    cross join lateral (values
      (f.verified_at, 'file.verified', format('A file (%s, %s%s) was seen in the bucket.', f.kind, recorder.megabytes(f.size_bytes),
        coalesce(', ' || round(f.duration_ms / 1000.0) || ' s', ''))),
      (f.deleted_at, 'file.deleted', format('A file (%s) is deleted.', f.kind))) a (at, event, words)
    where f.recording_id = p_recording_id and a.at is not null

    union all
    select a.at, 'transfer', a.event, 0, a.words, '{}'
    from (
      select min(t.started_at) as began_at, max(t.finished_at) filter (where o.open_count = 0) as ended_at, count(*) as count,
        sum(t.total_bytes)::bigint as bytes, count(*) filter (where t.state = 'failed') as failed
      from recorder.transfers t
      cross join (select count(*) as open_count from recorder.transfers u where u.recording_id = p_recording_id and u.finished_at is null) o
      where t.recording_id = p_recording_id and t.state <> 'aborted') t
    cross join lateral (values
      (t.began_at, 'transfer.began', format('Copying %s files (%s) from the staging store began.', t.count, recorder.megabytes(t.bytes))),
      (t.ended_at, 'transfer.ended', format('Copying ended; %s of %s files were given up.', t.failed, t.count))) a (at, event, words)
    where a.at is not null

    union all
    select o.decided_at, 'outcome', 'recording.' || o.outcome, 1000000000, format('Outcome: %s%s%s.', o.outcome, coalesce(', ' || o.error_code, ''),
      coalesce(format(', %s s after the wish to stop', round(o.stop_to_recorded_ms / 1000.0)), '')), to_jsonb(o) - 'recording_id'
    from recorder.outcomes o where o.recording_id = p_recording_id
  ) s
  order by s.at, s.place, s.source, s.event;
end
$$;
comment on function recorder.story(uuid) is
  'Everything that is known of one recording, in the order of time, a sentence each: events, attempts, what the engine sent, jobs, files, copies, the outcome. Jobs and the engine''s own events are kept for a week. Refuses with argument_missing, recording_not_found. For recorder_admin and `npm run logs`.';

alter table recorder.event_meanings owner to recorder_owner;
alter table recorder.event_meanings enable row level security;
revoke all on recorder.event_meanings from public, anon, authenticated, service_role;
grant select on recorder.event_meanings to recorder_admin;
create policy "administrators read" on recorder.event_meanings for select to recorder_admin using (true);
alter function recorder.megabytes(bigint) owner to recorder_owner;
alter function recorder.story(uuid) owner to recorder_owner;
revoke all on function recorder.megabytes(bigint), recorder.story(uuid) from public, anon, authenticated, service_role;
grant execute on function recorder.story(uuid) to recorder_admin;
