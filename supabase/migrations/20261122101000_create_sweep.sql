-- What makes every promise hold when a message, a worker or a wake-up was lost.

create table recorder.sweeps (
  is_only boolean primary key default true check (is_only),
  last_run_at timestamptz not null default clock_timestamp(),
  last_result jsonb not null default '{}'
);
comment on table recorder.sweeps is 'One row: when the last sweep ran and what it found. Locked by the sweep under way: a second one has nothing to add.';
insert into recorder.sweeps default values;

create function recorder.sweep_leases(p_limit integer) returns integer
  language plpgsql set search_path = ''
as $$
declare
  v_job record;
  v_count integer := 0;
begin
  -- A worker that died or was too slow: its jobs are due again. The channel first: what was tried too often moves the recording, and
  -- the same work may be asked for at this moment.
  for v_job in
    select j.id, j.lease_token, r.channel
    from recorder.jobs j left join public.recordings r on r.id = j.recording_id
    where j.state = 'running' and j.lease_token is not null and j.leased_until < clock_timestamp()
    order by j.leased_until limit p_limit
  loop
    -- Some work concerns no recording, and no channel.
    if v_job.channel is null or recorder.try_lock_channel(v_job.channel) then
      perform recorder.finish_job(jsonb_build_object(
        'id', v_job.id, 'lease', v_job.lease_token, 'outcome', 'retry', 'after_ms', 0,
        'error', recorder.error_of('unexpected_error') || jsonb_build_object('detail', 'the lease expired: the worker died or was too slow')));
      v_count := v_count + 1;
    end if;
  end loop;
  return v_count;
end
$$;
comment on function recorder.sweep_leases(integer) is 'Jobs whose lease has expired are due again, or dead after their last attempt. Gives how many. For recorder.sweep.';

create function recorder.pass_deadline(p_recording_id uuid) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_recording public.recordings;
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
    -- A recorder that did not come: it is superseded, and stopped as soon as it shows itself.
    update recorder.engine_tasks t set
      superseded = true,
      state = case when t.sid is null and not t.is_unanswered then 'gone' else t.state end,
      gone_at = case when t.sid is null and not t.is_unanswered then clock_timestamp() end
    where t.recording_id = p_recording_id and t.state <> 'gone';
    if v_recording.phase = 'queued' then
      perform recorder.apply(p_recording_id, 'recording.queue_timed_out', 'system');
    else
      perform recorder.lose_attempt(p_recording_id, v_recording.attempt, recorder.error_of('engine_start_failed'));
    end if;
  when 'recording' then
    perform recorder.stop_for(p_recording_id, 'limit', 'system');
  when 'stopping' then
    -- The recorder's token is over, and with it the recorder.
    perform recorder.note(p_recording_id, 'system', 'engine.stop_unconfirmed');
    update recorder.engine_tasks t set state = 'gone', gone_at = clock_timestamp()
    where t.recording_id = p_recording_id and t.state <> 'gone';
    perform recorder.conclude(p_recording_id);
  when 'processing' then
    -- What came in time is there to be played; only what never had a file is lost.
    if v_recording.size_bytes is not null and exists (select from public.recording_files f where f.recording_id = p_recording_id) then
      perform recorder.apply(p_recording_id, 'files.published', 'system', jsonb_build_object(
        'duration_ms', v_recording.duration_ms, 'size_bytes', v_recording.size_bytes, 'stored_bytes', v_recording.stored_bytes,
        'is_partial', true, 'gaps', v_recording.gaps));
    else
      perform recorder.apply(p_recording_id, 'files.missing', 'system');
    end if;
  end case;
end
$$;
comment on function recorder.pass_deadline(uuid) is
  'What follows when a recording stayed in its state for too long; nothing while a job of it holds a lease. The caller holds the channel. For recorder.sweep.';

create function recorder.sweep_deadlines(p_limit integer) returns integer
  language plpgsql set search_path = ''
as $$
declare
  v_recording record;
  v_count integer := 0;
begin
  for v_recording in
    select r.id, r.channel from public.recordings r
    where r.deadline_at < clock_timestamp()
      and not exists (select from recorder.jobs j where j.recording_id = r.id and j.state = 'running')
    order by r.deadline_at limit p_limit
  loop
    begin
      if recorder.try_lock_channel(v_recording.channel) then
        perform recorder.pass_deadline(v_recording.id);
        v_count := v_count + 1;
      end if;
    exception when others then
      -- One that cannot be ended must not keep the others open.
      raise warning 'recorder: the deadline of recording % could not be acted on: %', v_recording.id, sqlerrm;
    end;
  end loop;
  return v_count;
end
$$;
comment on function recorder.sweep_deadlines(integer) is 'Acts on recordings that stayed in their state for too long. Gives how many. For recorder.sweep.';

create function recorder.sweep_tasks(p_limit integer, out silent integer, out orphaned integer, out unanswered integer)
  language plpgsql set search_path = ''
as $$
declare
  v_task record;
begin
  silent := 0;
  orphaned := 0;
  unanswered := 0;
  -- Written down for a start that is no longer wanted, and never sent.
  update recorder.engine_tasks t set state = 'gone', gone_at = clock_timestamp()
  where t.id = any (array(
    select p.id from recorder.engine_tasks p join public.recordings r on r.id = p.recording_id
    where p.state = 'preparing' and (p.superseded or r.status <> 'starting')
    order by p.created_at limit p_limit for no key update of p skip locked));

  -- A recorder without a live recording: it is stopped, whatever became of its job.
  for v_task in
    select t.id, r.id as recording_id, r.channel, case when r.status = 'stopping' then 'stop' else 'repair' end as kind
    from recorder.engine_tasks t join public.recordings r on r.id = t.recording_id
    where t.state in ('requested', 'running') and (t.superseded or r.status not in ('starting', 'recording'))
      and not exists (
        select from recorder.jobs j
        where j.recording_id = r.id and j.kind in ('stop', 'repair') and coalesce(j.engine_task_id, t.id) = t.id
          and (j.state in ('queued', 'running')
            or j.state = 'dead' and j.finished_at > clock_timestamp() - recorder.seconds('stop_again_after')))
    limit p_limit
  loop
    if recorder.try_lock_channel(v_task.channel) then
      perform recorder.enqueue(v_task.kind, v_task.recording_id, v_task.id);
      orphaned := orphaned + 1;
    end if;
  end loop;

  -- A start whose sender died with the answer: it is sent again, while its resource id is good.
  for v_task in
    select t.id, t.recording_id, r.channel
    from recorder.engine_tasks t join public.recordings r on r.id = t.recording_id
    where t.state = 'requested' and t.sid is null and not t.superseded and r.status = 'starting'
      and t.start_sent_at < clock_timestamp() - recorder.seconds('start_answer_limit')
      and not exists (
        select from recorder.jobs j
        where j.recording_id = r.id and j.engine_task_id = t.id and j.kind in ('start_again', 'confirm') and j.state in ('queued', 'running'))
    order by t.start_sent_at limit p_limit
  loop
    if recorder.try_lock_channel(v_task.channel) then
      perform recorder.enqueue('start_again', v_task.recording_id, v_task.id);
      unanswered := unanswered + 1;
    end if;
  end loop;

  -- Silence: the engine is asked.
  for v_task in
    select t.id, t.recording_id, r.channel
    from recorder.engine_tasks t join public.recordings r on r.id = t.recording_id
    where t.state in ('requested', 'running') and t.last_seen_at < clock_timestamp() - recorder.seconds('silence_limit')
      and not t.superseded and r.status in ('starting', 'recording')
      and not exists (
        select from recorder.jobs j
        where j.recording_id = r.id and j.engine_task_id = t.id and j.kind in ('confirm', 'heartbeat') and j.state in ('queued', 'running'))
    order by t.last_seen_at limit p_limit
  loop
    if recorder.try_lock_channel(v_task.channel) then
      perform recorder.enqueue('heartbeat', v_task.recording_id, v_task.id);
      silent := silent + 1;
    end if;
  end loop;
end
$$;
comment on function recorder.sweep_tasks(integer) is
  'Recorders that nobody wants get a repair job, silent ones a heartbeat; starts whose answer nobody heard are sent again, those that were never sent are gone. Gives how many. For recorder.sweep.';

create function recorder.sweep_forgotten(p_limit integer) returns integer
  language plpgsql set search_path = ''
as $$
declare
  v_recording record;
  v_count integer := 0;
begin
  for v_recording in
    (select r.id, r.channel, 'start' as kind from public.recordings r
     where r.phase = 'queued' and not exists (
       select from recorder.jobs j where j.recording_id = r.id and j.kind = 'start' and j.state in ('queued', 'running'))
     limit p_limit)
    union all
    (select r.id, r.channel, 'collect' from public.recordings r
     where r.status = 'processing' and not exists (
       select from recorder.jobs j where j.recording_id = r.id and j.kind = 'collect' and j.state in ('queued', 'running'))
     limit p_limit)
    union all
    (select distinct r.id, r.channel, 'transfer' from recorder.transfers t join public.recordings r on r.id = t.recording_id
     where (r.status = 'processing' and t.finished_at is null or r.status = 'recorded' and t.state = 'done' and t.source_deleted_at is null)
       and not exists (
         select from recorder.jobs j where j.recording_id = r.id and j.kind = 'transfer' and j.state in ('queued', 'running'))
     limit p_limit)
    union all
    -- Every recorder of it is gone, but nobody drew the conclusion.
    (select r.id, r.channel, 'conclude' from public.recordings r
     where r.status in ('recording', 'stopping') and not exists (
       select from recorder.engine_tasks t
       where t.recording_id = r.id and t.state <> 'gone' and not (t.superseded and t.sid is null))
     limit p_limit)
    union all
    -- The same while it starts: a fresh recorder is tried, without waiting for the deadline of one that is gone.
    (select r.id, r.channel, 'lose' from public.recordings r
     where r.status = 'starting' and r.phase = 'requested' and not exists (
       select from recorder.engine_tasks t where t.recording_id = r.id and t.state <> 'gone' and not t.superseded)
     limit p_limit)
  loop
    if recorder.try_lock_channel(v_recording.channel) then
      if v_recording.kind = 'conclude' then
        perform recorder.conclude(v_recording.id);
      elsif v_recording.kind = 'lose' then
        perform recorder.lose_attempt(r.id, r.attempt, (
          select t.error from recorder.engine_tasks t where t.recording_id = r.id order by t.attempt desc limit 1))
        from public.recordings r where r.id = v_recording.id and r.phase = 'requested';
      else
        perform recorder.enqueue(v_recording.kind, v_recording.id, null,
          case when r.phase = 'queued' then least(now(), r.requested_at) else now() end)
        from public.recordings r
        where r.id = v_recording.id and (r.phase = 'queued' or r.status = 'processing' or v_recording.kind = 'transfer');
      end if;
      v_count := v_count + 1;
    end if;
  end loop;
  return v_count;
end
$$;
comment on function recorder.sweep_forgotten(integer) is
  'Open recordings without the job that their state needs get it again; those whose recorders are all gone go on. Gives how many. For recorder.sweep.';

create function recorder.sweep() returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_batch integer := recorder.setting('sweep_batch');
  v_now timestamptz := clock_timestamp();
  v_tasks record;
  v_expiry record;
  v_lane text;
  v_channel text;
  v_woken integer := 0;
  v_mirrored integer := 0;
  v_cleaned integer;
  v_result jsonb;
begin
  -- One sweep at a time. It waits for nobody: a channel at which somebody is at work is left to the next one.
  perform from recorder.sweeps s for update skip locked;
  if not found then
    return jsonb_build_object('skipped', true);
  end if;
  v_result := jsonb_build_object(
    'expired_leases', recorder.sweep_leases(v_batch), 'passed_deadlines', recorder.sweep_deadlines(v_batch));
  select * into v_tasks from recorder.sweep_tasks(v_batch);
  v_result := v_result || jsonb_build_object(
    'silent_tasks', v_tasks.silent, 'orphan_tasks', v_tasks.orphaned, 'unanswered_starts', v_tasks.unanswered, 'forgotten_jobs', recorder.sweep_forgotten(v_batch));
  select * into v_expiry from recorder.sweep_expiry(v_batch);
  v_result := v_result || jsonb_build_object('told_of_expiry', v_expiry.told, 'expired', v_expiry.expired);

  for v_channel in select c.channel from recorder.channels c where c.owed_call_ids <> '{}' limit v_batch loop
    v_mirrored := v_mirrored + recorder.pay_owed_mirrors(v_channel);
  end loop;

  -- Places of lanes that came later, or of a setting that was raised.
  insert into recorder.drains (lane, place)
  select l.lane, p.place from recorder.lanes l cross join generate_series(1, recorder.setting('drains_per_lane')::integer) as p (place)
  on conflict do nothing;

  perform recorder.number_queue(a.engine_account)
  from recorder.engine_accounts a
  where recorder.free_tasks(a.engine_account) = 0;

  -- A wake-up that was lost.
  for v_lane in select l.lane from recorder.lanes l order by l.lane loop
    if recorder.has_due_work(v_lane) and recorder.wake_lane(v_lane) then
      v_woken := v_woken + 1;
    end if;
  end loop;

  delete from recorder.jobs j where j.id = any (array(
    select d.id from recorder.jobs d
    where d.state = 'done' and d.finished_at < v_now - recorder.seconds('job_retention')
    order by d.finished_at limit v_batch for update skip locked));
  get diagnostics v_cleaned = row_count;
  v_result := v_result || jsonb_build_object('cleaned_jobs', v_cleaned);
  delete from recorder.inbox i where i.notice_id = any (array(
    select d.notice_id from recorder.inbox d where d.received_at < v_now - recorder.seconds('inbox_retention')
    order by d.received_at limit v_batch for update skip locked));
  get diagnostics v_cleaned = row_count;

  v_result := v_result || jsonb_build_object(
    'woken_lanes', v_woken, 'mirrored_calls', v_mirrored, 'cleaned_events', v_cleaned);
  update recorder.sweeps s set last_run_at = clock_timestamp(), last_result = v_result;
  return v_result;
end
$$;
comment on function recorder.sweep() is
  'Mends what was lost: expired leases, passed deadlines, silent and orphaned engine tasks, missing jobs, expiries, calls that could not follow, lost wake-ups; cleans finished work in limited batches, never the story. Run every 10 s by pg_cron, and by a worker when that is overdue; safe at any time. Gives what it did, or {skipped} while another one runs.';

create function recorder.sweep_if_overdue() returns void
  language plpgsql security definer set search_path = ''
as $$
begin
  if exists (select from recorder.sweeps s where s.last_run_at < clock_timestamp() - recorder.seconds('sweep_overdue')) then
    begin
      perform recorder.sweep();
    exception when others then
      raise warning 'recorder: a sweep under a worker failed: %', sqlerrm;
    end;
  end if;
end
$$;
comment on function recorder.sweep_if_overdue() is
  'Sweeps when the scheduler has not done so for sweep_overdue. Never raises. Called by recorder_api.work before it claims.';

create function recorder.stop_for(p_recording_id uuid, p_reason text, p_actor text) returns boolean
  language plpgsql security definer set search_path = ''
as $$
begin
  if recorder.request_stop(p_recording_id, p_reason, p_actor) then
    perform recorder.mirror_calls(p_recording_id);
    return true;
  end if;
  return false;
end
$$;
comment on function recorder.stop_for(uuid, text, text) is 'A wish to stop that does not come from a call''s row: a limit, the engine''s idle rule, an administrator.';
alter function recorder.stop_for(uuid, text, text) owner to recorder_owner;

create function recorder.clean_cron_details() returns integer
  language plpgsql security definer set search_path = ''
as $$
declare
  v_count integer;
begin
  delete from cron.job_run_details d where d.runid in (
    select o.runid from cron.job_run_details o
    where o.end_time < now() - recorder.seconds('cron_details_retention') order by o.runid limit 10000);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function recorder.clean_cron_details() is 'Deletes old lines of the scheduler''s log, which cleans nothing itself. Gives how many.';

alter table recorder.sweeps owner to recorder_owner;
alter table recorder.sweeps enable row level security;
revoke all on function recorder.sweep(), recorder.sweep_if_overdue(), recorder.sweep_leases(integer), recorder.pass_deadline(uuid),
  recorder.sweep_deadlines(integer), recorder.sweep_tasks(integer), recorder.sweep_forgotten(integer),
  recorder.stop_for(uuid, text, text), recorder.clean_cron_details()
  from public, anon, authenticated, service_role;

select cron.schedule('recorder-sweep', '10 seconds', 'select recorder.sweep()');
select cron.schedule('recorder-clean-cron-details', '17 3 * * *', 'select recorder.clean_cron_details()');
