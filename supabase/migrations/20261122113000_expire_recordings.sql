-- The end of a recording: its files go when the policy says so, or when its people wish so. Order of rights: hold > forget >
-- retention, asked once more in the very transaction in which the deletion begins. The lane deletes every version of every
-- file; what it found and that nothing was left is the proof, kept here and told in the recording's story.

insert into recorder.errors (code, sqlstate, http_status, blame, retry, message) values
  ('deletion_under_way', 'RC801', 409, 'user', 'never', 'The files of this recording are being deleted.'),
  ('deletion_not_begun', 'RC802', 409, 'us', 'never', 'Nobody has begun to delete this recording.');

insert into recorder.settings (name, value, unit, reason) values
  ('expiry_notice', 604800, 'seconds', 'A week before the files go both people are told: time to keep or to download them.'),
  ('expire_again_after', 3600, 'seconds', 'When a deletion was given up, the next one begins after this pause: what should be gone costs money every day.'),
  ('health_expiry_age', 86400, 'seconds', 'A deletion takes minutes; a day late means that the store refuses it.');

insert into recorder.job_kinds (kind, lane, priority, engine_requests, max_attempts) values ('expire', 'storage', 5, 0, 10000);

create table recorder.deletions (
  recording_id uuid primary key references public.recordings (id),
  reason text not null,
  requested_at timestamptz not null default clock_timestamp(),
  began_at timestamptz,
  found_objects bigint,
  found_versions bigint,
  found_uploads bigint,
  found_bytes bigint,
  finished_at timestamptz,
  constraint deletions_reason_check check (reason in ('retention', 'request', 'forgotten')),
  constraint deletions_found_when_begun check (
    num_nonnulls(found_objects, found_versions, found_uploads, found_bytes) = case when began_at is null then 0 else 4 end),
  constraint deletions_counts_check check (
    found_objects >= 0 and found_versions >= found_objects and found_uploads >= 0 and found_bytes >= 0),
  constraint deletions_finished_has_begun check (finished_at is null or began_at is not null)
);
comment on table recorder.deletions is
  'One row per recording whose files were deleted, are being deleted, or were wished away. found_* is what the bucket held when it began; finished_at is when it held nothing any more. The proof of deletion.';
comment on column recorder.deletions.found_objects is 'Keys with at least one version; found_versions counts hide markers too.';

alter table public.recordings add column expiry_told_for timestamptz;
comment on column public.recordings.expiry_told_for is 'The expires_at that its people were told of in advance; another date is told anew.';
create index recordings_to_tell on public.recordings (expires_at)
  where status = 'recorded' and held_at is null and deletion_began_at is null and expiry_told_for is distinct from expires_at;

-- Before -----------------------------------------------------------------------------------------------------------------

create function recorder.tell_of_expiry(p_recording_id uuid) returns boolean
  language plpgsql set search_path = ''
as $$
declare
  v_recording public.recordings;
begin
  update public.recordings r set expiry_told_for = r.expires_at
  where r.id = p_recording_id and r.status = 'recorded' and r.held_at is null and r.deletion_began_at is null
    and r.expires_at > clock_timestamp() and r.expiry_told_for is distinct from r.expires_at
  returning * into v_recording;
  if not found then
    return false;
  end if;
  perform recorder.notify(p_recording_id, 'recording_expiring');
  perform recorder.announce(v_recording, 'recording.about_to_expire');
  perform recorder.note(p_recording_id, 'system', 'recording.expiry_announced', jsonb_build_object('expires_at', v_recording.expires_at));
  return true;
end
$$;
comment on function recorder.tell_of_expiry(uuid) is
  'Tells both people of a recording when its files will go, once per date. False when there is nothing to tell any more. The caller holds the channel. For recorder.sweep_expiry.';

create function recorder.sweep_expiry(p_limit integer, out told integer, out expired integer)
  language plpgsql set search_path = ''
as $$
declare
  v_recording record;
begin
  told := 0;
  expired := 0;
  for v_recording in
    select r.id, r.channel from public.recordings r
    where r.status = 'recorded' and r.held_at is null and r.deletion_began_at is null
      and r.expiry_told_for is distinct from r.expires_at
      and r.expires_at between clock_timestamp() and clock_timestamp() + recorder.seconds('expiry_notice')
    order by r.expires_at limit p_limit
  loop
    if recorder.try_lock_channel(v_recording.channel) and recorder.tell_of_expiry(v_recording.id) then
      told := told + 1;
    end if;
  end loop;
  for v_recording in
    select r.id, r.channel from public.recordings r
    where r.status in ('recorded', 'failed') and r.held_at is null and r.expires_at < clock_timestamp()
      and not exists (
        select from recorder.jobs j
        where j.recording_id = r.id and j.kind = 'expire'
          and (j.state in ('queued', 'running')
            or j.state = 'dead' and j.finished_at > clock_timestamp() - recorder.seconds('expire_again_after')))
    order by r.expires_at limit p_limit
  loop
    if recorder.try_lock_channel(v_recording.channel) then
      perform recorder.enqueue('expire', v_recording.id);
      expired := expired + 1;
    end if;
  end loop;
end
$$;
comment on function recorder.sweep_expiry(integer) is
  'Tells of recordings that will go within expiry_notice, and asks for the deletion of those whose time has come and that nobody holds. Gives how many of each. For recorder.sweep.';

-- The deletion itself ----------------------------------------------------------------------------------------------------

create function recorder.begin_deletion(
  p_recording_id uuid, p_objects bigint, p_versions bigint, p_uploads bigint, p_bytes bigint
) returns text
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings := recorder.lock_recording(p_recording_id);
begin
  if num_nulls(p_objects, p_versions, p_uploads, p_bytes) > 0 then
    perform recorder.refuse('argument_missing');
  end if;
  if v_recording.status = 'expired' or v_recording.deletion_began_at is not null then
    return 'begun';
  end if;
  -- A hold, a date that was moved, a recording that was tried again meanwhile: all of them win.
  if v_recording.held_at is not null then
    return 'held';
  end if;
  if v_recording.status not in ('recorded', 'failed') then
    return 'not_over';
  end if;
  if v_recording.expires_at is null or v_recording.expires_at > clock_timestamp() then
    return 'kept';
  end if;
  if v_recording.status = 'failed' and p_versions = 0 and p_uploads = 0 then
    -- It has left nothing behind: there is nothing that could expire.
    update public.recordings r set expires_at = null where r.id = p_recording_id;
    delete from recorder.deletions d where d.recording_id = p_recording_id;
    return 'nothing_there';
  end if;
  update public.recordings r set
    deletion_began_at = clock_timestamp(), version = nextval('recorder.versions'), updated_at = clock_timestamp()
  where r.id = p_recording_id returning * into v_recording;
  insert into recorder.deletions as d (recording_id, reason, began_at, found_objects, found_versions, found_uploads, found_bytes)
  values (
    p_recording_id, case when recorder.is_forgotten(v_recording) then 'forgotten' else 'retention' end,
    v_recording.deletion_began_at, p_objects, p_versions, p_uploads, p_bytes)
  on conflict (recording_id) do update set
    began_at = excluded.began_at, found_objects = excluded.found_objects, found_versions = excluded.found_versions,
    found_uploads = excluded.found_uploads, found_bytes = excluded.found_bytes;
  perform recorder.note(p_recording_id, 'system', 'recording.deletion_began', (
    select jsonb_build_object('reason', d.reason) from recorder.deletions d where d.recording_id = p_recording_id));
  perform recorder.mirror_calls(p_recording_id);
  return 'begun';
end
$$;
comment on function recorder.begin_deletion(uuid, bigint, bigint, bigint, bigint) is
  'Asks the rights once more and begins the deletion of a recording, with what the bucket holds of it (objects, versions with hide markers, unfinished uploads, bytes). begun: delete now, and from now on nobody plays or keeps it; the first counts stay. Else nothing may be deleted: held, kept (its date was moved), not_over (it is tried again), nothing_there (a failed one that left nothing: it has no expiry any more). Refuses with argument_missing, recording_not_found. Called by recorder_api.begin_deletion.';

create function recorder.finish_deletion(p_recording_id uuid, p_versions bigint, p_bytes bigint) returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings := recorder.lock_recording(p_recording_id);
  v_deletion recorder.deletions;
  v_now timestamptz := clock_timestamp();
begin
  if num_nulls(p_versions, p_bytes) > 0 then
    perform recorder.refuse('argument_missing');
  end if;
  if v_recording.status = 'expired' then
    -- What came, or was found, after everything was gone.
    if p_versions > 0 then
      perform recorder.note(p_recording_id, 'storage', 'recording.leftovers_deleted',
        jsonb_build_object('versions', p_versions, 'bytes', p_bytes));
    end if;
    return false;
  end if;
  if v_recording.deletion_began_at is null then
    perform recorder.refuse('deletion_not_begun');
  end if;
  update recorder.deletions d set finished_at = v_now where d.recording_id = p_recording_id returning * into strict v_deletion;
  update public.recording_files f set deleted_at = v_now where f.recording_id = p_recording_id and f.deleted_at is null;
  perform recorder.note(p_recording_id, 'storage', 'recording.files_deleted', jsonb_build_object(
    'objects', v_deletion.found_objects, 'versions', v_deletion.found_versions, 'uploads', v_deletion.found_uploads,
    'bytes', v_deletion.found_bytes, 'nothing_left_at', v_now));
  return recorder.apply(p_recording_id, 'recording.expired', 'storage');
end
$$;
comment on function recorder.finish_deletion(uuid, bigint, bigint) is
  'Says that the bucket holds no version and no unfinished upload of a recording any more: it is expired, and its story has the proof (what was there when it began, and when nothing was left). p_versions and p_bytes are what this run deleted; they are told only for a recording that was expired already. True if it became expired now. Refuses with argument_missing, recording_not_found, deletion_not_begun. Called by recorder_api.finish_deletion.';

create function recorder_api.begin_deletion(
  p_recording_id uuid, p_objects bigint, p_versions bigint, p_uploads bigint, p_bytes bigint
) returns text
  language plpgsql security definer set search_path = ''
as $$
begin
  return recorder.begin_deletion(p_recording_id, p_objects, p_versions, p_uploads, p_bytes);
end
$$;
comment on function recorder_api.begin_deletion(uuid, bigint, bigint, bigint, bigint) is
  'May the files of this recording be deleted now? See recorder.begin_deletion.';

create function recorder_api.finish_deletion(p_recording_id uuid, p_versions bigint, p_bytes bigint) returns boolean
  language plpgsql security definer set search_path = ''
as $$
begin
  return recorder.finish_deletion(p_recording_id, p_versions, p_bytes);
end
$$;
comment on function recorder_api.finish_deletion(uuid, bigint, bigint) is
  'Nothing of this recording is in the bucket any more. See recorder.finish_deletion.';

create function recorder.check_deletions() returns recorder.health_check
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_limit numeric := recorder.setting('health_expiry_age');
  v_count bigint;
  v_first record;
begin
  select count(*) into v_count from public.recordings r
  where r.status in ('recorded', 'failed') and r.held_at is null and r.expires_at < clock_timestamp() - recorder.seconds('health_expiry_age');
  select r.id, r.expires_at into v_first from public.recordings r
  where r.status in ('recorded', 'failed') and r.held_at is null and r.expires_at < clock_timestamp()
  order by r.expires_at limit 1;
  return recorder.checked('deletions', v_count = 0, coalesce(recorder.seconds_since(v_first.expires_at), 0), 'seconds', v_limit,
    case when v_first.id is null then 'Nothing that should be gone is there.'
      else format('%s should be gone since %s: look at its expire job.', v_first.id, recorder.ago(v_first.expires_at)) end);
end
$$;
comment on function recorder.check_deletions() is 'Whether files that should be gone are still there. For recorder.check_health.';

alter table recorder.deletions enable row level security;
alter table recorder.deletions owner to recorder_owner;
revoke all on recorder.deletions from public, anon, authenticated, service_role;
grant select on recorder.deletions to recorder_admin;
create policy "administrators read" on recorder.deletions for select to recorder_admin using (true);

do $$
declare
  v_function text;
begin
  foreach v_function in array array[
    'recorder.tell_of_expiry(uuid)', 'recorder.sweep_expiry(integer)', 'recorder.check_deletions()',
    'recorder.begin_deletion(uuid, bigint, bigint, bigint, bigint)', 'recorder.finish_deletion(uuid, bigint, bigint)']
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
    execute format('alter function %s owner to recorder_owner', v_function);
  end loop;
  foreach v_function in array array[
    'recorder_api.begin_deletion(uuid, bigint, bigint, bigint, bigint)', 'recorder_api.finish_deletion(uuid, bigint, bigint)']
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
    execute format('grant execute on function %s to service_role', v_function);
  end loop;
end
$$;
