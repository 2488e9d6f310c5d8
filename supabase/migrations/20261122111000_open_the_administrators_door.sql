-- The administrators' door, first half: what they see. Role recorder_admin reads three views and nothing else of the engine
-- room; what it may do is in the next file. Nothing here shows a secret: Vault is asked whether it answers, not what.

create type recorder.health_check as (
  name text,
  is_ok boolean,
  value numeric,
  unit text,
  threshold numeric,
  explanation text
);
comment on type recorder.health_check is 'One row of recorder.health. value and threshold are in unit; explanation says in words what is so and what to do.';

create function recorder.checked(
  p_name text, p_is_ok boolean, p_value numeric, p_unit text, p_threshold numeric, p_explanation text
) returns recorder.health_check
  language sql immutable set search_path = ''
as $$ select row(p_name, p_is_ok, p_value, p_unit, p_threshold, p_explanation)::recorder.health_check $$;
comment on function recorder.checked(text, boolean, numeric, text, numeric, text) is 'One row of recorder.health. For its checks.';

create function recorder.ago(p_at timestamptz) returns text
  language sql stable set search_path = ''
as $$
  select case when p_at is null or p_at = '-infinity' then 'never'
    else greatest(0, round(extract(epoch from clock_timestamp() - p_at))) || ' s ago' end
$$;
comment on function recorder.ago(timestamptz) is 'A moment in words, "12 s ago" or "never", for the explanations of recorder.health.';

create function recorder.seconds_since(p_at timestamptz) returns numeric
  language sql stable set search_path = ''
as $$
  select case when p_at > '-infinity' then greatest(0, round(extract(epoch from clock_timestamp() - p_at)::numeric, 1)) end
$$;
comment on function recorder.seconds_since(timestamptz) is 'Seconds from a moment until now by the clock, not below 0; null for never.';

-- What is stuck and what is dead ---------------------------------------------------------------------------------------

create view recorder.dead_jobs as
select j.id as job_id, j.kind, j.lane, j.recording_id, r.status as recording_status, j.finished_at as died_at, j.attempts,
  j.last_error ->> 'code' as code, j.last_error ->> 'message' as reason, j.last_error ->> 'detail' as detail,
  case
    when j.kind = 'start' and r.status <> 'starting'
      then 'Cannot be retried: a start belongs to its moment. Somebody in the call may start a new recording.'
    when j.kind = 'collect' and r.status = 'failed'
      then format('select recorder.retry_recording(%L);', r.id)
    when j.kind = 'collect' and r.status <> 'processing'
      then 'Needs nothing: the recording has moved on.'
    else format('select recorder.retry_job(%s);', j.id)
  end as how_to_retry
from recorder.jobs j
left join public.recordings r on r.id = j.recording_id
where j.state = 'dead'
  -- Asked for again since: then the newer job tells how it went on.
  and not exists (
    select from recorder.jobs n
    where (n.recording_id = j.recording_id or n.recording_id is null and j.recording_id is null) and n.dedupe_key = j.dedupe_key and n.id > j.id);
comment on view recorder.dead_jobs is
  'Work that was given up, with the reason, the recording it belongs to, and the statement that tries it again. Kept until it is tried again. For recorder_admin.';

create view recorder.stuck as
select s.recording_id, s.call_id, s.mentorship_id, s.status, s.phase, s.unchanged_since, s.deadline_at,
  s.reason || coalesce((
    select format(' Its %s job was given up: %s.', d.kind, d.code)
    from recorder.dead_jobs d
    where d.recording_id = s.recording_id
      and d.kind = case s.status when 'starting' then 'start' when 'recording' then 'confirm' when 'stopping' then 'stop' else 'collect' end
    order by d.died_at desc limit 1), '')
  as reason
from (
  select r.id as recording_id, r.call_id, r.mentorship_id, r.status, r.phase, r.updated_at as unchanged_since, r.deadline_at,
    case
      when r.deadline_at < clock_timestamp() - g.grace and w.working is not null
        then format('The deadline has passed, but a %s job still holds its lease.', w.working)
      when r.deadline_at < clock_timestamp() - g.grace
        then 'The deadline has passed and nobody acted: the sweep does not run, or it fails.'
      when r.updated_at > clock_timestamp() - g.grace then null
      when r.status = 'starting' and r.phase = 'queued' and not w.kinds @> '{start}'
        then 'It waits for a recorder, but there is no start job.'
      when r.status = 'starting' and r.phase = 'requested' and not w.kinds && '{start,confirm}' and not t.is_alive
        then 'A recorder was asked to start, but there is neither an engine task nor a job.'
      when r.status = 'recording' and not t.is_alive
        then 'It counts as recording, but no engine task is alive.'
      when r.status = 'stopping' and not w.kinds @> '{stop}'
        then 'A stop is wanted, but there is no stop job.'
      when r.status = 'processing' and not w.kinds @> '{collect}'
        then 'Files are awaited, but there is no collect job.'
    end as reason
  from public.recordings r
  cross join (
    select make_interval(secs => s.value::double precision) as grace
    from recorder.settings s where s.name = 'health_stuck_after') g
  cross join lateral (
    select coalesce(array_agg(j.kind), '{}') as kinds, min(j.kind) filter (where j.state = 'running') as working
    from recorder.jobs j where j.recording_id = r.id and j.state in ('queued', 'running')) w
  cross join lateral (
    select exists (
      select from recorder.engine_tasks e
      where e.recording_id = r.id and e.state in ('requested', 'running') and not e.superseded) as is_alive) t
  where r.deadline_at is not null
) s
where s.reason is not null;
comment on view recorder.stuck is
  'Recordings that will not go on by themselves: past their deadline, or for health_stuck_after without the job or the engine task that their state needs; reason says which. Empty when all is well. For recorder_admin.';

-- What only postgres can ask: Vault, pg_net, the scheduler. Each answers with a row whatever happens ------------------------

create function recorder.check_vault() returns recorder.health_check
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_name text;
  v_secret text;
  v_wrong text[] := '{}';
begin
  foreach v_name in array array['functions_url', 'wake_up_secret'] loop
    begin
      v_secret := recorder.secret(v_name);
      if v_secret is null then
        v_wrong := v_wrong || (v_name || ' is missing');
      elsif v_name = 'functions_url' and v_secret !~ '^https?://[^/]+' then
        v_wrong := v_wrong || (v_name || ' is no address');
      elsif v_name = 'wake_up_secret' and v_secret !~ '^whsec_[A-Za-z0-9+/]{32,}={0,2}$' then
        v_wrong := v_wrong || (v_name || ' is not whsec_ and base64');
      end if;
    exception when others then
      v_wrong := v_wrong || (v_name || ' cannot be read (' || sqlstate || ')');
    end;
  end loop;
  return recorder.checked('vault', v_wrong = '{}', 2 - cardinality(v_wrong), 'readable secrets', 2,
    case when v_wrong = '{}' then 'Both secrets are there and can be read.'
      else array_to_string(v_wrong, '; ') || ': no wake-up can be sent. See Secrets in docs/operations.md.' end);
end
$$;
comment on function recorder.check_vault() is
  'Whether Vault gives the two secrets that a wake-up needs, in a form that can be used. Never raises, never shows a value. For recorder.check_health.';

create function recorder.check_pg_net() returns recorder.health_check
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_limit numeric := recorder.setting('health_wake_up_backlog');
  v_waiting bigint;
begin
  -- The queue has no index: counting stops where the answer is clear.
  select count(*) into v_waiting from (select from net.http_request_queue limit v_limit + 1) q;
  perform net.check_worker_is_up();
  return recorder.checked('pg_net', v_waiting <= v_limit, v_waiting, 'waiting requests', v_limit,
    case when v_waiting <= v_limit then 'Its worker is up.'
      else 'Its worker is up and does not keep pace: select net.worker_restart().' end);
exception when others then
  return recorder.checked('pg_net', false, v_waiting, 'waiting requests', v_limit,
    format('pg_net cannot send wake-ups: %s. Try select net.worker_restart(); nothing wakes the lanes until it is up.', sqlerrm));
end
$$;
comment on function recorder.check_pg_net() is
  'Whether pg_net''s worker is up and keeps pace. Never raises: what pg_net raises is the explanation. For recorder.check_health.';

create function recorder.check_cron() returns recorder.health_check
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_limit numeric := recorder.setting('health_sweep_age');
  v_job_id bigint;
  v_is_active boolean;
  v_last record;
  v_good_at timestamptz;
begin
  select j.jobid, j.active into v_job_id, v_is_active from cron.job j where j.jobname = 'recorder-sweep';
  if not found or not v_is_active then
    return recorder.checked('cron', false, null, 'seconds', v_limit,
      'The sweep is not scheduled: select cron.schedule(''recorder-sweep'', ''10 seconds'', ''select recorder.sweep()'').');
  end if;
  select d.status, d.return_message into v_last from cron.job_run_details d
  where d.jobid = v_job_id and d.end_time is not null order by d.runid desc limit 1;
  select d.end_time into v_good_at from cron.job_run_details d
  where d.jobid = v_job_id and d.status = 'succeeded' order by d.runid desc limit 1;
  return recorder.checked('cron', coalesce(recorder.seconds_since(v_good_at) <= v_limit, false), recorder.seconds_since(v_good_at), 'seconds', v_limit,
    format('Last successful sweep: %s.', recorder.ago(v_good_at))
    || case when v_last.status = 'failed' then ' The last run failed: ' || coalesce(v_last.return_message, 'no message') else '' end);
exception when others then
  return recorder.checked('cron', false, null, 'seconds', v_limit, format('The scheduler cannot be asked: %s.', sqlerrm));
end
$$;
comment on function recorder.check_cron() is
  'Seconds since the scheduler last ran recorder.sweep() with success. Never raises. For recorder.check_health.';

create function recorder.answer_to_wake_up(p_request_id bigint, p_sent_at timestamptz) returns text
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_answer record;
begin
  -- pg_net's ids begin anew after a crash, so an older answer under this id is somebody else's.
  select a.status_code, a.error_msg into v_answer from net._http_response a
  where a.id = p_request_id and a.created >= p_sent_at;
  if not found then
    return null;
  end if;
  return case
    when v_answer.status_code between 200 and 299 then 'ok'
    when v_answer.status_code is not null then 'HTTP ' || v_answer.status_code
    else coalesce(v_answer.error_msg, 'no answer')
  end;
exception when others then
  return null;
end
$$;
comment on function recorder.answer_to_wake_up(bigint, timestamptz) is
  'How a function answered a wake-up: ok, the HTTP status, or what pg_net says about a failure; null while nothing is known. Never raises. For recorder.check_lanes.';

-- What the engine room knows itself ------------------------------------------------------------------------------------

create function recorder.check_lanes() returns setof recorder.health_check
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_lane recorder.lanes;
  v_depth_limit numeric := recorder.setting('health_queue_depth');
  v_age_limit numeric := recorder.setting('health_queue_age');
  v_due bigint;
  v_later bigint;
  v_oldest timestamptz;
  v_sign timestamptz;
  v_is_held boolean;
  v_answer text;
  v_is_refused boolean;
  v_is_left boolean;
begin
  for v_lane in select * from recorder.lanes l order by l.lane loop
    select count(*) filter (where j.run_at <= clock_timestamp()), count(*) filter (where j.run_at > clock_timestamp()),
      min(j.run_at) filter (where j.run_at <= clock_timestamp())
    into v_due, v_later, v_oldest from recorder.jobs j where j.lane = v_lane.lane and j.state = 'queued';
    return next recorder.checked(v_lane.lane || '_queue_depth', v_due <= v_depth_limit, v_due, 'due jobs', v_depth_limit,
      format('%s due, %s for later.', v_due, v_later));
    return next recorder.checked(v_lane.lane || '_queue_age', coalesce(recorder.seconds_since(v_oldest) <= v_age_limit, true),
      coalesce(recorder.seconds_since(v_oldest), 0), 'seconds', v_age_limit,
      case when v_oldest is null then 'Nothing is due.' else format('The oldest due job was due %s.', recorder.ago(v_oldest)) end);

    select max(d.leased_until) - recorder.seconds('drain_lease'), coalesce(bool_or(d.leased_until > clock_timestamp()), false)
    into v_sign, v_is_held from recorder.drains d where d.lane = v_lane.lane;
    v_answer := recorder.answer_to_wake_up(v_lane.last_wake_request_id, v_lane.last_wake_at);
    v_sign := greatest(v_sign,
      (select f.finished_at from recorder.jobs f where f.lane = v_lane.lane and f.state in ('done', 'dead')
       order by f.finished_at desc limit 1),
      case when v_answer = 'ok' then v_lane.last_wake_at end);
    v_is_refused := v_answer <> 'ok' and coalesce(v_sign < v_lane.last_wake_at, true);
    v_is_left := v_oldest is not null and recorder.seconds_since(v_oldest) > v_age_limit
      and coalesce(recorder.seconds_since(v_sign) > v_age_limit, true);
    return next recorder.checked(v_lane.lane || '_worker', not coalesce(v_is_refused, false) and not v_is_left,
      recorder.seconds_since(v_sign), 'seconds', v_age_limit,
      case
        when v_is_refused then format('%s answered the wake-up of %s with: %s.', v_lane.function_name, recorder.ago(v_lane.last_wake_at), v_answer)
        when v_is_left then format('Work is due and %s does none; last seen: %s.', v_lane.function_name, recorder.ago(v_sign))
        when v_is_held then format('%s is at work.', v_lane.function_name)
        when v_oldest is not null then format('Work is due since a moment; %s was last seen: %s.', v_lane.function_name, recorder.ago(v_sign))
        else format('%s has nothing left to do; last seen: %s.', v_lane.function_name, recorder.ago(v_sign))
      end);
  end loop;
end
$$;
comment on function recorder.check_lanes() is
  'Depth, age and worker of every lane. A worker is alive if it holds a place, finished a job or answered a wake-up; red if it refused the last wake-up or leaves due work. For recorder.check_health.';

create function recorder.check_recordings() returns setof recorder.health_check
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_limit numeric := recorder.setting('health_open_age');
  v_oldest record;
  v_count bigint;
  v_first text;
  v_total bigint;
  v_silent_since timestamptz;
  v_event_at timestamptz;
  v_swept_at timestamptz;
begin
  select s.last_run_at into v_swept_at from recorder.sweeps s;
  return next recorder.checked('sweep', coalesce(recorder.seconds_since(v_swept_at) <= recorder.setting('health_sweep_age'), false),
    recorder.seconds_since(v_swept_at), 'seconds', recorder.setting('health_sweep_age'),
    format('Last sweep, by the scheduler or an overdue worker: %s.', recorder.ago(v_swept_at)));

  select r.id, r.status, r.requested_at into v_oldest from public.recordings r
  where r.deadline_at is not null order by r.requested_at limit 1;
  return next recorder.checked('oldest_open_recording', coalesce(recorder.seconds_since(v_oldest.requested_at) <= v_limit, true),
    recorder.seconds_since(v_oldest.requested_at), 'seconds', v_limit,
    case when v_oldest.id is null then 'No recording is under way.'
      else format('%s is %s; asked for %s.', v_oldest.id, v_oldest.status, recorder.ago(v_oldest.requested_at)) end);

  select count(*), min(s.recording_id || ': ' || s.reason) into v_count, v_first from recorder.stuck s;
  return next recorder.checked('stuck_recordings', v_count = 0, v_count, 'recordings', 0,
    case when v_count = 0 then 'None.' else 'See recorder.stuck. ' || v_first end);

  select count(*) filter (where d.died_at > clock_timestamp() - recorder.seconds('health_dead_job_window')), count(*)
  into v_count, v_total from recorder.dead_jobs d;
  return next recorder.checked('dead_jobs', v_count = 0, v_count, 'jobs', 0,
    format('%s given up lately, %s in all.', v_count, v_total) || case when v_total = 0 then '' else ' See recorder.dead_jobs.' end);

  -- While something records: has the engine said anything at all about it?
  select max(i.received_at) into v_event_at from recorder.inbox i;
  select min(r.started_at), count(*) into v_silent_since, v_count from public.recordings r
  where r.status = 'recording' and not exists (
    select from recorder.inbox i join recorder.engine_tasks t on t.id = i.engine_task_id where t.recording_id = r.id);
  v_limit := recorder.setting('health_webhook_silence');
  return next recorder.checked('last_webhook', coalesce(recorder.seconds_since(v_silent_since) <= v_limit, true),
    coalesce(recorder.seconds_since(v_silent_since), 0), 'seconds', v_limit,
    format('Last event of the engine: %s.', recorder.ago(v_event_at))
    || case when recorder.seconds_since(v_silent_since) > v_limit
      then format(' %s live recording(s) never had one: check the address and the secret of the notifications in the engine''s console.', v_count)
      else '' end);

  select count(*), min(t.id::text) into v_count, v_first
  from recorder.engine_tasks t join public.recordings r on r.id = t.recording_id
  where t.state in ('requested', 'running')
    and (t.superseded or r.status not in ('starting', 'recording', 'stopping'))
    and coalesce(r.finished_at, r.stopped_at, t.start_sent_at + recorder.seconds('attempt_deadline'))
      < clock_timestamp() - recorder.seconds('health_orphan_age');
  return next recorder.checked('orphan_tasks', v_count = 0, v_count, 'engine tasks', 0,
    case when v_count = 0 then 'No recorder runs without a live recording.'
      else format('A recorder runs that nobody wants, first engine task %s: look at the stop jobs of its recording.', v_first) end);
end
$$;
comment on function recorder.check_recordings() is
  'The last sweep, the oldest recording under way, stuck ones, dead jobs, the engine''s events, recorders without a live recording. For recorder.check_health.';

create function recorder.check_health() returns setof recorder.health_check
  language plpgsql stable security definer set search_path = ''
as $$
begin
  return query
    select * from recorder.check_lanes()
    union all select * from recorder.check_recordings()
    union all select c.* from recorder.check_webhook_secret() c
    union all select c.* from recorder.check_deletions() c
    union all select * from recorder.check_audit()
    union all select c.* from recorder.check_cron() c
    union all select c.* from recorder.check_pg_net() c
    union all select c.* from recorder.check_vault() c;
end
$$;
comment on function recorder.check_health() is 'All checks of recorder.health, in its order.';

create view recorder.health as select * from recorder.check_health();
comment on view recorder.health is
  'One row per check: name, is_ok, value and threshold in unit, explanation in words. All well: select bool_and(is_ok) from recorder.health. For recorder_admin; shows no secret.';

-- Who may what -----------------------------------------------------------------------------------------------------------

do $$
declare
  v_function text;
begin
  foreach v_function in array array[
    'recorder.checked(text, boolean, numeric, text, numeric, text)', 'recorder.ago(timestamptz)',
    'recorder.seconds_since(timestamptz)', 'recorder.check_vault()', 'recorder.check_pg_net()', 'recorder.check_cron()',
    'recorder.answer_to_wake_up(bigint, timestamptz)', 'recorder.check_lanes()',
    'recorder.check_recordings()', 'recorder.check_health()']
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
  end loop;
  -- The others stay with postgres, who alone has a way into vault, net and cron.
  foreach v_function in array array[
    'recorder.checked(text, boolean, numeric, text, numeric, text)', 'recorder.ago(timestamptz)',
    'recorder.seconds_since(timestamptz)', 'recorder.check_lanes()', 'recorder.check_recordings()', 'recorder.check_health()']
  loop
    execute format('alter function %s owner to recorder_owner', v_function);
  end loop;
end
$$;
grant execute on function recorder.check_vault(), recorder.check_pg_net(), recorder.check_cron(),
  recorder.answer_to_wake_up(bigint, timestamptz) to recorder_owner;
alter type recorder.health_check owner to recorder_owner;
alter view recorder.stuck owner to recorder_owner;
alter view recorder.dead_jobs owner to recorder_owner;
alter view recorder.health owner to recorder_owner;

revoke all on recorder.health, recorder.stuck, recorder.dead_jobs from public, anon, authenticated, service_role;
grant select on recorder.health, recorder.stuck, recorder.dead_jobs to recorder_admin;
grant execute on function recorder.check_health() to recorder_admin;
-- The grant on these two came earlier, but under row level security it shows no row without a policy.
create policy "administrators read" on recorder.settings for select to recorder_admin using (true);
create policy "administrators read" on recorder.errors for select to recorder_admin using (true);
