-- What the storage lane knows of its copies. Every function may be called twice; a worker that was overtaken changes nothing.

insert into recorder.job_kinds (kind, lane, priority, engine_requests, max_attempts) values
  ('transfer', 'storage', 2, 0, 10000);

insert into recorder.settings (name, value, unit, reason) values
  ('transfer_part_bytes', 16777216, 'bytes', 'What a killed worker costs at most. Streamed, so it takes no memory; larger ones only make the loss larger.'),
  ('transfer_slice_bytes', 104857600, 'bytes', 'One invocation copies at most 100 MiB: half of what the 2 s of CPU that it has would allow.'),
  ('transfer_slice_objects', 200, 'count', 'Requests cost CPU whatever they carry: this many small files are one invocation.'),
  ('transfer_slice_seconds', 60, 'seconds', 'No part is begun later than this: the last one must end before the function is killed.'),
  ('transfer_parallel_objects', 6, 'count', 'Small files on their way at once; the store answers 503 to whoever wants too many.'),
  ('transfer_progress_rest', 1000, 'ms', 'How often the people of a recording are told how far it is.'),
  ('transfer_failed_rest', 3600, 'seconds', 'When a file that could not be copied is tried again: whatever it was, a person may have mended it.'),
  ('orphan_upload_age', 86400, 'seconds', 'An unfinished upload that nobody knows is given up after a day: it is billed as long as it is there.');

insert into recorder.errors (code, sqlstate, http_status, blame, retry, message) values
  ('transfer_not_found', 'RC701', 404, 'us', 'never', 'There is no transfer with this id.');

create function recorder.progress_of(p_recording_id uuid) returns jsonb
  language plpgsql stable set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_window interval := interval '1 minute';
  v_total bigint;
  v_done bigint;
  v_begun timestamptz;
  v_recent bigint;
begin
  select sum(t.total_bytes), min(t.started_at),
    sum(case
      when t.state in ('verifying', 'done') then t.total_bytes
      when t.part_bytes is not null then
        coalesce((select sum(p.size_bytes) from recorder.transfer_parts p where p.transfer_id = t.id), 0)
      else 0 end),
    sum(case
      when t.part_bytes is not null then
        coalesce((select sum(p.size_bytes) from recorder.transfer_parts p where p.transfer_id = t.id and p.done_at > v_now - v_window), 0)
      when t.completed_at > v_now - v_window then t.total_bytes
      else 0 end)
  into v_total, v_begun, v_done, v_recent
  from recorder.transfers t
  where t.recording_id = p_recording_id and t.state not in ('failed', 'aborted');
  if v_total is null then
    return null;
  end if;
  return jsonb_build_object(
    'bytes', v_done, 'total_bytes', v_total,
    'percent', case when v_total = 0 then 100 else floor(100.0 * v_done / v_total)::integer end,
    -- By what arrived in the last minute: an hour of waiting for the store must not spoil the estimate for the next hour.
    'estimated_end_at', case when v_recent > 0 then v_now + least(interval '30 days',
      (v_total - v_done) / v_recent::double precision * least(v_window, v_now - v_begun)) end,
    'measured_at', v_now);
end
$$;
comment on function recorder.progress_of(uuid) is
  'How far the copies of a recording are: {bytes, total_bytes, percent, estimated_end_at, measured_at}; null where nothing is copied. Called by recorder.push_progress.';

create function recorder.push_progress(p_recording_id uuid, p_at_once boolean default false) returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_rest interval := make_interval(secs => recorder.setting('transfer_progress_rest')::double precision / 1000);
begin
  -- Looked at before anything is locked: most calls end here.
  if not exists (
    select from public.recordings r
    where r.id = p_recording_id and r.status = 'processing'
      and (p_at_once or r.progress is null or (r.progress ->> 'measured_at')::timestamptz < clock_timestamp() - v_rest))
  then
    return false;
  end if;
  perform recorder.lock_calls(p_recording_id);
  update public.recordings r set
    progress = recorder.progress_of(p_recording_id), version = nextval('recorder.versions'), updated_at = clock_timestamp()
  where r.id = p_recording_id and r.status = 'processing'
    and (p_at_once or r.progress is null or (r.progress ->> 'measured_at')::timestamptz < clock_timestamp() - v_rest);
  if not found then
    return false;
  end if;
  perform recorder.mirror_calls(p_recording_id);
  return true;
end
$$;
comment on function recorder.push_progress(uuid, boolean) is
  'Tells the people of a recording how far its copies are, at most once per transfer_progress_rest unless told at once. True if it did. To be called before a transfer is locked.';

create function recorder_api.plan_transfers(p_recording_id uuid, p_source_store text, p_objects jsonb) returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings;
  v_prefix text := 'recordings/' || replace(p_recording_id::text, '-', '') || '/';
  v_given_up jsonb;
  v_attempts integer[];
  v_open integer;
begin
  if p_recording_id is null or p_source_store is null or p_objects is null then
    perform recorder.refuse('argument_missing');
  end if;
  if jsonb_typeof(p_objects) <> 'array' or exists (
    select from jsonb_array_elements(p_objects) as o (object)
    where starts_with(o.object ->> 'destination_key', v_prefix) is not true
      or coalesce(o.object ->> 'source_etag', '') = '' or coalesce(o.object ->> 'content_type', '') = '')
  then
    perform recorder.refuse('argument_invalid', 'p_objects');
  end if;
  perform recorder.lock_calls(p_recording_id);
  select * into v_recording from public.recordings r where r.id = p_recording_id for no key update;
  if not found then
    perform recorder.refuse('recording_not_found');
  end if;
  if v_recording.status <> 'processing' then
    return jsonb_build_object('open_count', 0, 'given_up', '[]'::jsonb);
  end if;

  -- A source that is another one by now: what was copied of the old one is of no use.
  with changed as (
    update recorder.transfers t set state = 'aborted', ended_because = 'source_changed', finished_at = clock_timestamp()
    from jsonb_to_recordset(p_objects) as o (source_etag text, total_bytes bigint, destination_key text)
    where t.recording_id = p_recording_id and t.destination_key = o.destination_key and t.finished_at is null
      and (t.source_etag, t.total_bytes) is distinct from (o.source_etag, o.total_bytes)
    returning t.destination_key, t.upload_id, t.attempt
  )
  select
    coalesce(jsonb_agg(jsonb_build_object('key', c.destination_key, 'upload_id', c.upload_id)) filter (where c.upload_id is not null), '[]'),
    coalesce(array_agg(c.attempt), '{}')
  into v_given_up, v_attempts from changed c;
  perform recorder.note(p_recording_id, 'storage', 'transfer.restarted', jsonb_build_object('attempt', a, 'reason', 'source_changed'))
  from unnest(v_attempts) a;

  insert into recorder.transfers (
    recording_id, attempt, source_store, source_key, source_etag, source_modified_at, total_bytes, destination_key, content_type,
    copy_order, part_bytes)
  select p_recording_id, o.attempt, p_source_store, o.source_key, o.source_etag, o.source_modified_at, o.total_bytes,
    o.destination_key, o.content_type, o.copy_order, o.part_bytes
  from jsonb_to_recordset(p_objects) as o (
    attempt integer, source_key text, source_etag text, source_modified_at timestamptz, total_bytes bigint,
    destination_key text, content_type text, copy_order smallint, part_bytes bigint)
  where not exists (
    select from recorder.transfers t
    where t.recording_id = p_recording_id and t.destination_key = o.destination_key
      and (t.source_etag, t.total_bytes) = (o.source_etag, o.total_bytes)
      and (t.state not in ('aborted', 'failed')
        or t.state = 'failed' and t.finished_at > clock_timestamp() - recorder.seconds('transfer_failed_rest')));

  select count(*) into v_open from recorder.transfers t where t.recording_id = p_recording_id and t.finished_at is null;
  if v_open > 0 then
    if v_recording.phase <> 'transferring' then
      perform recorder.apply(p_recording_id, 'files.transferring', 'storage');
    end if;
    perform recorder.push_progress(p_recording_id);
    perform recorder.enqueue('transfer', p_recording_id);
  end if;
  return jsonb_build_object('open_count', v_open, 'given_up', v_given_up);
exception
  when data_exception or not_null_violation or check_violation or cardinality_violation or unique_violation then
    perform recorder.refuse('argument_invalid', sqlerrm);
end
$$;
comment on function recorder_api.plan_transfers(uuid, text, jsonb) is
  'Says which objects of a source store are to be copied: those that were not, or are another version by now. [{attempt, source_key, source_etag, source_modified_at, total_bytes, destination_key, content_type, copy_order, part_bytes}]. Gives {open_count, given_up: [{key, upload_id}]}, uploads that are to be aborted. Nothing happens unless the recording is processing. Refuses with argument_missing, argument_invalid, recording_not_found. For collect.';

create function recorder_api.next_transfers(p_recording_id uuid, p_limit integer) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
begin
  if p_recording_id is null or p_limit is null then
    perform recorder.refuse('argument_missing');
  end if;
  return coalesce((
    select jsonb_agg(jsonb_build_object(
      'id', t.id, 'attempt', t.attempt, 'source_store', t.source_store, 'source_key', t.source_key, 'source_etag', t.source_etag,
      'total_bytes', t.total_bytes, 'destination_key', t.destination_key, 'content_type', t.content_type,
      'copy_order', t.copy_order, 'part_bytes', t.part_bytes, 'state', t.state, 'upload_id', t.upload_id,
      'parts', coalesce((
        select jsonb_agg(jsonb_build_object('part_number', p.part_number, 'size_bytes', p.size_bytes, 'etag', p.etag) order by p.part_number)
        from recorder.transfer_parts p where p.transfer_id = t.id), '[]'))
      order by t.copy_order, t.source_key)
    from (
      select * from recorder.transfers o
      where o.recording_id = p_recording_id and o.finished_at is null
      order by o.copy_order, o.source_key limit greatest(0, least(p_limit, 1000))) t), '[]');
end
$$;
comment on function recorder_api.next_transfers(uuid, integer) is
  'The open copies of a recording in the order in which they are made, each with the parts that have arrived. Refuses with argument_missing. For the transfer job.';

create function recorder.lock_transfer(p_transfer_id uuid) returns recorder.transfers
  language plpgsql set search_path = ''
as $$
declare
  v_transfer recorder.transfers;
begin
  if p_transfer_id is null then
    perform recorder.refuse('argument_missing');
  end if;
  select * into v_transfer from recorder.transfers t where t.id = p_transfer_id for no key update;
  if not found then
    perform recorder.refuse('transfer_not_found');
  end if;
  return v_transfer;
end
$$;
comment on function recorder.lock_transfer(uuid) is
  'One transfer, locked. Refuses with argument_missing, transfer_not_found. Called by the functions about transfers, after whatever they need of the recording.';

create function recorder_api.begin_upload(p_transfer_id uuid, p_upload_id text) returns text
  language plpgsql security definer set search_path = ''
as $$
declare
  v_transfer recorder.transfers := recorder.lock_transfer(p_transfer_id);
begin
  if coalesce(p_upload_id, '') = '' then
    perform recorder.refuse('argument_missing', 'p_upload_id');
  end if;
  if v_transfer.part_bytes is null then
    perform recorder.refuse('argument_invalid', 'This one is copied in one piece.');
  end if;
  if v_transfer.finished_at is not null then
    return null;
  end if;
  update recorder.transfers t set state = 'uploading', upload_id = p_upload_id, started_at = clock_timestamp()
  where t.id = p_transfer_id and t.state = 'created';
  return (select t.upload_id from recorder.transfers t where t.id = p_transfer_id);
end
$$;
comment on function recorder_api.begin_upload(uuid, text) is
  'Saves the upload that was begun for a copy. Gives the upload that holds: another one where somebody was faster, null where the copy is over; then the caller aborts its own. Refuses with argument_missing, argument_invalid, transfer_not_found.';

create function recorder_api.record_parts(p_transfer_id uuid, p_upload_id text, p_parts jsonb) returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_transfer recorder.transfers;
  v_recording_id uuid;
begin
  if p_transfer_id is null or p_upload_id is null or p_parts is null then
    perform recorder.refuse('argument_missing');
  end if;
  select t.recording_id into v_recording_id from recorder.transfers t where t.id = p_transfer_id;
  if found then
    -- The order of locks: the channel and the recording come before their transfers.
    perform recorder.push_progress(v_recording_id);
  end if;
  v_transfer := recorder.lock_transfer(p_transfer_id);
  if jsonb_typeof(p_parts) <> 'array' then
    perform recorder.refuse('argument_invalid', 'p_parts');
  end if;
  if v_transfer.upload_id is distinct from p_upload_id or v_transfer.state not in ('uploading', 'completing') then
    return false;
  end if;
  -- Every part is where its number says, and as long as it has to be.
  if exists (
    select from jsonb_to_recordset(p_parts) as p (part_number integer, size_bytes bigint, etag text)
    where (p.part_number >= 1 and coalesce(p.etag, '') <> ''
      and p.size_bytes = least(v_transfer.part_bytes, v_transfer.total_bytes - (p.part_number - 1) * v_transfer.part_bytes)) is not true)
  then
    perform recorder.refuse('argument_invalid', 'A part that is none of this upload.');
  end if;
  insert into recorder.transfer_parts (transfer_id, part_number, offset_bytes, size_bytes, etag)
  select p_transfer_id, p.part_number, (p.part_number - 1) * v_transfer.part_bytes, p.size_bytes, p.etag
  from jsonb_to_recordset(p_parts) as p (part_number integer, size_bytes bigint, etag text)
  on conflict (transfer_id, part_number) do update set etag = excluded.etag, done_at = excluded.done_at
  where transfer_parts.etag <> excluded.etag;
  update recorder.transfers t set state = 'completing'
  where t.id = p_transfer_id and t.state = 'uploading'
    and (select sum(p.size_bytes) from recorder.transfer_parts p where p.transfer_id = t.id) = t.total_bytes;
  return true;
exception
  when data_exception or not_null_violation or check_violation or cardinality_violation then
    perform recorder.refuse('argument_invalid', sqlerrm);
end
$$;
comment on function recorder_api.record_parts(uuid, text, jsonb) is
  'Saves parts that arrived, [{part_number, size_bytes, etag}], and tells how far the recording is. False, and nothing changed, when the copy is over or has another upload by now. Refuses with argument_missing, argument_invalid, transfer_not_found.';

create function recorder_api.complete_transfers(p_recording_id uuid, p_completed jsonb) returns integer
  language plpgsql security definer set search_path = ''
as $$
declare
  v_count integer;
begin
  if p_recording_id is null or p_completed is null then
    perform recorder.refuse('argument_missing');
  end if;
  perform recorder.push_progress(p_recording_id);
  if jsonb_typeof(p_completed) <> 'array' or exists (
    select from jsonb_to_recordset(p_completed) as c (id uuid, version_id text, etag text)
    where c.id is null or coalesce(c.version_id, '') = '' or coalesce(c.etag, '') = '')
  then
    perform recorder.refuse('argument_invalid', 'p_completed');
  end if;
  -- In parts: only when all of them are there. In one piece: from wherever it stands.
  update recorder.transfers t set
    state = 'verifying', started_at = coalesce(t.started_at, clock_timestamp()), completed_at = clock_timestamp(),
    version_id = c.version_id, etag = c.etag
  from jsonb_to_recordset(p_completed) as c (id uuid, version_id text, etag text)
  where t.id = c.id and t.recording_id = p_recording_id
    and (t.state = 'completing' or t.part_bytes is null and t.state in ('created', 'uploading'));
  get diagnostics v_count = row_count;
  return v_count;
exception
  when data_exception then
    perform recorder.refuse('argument_invalid', sqlerrm);
end
$$;
comment on function recorder_api.complete_transfers(uuid, jsonb) is
  'Saves which copies are complete objects now, [{id, version_id, etag}]. Gives how many that was news of: what is over, or has parts missing, is left as it is. Refuses with argument_missing, argument_invalid.';

create function recorder_api.verify_transfers(p_recording_id uuid, p_verified jsonb) returns integer
  language plpgsql security definer set search_path = ''
as $$
declare
  v_count integer;
  v_is_last boolean;
begin
  if p_recording_id is null or p_verified is null then
    perform recorder.refuse('argument_missing');
  end if;
  perform recorder.lock_calls(p_recording_id);
  if jsonb_typeof(p_verified) <> 'array' then
    perform recorder.refuse('argument_invalid', 'p_verified');
  end if;
  -- The size is what is believed; the other sign may only agree.
  update recorder.transfers t set
    state = 'done', verified_at = clock_timestamp(), finished_at = clock_timestamp(), etag_agrees = v.etag_agrees
  from jsonb_to_recordset(p_verified) as v (id uuid, size_bytes bigint, etag_agrees boolean)
  where t.id = v.id and t.recording_id = p_recording_id and t.state = 'verifying' and t.total_bytes = v.size_bytes;
  get diagnostics v_count = row_count;
  v_is_last := not exists (
    select from recorder.transfers t where t.recording_id = p_recording_id and t.finished_at is null);
  if v_count > 0 then
    perform recorder.push_progress(p_recording_id, v_is_last);
  end if;
  if v_is_last and exists (select from public.recordings r where r.id = p_recording_id and r.status = 'processing') then
    perform recorder.enqueue('collect', p_recording_id);
  end if;
  return v_count;
exception
  when data_exception then
    perform recorder.refuse('argument_invalid', sqlerrm);
end
$$;
comment on function recorder_api.verify_transfers(uuid, jsonb) is
  'Saves which copies were seen in our bucket with their whole size, [{id, size_bytes, etag_agrees}]; asks for a collection when none is open any more. Gives how many are done by it: one with another size stays as it is. Refuses with argument_missing, argument_invalid.';

create function recorder_api.restart_transfer(p_transfer_id uuid, p_reason text, p_source jsonb default null) returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_transfer recorder.transfers := recorder.lock_transfer(p_transfer_id);
begin
  if p_reason is null then
    perform recorder.refuse('argument_missing', 'p_reason');
  end if;
  if jsonb_typeof(p_source) not in ('object', 'null') or p_reason not in ('source_changed', 'source_missing', 'upload_lost', 'copy_differs') then
    perform recorder.refuse('argument_invalid', 'p_reason');
  end if;
  if v_transfer.finished_at is not null then
    return false;
  end if;
  update recorder.transfers t set state = 'aborted', ended_because = p_reason, finished_at = clock_timestamp() where t.id = p_transfer_id;
  perform recorder.note(v_transfer.recording_id, 'storage', 'transfer.restarted',
    jsonb_build_object('attempt', v_transfer.attempt, 'reason', p_reason));
  if jsonb_typeof(p_source) = 'object' then
    insert into recorder.transfers (
      recording_id, attempt, source_store, source_key, source_etag, source_modified_at, total_bytes, destination_key, content_type,
      copy_order, part_bytes)
    values (
      v_transfer.recording_id, v_transfer.attempt, v_transfer.source_store, v_transfer.source_key, p_source ->> 'source_etag',
      (p_source ->> 'source_modified_at')::timestamptz, (p_source ->> 'total_bytes')::bigint, v_transfer.destination_key,
      v_transfer.content_type, v_transfer.copy_order, (p_source ->> 'part_bytes')::bigint);
  end if;
  return true;
exception
  when data_exception or not_null_violation or check_violation then
    perform recorder.refuse('argument_invalid', sqlerrm);
end
$$;
comment on function recorder_api.restart_transfer(uuid, text, jsonb) is
  'Gives a copy up for a reason (source_changed, source_missing, upload_lost, copy_differs) and begins it anew from the source as it is now, {source_etag, source_modified_at, total_bytes, part_bytes}; without a source it is only given up. The story tells. False when it was over already. Refuses with argument_missing, argument_invalid, transfer_not_found.';

create function recorder_api.fail_transfer(p_transfer_id uuid, p_error jsonb) returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_transfer recorder.transfers := recorder.lock_transfer(p_transfer_id);
begin
  if p_error is null then
    perform recorder.refuse('argument_missing', 'p_error');
  end if;
  if v_transfer.finished_at is not null then
    return false;
  end if;
  update recorder.transfers t set
    state = 'failed', finished_at = clock_timestamp(),
    error = recorder.public_error(p_error, 'unexpected_error') || jsonb_strip_nulls(jsonb_build_object('detail', p_error -> 'detail'))
  where t.id = p_transfer_id;
  perform recorder.note(v_transfer.recording_id, 'storage', 'transfer.failed', jsonb_build_object(
    'attempt', v_transfer.attempt, 'error', recorder.public_error(p_error, 'unexpected_error') -> 'code'));
  return true;
end
$$;
comment on function recorder_api.fail_transfer(uuid, jsonb) is
  'Says that one file cannot be copied, and why; the others go on. It is planned again after transfer_failed_rest. False when it was over already. Refuses with argument_missing, transfer_not_found.';

create function recorder_api.sources_to_delete(p_recording_id uuid) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
begin
  if p_recording_id is null then
    perform recorder.refuse('argument_missing');
  end if;
  return coalesce((
    select jsonb_agg(jsonb_build_object('id', t.id, 'source_store', t.source_store, 'source_key', t.source_key, 'source_etag', t.source_etag))
    from recorder.transfers t join public.recordings r on r.id = t.recording_id
    where t.recording_id = p_recording_id and t.state = 'done' and t.source_deleted_at is null
      and r.status in ('recorded', 'expired')), '[]');
end
$$;
comment on function recorder_api.sources_to_delete(uuid) is
  'The sources that are copied, verified and published, so that they may go: [{id, source_store, source_key, source_etag}]. Empty before the recording is recorded. Refuses with argument_missing.';

create function recorder_api.note_sources_deleted(p_ids uuid[]) returns integer
  language plpgsql security definer set search_path = ''
as $$
declare
  v_count integer;
begin
  if p_ids is null then
    perform recorder.refuse('argument_missing');
  end if;
  update recorder.transfers t set source_deleted_at = clock_timestamp()
  where t.id = any (p_ids) and t.state = 'done' and t.source_deleted_at is null;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function recorder_api.note_sources_deleted(uuid[]) is
  'Saves that the sources of these copies are gone. Gives how many that was news of. Refuses with argument_missing.';

create function recorder_api.open_uploads() returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
begin
  return coalesce((
    select jsonb_agg(t.upload_id) from recorder.transfers t where t.finished_at is null and t.upload_id is not null), '[]');
end
$$;
comment on function recorder_api.open_uploads() is
  'The ids of all uploads that somebody still works on: every other one in the bucket that is older than orphan_upload_age may be aborted. For the audit.';

do $$
declare
  v_function text;
begin
  foreach v_function in array array[
    'recorder.progress_of(uuid)', 'recorder.push_progress(uuid, boolean)', 'recorder.lock_transfer(uuid)',
    'recorder_api.plan_transfers(uuid, text, jsonb)', 'recorder_api.next_transfers(uuid, integer)',
    'recorder_api.begin_upload(uuid, text)', 'recorder_api.record_parts(uuid, text, jsonb)',
    'recorder_api.complete_transfers(uuid, jsonb)', 'recorder_api.verify_transfers(uuid, jsonb)',
    'recorder_api.restart_transfer(uuid, text, jsonb)', 'recorder_api.fail_transfer(uuid, jsonb)',
    'recorder_api.sources_to_delete(uuid)', 'recorder_api.note_sources_deleted(uuid[])', 'recorder_api.open_uploads()']
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
    if v_function like 'recorder_api.%' then
      execute format('grant execute on function %s to service_role', v_function);
    else
      execute format('alter function %s owner to recorder_owner', v_function);
    end if;
  end loop;
end
$$;
