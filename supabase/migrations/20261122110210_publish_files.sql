-- What the storage lane says about the files of a recording: what is there already, that all is there, that nothing is.

create function recorder.save_files(p_recording_id uuid, p_files jsonb) returns void
  language plpgsql set search_path = ''
as $$
begin
  insert into public.recording_files (
    recording_id, kind, attempt, object_key, content_type, size_bytes, duration_ms, segment_count, verified_at)
  select p_recording_id, f.kind, f.attempt, f.object_key, f.content_type, f.size_bytes, f.duration_ms, f.segment_count, clock_timestamp()
  from jsonb_to_recordset(p_files) as f (
    kind text, attempt integer, object_key text, content_type text, size_bytes bigint, duration_ms bigint, segment_count integer)
  on conflict (recording_id, object_key) do update set
    size_bytes = excluded.size_bytes, duration_ms = excluded.duration_ms, segment_count = excluded.segment_count,
    verified_at = excluded.verified_at;
  -- Of two playlists of one server the longer one holds: which that is can change while files still arrive.
  delete from public.recording_files f
  where f.recording_id = p_recording_id and f.kind in ('playlist', 'mp4')
    and not exists (select from jsonb_array_elements(p_files) as n (file) where n.file ->> 'object_key' = f.object_key);
end
$$;
comment on function recorder.save_files(uuid, jsonb) is
  'Makes the rows of a recording''s media those that were given; what is made of it later (thumbnails) stays. The caller has locked the recording. Called by publish and await_files.';

create function recorder.check_files(p_files jsonb, p_totals jsonb) returns void
  language plpgsql set search_path = ''
as $$
begin
  if jsonb_typeof(p_files) <> 'array' or p_files = '[]' or jsonb_typeof(p_totals) <> 'object' then
    perform recorder.refuse('argument_invalid', 'A recording has at least one file, and totals.');
  end if;
end
$$;
comment on function recorder.check_files(jsonb, jsonb) is
  'Refuses with argument_invalid what is no list of files with totals. Called by publish and await_files.';

create function recorder_api.await_files(p_recording_id uuid, p_files jsonb default null, p_totals jsonb default null) returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings;
  v_phase text;
  v_event text;
begin
  if p_recording_id is null or (p_files is null) <> (p_totals is null) then
    perform recorder.refuse('argument_missing');
  end if;
  perform recorder.lock_calls(p_recording_id);
  select * into v_recording from public.recordings r where r.id = p_recording_id for no key update;
  if not found then
    perform recorder.refuse('recording_not_found');
  end if;
  if v_recording.status <> 'processing' then
    return false;
  end if;
  v_phase := case when exists (
    select from recorder.transfers t where t.recording_id = p_recording_id and t.finished_at is null)
    then 'transferring' else 'waiting_for_upload' end;
  v_event := case v_phase when 'transferring' then 'files.transferring' else 'files.awaited' end;
  if p_files is null then
    return v_recording.phase <> v_phase and recorder.apply(p_recording_id, v_event, 'storage');
  end if;
  perform recorder.check_files(p_files, p_totals);
  if v_recording.phase = v_phase
    and (v_recording.duration_ms, v_recording.size_bytes, v_recording.stored_bytes) is not distinct from
      ((p_totals ->> 'duration_ms')::bigint, (p_totals ->> 'size_bytes')::bigint, (p_totals ->> 'stored_bytes')::bigint)
  then
    return false;
  end if;
  perform recorder.save_files(p_recording_id, p_files);
  return recorder.apply(p_recording_id, v_event, 'storage', p_totals);
exception
  when data_exception or not_null_violation or check_violation or cardinality_violation then
    perform recorder.refuse('argument_invalid', sqlerrm);
end
$$;
comment on function recorder_api.await_files(uuid, jsonb, jsonb) is
  'Says that files of a recording are still awaited (or copied), and saves those that are there with their totals, so that they can be played meanwhile. True if that was news. False, and nothing changed, when it is not processing. Refuses with argument_missing, argument_invalid, recording_not_found. For the storage lane.';

create function recorder_api.publish(p_recording_id uuid, p_files jsonb, p_totals jsonb) returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_status text;
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
  -- Their sources are deleted now, not before.
  perform recorder.enqueue('transfer', p_recording_id)
  where exists (
    select from recorder.transfers t where t.recording_id = p_recording_id and t.state = 'done' and t.source_deleted_at is null);
  return recorder.apply(p_recording_id, 'files.published', 'storage', p_totals);
exception
  when data_exception or not_null_violation or check_violation or cardinality_violation then
    perform recorder.refuse('argument_invalid', sqlerrm);
end
$$;
comment on function recorder_api.publish(uuid, jsonb, jsonb) is
  'The verified files of a recording and its totals {duration_ms, size_bytes, stored_bytes, is_partial, gaps}: makes it recorded. False, and nothing changed, when it is not processing. Refuses with argument_missing, argument_invalid, recording_not_found.';

create function recorder_api.files_failed(p_recording_id uuid, p_event text, p_facts jsonb default '{}') returns boolean
  language plpgsql security definer set search_path = ''
as $$
begin
  if p_recording_id is null or p_event is null then
    perform recorder.refuse('argument_missing');
  end if;
  if p_event not in ('files.empty', 'files.missing') then
    perform recorder.refuse('event_unknown', p_event);
  end if;
  return recorder.apply(p_recording_id, p_event, 'storage', p_facts);
end
$$;
comment on function recorder_api.files_failed(uuid, text, jsonb) is
  'Says that a recording has no files: files.empty (nobody sent anything) or files.missing. False when it is not processing. Refuses with argument_missing, event_unknown, recording_not_found.';

alter function recorder.save_files(uuid, jsonb) owner to recorder_owner;
alter function recorder.check_files(jsonb, jsonb) owner to recorder_owner;
revoke all on function recorder.save_files(uuid, jsonb), recorder.check_files(jsonb, jsonb),
  recorder_api.await_files(uuid, jsonb, jsonb), recorder_api.publish(uuid, jsonb, jsonb), recorder_api.files_failed(uuid, text, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function recorder_api.await_files(uuid, jsonb, jsonb), recorder_api.publish(uuid, jsonb, jsonb),
  recorder_api.files_failed(uuid, text, jsonb) to service_role;
