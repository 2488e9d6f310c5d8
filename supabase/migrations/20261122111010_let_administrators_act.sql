-- The administrators' door, second half: what they do. Every function takes the locks in the usual order (channel, recording,
-- job), may be run twice, refuses with a code and then has changed nothing, and writes what it did into the recording's story.

insert into recorder.transitions (event, from_status, to_status, meaning) values
  ('recording.retried', 'failed', 'processing', 'What was wrong is mended: the files are looked for again.');

create function recorder.lock_recording(p_recording_id uuid) returns public.recordings
  language plpgsql set search_path = ''
as $$
declare
  v_recording public.recordings;
begin
  if p_recording_id is null then
    perform recorder.refuse('argument_missing');
  end if;
  perform recorder.lock_calls(p_recording_id);
  select * into v_recording from public.recordings r where r.id = p_recording_id for no key update;
  if not found then
    perform recorder.refuse('recording_not_found');
  end if;
  return v_recording;
end
$$;
comment on function recorder.lock_recording(uuid) is
  'A recording, locked after its channel. Refuses with argument_missing, recording_not_found. For the functions of administrators.';

create function recorder.retry_as(p_recording_id uuid, p_actor text) returns text
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings := recorder.lock_recording(p_recording_id);
  v_has_recorded boolean;
  v_stopped_at timestamptz;
begin
  if v_recording.status = 'processing' then
    -- Asked twice, or too early: then the bucket is looked at now.
    perform recorder.enqueue('collect', p_recording_id);
    return 'processing';
  end if;
  if v_recording.status <> 'failed' then
    perform recorder.refuse('recording_not_failed', 'It is ' || v_recording.status || '.');
  end if;
  if v_recording.deletion_began_at is not null then
    perform recorder.refuse('deletion_under_way');
  end if;
  select count(*) > 0, max(coalesce(t.left_at, t.gone_at, t.last_seen_at)) into v_has_recorded, v_stopped_at
  from recorder.engine_tasks t
  where t.recording_id = p_recording_id and t.sid is not null
    and (t.confirmed_at is not null or t.started_at is not null or t.files is not null);
  if not v_has_recorded then
    perform recorder.refuse('recording_never_began', v_recording.error ->> 'message');
  end if;
  -- "never" about storage or configuration means: not before a person has mended it. An administrator's call says that somebody has.
  if v_recording.error ->> 'retry' = 'never'
    and not (p_actor = 'administrator' and v_recording.error ->> 'blame' in ('storage', 'configuration'))
  then
    perform recorder.refuse('retry_refused', v_recording.error ->> 'message');
  end if;
  perform recorder.move(p_recording_id, 'recording.retried', p_actor, jsonb_build_object(
    'stopped_at', coalesce(v_recording.stopped_at, v_stopped_at, clock_timestamp())));
  -- The time that the files have runs from now: the old one may be over.
  update public.recordings r set deadline_at = clock_timestamp() + recorder.seconds('processing_deadline')
  where r.id = p_recording_id;
  perform recorder.enqueue('collect', p_recording_id);
  perform recorder.mirror_calls(p_recording_id);
  return 'processing';
end
$$;
comment on function recorder.retry_as(uuid, text) is
  'Sends a failed recording back to processing for somebody (user or administrator). For recorder.retry_recording and access.retry_recording, which say what each may.';

create function recorder.retry_recording(p_recording_id uuid) returns text
  language plpgsql security definer set search_path = ''
as $$
begin
  return recorder.retry_as(p_recording_id, 'administrator');
end
$$;
comment on function recorder.retry_recording(uuid) is
  'Sends a failed recording back to processing: its files are looked for again, for as long as at first. Gives the new status. Only where an engine task recorded something, and the error allows it or blames storage or configuration, which a person can mend. While processing: looks now, changes nothing else. Refuses with argument_missing, recording_not_found, recording_not_failed, deletion_under_way, recording_never_began, retry_refused. For recorder_admin.';

create function recorder.stop_recording(p_recording_id uuid) returns text
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings := recorder.lock_recording(p_recording_id);
begin
  if v_recording.status in ('starting', 'recording')
    and recorder.request_stop(p_recording_id, 'administrator', 'administrator')
  then
    perform recorder.mirror_calls(p_recording_id);
    select * into v_recording from public.recordings r where r.id = p_recording_id;
  end if;
  return v_recording.status;
end
$$;
comment on function recorder.stop_recording(uuid) is
  'A wish to stop, by an administrator, wherever the call is. Gives the status that became of it: stopping, or failed if it still waited for a recorder. A recording that stops already or is over stays as it is. Refuses with argument_missing, recording_not_found. For recorder_admin.';

create function recorder.retry_job(p_job_id bigint) returns text
  language plpgsql security definer set search_path = ''
as $$
declare
  v_job recorder.jobs;
  v_recording public.recordings;
  v_twin text;
begin
  if p_job_id is null then
    perform recorder.refuse('argument_missing');
  end if;
  select * into v_job from recorder.jobs j where j.id = p_job_id;
  if not found then
    perform recorder.refuse('job_not_found');
  end if;
  if v_job.recording_id is not null then
    v_recording := recorder.lock_recording(v_job.recording_id);
  end if;
  select * into v_job from recorder.jobs j where j.id = p_job_id for update;
  if v_job.state in ('queued', 'running') then
    return v_job.state;
  end if;
  if v_job.state <> 'dead' then
    perform recorder.refuse('job_not_dead', 'It is ' || v_job.state || '.');
  end if;
  if v_job.kind = 'start' and v_recording.status <> 'starting'
    or v_job.kind = 'collect' and v_recording.status not in ('processing', 'failed')
  then
    perform recorder.refuse('job_obsolete', 'The recording is ' || v_recording.status || '.');
  end if;
  select t.state into v_twin from recorder.jobs t
  where t.recording_id is not distinct from v_job.recording_id and t.dedupe_key = v_job.dedupe_key and t.state in ('queued', 'running') limit 1;
  if v_twin is not null then
    return v_twin;
  end if;
  update recorder.jobs j set state = 'queued', attempts = 0, run_at = clock_timestamp(), finished_at = null
  where j.id = p_job_id;
  if v_job.kind = 'collect' and v_recording.status = 'failed' then
    -- Its failing ended the recording, so the recording has to be revived with it, or refuses.
    perform recorder.retry_recording(v_recording.id);
  end if;
  if v_recording.id is not null then
    perform recorder.note(v_recording.id, 'administrator', 'job.retried', jsonb_build_object('kind', v_job.kind));
  end if;
  return 'queued';
end
$$;
comment on function recorder.retry_job(bigint) is
  'Queues a dead job again, with its attempts counted anew, and wakes its lane. Gives the state of the work: queued, or running where the same work is being done already. A collect job takes its failed recording back to processing as recorder.retry_recording does, and refuses as that does. Refuses with argument_missing, job_not_found, job_not_dead, job_obsolete. For recorder_admin.';

-- Holding and keeping ----------------------------------------------------------------------------------------------------

create function recorder.hold_recording(p_recording_id uuid, p_reason text) returns timestamptz
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings := recorder.lock_recording(p_recording_id);
  v_reason text := nullif(btrim(p_reason), '');
begin
  if v_reason is null then
    perform recorder.refuse('argument_missing', 'A hold needs a reason, which the two people of the recording can read.');
  end if;
  if v_recording.status = 'expired' then
    perform recorder.refuse('recording_expired');
  end if;
  if v_recording.deletion_began_at is not null then
    perform recorder.refuse('deletion_under_way');
  end if;
  if v_recording.hold_reason is not distinct from v_reason then
    return v_recording.held_at;
  end if;
  update public.recordings r set
    held_at = coalesce(r.held_at, clock_timestamp()), hold_reason = v_reason,
    version = nextval('recorder.versions'), updated_at = clock_timestamp()
  where r.id = p_recording_id returning * into v_recording;
  perform recorder.note(p_recording_id, 'administrator', 'recording.held', jsonb_build_object('reason', v_reason));
  perform recorder.mirror_calls(p_recording_id);
  return v_recording.held_at;
end
$$;
comment on function recorder.hold_recording(uuid, text) is
  'Keeps a recording from being deleted, by expiry or by a wish to be forgotten, until it is released. Gives since when. Held again it is held since the first time, with the new reason. Refuses with argument_missing, recording_not_found, recording_expired, deletion_under_way. For recorder_admin.';

create function recorder.release_recording(p_recording_id uuid) returns timestamptz
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings := recorder.lock_recording(p_recording_id);
begin
  if v_recording.held_at is not null then
    update public.recordings r set
      held_at = null, hold_reason = null, version = nextval('recorder.versions'), updated_at = clock_timestamp()
    where r.id = p_recording_id;
    perform recorder.note(p_recording_id, 'administrator', 'recording.released');
    perform recorder.mirror_calls(p_recording_id);
  end if;
  return v_recording.expires_at;
end
$$;
comment on function recorder.release_recording(uuid) is
  'Ends a hold: from now on the expiry counts again, at once if it has passed meanwhile. Gives that moment, null for never. One that is not held stays as it is. Refuses with argument_missing, recording_not_found. For recorder_admin.';

create function recorder.has_expiry(p_recording public.recordings) returns boolean
  language plpgsql stable set search_path = ''
as $$
begin
  return p_recording.deletion_began_at is null
    and (p_recording.status = 'recorded' or p_recording.status = 'failed' and recorder.may_have_files(p_recording.id));
end
$$;
comment on function recorder.has_expiry(public.recordings) is
  'Whether the retention policy says when this recording goes: it is there, or it failed and may have left files. For recorder.set_retention.';

create function recorder.follows_policy_of(p_recording public.recordings, p_mentorship_id uuid) returns boolean
  language sql stable set search_path = ''
as $$
  select case when p_mentorship_id is null
    then not exists (select from recorder.retention_policies p where p.mentorship_id = p_recording.mentorship_id)
    else p_recording.mentorship_id = p_mentorship_id end
$$;
comment on function recorder.follows_policy_of(public.recordings, uuid) is
  'Whether a recording follows the retention policy of this mentorship; for null, the default. For recorder.set_retention.';

create function recorder.set_retention(
  p_mentorship_id uuid, p_keep_days integer, p_longest_keep_days integer default null,
  p_reason text default 'Set by an administrator.'
) returns integer
  language plpgsql security definer set search_path = ''
as $$
declare
  v_old recorder.retention_policies;
  v_longest integer;
  v_notice timestamptz := clock_timestamp() + recorder.seconds('retention_notice');
  v_recording record;
  v_new timestamptz;
  v_count integer := 0;
begin
  if p_mentorship_id is not null and not exists (select from public.mentorships m where m.id = p_mentorship_id) then
    perform recorder.refuse('mentorship_unknown');
  end if;
  if p_keep_days not between 1 and 36500 or p_longest_keep_days not between 1 and 36500 or p_longest_keep_days < p_keep_days
    or p_keep_days is null and p_longest_keep_days is not null
  then
    perform recorder.refuse('keep_days_invalid');
  end if;
  if nullif(btrim(p_reason), '') is null then
    perform recorder.refuse('argument_missing', 'A retention needs a reason.');
  end if;
  -- One at a time: what a recording has now is judged by the policy that gave it.
  perform pg_advisory_xact_lock(hashtextextended('recorder.set_retention', 0));
  v_old := recorder.retention_of(p_mentorship_id);
  v_longest := case when p_keep_days is not null
    then coalesce(p_longest_keep_days, case when v_old.longest_keep_days < p_keep_days then p_keep_days else v_old.longest_keep_days end) end;
  insert into recorder.retention_policies as p (mentorship_id, keep_days, longest_keep_days, reason)
  values (p_mentorship_id, p_keep_days, v_longest, btrim(p_reason))
  on conflict (mentorship_id) do update set
    keep_days = excluded.keep_days, longest_keep_days = excluded.longest_keep_days, reason = excluded.reason, updated_at = now()
  where (p.keep_days, p.longest_keep_days, p.reason) is distinct from (excluded.keep_days, excluded.longest_keep_days, excluded.reason);

  -- All channels first, in one order for everybody: then the recordings.
  perform recorder.lock_channel(n.channel) from (
    select distinct r.channel from public.recordings r
    where recorder.has_expiry(r) and recorder.follows_policy_of(r, p_mentorship_id) order by r.channel) n;
  for v_recording in
    select r.* from public.recordings r
    where recorder.has_expiry(r) and recorder.follows_policy_of(r, p_mentorship_id)
      and not recorder.is_forgotten(r)
    order by r.id for no key update
  loop
    -- What its people have kept longer stays so, as far as the policy lets them.
    v_new := case
      when v_recording.expires_at is not distinct from v_recording.finished_at + make_interval(days => v_old.keep_days)
        then v_recording.finished_at + make_interval(days => p_keep_days)
      else least(v_recording.expires_at, v_recording.finished_at + make_interval(days => v_longest))
    end;
    if v_new < coalesce(v_recording.expires_at, 'infinity') then
      v_new := least(v_recording.expires_at, greatest(v_new, v_notice));
    end if;
    if v_new is distinct from v_recording.expires_at then
      v_count := v_count + 1;
      update public.recordings r set
        expires_at = v_new, version = nextval('recorder.versions'), updated_at = clock_timestamp()
      where r.id = v_recording.id;
      perform recorder.note(v_recording.id, 'administrator', 'recording.retention_changed', jsonb_build_object('expires_at', v_new));
      perform recorder.mirror_calls(v_recording.id);
    end if;
  end loop;
  return v_count;
end
$$;
comment on function recorder.set_retention(uuid, integer, integer, text) is
  'How many days recordings of a mentorship are kept (null: of all that have no policy of their own) and up to how many its people may keep them. Days null: for ever; longest null: as before, at least as long as kept. Reaches recordings that exist, with a week''s notice (setting retention_notice) where it is shorter, and not what their people have kept longer within the policy. Gives how many got another expiry. Refuses with mentorship_unknown, keep_days_invalid, argument_missing. For recorder_admin.';

do $$
declare
  v_function text;
begin
  foreach v_function in array array[
    'recorder.lock_recording(uuid)', 'recorder.retry_as(uuid, text)', 'recorder.retry_recording(uuid)', 'recorder.stop_recording(uuid)',
    'recorder.retry_job(bigint)', 'recorder.hold_recording(uuid, text)', 'recorder.release_recording(uuid)',
    'recorder.has_expiry(public.recordings)', 'recorder.follows_policy_of(public.recordings, uuid)', 'recorder.set_retention(uuid, integer, integer, text)']
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
    execute format('alter function %s owner to recorder_owner', v_function);
  end loop;
end
$$;
grant execute on function recorder.retry_recording(uuid), recorder.stop_recording(uuid), recorder.retry_job(bigint),
  recorder.hold_recording(uuid, text), recorder.release_recording(uuid), recorder.set_retention(uuid, integer, integer, text)
  to recorder_admin;
