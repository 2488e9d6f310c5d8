-- What the Edge Functions may ask of the database. service_role only; every function is safe to call twice.

create function recorder.conclude(p_recording_id uuid, p_stopped_at timestamptz default null) returns boolean
  language plpgsql set search_path = ''
as $$
declare
  v_status text;
begin
  if exists (
    select from recorder.engine_tasks t
    where t.recording_id = p_recording_id and t.state <> 'gone' and t.start_sent_at is not null
      -- A superseded one that never showed itself holds nobody up: should it come, it is stopped all the same.
      and not (t.superseded and t.sid is null))
  then
    return false;
  end if;
  select r.status into v_status from public.recordings r where r.id = p_recording_id;
  if v_status = 'stopping'
    and not exists (select from recorder.engine_tasks t where t.recording_id = p_recording_id and t.sid is not null)
  then
    return recorder.apply(p_recording_id, 'engine.never_started', 'system');
  end if;
  return recorder.apply(p_recording_id, 'engine.gone', 'engine',
    jsonb_strip_nulls(jsonb_build_object('stopped_at', p_stopped_at)));
end
$$;
comment on function recorder.conclude(uuid, timestamptz) is
  'Ends a recording that runs or stops when no recorder of it can be running any more: processing, or failed if none ever came. False when one may still run or nothing was to be ended.';

create function recorder.give_up(p_job recorder.jobs, p_error jsonb) returns void
  language plpgsql set search_path = ''
as $$
begin
  update recorder.jobs set
    state = 'dead', lease_token = null, leased_until = null, last_error = p_error, finished_at = clock_timestamp()
  where id = p_job.id;
  if p_job.kind = 'start' then
    perform recorder.lock_calls(p_job.recording_id);
    if recorder.apply(p_job.recording_id, 'engine.start_failed', 'engine', jsonb_build_object('error', p_error)) then
      -- Whether one of them still comes up is unknown: it is stopped as soon as it shows itself.
      update recorder.engine_tasks t set superseded = true where t.recording_id = p_job.recording_id and t.state <> 'gone';
      perform recorder.enqueue('repair', p_job.recording_id, t.id)
      from recorder.engine_tasks t
      where t.recording_id = p_job.recording_id and t.state in ('requested', 'running');
    else
      perform recorder.conclude(p_job.recording_id);
    end if;
  elsif p_job.kind = 'collect' then
    perform recorder.apply(p_job.recording_id, 'files.missing', 'storage', jsonb_build_object('error', p_error));
  elsif p_job.kind not in ('notify', 'audit') then
    perform recorder.note(p_job.recording_id, 'system', 'job.died',
      jsonb_build_object('kind', p_job.kind, 'error', recorder.public_error(p_error, 'unexpected_error') -> 'code'));
  end if;
end
$$;
comment on function recorder.give_up(recorder.jobs, jsonb) is
  'Ends a job for good and puts the reason on its recording: a start or a collection ends in failed, a stop is begun anew by the sweep after stop_again_after, of the others the story tells, but for those that are no part of it (notify, audit). The caller has locked the channel.';

create function recorder.finish_job(p_result jsonb) returns text
  language plpgsql set search_path = ''
as $$
declare
  v_job recorder.jobs;
  v_outcome text := p_result ->> 'outcome';
  v_error jsonb := nullif(p_result -> 'error', 'null');
  v_delay_ms double precision;
  v_run_at timestamptz;
begin
  if jsonb_typeof(p_result) is distinct from 'object' or p_result ->> 'id' is null or p_result ->> 'lease' is null
    or v_outcome is null
  then
    return 'argument_missing';
  end if;
  if v_outcome not in ('done', 'retry', 'snooze', 'give_up')
    or jsonb_typeof(p_result -> 'after_ms') not in ('number', 'null') or jsonb_typeof(v_error) <> 'object'
    or not pg_input_is_valid(p_result ->> 'id', 'bigint') or not pg_input_is_valid(p_result ->> 'lease', 'uuid')
  then
    return 'argument_invalid';
  end if;
  select * into v_job from recorder.jobs j
  where j.id = (p_result ->> 'id')::bigint and j.state = 'running' and j.lease_token = (p_result ->> 'lease')::uuid
  for update;
  if not found then
    -- What the handler learned is saved already, the job is somebody else's now.
    return 'lease_lost';
  end if;

  if v_outcome = 'done' then
    update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = clock_timestamp()
    where id = v_job.id;
    return null;
  end if;
  if v_outcome = 'give_up' or v_outcome = 'retry' and v_job.attempts >= v_job.max_attempts then
    perform recorder.give_up(v_job, coalesce(v_error, recorder.error_of('unexpected_error')));
    return null;
  end if;

  v_delay_ms := coalesce((p_result ->> 'after_ms')::double precision, case when v_outcome = 'retry' then
    least(recorder.setting('retry_longest_delay'), recorder.setting('retry_first_delay') * 2 ^ least(v_job.attempts - 1, 16))
      * (0.5 + random() / 2) else 1000 end);
  -- Nothing waits longer than a day: a number gone wrong must not hide work for ever.
  v_run_at := clock_timestamp() + make_interval(secs => greatest(0, least(v_delay_ms, 86400000)) / 1000);
  begin
    update recorder.jobs set
      state = 'queued', lease_token = null, leased_until = null, last_error = coalesce(v_error, last_error),
      attempts = case when v_outcome = 'snooze' then attempts - 1 else attempts end, run_at = v_run_at,
      not_before = case when v_outcome = 'retry' and jsonb_typeof(p_result -> 'after_ms') = 'number' then v_run_at end
    where id = v_job.id;
  exception when unique_violation then
    -- The same work was asked for again meanwhile: the waiting twin goes on in its place, no earlier than what failed may.
    update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = clock_timestamp(),
      last_error = coalesce(v_error, last_error)
    where id = v_job.id;
    if v_outcome = 'retry' then
      update recorder.jobs t set
        attempts = greatest(t.attempts, v_job.attempts), run_at = greatest(t.run_at, v_run_at), last_error = coalesce(v_error, t.last_error)
      where t.dedupe_key = v_job.dedupe_key and t.state = 'queued';
    end if;
  end;
  return null;
end
$$;
comment on function recorder.finish_job(jsonb) is
  'Takes {id, lease, outcome: done|retry|snooze|give_up, after_ms?, error?}. A snooze is not counted as an attempt; a retry backs off with jitter unless after_ms says when. Gives null, or the code of its refusal (lease_lost, argument_missing, argument_invalid), and then has changed nothing: one bad result must not hold up the others of its batch.';

create function recorder.finish_jobs(p_finished jsonb) returns jsonb
  language plpgsql set search_path = ''
as $$
declare
  v_result jsonb;
  v_code text;
  v_refused jsonb := '[]';
  v_done bigint[];
begin
  if p_finished is null or p_finished = '[]' then
    return v_refused;
  end if;
  if jsonb_typeof(p_finished) <> 'array' then
    perform recorder.refuse('argument_invalid', 'p_finished');
  end if;
  -- Giving up moves the recording, and what waits again may meet its twin that somebody asks for at this moment. Both are done under
  -- the channel, which comes first in the order of locks: so it is taken before any job is touched. Only "done" meets nobody.
  perform recorder.lock_channel(c.channel)
  from (
    select distinct r.channel
    from jsonb_array_elements(p_finished) as f (result)
    join recorder.jobs j on j.id = case when pg_input_is_valid(f.result ->> 'id', 'bigint') then (f.result ->> 'id')::bigint end
    join public.recordings r on r.id = j.recording_id
    where f.result ->> 'outcome' <> 'done'
    order by r.channel) c;
  -- Most of them are simply done: those are one update. The others, and whatever is wrong with them, one by one.
  with told as (
    select (f.result ->> 'id')::bigint as id, (f.result ->> 'lease')::uuid as lease
    from (select e from jsonb_array_elements(p_finished) e offset 0) as f (result)
    where f.result ->> 'outcome' = 'done'
      and pg_input_is_valid(f.result ->> 'id', 'bigint') and pg_input_is_valid(f.result ->> 'lease', 'uuid')
  ), finished as (
    update recorder.jobs j set state = 'done', lease_token = null, leased_until = null, finished_at = clock_timestamp()
    where j.id = any (array(select t.id from told t)) and j.state = 'running'
      and j.lease_token = (select t.lease from told t where t.id = j.id limit 1)
    returning j.id
  )
  select coalesce(array_agg(f.id), '{}') into v_done from finished f;
  for v_result in
    select e from jsonb_array_elements(p_finished) e
    where (e ->> 'outcome' = 'done' and e ->> 'id' = any (v_done::text[])) is not true
  loop
    v_code := recorder.finish_job(v_result);
    if v_code is not null then
      v_refused := v_refused || jsonb_build_object('id', v_result -> 'id', 'code', v_code);
    end if;
  end loop;
  return v_refused;
end
$$;
comment on function recorder.finish_jobs(jsonb) is
  'Finishes a batch of jobs. Gives those that were refused, [{id, code}]. Refuses with argument_invalid what is no list.';

create function recorder.job_context(p_job recorder.jobs) returns jsonb
  language plpgsql stable set search_path = ''
as $$
begin
  return jsonb_build_object(
    'recording', (
      select jsonb_build_object(
        'id', r.id, 'channel', r.channel, 'status', r.status, 'phase', r.phase, 'attempt', r.attempt, 'quality', r.quality,
        'layout', r.layout, 'requested_at', r.requested_at, 'started_at', r.started_at,
        'stop_requested_at', r.stop_requested_at, 'stopped_at', r.stopped_at, 'deletion_began_at', r.deletion_began_at,
        'mentorship_id', r.mentorship_id,
        'call_id', r.call_id, 'instructor_id', r.instructor_id, 'mentee_id', r.mentee_id, 'requested_by', r.requested_by,
        'stop_reason', r.stop_reason, 'deadline_at', r.deadline_at, 'duration_ms', r.duration_ms, 'size_bytes', r.size_bytes, 'stored_bytes', r.stored_bytes)
        || case when p_job.kind = 'start' then jsonb_build_object(
          'preset', (
            select jsonb_build_object('is_audio_only', p.is_audio_only, 'width', p.width, 'height', p.height, 'fps', p.fps,
              'bitrate_kbps', p.bitrate_kbps)
            from recorder.presets p where p.quality = r.quality),
          'mentor_uid', (
            select recorder.known_caller_uid(i.user_id)::text from public.instructors i where i.id = r.instructor_id))
          else '{}' end
      from public.recordings r where r.id = p_job.recording_id),
    'tasks', coalesce((
      select jsonb_agg(jsonb_build_object(
        'id', t.id, 'attempt', t.attempt, 'channel', t.channel, 'uid', t.uid, 'state', t.state,
        'resource_id', t.resource_id, 'sid', t.sid,
        'request', case when p_job.kind = 'start_again' then t.request end, 'token_expires_at', t.token_expires_at,
        'start_sent_at', t.start_sent_at, 'is_unanswered', t.is_unanswered, 'started_at', t.started_at,
        'confirmed_at', t.confirmed_at, 'last_seen_at', t.last_seen_at, 'suspect_since', t.suspect_since,
        'left_at', t.left_at, 'error', t.error, 'failed_at', t.failed_at, 'gone_at', t.gone_at, 'files', t.files,
        'is_empty', t.is_empty, 'superseded', t.superseded)
        order by t.attempt)
      from recorder.engine_tasks t where t.recording_id = p_job.recording_id), '[]'),
    'events', case when p_job.kind = 'apply_events' then coalesce((
      select jsonb_agg(jsonb_build_object('notice_id', i.notice_id, 'event', i.event, 'received_at', i.received_at)
        order by (i.event -> 'payload' ->> 'sequence')::bigint nulls last, i.received_at)
      from recorder.inbox i where i.engine_task_id = p_job.engine_task_id and i.applied_at is null), '[]') end,
    'payload', p_job.payload);
end
$$;
comment on function recorder.job_context(recorder.jobs) is
  'What a handler needs to know, in the same round trip as the claim: the recording, its engine tasks, open events, the payload of its kind; for a start also the numbers of its quality and whose picture is the large one.';

-- Claiming --------------------------------------------------------------------------------------------------------------

create function recorder.next_due(p_lane text, p_kind text, p_engine_account text) returns timestamptz
  language plpgsql stable set search_path = ''
as $$
begin
  return (
    select j.run_at from recorder.jobs j
    where j.state = 'queued' and j.lane = p_lane and j.kind = p_kind and j.engine_account = p_engine_account
      and (select r.id from recorder.jobs r where r.dedupe_key = j.dedupe_key and r.state = 'running') is null
    order by j.run_at limit 1);
end
$$;
comment on function recorder.next_due(text, text, text) is
  'When the next job of a kind and account may run; null if none waits. A job whose twin is running is not due. Called by claims.';

create function recorder.free_tasks(p_engine_account text) returns integer
  language plpgsql stable set search_path = ''
as $$
begin
  return (select greatest(0,
    coalesce(a.concurrent_tasks, recorder.setting('concurrent_tasks')::integer)
    - (select count(*) from recorder.engine_tasks t
       where t.engine_account = a.engine_account and t.state in ('requested', 'running'))::integer
    -- A start under way counts from its claim on, once.
    - (select count(*) from recorder.jobs j
       where j.state = 'running' and j.kind = 'start' and j.engine_account = a.engine_account
         and not exists (
           select from recorder.engine_tasks t
           where t.recording_id = j.recording_id and t.state in ('requested', 'running') and not t.superseded))::integer)
  from recorder.engine_accounts a where a.engine_account = p_engine_account);
end
$$;
comment on function recorder.free_tasks(text) is
  'How many more recorders an account may have at once: its ceiling less those that run or are being started. Called by claims, under the lock of the account.';

create function recorder.claimable_kinds(p_lane text) returns table (
  kind text, engine_account text, engine_requests integer
)
  language plpgsql stable rows 10 set search_path = ''
as $$
begin
  return query
    select k.kind, coalesce(a.engine_account, ''), k.engine_requests
    from recorder.job_kinds k
    left join recorder.engine_accounts a on k.engine_requests > 0
    where k.lane = p_lane
    order by k.priority, k.kind, a.engine_account;
end
$$;
comment on function recorder.claimable_kinds(text) is 'The kinds of a lane, most urgent first, once per account where they ask the engine.';

create function recorder.has_due_work(p_lane text) returns boolean
  language plpgsql stable set search_path = ''
as $$
begin
  return exists (
    select from recorder.claimable_kinds(p_lane) k
    where recorder.next_due(p_lane, k.kind, k.engine_account) <= clock_timestamp()
      -- What waits for another recorder to end is no work for anybody.
      and (k.kind <> 'start' or recorder.free_tasks(k.engine_account) > 0));
end
$$;
comment on function recorder.has_due_work(text) is 'Whether a drain of the lane would find something to do now. Called before a wake-up is sent.';

create function recorder.reserve_slots(
  p_kind text, p_engine_account text, p_requests integer, p_wanted integer,
  out granted integer, out first_at timestamptz, out spacing interval, out again_at timestamptz
)
  language plpgsql set search_path = ''
as $$
declare
  v_account recorder.engine_accounts;
  v_now timestamptz := clock_timestamp();
  v_horizon interval;
  v_heartbeat_at timestamptz;
  v_heartbeat_spacing interval;
begin
  select * into v_account from recorder.engine_accounts a where a.engine_account = p_engine_account for no key update;
  spacing := make_interval(secs => p_requests
    / greatest(coalesce(v_account.requests_per_second, recorder.setting('requests_per_second')), 0.001)::double precision);
  v_horizon := make_interval(secs => recorder.setting('slot_horizon')::double precision / 1000);
  if p_kind <> 'stop' then
    v_horizon := v_horizon * (1 - recorder.setting('stop_share')::double precision / 100);
  end if;
  first_at := greatest(v_account.next_slot_at, v_now);
  again_at := first_at - v_horizon;
  granted := least(p_wanted, floor(extract(epoch from v_now + v_horizon - first_at) / extract(epoch from spacing))::integer + 1);
  if p_kind = 'heartbeat' then
    v_heartbeat_spacing := spacing / greatest(recorder.setting('heartbeat_share')::double precision / 100, 0.001);
    v_heartbeat_at := greatest(v_account.next_heartbeat_at, v_now);
    granted := least(granted,
      floor(extract(epoch from v_now + v_horizon - v_heartbeat_at) / extract(epoch from v_heartbeat_spacing))::integer + 1);
    again_at := greatest(again_at, v_heartbeat_at - v_horizon);
  end if;
  granted := greatest(0, granted);
end
$$;
comment on function recorder.reserve_slots(text, text, integer, integer) is
  'How many of the wanted runs of a kind may be given slots in time now, from when and how far apart, and when to ask again; keeps the account locked. Never further ahead than slot_horizon, of which the last stop_share belongs to stops. recorder.claim takes what it uses.';

create function recorder.number_queue(p_engine_account text) returns integer
  language plpgsql security definer set search_path = ''
as $$
declare
  v_count integer;
  v_moved uuid[];
begin
  update recorder.engine_accounts a set queue_numbered_at = clock_timestamp()
  where a.engine_account = p_engine_account
    and a.queue_numbered_at < clock_timestamp() - make_interval(secs => recorder.setting('queue_place_rest')::double precision / 1000);
  if not found then
    return 0;
  end if;
  -- By the order of the wishes, in which places are given. One that is being started has left the queue. Nobody is waited
  -- for: a recording at which somebody is at work gets its place with the next numbering.
  with queued as (
    select r.id, r.channel, r.queue_place, r.requested_at, s.engine_account is not null as is_starting
    from public.recordings r
    left join recorder.jobs q on q.dedupe_key = 'start:' || r.id::text and q.state = 'queued'
    left join recorder.jobs s on s.dedupe_key = 'start:' || r.id::text and s.state = 'running'
    where r.phase = 'queued' and coalesce(s.engine_account, q.engine_account) = p_engine_account
  ), waiting as (
    select q.id, q.channel, q.queue_place,
      case when not q.is_starting then row_number() over (partition by q.is_starting order by q.requested_at, q.id) end as place
    from queued q
  ), free as (
    select c.channel from recorder.channels c
    where c.channel in (select w.channel from waiting w where w.queue_place is distinct from w.place)
    for no key update skip locked
  ), locked as (
    select r.id, w.place from public.recordings r
    join waiting w on w.id = r.id
    join free f on f.channel = r.channel
    where w.queue_place is distinct from w.place and r.phase = 'queued'
    for no key update of r skip locked
  ), moved as (
    update public.recordings r set
      queue_place = l.place, version = nextval('recorder.versions'), updated_at = clock_timestamp()
    from locked l where r.id = l.id
    returning r.id, r.channel
  )
  select count(*), array_agg(m.id) into v_count, v_moved from moved m;
  perform recorder.mirror_calls(m.id) from unnest(v_moved) as m (id);
  return v_count;
end
$$;
alter function recorder.number_queue(text) owner to recorder_owner;
comment on function recorder.number_queue(text) is
  'Gives every recording that waits for a recorder of an account its place, from 1, where it has changed; at most once in queue_place_rest. Gives how many. Waits for nobody. Called by claims that find the ceiling reached, and by the sweep.';

create function recorder.claim(p_lane text, p_limit integer, out jobs jsonb, out next_run_in_ms double precision)
  language plpgsql set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_lease interval := recorder.seconds(p_lane || '_lease');
  v_kind record;
  v_take integer;
  v_due timestamptz;
  v_wait timestamptz;
  v_next timestamptz;
  v_granted integer;
  v_first_at timestamptz := v_now;
  v_spacing interval := '0';
  v_again_at timestamptz;
  v_claimed jsonb;
  v_count integer;
  v_full text[] := '{}';
  v_account text;
begin
  jobs := '[]';
  for v_kind in select * from recorder.claimable_kinds(p_lane) loop
    v_due := recorder.next_due(p_lane, v_kind.kind, v_kind.engine_account);
    if v_due is null then
      continue;
    end if;
    v_take := p_limit - jsonb_array_length(jobs);
    v_wait := v_now;
    if v_due <= v_now and v_take > 0 then
      if v_kind.engine_requests > 0 then
        select s.granted, s.first_at, s.spacing, s.again_at into v_granted, v_first_at, v_spacing, v_again_at
        from recorder.reserve_slots(v_kind.kind, v_kind.engine_account, v_kind.engine_requests, v_take) s;
        if v_granted < v_take then
          v_wait := v_again_at + v_spacing * v_granted;
          v_take := v_granted;
        end if;
        if v_kind.kind = 'start' and recorder.free_tasks(v_kind.engine_account) < v_take then
          -- What waits for another recorder to end is looked at again when one has ended.
          v_wait := 'infinity';
          v_take := recorder.free_tasks(v_kind.engine_account);
          v_full := v_full || v_kind.engine_account;
        end if;
      end if;
      -- The array keeps the update on the primary key, whatever the planner thinks of the table.
      with claimed as (
        update recorder.jobs j set
          state = 'running', attempts = j.attempts + 1, lease_token = gen_random_uuid(), leased_until = v_now + v_lease
        where j.id = any (array(
          select q.id from recorder.jobs q
          where q.state = 'queued' and q.lane = p_lane and q.kind = v_kind.kind and q.engine_account = v_kind.engine_account
            and q.run_at <= v_now
            and (select r.id from recorder.jobs r where r.dedupe_key = q.dedupe_key and r.state = 'running') is null
          order by q.run_at limit v_take for update skip locked))
        returning j as job
      ), placed as (
        select c.job, row_number() over (order by (c.job).run_at, (c.job).id) - 1 as place from claimed c
      )
      select count(*), jsonb_agg(jsonb_build_object(
        'id', (p.job).id, 'lease', (p.job).lease_token, 'kind', (p.job).kind, 'recording_id', (p.job).recording_id,
        'engine_task_id', (p.job).engine_task_id, 'attempts', (p.job).attempts, 'max_attempts', (p.job).max_attempts,
        'wait_ms', case when v_kind.engine_requests > 0
          then greatest(0, ceil(extract(epoch from v_first_at + v_spacing * p.place - v_now) * 1000)) else 0 end)
        || recorder.job_context(p.job) order by p.place)
      into v_count, v_claimed from placed p;
      if v_count > 0 then
        jobs := jobs || v_claimed;
        if v_kind.engine_requests > 0 then
          update recorder.engine_accounts a set
            next_slot_at = v_first_at + v_spacing * v_count,
            next_heartbeat_at = case when v_kind.kind = 'heartbeat'
              then greatest(a.next_heartbeat_at, v_now)
                + v_spacing * v_count / greatest(recorder.setting('heartbeat_share')::double precision / 100, 0.001)
              else a.next_heartbeat_at end
          where a.engine_account = v_kind.engine_account;
        end if;
        v_due := recorder.next_due(p_lane, v_kind.kind, v_kind.engine_account);
      end if;
    end if;
    if v_due is not null then
      v_next := least(v_next, case when v_due > v_now then v_due else v_wait end);
    end if;
  end loop;
  -- Last, since it locks recordings of many channels, though it waits for none.
  foreach v_account in array v_full loop
    perform recorder.number_queue(v_account);
  end loop;
  if p_limit > 0 and v_next < 'infinity' then
    next_run_in_ms := greatest(0, ceil(extract(epoch from v_next - clock_timestamp()) * 1000));
  end if;
end
$$;
comment on function recorder.claim(text, integer) is
  'Leases at most p_limit due jobs of a lane, kind by kind in order of priority, each with what its handler needs and, where it asks the engine, a slot in time (wait_ms). next_run_in_ms: when to look again; null when nothing waits for time to pass, or nothing was asked for. For recorder_api.work.';

create function recorder_api.work(
  p_lane text, p_drain uuid, p_finished jsonb default '[]', p_limit integer default null
) returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_lane recorder.lanes;
  v_refused jsonb;
  v_claim record;
begin
  if p_lane is null or p_drain is null then
    perform recorder.refuse('argument_missing');
  end if;
  select * into v_lane from recorder.lanes l where l.lane = p_lane;
  if not found then
    perform recorder.refuse('lane_unknown', p_lane);
  end if;
  v_refused := recorder.finish_jobs(p_finished);
  perform recorder.sweep_if_overdue();

  if not recorder.keep_place(p_lane, p_drain) then
    return jsonb_build_object('has_place', false, 'jobs', '[]'::jsonb, 'refused', v_refused,
      'next_run_in_ms', recorder.next_place_in_ms(p_lane));
  end if;
  select * into v_claim from recorder.claim(p_lane, greatest(0, least(v_lane.batch, p_limit)));
  return jsonb_build_object(
    'has_place', true, 'jobs', v_claim.jobs, 'next_run_in_ms', v_claim.next_run_in_ms, 'refused', v_refused,
    'settings', (select jsonb_object_agg(s.name, s.value) from recorder.settings s));
end
$$;
comment on function recorder_api.work(text, uuid, jsonb, integer) is
  'One step of a drain: finishes the jobs it did, keeps or takes its place in the lane, claims at most p_limit jobs (the lane''s batch by default). Sweeps itself when the last sweep is overdue. Gives {has_place, jobs, next_run_in_ms, settings, refused: [{id, code}]}; without a place next_run_in_ms says when to ask for one again; a result whose lease is lost is refused with lease_lost and changes nothing. Refuses with argument_missing, lane_unknown, argument_invalid.';

create function recorder.keep_place(p_lane text, p_drain uuid) returns boolean
  language plpgsql set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_until timestamptz := v_now + recorder.seconds('drain_lease');
begin
  update recorder.drains d set leased_until = v_until where d.lane = p_lane and d.token = p_drain;
  if not found then
    update recorder.drains d set token = p_drain, leased_until = v_until
    where (d.lane, d.place) = (
      select f.lane, f.place from recorder.drains f
      -- Free, or held by a drain that has not looked for work for so long that it must have died.
      where f.lane = p_lane and f.leased_until < v_until - recorder.seconds('drain_takeover')
        and f.place <= recorder.setting('drains_per_lane')
      order by f.leased_until, f.place limit 1 for update skip locked);
  end if;
  return found;
end
$$;
comment on function recorder.keep_place(text, uuid) is
  'Renews the place of a drain in its lane, or takes one that is free or was not renewed for drain_takeover. False when all are taken by drains that are alive. A drain works only while it holds one.';

create function recorder.next_place_in_ms(p_lane text) returns integer
  language plpgsql stable set search_path = ''
as $$
begin
  return (
    select greatest(50, ceil(extract(epoch from min(d.leased_until)
      - recorder.seconds('drain_lease') + recorder.seconds('drain_takeover') - clock_timestamp()) * 1000) + 50)::integer
    from recorder.drains d
    where d.lane = p_lane and d.place <= recorder.setting('drains_per_lane') and d.leased_until > '-infinity');
end
$$;
comment on function recorder.next_place_in_ms(text) is
  'When the place of a lane that was renewed longest ago can be had, if its holder is dead. For recorder_api.work.';

create function recorder_api.leave(p_lane text, p_drain uuid, p_finished jsonb default '[]') returns boolean
  language plpgsql security definer set search_path = ''
as $$
begin
  if p_lane is null or p_drain is null then
    perform recorder.refuse('argument_missing');
  end if;
  if not exists (select from recorder.lanes l where l.lane = p_lane) then
    perform recorder.refuse('lane_unknown', p_lane);
  end if;
  perform recorder.finish_jobs(p_finished);
  update recorder.drains d set token = null, leased_until = '-infinity' where d.lane = p_lane and d.token = p_drain;
  -- What is left must not wait for the sweep: this wake-up is exempt from the rest.
  return recorder.has_due_work(p_lane) and recorder.wake_lane(p_lane, true);
end
$$;
comment on function recorder_api.leave(text, uuid, jsonb) is
  'Finishes the last jobs and gives the place back; wakes the lane once more if work is left. True if it did. Refuses with argument_missing, lane_unknown, argument_invalid.';

create function recorder_api.begin_attempt(p_recording_id uuid, p_token_expires_at timestamptz) returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings;
  v_task recorder.engine_tasks;
begin
  if p_recording_id is null or p_token_expires_at is null then
    perform recorder.refuse('argument_missing');
  end if;
  perform recorder.lock_calls(p_recording_id);
  select * into v_recording from public.recordings r where r.id = p_recording_id for no key update;
  if not found then
    perform recorder.refuse('recording_not_found');
  end if;
  if v_recording.status <> 'starting' then
    return null;
  end if;
  select * into v_task from recorder.engine_tasks t
  where t.recording_id = p_recording_id and t.state in ('requested', 'running') and not t.superseded
  order by t.attempt desc limit 1;
  if found then
    if v_task.sid is null then
      -- Whoever sent it did not live to hear the answer: the same request is sent again.
      perform recorder.enqueue('start_again', p_recording_id, v_task.id);
    end if;
    return null;
  end if;
  -- A task that was never sent to the engine can be used again; one that may be running is never asked twice.
  update recorder.engine_tasks t set token_expires_at = greatest(t.token_expires_at, p_token_expires_at)
  where t.recording_id = p_recording_id and t.state = 'preparing' and t.start_sent_at is null and not t.superseded
  returning * into v_task;
  if not found then
    insert into recorder.engine_tasks (recording_id, engine_account, attempt, channel, uid, token_expires_at)
    values (p_recording_id,
      -- The account whose slots and ceiling the start was measured by.
      coalesce(
        (select j.engine_account from recorder.jobs j
         where j.recording_id = p_recording_id and j.kind = 'start' and j.state = 'running'),
        recorder.account_for(p_recording_id, null)),
      coalesce((select max(t.attempt) from recorder.engine_tasks t where t.recording_id = p_recording_id), 0) + 1,
      v_recording.channel,
      -- A range of its own, so that no caller and no other recorder of the channel has the same uid.
      (4000000000 + floor(random() * 290000000))::bigint::text, p_token_expires_at)
    returning * into v_task;
  end if;
  return jsonb_build_object('id', v_task.id, 'attempt', v_task.attempt, 'channel', v_task.channel, 'uid', v_task.uid,
    'token_expires_at', v_task.token_expires_at);
end
$$;
comment on function recorder_api.begin_attempt(uuid, timestamptz) is
  'The engine task to start now, written down before the engine hears of it; null when no start is wanted any more or one may be running (one whose answer is unknown is then asked for again by a job of its own). Refuses with argument_missing, recording_not_found.';

create function recorder_api.report(p_engine_task_id uuid, p_event text, p_facts jsonb default '{}') returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_task recorder.engine_tasks;
  v_recording public.recordings;
  v_facts jsonb := coalesce(p_facts, '{}');
  v_now timestamptz := clock_timestamp();
  v_is_current boolean;
  v_is_wanted boolean;
  v_is_certain boolean;
  v_is_won boolean;
  v_status text;
begin
  if p_engine_task_id is null or p_event is null then
    perform recorder.refuse('argument_missing');
  end if;
  if jsonb_typeof(v_facts) <> 'object' then
    perform recorder.refuse('argument_invalid', 'p_facts');
  end if;
  select * into v_task from recorder.engine_tasks t where t.id = p_engine_task_id;
  if not found then
    perform recorder.refuse('engine_task_not_found');
  end if;
  -- The order of locks, as everywhere: channel, recording, engine task, then jobs.
  perform recorder.lock_calls(v_task.recording_id);
  select * into v_recording from public.recordings r where r.id = v_task.recording_id for no key update;
  select * into v_task from recorder.engine_tasks t where t.id = p_engine_task_id for no key update;
  -- Only the newest task may move its recording forward, and only while it can be alive.
  v_is_current := not v_task.superseded and v_task.state <> 'gone' and not exists (
    select from recorder.engine_tasks t where t.recording_id = v_recording.id and t.attempt > v_task.attempt);

  v_is_wanted := v_is_current and v_recording.status in ('starting', 'recording');

  case p_event
  when 'task.acquired' then
    if v_facts ->> 'resource_id' is null then
      perform recorder.refuse('argument_missing', 'resource_id');
    end if;
    update recorder.engine_tasks t set
      resource_id = v_facts ->> 'resource_id', request = v_facts -> 'request', start_sent_at = v_now, state = 'requested',
      is_unanswered = true
    where t.id = p_engine_task_id and t.state = 'preparing' and v_is_current and v_recording.status = 'starting';
    -- One worker sends the start, and only while somebody wants it.
    v_is_won := found;
    if v_is_won then
      perform recorder.apply(v_recording.id, 'engine.requested', 'engine', jsonb_build_object('attempt', v_task.attempt));
    elsif v_task.state = 'preparing' then
      update recorder.engine_tasks t set state = 'gone', gone_at = v_now, superseded = true where t.id = p_engine_task_id;
      perform recorder.conclude(v_recording.id);
    end if;

  when 'task.resent' then
    update recorder.engine_tasks t set is_unanswered = true where t.id = p_engine_task_id and t.state = 'requested';

  when 'task.unanswered' then
    -- What is known of it by now was learned another way.
    if v_task.state = 'requested' and v_task.sid is null then
      update recorder.engine_tasks t set is_unanswered = coalesce((v_facts ->> 'may_run')::boolean, true)
      where t.id = p_engine_task_id;
      if not v_is_wanted then
        null;
      elsif v_facts ->> 'again_after_ms' is not null then
        perform recorder.enqueue('start_again', v_recording.id, p_engine_task_id,
          v_now + make_interval(secs => least((v_facts ->> 'again_after_ms')::double precision / 1000, 300)));
      elsif (v_facts ->> 'look')::boolean then
        perform recorder.enqueue('confirm', v_recording.id, p_engine_task_id,
          v_task.start_sent_at + recorder.seconds('sid_look_delay'));
      end if;
    end if;

  when 'task.started' then
    if v_facts ->> 'sid' is null then
      perform recorder.refuse('argument_missing', 'sid');
    end if;
    if v_task.sid <> v_facts ->> 'sid' then
      perform recorder.refuse('engine_id_taken', 'sid');
    end if;
    v_is_won := v_task.sid is null;
    -- One that was given up without ever having shown itself is there after all.
    update recorder.engine_tasks t set
      sid = v_facts ->> 'sid', start_sent_at = coalesce(t.start_sent_at, v_now),
      last_seen_at = case when t.state = 'gone' and t.sid is not null then t.last_seen_at else v_now end,
      superseded = t.superseded or t.state = 'gone', is_unanswered = false,
      gone_at = case when t.sid is null then null else t.gone_at end,
      state = case when t.state = 'gone' and t.sid is not null then 'gone' else 'running' end
    where t.id = p_engine_task_id returning * into v_task;
    update recorder.inbox i set engine_task_id = p_engine_task_id where i.sid = v_task.sid and i.engine_task_id is null;
    if found then
      perform recorder.enqueue('apply_events', v_recording.id, p_engine_task_id);
    end if;
    -- The same sid told again is no news: a stop that waits for the engine keeps waiting.
    if v_is_won and v_task.state = 'running' then
      if not v_is_wanted then
        perform recorder.enqueue('stop', v_recording.id, p_engine_task_id);
      elsif v_task.confirmed_at is null then
        perform recorder.enqueue('confirm', v_recording.id, p_engine_task_id, v_now + recorder.seconds('confirm_delay'));
      end if;
    end if;

  when 'task.seen', 'task.confirmed' then
    update recorder.engine_tasks t set
      last_seen_at = case when t.state = 'gone' then t.last_seen_at else v_now end, suspect_since = null,
      error = case when (v_facts ->> 'is_refuted')::boolean and t.state <> 'gone' then null else t.error end,
      failed_at = case when (v_facts ->> 'is_refuted')::boolean and t.state <> 'gone' then null else t.failed_at end,
      confirmed_at = case when p_event = 'task.confirmed' then coalesce(t.confirmed_at, v_now) else t.confirmed_at end,
      started_at = coalesce(t.started_at, (v_facts ->> 'started_at')::timestamptz)
    where t.id = p_engine_task_id;
    if v_facts ->> 'started_at' is not null and v_task.started_at is null then
      perform recorder.note(v_recording.id, 'engine', 'engine.recorder_started', jsonb_build_object('at', v_facts ->> 'started_at'));
    end if;
    -- What was never asked to start cannot be there.
    if p_event = 'task.confirmed' and v_is_current and v_task.state <> 'preparing' then
      perform recorder.apply(v_recording.id, 'engine.confirmed', 'engine',
        jsonb_strip_nulls(jsonb_build_object('started_at', v_facts ->> 'started_at')));
    end if;

  when 'task.suspected' then
    update recorder.engine_tasks t set suspect_since = coalesce(t.suspect_since, v_now)
    where t.id = p_engine_task_id and t.state <> 'gone';

  when 'task.doubted' then
    if jsonb_typeof(v_facts -> 'error') = 'object' then
      update recorder.engine_tasks t set
        error = coalesce(t.error, recorder.public_error(v_facts -> 'error', 'engine_start_failed')), failed_at = coalesce(t.failed_at, v_now)
      where t.id = p_engine_task_id and t.state <> 'gone';
    end if;
    -- Only the engine can tell what it means. A task that nobody wants is asked about by its stop.
    if v_is_wanted and v_task.state = 'running' then
      perform recorder.enqueue('confirm', v_recording.id, p_engine_task_id);
    end if;

  when 'task.left' then
    if v_is_wanted and v_task.state = 'running' then
      perform recorder.enqueue('confirm', v_recording.id, p_engine_task_id);
    end if;
    update recorder.engine_tasks t set left_at = coalesce(t.left_at, (v_facts ->> 'left_at')::timestamptz, v_now)
    where t.id = p_engine_task_id returning * into v_task;
    perform recorder.note(v_recording.id, 'engine', 'engine.recorder_left',
      jsonb_strip_nulls(jsonb_build_object('at', v_task.left_at, 'reasons', v_facts -> 'reasons')))
    where not exists (
      select from public.recording_events e
      where e.recording_id = v_recording.id and e.event = 'engine.recorder_left' and e.detail ->> 'at' = to_jsonb(v_task.left_at) #>> '{}');

  when 'task.files' then
    update recorder.engine_tasks t set files = coalesce(nullif(v_facts -> 'files', 'null'), t.files) where t.id = p_engine_task_id;
    if v_recording.status = 'processing' then
      perform recorder.enqueue('collect', v_recording.id);
    elsif v_recording.status = 'failed' and v_recording.stopped_at is not null
      and v_recording.error ->> 'code' in ('nothing_recorded', 'files_missing')
      and jsonb_typeof(v_facts -> 'files') = 'array' and v_facts -> 'files' <> '[]'
    then
      perform recorder.apply(v_recording.id, 'files.announced', 'engine');
    end if;

  when 'task.gone' then
    update recorder.engine_tasks t set
      state = 'gone', gone_at = coalesce(t.gone_at, v_now), files = coalesce(nullif(v_facts -> 'files', 'null'), t.files),
      is_empty = coalesce((v_facts ->> 'is_empty')::boolean, t.is_empty)
    where t.id = p_engine_task_id;
    if v_is_current and v_recording.status = 'starting' then
      perform recorder.lose_attempt(v_recording.id, v_task.attempt, coalesce(v_facts -> 'error', v_task.error));
    else
      perform recorder.conclude(v_recording.id, coalesce(v_task.left_at, v_now));
    end if;

  when 'task.lost' then
    v_is_certain := coalesce((v_facts ->> 'is_certain')::boolean, false) or v_task.start_sent_at is null;
    -- One that has shown itself is not lost for want of an answer.
    if v_is_certain or v_task.sid is null then
      -- Whether this one still comes up may be unknown: it is superseded now, and stopped as soon as it shows itself.
      update recorder.engine_tasks t set
        superseded = true, state = case when v_is_certain then 'gone' else t.state end,
        gone_at = case when v_is_certain then v_now end
      where t.id = p_engine_task_id and t.state <> 'gone';
      if v_is_current then
        perform recorder.lose_attempt(v_recording.id, v_task.attempt, v_facts -> 'error');
      else
        perform recorder.conclude(v_recording.id);
      end if;
    end if;

  else
    perform recorder.refuse('event_unknown', p_event);
  end case;

  if jsonb_typeof(v_facts -> 'notice_ids') = 'array' then
    perform recorder_api.mark_applied(array(select jsonb_array_elements_text(v_facts -> 'notice_ids')));
  end if;
  return (
    select jsonb_strip_nulls(jsonb_build_object('status', r.status, 'attempt', r.attempt, 'is_won', v_is_won,
      -- The files are looked for at once: pg_net, which has just woken this worker, would rest first.
      'lanes_to_wake', case when r.status = 'processing' and v_recording.status <> 'processing' then recorder.lanes_named('storage') end))
    from public.recordings r where r.id = v_recording.id);
exception
  when unique_violation then
    perform recorder.refuse('engine_id_taken', sqlerrm);
  when data_exception or check_violation then
    perform recorder.refuse('argument_invalid', sqlerrm);
end
$$;
comment on function recorder_api.report(uuid, text, jsonb) is
  'Saves what the engine said about one task, whoever holds the lease, and moves the recording if it fits: late, repeated and reordered words change nothing. Gives {status, attempt}; after task.acquired is_won: whether this worker may send the start, and nobody else; lanes_to_wake [{lane, function_name}] where files have to be looked for. Refuses with argument_missing, argument_invalid, engine_task_not_found, event_unknown, engine_id_taken.';

create function recorder.lose_attempt(p_recording_id uuid, p_attempt integer, p_error jsonb) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_facts jsonb := jsonb_strip_nulls(jsonb_build_object('attempt', p_attempt, 'error', p_error));
begin
  if p_attempt >= recorder.setting('attempt_limit') or p_error ->> 'retry' = 'never' then
    perform recorder.apply(p_recording_id, 'engine.start_failed', 'engine', v_facts);
  else
    perform recorder.apply(p_recording_id, 'engine.attempt_lost', 'engine', v_facts);
  end if;
  if (select r.status from public.recordings r where r.id = p_recording_id) in ('recording', 'stopping') then
    perform recorder.conclude(p_recording_id);
  end if;
end
$$;
comment on function recorder.lose_attempt(uuid, integer, jsonb) is
  'One try to start is over: a fresh recorder is tried, or the recording fails with the reason; one that was to be stopped anyway is ended unless another recorder may be running.';

create function recorder_api.mark_applied(p_notice_ids text[]) returns integer
  language plpgsql security definer set search_path = ''
as $$
declare
  v_count integer;
begin
  if p_notice_ids is null then
    perform recorder.refuse('argument_missing');
  end if;
  update recorder.inbox i set applied_at = clock_timestamp() where i.notice_id = any (p_notice_ids) and i.applied_at is null;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function recorder_api.mark_applied(text[]) is
  'Marks events of the inbox as applied and gives how many it was; ids that are not there, or are marked already, change nothing. Refuses with argument_missing.';

create function recorder_api.receive_event(
  p_notice_id text, p_event_type integer, p_sid text, p_channel text, p_uid text, p_is_sign_of_life boolean, p_event jsonb
) returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_task recorder.engine_tasks;
  v_is_stored boolean := false;
begin
  if p_notice_id is null or p_event_type is null or p_event is null then
    perform recorder.refuse('argument_missing');
  end if;
  -- By sid, which survives the engine's failover; by channel and uid while the sid is not known yet.
  select * into v_task from recorder.engine_tasks t where t.sid = p_sid;
  if not found then
    select * into v_task from recorder.engine_tasks t
    where t.channel = p_channel and t.uid = p_uid and t.sid is null and t.start_sent_at is not null
    order by t.created_at desc limit 1;
    if found and p_sid is not null then
      -- The reply to our start was lost or is late; the engine names the task itself.
      perform recorder_api.report(v_task.id, 'task.started', jsonb_build_object('sid', p_sid));
    end if;
  end if;
  if p_is_sign_of_life then
    -- Worth nothing later: neither kept for a task that is not known yet, nor told twice a second.
    update recorder.engine_tasks t set last_seen_at = clock_timestamp(), suspect_since = null
    where t.id = v_task.id and t.state <> 'gone'
      and (t.last_seen_at < clock_timestamp() - interval '1 second' or t.last_seen_at is null or t.suspect_since is not null);
  else
    if v_task.id is not null then
      -- Before the event, as everywhere: its channel.
      perform recorder.lock_calls(v_task.recording_id);
    end if;
    insert into recorder.inbox (notice_id, engine_task_id, event_type, sid, event)
    values (p_notice_id, v_task.id, p_event_type, p_sid, p_event)
    on conflict (notice_id) do nothing;
    v_is_stored := found;
    if v_is_stored and v_task.id is not null then
      perform recorder.enqueue('apply_events', v_task.recording_id, v_task.id);
    end if;
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'is_known', v_task.id is not null, 'is_stored', v_is_stored, 'lanes_to_wake', recorder.lanes_without_wake_up()));
end
$$;
comment on function recorder_api.receive_event(text, integer, text, text, text, boolean, jsonb) is
  'Stores one verified event of the engine once and asks for its application; what comes before its task is known waits for the task under its sid. A mere sign of life only freshens the task and is not kept. Gives {is_known, is_stored}, and lanes_to_wake [{lane, function_name}] where nobody in Postgres wakes them. Refuses with argument_missing.';

create function recorder.lanes_named(p_lane text) returns jsonb
  language plpgsql stable set search_path = ''
as $$
begin
  return (select jsonb_agg(jsonb_build_object('lane', l.lane, 'function_name', l.function_name)) from recorder.lanes l where l.lane = p_lane);
end
$$;
comment on function recorder.lanes_named(text) is 'A lane as whoever wakes it has to know it: [{lane, function_name}]. Called by recorder_api.';

create function recorder.lanes_without_wake_up() returns jsonb
  language plpgsql set search_path = ''
as $$
declare
  v_rest interval := make_interval(secs => recorder.setting('direct_wake_rest')::double precision / 1000);
  v_late timestamptz := clock_timestamp() - recorder.seconds('direct_wake_after');
  v_is_swept boolean;
  v_lane recorder.lanes;
  v_found jsonb;
begin
  select s.last_run_at > clock_timestamp() - recorder.seconds('sweep_overdue') into v_is_swept from recorder.sweeps s;
  for v_lane in
    select * from recorder.lanes l where l.last_direct_wake_at < clock_timestamp() - v_rest order by l.lane
  loop
    -- Whoever drains the lane of a sweep that is overdue sweeps; starts that wait for another recorder to end are not late.
    if v_lane.lane = 'control' and not v_is_swept
      or exists (
        select from recorder.claimable_kinds(v_lane.lane) k
        where recorder.next_due(v_lane.lane, k.kind, k.engine_account) < v_late
          and (k.kind <> 'start' or recorder.free_tasks(k.engine_account) > 0))
    then
      update recorder.lanes l set last_direct_wake_at = clock_timestamp()
      where l.lane = (select n.lane from recorder.lanes n
        where n.lane = v_lane.lane and n.last_direct_wake_at < clock_timestamp() - v_rest for no key update skip locked);
      if found then
        v_found := coalesce(v_found, '[]') || recorder.lanes_named(v_lane.lane);
      end if;
    end if;
  end loop;
  return v_found;
end
$$;
comment on function recorder.lanes_without_wake_up() is
  'The lanes that Postgres does not wake as it should: their work has been due for direct_wake_after, or the sweep is overdue. Told to one asker in direct_wake_rest; null when all is well. Waits for nobody.';

create function recorder_api.lanes_to_wake() returns jsonb
  language plpgsql security definer set search_path = ''
as $$
begin
  return coalesce(recorder.lanes_without_wake_up(), '[]');
end
$$;
comment on function recorder_api.lanes_to_wake() is
  'The lanes that whoever asks should wake, because Postgres does not: [{lane, function_name}], usually none. Called by functions that are called from outside, behind their answer. Refuses nothing.';


do $$
declare
  v_function text;
begin
  foreach v_function in array array[
    'recorder_api.work(text, uuid, jsonb, integer)', 'recorder_api.leave(text, uuid, jsonb)',
    'recorder_api.begin_attempt(uuid, timestamptz)', 'recorder_api.report(uuid, text, jsonb)',
    'recorder_api.mark_applied(text[])', 'recorder_api.receive_event(text, integer, text, text, text, boolean, jsonb)',
    'recorder.conclude(uuid, timestamptz)',
    'recorder.give_up(recorder.jobs, jsonb)', 'recorder.finish_job(jsonb)', 'recorder.finish_jobs(jsonb)',
    'recorder.job_context(recorder.jobs)', 'recorder.lose_attempt(uuid, integer, jsonb)',
    'recorder_api.lanes_to_wake()', 'recorder.lanes_named(text)', 'recorder.lanes_without_wake_up()',
    'recorder.next_place_in_ms(text)', 'recorder.number_queue(text)',
    'recorder.next_due(text, text, text)', 'recorder.free_tasks(text)', 'recorder.claimable_kinds(text)',
    'recorder.has_due_work(text)', 'recorder.reserve_slots(text, text, integer, integer)', 'recorder.claim(text, integer)',
    'recorder.keep_place(text, uuid)']
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
    if v_function like 'recorder_api.%' then
      execute format('grant execute on function %s to service_role', v_function);
    end if;
  end loop;
end
$$;
