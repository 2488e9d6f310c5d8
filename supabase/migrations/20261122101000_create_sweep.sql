-- What makes every promise hold when a message, a worker or a wake-up was lost.

create function recorder.sweep() returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_batch integer := recorder.setting('sweep_batch');
  v_job recorder.jobs;
  v_recording record;
  v_task record;
  v_lane text;
  v_leases integer := 0;
  v_deadlines integer := 0;
  v_silent integer := 0;
  v_orphans integer := 0;
  v_woken integer := 0;
begin
  -- One sweep at a time; a second one has nothing to add.
  if not pg_try_advisory_xact_lock(hashtextextended('recorder.sweep', 0)) then
    return jsonb_build_object('skipped', true);
  end if;

  -- A worker that died: its jobs are due again.
  for v_job in
    select j.* from recorder.jobs j where j.state = 'running' and j.leased_until < v_now
    order by j.leased_until limit v_batch for update skip locked
  loop
    v_leases := v_leases + 1;
    perform recorder.finish_job(jsonb_build_object(
      'id', v_job.id, 'lease', v_job.lease_token, 'outcome', 'retry', 'after_ms', 0,
      'error', recorder.error_of('unexpected_error') || jsonb_build_object('detail', 'the lease expired: the worker died or was too slow')));
  end loop;

  -- A state that lasted too long, never beside work that is being done right now.
  for v_recording in
    select r.id, r.status, r.phase, r.attempt from public.recordings r
    where r.deadline_at < v_now
      and not exists (select from recorder.jobs j where j.recording_id = r.id and j.state = 'running')
    order by r.deadline_at limit v_batch
  loop
    v_deadlines := v_deadlines + 1;
    if v_recording.phase = 'queued' then
      perform recorder.apply(v_recording.id, 'recording.queue_timed_out', 'system');
    elsif v_recording.status = 'starting' then
      update recorder.engine_tasks t set superseded = true where t.recording_id = v_recording.id and t.state <> 'gone';
      perform recorder.lose_attempt(v_recording.id, v_recording.attempt, recorder.error_of('engine_start_failed'));
    elsif v_recording.status = 'recording' then
      perform recorder.stop_for(v_recording.id, 'limit', 'system');
    elsif v_recording.status = 'stopping' then
      perform recorder.note(v_recording.id, 'system', 'engine.stop_unconfirmed');
      update recorder.engine_tasks t set state = 'gone', gone_at = v_now where t.recording_id = v_recording.id and t.state <> 'gone';
      perform recorder.apply(v_recording.id, 'engine.gone', 'system');
    elsif v_recording.status = 'processing' then
      perform recorder.apply(v_recording.id, 'files.missing', 'system');
    end if;
  end loop;

  -- Silence: the engine is asked. A running task without a live recording: it is stopped.
  for v_task in
    select t.id, t.recording_id, t.superseded, r.status, t.last_seen_at
    from recorder.engine_tasks t join public.recordings r on r.id = t.recording_id
    where t.state in ('requested', 'running')
      and (t.superseded or r.status not in ('starting', 'recording')
        or t.last_seen_at < v_now - recorder.seconds('silence_limit'))
    order by t.last_seen_at limit v_batch
  loop
    if v_task.superseded or v_task.status not in ('starting', 'recording') then
      v_orphans := v_orphans + 1;
      perform recorder.enqueue('stop', v_task.recording_id);
    else
      v_silent := v_silent + 1;
      perform recorder.enqueue('confirm', v_task.recording_id, v_task.id);
    end if;
  end loop;

  -- Processing without anybody at work: look into the bucket.
  for v_recording in
    select r.id from public.recordings r
    where r.status = 'processing' and not exists (
      select from recorder.jobs j where j.recording_id = r.id and j.kind = 'collect' and j.state in ('queued', 'running'))
    limit v_batch
  loop
    perform recorder.enqueue('collect', v_recording.id);
  end loop;

  -- A wake-up that was lost.
  for v_lane in
    select distinct j.lane from recorder.jobs j where j.state = 'queued' and j.run_at <= v_now
  loop
    if recorder.wake_lane(v_lane) then
      v_woken := v_woken + 1;
    end if;
  end loop;

  delete from recorder.jobs j where j.id in (
    select d.id from recorder.jobs d where d.state = 'done' and d.finished_at < v_now - recorder.seconds('job_retention') limit v_batch);
  delete from recorder.inbox i where i.notice_id in (
    select d.notice_id from recorder.inbox d where d.received_at < v_now - recorder.seconds('inbox_retention') limit v_batch);

  return jsonb_build_object(
    'expired_leases', v_leases, 'passed_deadlines', v_deadlines, 'silent_tasks', v_silent, 'orphan_tasks', v_orphans,
    'woken_lanes', v_woken);
end
$$;
comment on function recorder.sweep() is
  'Mends what was lost: expired leases, passed deadlines, silent and orphaned engine tasks, lost wake-ups; cleans finished work. Run every 10 s by pg_cron; safe at any time.';

create function recorder.stop_for(p_recording_id uuid, p_reason text, p_actor text) returns boolean
  language plpgsql security definer set search_path = ''
as $$
begin
  return recorder.apply(p_recording_id, 'recording.stop_requested', p_actor, jsonb_build_object('reason', p_reason));
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
    where o.end_time < now() - recorder.seconds('cron_details_retention') limit 10000);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function recorder.clean_cron_details() is 'Deletes old lines of the scheduler''s log, which cleans nothing itself. Gives how many.';

revoke all on function recorder.sweep(), recorder.stop_for(uuid, text, text), recorder.clean_cron_details()
  from public, anon, authenticated, service_role;

select cron.schedule('recorder-sweep', '10 seconds', 'select recorder.sweep()');
select cron.schedule('recorder-clean-cron-details', '17 3 * * *', 'select recorder.clean_cron_details()');
