-- What expires is found by its index. Compared with a volatile expression, a column is no condition of an index: each sweep read every
-- recording that is kept, and asked the clock and the settings for each of them. With values it reads those whose time has come.

create or replace function recorder.sweep_expiry(p_limit integer, out told integer, out expired integer)
  language plpgsql set search_path = ''
as $$
declare
  v_recording record;
  v_now timestamptz := clock_timestamp();
  v_notice_until timestamptz := v_now + recorder.seconds('expiry_notice');
  v_again_before timestamptz := v_now - recorder.seconds('expire_again_after');
begin
  told := 0;
  expired := 0;
  for v_recording in
    select r.id, r.channel from public.recordings r
    where r.status = 'recorded' and r.held_at is null and r.deletion_began_at is null
      and r.expiry_told_for is distinct from r.expires_at
      and r.expires_at between v_now and v_notice_until
    order by r.expires_at limit p_limit
  loop
    if recorder.try_lock_channel(v_recording.channel) and recorder.tell_of_expiry(v_recording.id) then
      told := told + 1;
    end if;
  end loop;
  for v_recording in
    select r.id, r.channel from public.recordings r
    where r.status in ('recorded', 'failed') and r.held_at is null and r.expires_at < v_now
      and not exists (
        select from recorder.jobs j
        where j.recording_id = r.id and j.kind = 'expire'
          and (j.state in ('queued', 'running')
            or j.state = 'dead' and j.finished_at > v_again_before))
    order by r.expires_at limit p_limit
  loop
    if recorder.try_lock_channel(v_recording.channel) then
      perform recorder.enqueue('expire', v_recording.id);
      expired := expired + 1;
    end if;
  end loop;
end
$$;

create or replace function recorder.check_deletions() returns recorder.health_check
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_limit numeric := recorder.setting('health_expiry_age');
  v_count bigint;
  v_now timestamptz := clock_timestamp();
  v_late timestamptz := v_now - make_interval(secs => v_limit::double precision);
  v_first record;
begin
  select count(*) into v_count from public.recordings r
  where r.status in ('recorded', 'failed') and r.held_at is null and r.expires_at < v_late;
  select r.id, r.expires_at into v_first from public.recordings r
  where r.status in ('recorded', 'failed') and r.held_at is null and r.expires_at < v_now
  order by r.expires_at limit 1;
  return recorder.checked('deletions', v_count = 0, coalesce(recorder.seconds_since(v_first.expires_at), 0), 'seconds', v_limit,
    case when v_first.id is null then 'Nothing that should be gone is there.'
      else format('%s should be gone since %s: look at its expire job.', v_first.id, recorder.ago(v_first.expires_at)) end);
end
$$;
