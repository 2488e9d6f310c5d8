-- A deadline that passes says what stood in the way where that is known, instead of only what is missing at the end: three days of a key
-- that may not write are no "files that did not arrive", and five minutes without an answer of the engine no "recorder that was not free".

alter table recorder.jobs add column is_overcome boolean not null default false;
comment on column recorder.jobs.is_overcome is
  'A later try met nothing: last_error still tells what was, and is no cause of what comes. Kept by a trigger.';

create function recorder.note_overcome_error() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  -- Only a snooze gives the try back that its claim had counted.
  new.is_overcome := new.attempts < old.attempts;
  return new;
end
$$;
comment on function recorder.note_overcome_error() is
  'Trigger of recorder.jobs: a try that ends in waiting has met nothing, so what stood in the way before is over; one that fails has met it again. Else the error of a minute long ago would be told as the cause of an end it has nothing to do with.';
create trigger note_overcome_error before update on recorder.jobs
  for each row when (
    old.state = 'running' and new.state in ('queued', 'dead') and new.is_overcome is distinct from (new.attempts < old.attempts))
  execute function recorder.note_overcome_error();

create function recorder.known_cause(p_recording_id uuid, p_kinds text[]) returns jsonb
  language plpgsql stable set search_path = ''
as $$
begin
  return (
    select j.last_error from recorder.jobs j
    where j.recording_id = p_recording_id and j.kind = any (p_kinds) and j.state <> 'done' and j.last_error is not null and not j.is_overcome
      -- What an earlier recorder met is not what this one met.
      and (j.engine_task_id is null or j.engine_task_id = (
        select t.id from recorder.engine_tasks t where t.recording_id = p_recording_id order by t.attempt desc limit 1))
    -- What names a cause before what only says that something went wrong; then what was met last.
    order by j.last_error ->> 'code' = 'unexpected_error', coalesce(j.finished_at, j.run_at) desc, j.id desc limit 1);
end
$$;
comment on function recorder.known_cause(uuid, text[]) is
  'What the newest unfinished work of these kinds met at its last try for a recording, {code, blame, retry, message, detail?}; null where it met nothing. Called where a deadline ends what this work was to bring.';

create function recorder.known_cause_of_missing_copies(p_recording_id uuid) returns jsonb
  language plpgsql stable set search_path = ''
as $$
declare
  v_cause jsonb;
begin
  if exists (select from recorder.transfers t where t.recording_id = p_recording_id and t.finished_at is null) then
    v_cause := recorder.known_cause(p_recording_id, array['transfer']);
  end if;
  return coalesce(v_cause, (
    select t.error from recorder.transfers t
    where t.recording_id = p_recording_id and t.state = 'failed'
      and not exists (
        select from recorder.transfers d
        where d.recording_id = t.recording_id and d.destination_key = t.destination_key and d.state = 'done')
    order by t.finished_at desc, t.id limit 1));
end
$$;
comment on function recorder.known_cause_of_missing_copies(uuid) is
  'Why files that lie in the source store are not in ours: what the copying met at its last try, or what one file was given up for; null where nothing is known to be left there. Called by recorder_api.files_failed, recorder_api.publish and recorder.pass_deadline.';

create or replace function recorder_api.files_failed(p_recording_id uuid, p_event text, p_facts jsonb default '{}') returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_facts jsonb := coalesce(p_facts, '{}');
begin
  if p_recording_id is null or p_event is null then
    perform recorder.refuse('argument_missing');
  end if;
  if p_event not in ('files.empty', 'files.missing') then
    perform recorder.refuse('event_unknown', p_event);
  end if;
  if p_event = 'files.missing' and nullif(v_facts -> 'error', 'null') is null then
    v_facts := v_facts || jsonb_strip_nulls(jsonb_build_object('error', recorder.known_cause_of_missing_copies(p_recording_id)));
  end if;
  return recorder.apply(p_recording_id, p_event, 'storage', v_facts);
end
$$;
comment on function recorder_api.files_failed(uuid, text, jsonb) is
  'Says that a recording has no files: files.empty (nobody sent anything) or files.missing; the latter with what stood in the way of its copies, where that is known and nothing else is said. False when it is not processing. Refuses with argument_missing, event_unknown, recording_not_found.';

create or replace function recorder_api.publish(p_recording_id uuid, p_files jsonb, p_totals jsonb) returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_status text;
  v_cause jsonb;
begin
  if p_recording_id is null or p_files is null or p_totals is null then
    perform recorder.refuse('argument_missing');
  end if;
  perform recorder.lock_calls(p_recording_id);
  select r.status into v_status from public.recordings r where r.id = p_recording_id for no key update;
  if not found then
    perform recorder.refuse('recording_not_found');
  end if;
  if v_status <> 'processing' then
    return false;
  end if;
  perform recorder.check_files(p_files, p_totals);
  perform recorder.save_files(p_recording_id, p_files);
  if (p_totals ->> 'is_partial')::boolean then
    v_cause := recorder.known_cause_of_missing_copies(p_recording_id);
  end if;
  -- Their sources are deleted now, not before.
  perform recorder.enqueue('transfer', p_recording_id)
  where exists (
    select from recorder.transfers t where t.recording_id = p_recording_id and t.state = 'done' and t.source_deleted_at is null);
  return recorder.apply(p_recording_id, 'files.published', 'storage',
    p_totals || jsonb_strip_nulls(jsonb_build_object('error', v_cause)));
exception
  when data_exception or not_null_violation or check_violation or cardinality_violation then
    perform recorder.refuse('argument_invalid', sqlerrm);
end
$$;
comment on function recorder_api.publish(uuid, jsonb, jsonb) is
  'The verified files of a recording and its totals {duration_ms, size_bytes, stored_bytes, is_partial, gaps}: makes it recorded; where it is partial, the story has what stood in the way of its copies. False, and nothing changed, when it is not processing. Refuses with argument_missing, argument_invalid, recording_not_found.';

create or replace function recorder.pass_deadline(p_recording_id uuid) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_recording public.recordings;
  v_cause jsonb;
begin
  -- Read again under the channel's lock: somebody may have been faster.
  select * into v_recording from public.recordings r
  where r.id = p_recording_id and r.deadline_at < clock_timestamp() for no key update;
  if not found or exists (
    select from recorder.jobs j where j.recording_id = p_recording_id and j.state = 'running' and j.leased_until >= clock_timestamp())
  then
    return;
  end if;
  case v_recording.status
  when 'starting' then
    v_cause := case when v_recording.phase = 'queued' then recorder.known_cause(p_recording_id, array['start'])
      else coalesce(
        (select t.error from recorder.engine_tasks t
         where t.recording_id = p_recording_id and t.attempt = v_recording.attempt),
        recorder.known_cause(p_recording_id, array['start', 'start_again', 'confirm']),
        recorder.error_of('engine_start_failed')) end;
    -- A recorder that did not come: it is superseded, and stopped as soon as it shows itself.
    update recorder.engine_tasks t set
      superseded = true,
      state = case when t.sid is null and not t.is_unanswered then 'gone' else t.state end,
      gone_at = case when t.sid is null and not t.is_unanswered then clock_timestamp() end
    where t.recording_id = p_recording_id and t.state <> 'gone';
    if v_recording.phase = 'queued' then
      perform recorder.apply(p_recording_id, 'recording.queue_timed_out', 'system',
        jsonb_strip_nulls(jsonb_build_object('error', v_cause)));
    else
      perform recorder.lose_attempt(p_recording_id, v_recording.attempt, v_cause);
    end if;
  when 'recording' then
    perform recorder.stop_for(p_recording_id, 'limit', 'system');
  when 'stopping' then
    -- The recorder's token is over, and with it the recorder.
    perform recorder.note(p_recording_id, 'system', 'engine.stop_unconfirmed', jsonb_strip_nulls(jsonb_build_object(
      'error', recorder.known_cause(p_recording_id, array['stop']) -> 'code')));
    update recorder.engine_tasks t set state = 'gone', gone_at = clock_timestamp()
    where t.recording_id = p_recording_id and t.state <> 'gone';
    perform recorder.conclude(p_recording_id);
  when 'processing' then
    v_cause := jsonb_strip_nulls(jsonb_build_object('error', coalesce(
      recorder.known_cause(p_recording_id, array['collect']), recorder.known_cause_of_missing_copies(p_recording_id))));
    -- What came in time is there to be played; only what never had a file is lost.
    if v_recording.size_bytes is not null and exists (select from public.recording_files f where f.recording_id = p_recording_id) then
      perform recorder.apply(p_recording_id, 'files.published', 'system', v_cause || jsonb_build_object(
        'duration_ms', v_recording.duration_ms, 'size_bytes', v_recording.size_bytes, 'stored_bytes', v_recording.stored_bytes,
        'is_partial', true, 'gaps', v_recording.gaps));
    else
      perform recorder.apply(p_recording_id, 'files.missing', 'system', v_cause);
    end if;
  end case;
end
$$;
comment on function recorder.pass_deadline(uuid) is
  'What follows when a recording stayed in its state for too long, with the cause where one is known: it becomes the error of what fails, and stands in the story of what goes on. Nothing while a job of it holds a lease. The caller holds the channel. For recorder.sweep.';

revoke all on function recorder.note_overcome_error(), recorder.known_cause(uuid, text[]), recorder.known_cause_of_missing_copies(uuid)
  from public, anon, authenticated, service_role;
alter function recorder.note_overcome_error() owner to recorder_owner;
alter function recorder.known_cause(uuid, text[]) owner to recorder_owner;
alter function recorder.known_cause_of_missing_copies(uuid) owner to recorder_owner;
