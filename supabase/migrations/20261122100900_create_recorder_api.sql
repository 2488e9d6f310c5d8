-- What the Edge Functions may ask of the database. service_role only; every function is safe to call twice.

create function recorder.give_up(p_job recorder.jobs, p_error jsonb) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_public jsonb := jsonb_build_object(
    'code', p_error -> 'code', 'blame', p_error -> 'blame', 'retry', p_error -> 'retry', 'message', p_error -> 'message');
begin
  update recorder.jobs set
    state = 'dead', lease_token = null, leased_until = null, last_error = p_error, finished_at = clock_timestamp()
  where id = p_job.id;
  if p_job.kind = 'start' then
    perform recorder.apply(p_job.recording_id, 'engine.start_failed', 'engine', jsonb_build_object('error', v_public));
    perform recorder.apply(p_job.recording_id, 'engine.never_started', 'system');
  elsif p_job.kind = 'collect' then
    perform recorder.apply(p_job.recording_id, 'files.missing', 'storage', jsonb_build_object('error', v_public));
  else
    perform recorder.note(p_job.recording_id, 'system', 'job.died', jsonb_build_object('kind', p_job.kind, 'error', p_error -> 'code'));
  end if;
end
$$;
comment on function recorder.give_up(recorder.jobs, jsonb) is 'Ends a job for good and puts the reason on its recording.';

create function recorder.finish_job(p_result jsonb) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_job recorder.jobs;
  v_outcome text := p_result ->> 'outcome';
  v_error jsonb := p_result -> 'error';
  v_delay_ms double precision := (p_result ->> 'after_ms')::double precision;
  v_first double precision := recorder.setting('retry_first_delay');
begin
  select * into v_job from recorder.jobs j
  where j.id = (p_result ->> 'id')::bigint and j.state = 'running' and j.lease_token = (p_result ->> 'lease')::uuid
  for update;
  if not found then
    -- The lease was lost: what the handler learned is saved already, the job is somebody else's now.
    return;
  end if;
  if v_outcome = 'done' then
    update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = clock_timestamp()
    where id = v_job.id;
    return;
  end if;
  if v_outcome = 'give_up' or v_outcome = 'retry' and v_job.attempts >= v_job.max_attempts then
    perform recorder.give_up(v_job, coalesce(v_error, recorder.error_of('unexpected_error')));
    return;
  end if;
  if v_outcome = 'retry' then
    v_delay_ms := coalesce(v_delay_ms, least(
      recorder.setting('retry_longest_delay'), v_first * 2 ^ least(v_job.attempts - 1, 16)) * (0.5 + random() / 2));
  end if;
  -- The same work may have been asked for again meanwhile: then the waiting twin is enough.
  if exists (select from recorder.jobs t where t.dedupe_key = v_job.dedupe_key and t.state = 'queued') then
    update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = clock_timestamp(),
      last_error = coalesce(v_error, last_error)
    where id = v_job.id;
    return;
  end if;
  update recorder.jobs set
    state = 'queued', lease_token = null, leased_until = null, last_error = coalesce(v_error, last_error),
    attempts = case when v_outcome = 'snooze' then attempts - 1 else attempts end,
    run_at = clock_timestamp() + make_interval(secs => coalesce(v_delay_ms, 1000) / 1000)
  where id = v_job.id;
end
$$;
comment on function recorder.finish_job(jsonb) is
  'Takes {id, lease, outcome: done|retry|snooze|give_up, after_ms?, error?}. A snooze is not counted as an attempt. A lost lease changes nothing.';

create function recorder.job_context(p_job recorder.jobs) returns jsonb
  language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'recording', (
      select jsonb_build_object(
        'id', r.id, 'channel', r.channel, 'status', r.status, 'phase', r.phase, 'attempt', r.attempt, 'quality', r.quality,
        'layout', r.layout, 'requested_at', r.requested_at, 'started_at', r.started_at,
        'stop_requested_at', r.stop_requested_at, 'stopped_at', r.stopped_at, 'mentorship_id', r.mentorship_id,
        'call_id', r.call_id, 'instructor_id', r.instructor_id, 'mentee_id', r.mentee_id)
      from public.recordings r where r.id = p_job.recording_id),
    'tasks', coalesce((
      select jsonb_agg(jsonb_build_object(
        'id', t.id, 'attempt', t.attempt, 'channel', t.channel, 'uid', t.uid, 'state', t.state,
        'resource_id', t.resource_id, 'sid', t.sid, 'start_sent_at', t.start_sent_at, 'started_at', t.started_at,
        'confirmed_at', t.confirmed_at, 'last_seen_at', t.last_seen_at, 'suspect_since', t.suspect_since,
        'left_at', t.left_at, 'gone_at', t.gone_at, 'files', t.files, 'is_empty', t.is_empty, 'superseded', t.superseded)
        order by t.attempt)
      from recorder.engine_tasks t where t.recording_id = p_job.recording_id), '[]'),
    'events', case when p_job.kind = 'apply_events' then coalesce((
      select jsonb_agg(jsonb_build_object('notice_id', i.notice_id, 'event', i.event, 'received_at', i.received_at)
        order by (i.event -> 'payload' ->> 'sequence')::bigint nulls last, i.received_at)
      from recorder.inbox i where i.engine_task_id = p_job.engine_task_id and i.applied_at is null), '[]') end)
$$;
comment on function recorder.job_context(recorder.jobs) is 'What a handler needs to know, in the same round trip as the claim: the recording, its engine tasks, open events.';

create function recorder_api.work(
  p_lane text, p_drain uuid, p_finished jsonb default '[]', p_limit integer default null
) returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_lane recorder.lanes;
  v_now timestamptz := clock_timestamp();
  v_lease interval;
  v_result jsonb;
  v_job recorder.jobs;
  v_requests integer;
  v_slot timestamptz;
  v_waiting boolean := false;
  v_jobs jsonb := '[]';
  v_next timestamptz;
begin
  if p_lane is null or p_drain is null then
    perform recorder.refuse('argument_missing');
  end if;
  select * into v_lane from recorder.lanes l where l.lane = p_lane;
  if not found then
    perform recorder.refuse('lane_unknown', p_lane);
  end if;
  for v_result in select e from jsonb_array_elements(coalesce(p_finished, '[]')) e loop
    perform recorder.finish_job(v_result);
  end loop;

  -- A drain works only while it holds one of the lane's places.
  update recorder.drains d set leased_until = v_now + recorder.seconds('drain_lease')
  where d.lane = p_lane and d.token = p_drain;
  if not found then
    update recorder.drains d set token = p_drain, leased_until = v_now + recorder.seconds('drain_lease')
    where (d.lane, d.place) = (
      select f.lane, f.place from recorder.drains f
      where f.lane = p_lane and f.leased_until < v_now order by f.place limit 1 for update skip locked);
    if not found then
      return jsonb_build_object('has_place', false, 'jobs', '[]'::jsonb, 'next_run_in_ms', null);
    end if;
  end if;

  v_lease := recorder.seconds(p_lane || '_lease');
  for v_job in
    select j.* from recorder.jobs j
    where j.lane = p_lane and j.state = 'queued' and j.run_at <= v_now
      and not exists (select from recorder.jobs r where r.dedupe_key = j.dedupe_key and r.state = 'running')
    order by j.priority, j.run_at limit greatest(0, least(v_lane.batch, p_limit)) for update skip locked
  loop
    select k.engine_requests into v_requests from recorder.job_kinds k where k.kind = v_job.kind;
    v_slot := v_now;
    if v_requests > 0 then
      select greatest(a.next_slot_at, v_now) into v_slot from recorder.engine_accounts a
      where a.engine_account = 'default' for update;
      if v_slot > v_now + make_interval(secs => recorder.setting('slot_horizon')::double precision / 1000) then
        v_waiting := true;
        continue;
      end if;
      update recorder.engine_accounts a
      set next_slot_at = v_slot + make_interval(secs => v_requests / recorder.setting('requests_per_second')::double precision)
      where a.engine_account = 'default';
    end if;
    update recorder.jobs j set
      state = 'running', attempts = j.attempts + 1, lease_token = gen_random_uuid(), leased_until = v_now + v_lease
    where j.id = v_job.id returning * into v_job;
    v_jobs := v_jobs || (jsonb_build_object(
      'id', v_job.id, 'lease', v_job.lease_token, 'kind', v_job.kind, 'recording_id', v_job.recording_id,
      'engine_task_id', v_job.engine_task_id, 'attempts', v_job.attempts, 'max_attempts', v_job.max_attempts,
      'wait_ms', ceil(extract(epoch from v_slot - v_now) * 1000)) || recorder.job_context(v_job));
  end loop;

  select min(j.run_at) into v_next from recorder.jobs j where j.lane = p_lane and j.state = 'queued';
  return jsonb_build_object(
    'has_place', true, 'jobs', v_jobs,
    'next_run_in_ms', case
      when v_waiting then 100
      when v_next is not null then greatest(0, ceil(extract(epoch from v_next - clock_timestamp()) * 1000)) end,
    'settings', (select jsonb_object_agg(s.name, s.value) from recorder.settings s));
end
$$;
comment on function recorder_api.work(text, uuid, jsonb, integer) is
  'One step of a drain: finishes the jobs it did, keeps or takes its place in the lane, claims at most p_limit jobs (the lane''s batch by default). Gives {has_place, jobs, next_run_in_ms, settings}. Refuses with argument_missing, lane_unknown.';

create function recorder_api.leave(p_lane text, p_drain uuid, p_finished jsonb default '[]') returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_result jsonb;
begin
  for v_result in select e from jsonb_array_elements(coalesce(p_finished, '[]')) e loop
    perform recorder.finish_job(v_result);
  end loop;
  update recorder.drains d set token = null, leased_until = '-infinity' where d.lane = p_lane and d.token = p_drain;
  if exists (select from recorder.jobs j where j.lane = p_lane and j.state = 'queued' and j.run_at <= clock_timestamp()) then
    -- What is left must not wait for the sweep: this wake-up is exempt from the rest.
    return recorder.wake_lane(p_lane, true);
  end if;
  return false;
end
$$;
comment on function recorder_api.leave(text, uuid, jsonb) is 'Finishes the last jobs and gives the place back; wakes the lane once more if work is left. True if it did.';

create function recorder_api.begin_attempt(p_recording_id uuid, p_token_expires_at timestamptz) returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings;
  v_task recorder.engine_tasks;
begin
  select * into v_recording from public.recordings r where r.id = p_recording_id for update;
  if not found then
    perform recorder.refuse('recording_not_found');
  end if;
  if v_recording.status <> 'starting' then
    return null;
  end if;
  -- A task that was never sent to the engine can be used again; one that may be running is never asked twice.
  select * into v_task from recorder.engine_tasks t
  where t.recording_id = p_recording_id and t.state = 'preparing' and t.start_sent_at is null;
  if not found then
    if exists (select from recorder.engine_tasks t
               where t.recording_id = p_recording_id and t.state in ('requested', 'running') and not t.superseded) then
      return null;
    end if;
    insert into recorder.engine_tasks (recording_id, attempt, channel, uid, token_expires_at)
    values (p_recording_id, v_recording.attempt + 1, v_recording.channel,
      -- A range of its own, so that no caller and no other recorder of the channel has the same uid.
      (4000000000 + floor(random() * 290000000))::bigint::text, p_token_expires_at)
    returning * into v_task;
    update public.recordings r set attempt = v_task.attempt where r.id = p_recording_id;
  end if;
  return jsonb_build_object('id', v_task.id, 'attempt', v_task.attempt, 'channel', v_task.channel, 'uid', v_task.uid);
end
$$;
comment on function recorder_api.begin_attempt(uuid, timestamptz) is
  'The engine task to start now, written down before the engine hears of it; null when no start is wanted any more or one may be running.';

create function recorder_api.report(p_engine_task_id uuid, p_event text, p_facts jsonb default '{}') returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_task recorder.engine_tasks;
  v_recording public.recordings;
  v_facts jsonb := coalesce(p_facts, '{}');
  v_is_current boolean;
begin
  select r.* into v_recording from recorder.engine_tasks t join public.recordings r on r.id = t.recording_id
  where t.id = p_engine_task_id;
  if not found then
    perform recorder.refuse('engine_task_not_found');
  end if;
  -- The same order of locks as everywhere: call, recording, then what belongs to it.
  perform from public.video_calls c
  where c.id = v_recording.call_id or (c.channel = v_recording.channel and c.status = 'active')
  order by c.id for no key update;
  select * into v_recording from public.recordings r where r.id = v_recording.id for update;
  select * into v_task from recorder.engine_tasks t where t.id = p_engine_task_id for update;
  v_is_current := v_task.attempt = v_recording.attempt and not v_task.superseded;

  if p_event = 'task.acquired' then
    update recorder.engine_tasks t set
      resource_id = v_facts ->> 'resource_id', request = v_facts -> 'request', start_sent_at = clock_timestamp(), state = 'requested'
    where t.id = p_engine_task_id and t.state = 'preparing';
    perform recorder.apply(v_recording.id, 'engine.requested', 'engine', jsonb_build_object('attempt', v_task.attempt));

  elsif p_event = 'task.started' then
    update recorder.engine_tasks t set
      sid = v_facts ->> 'sid', last_seen_at = clock_timestamp(), state = case when t.state = 'gone' then 'gone' else 'running' end
    where t.id = p_engine_task_id;
    if not v_is_current or v_recording.status not in ('starting', 'recording') then
      perform recorder.enqueue('stop', v_recording.id);
    else
      perform recorder.enqueue('confirm', v_recording.id, p_engine_task_id, clock_timestamp() + recorder.seconds('confirm_delay'));
    end if;

  elsif p_event in ('task.seen', 'task.confirmed') then
    update recorder.engine_tasks t set
      last_seen_at = clock_timestamp(), suspect_since = null,
      confirmed_at = case when p_event = 'task.confirmed' then coalesce(t.confirmed_at, clock_timestamp()) else t.confirmed_at end,
      started_at = coalesce((v_facts ->> 'started_at')::timestamptz, t.started_at)
    where t.id = p_engine_task_id;
    if v_facts ? 'started_at' then
      perform recorder.note(v_recording.id, 'engine', 'engine.recorder_started', jsonb_build_object('at', v_facts ->> 'started_at'));
    end if;
    if p_event = 'task.confirmed' and v_is_current then
      perform recorder.apply(v_recording.id, 'engine.confirmed', 'engine',
        jsonb_strip_nulls(jsonb_build_object('started_at', v_facts ->> 'started_at')));
    end if;

  elsif p_event = 'task.suspected' then
    update recorder.engine_tasks t set suspect_since = coalesce(t.suspect_since, clock_timestamp()) where t.id = p_engine_task_id;

  elsif p_event = 'task.left' then
    update recorder.engine_tasks t set left_at = coalesce(t.left_at, (v_facts ->> 'left_at')::timestamptz, clock_timestamp())
    where t.id = p_engine_task_id;
    perform recorder.note(v_recording.id, 'engine', 'engine.recorder_left', jsonb_build_object('at', v_facts ->> 'left_at'));

  elsif p_event = 'task.files' then
    update recorder.engine_tasks t set files = coalesce(v_facts -> 'files', t.files) where t.id = p_engine_task_id;
    if v_recording.status = 'processing' then
      perform recorder.enqueue('collect', v_recording.id);
    end if;

  elsif p_event = 'task.gone' then
    update recorder.engine_tasks t set
      state = 'gone', gone_at = coalesce(t.gone_at, clock_timestamp()), files = coalesce(v_facts -> 'files', t.files),
      is_empty = coalesce((v_facts ->> 'is_empty')::boolean, t.is_empty)
    where t.id = p_engine_task_id;
    if v_is_current and v_recording.status = 'starting' then
      perform recorder.lose_attempt(v_recording.id, v_task.attempt, v_facts -> 'error');
    elsif not exists (select from recorder.engine_tasks t
                      where t.recording_id = v_recording.id and t.state <> 'gone' and t.start_sent_at is not null) then
      perform recorder.apply(v_recording.id, 'engine.gone', 'engine',
        jsonb_strip_nulls(jsonb_build_object('stopped_at', coalesce(v_task.left_at, clock_timestamp()))));
    end if;

  elsif p_event = 'task.lost' then
    -- Whether this one still comes up is unknown: it is superseded now, and stopped as soon as it shows itself.
    update recorder.engine_tasks t set
      superseded = true,
      state = case when t.start_sent_at is null or coalesce((v_facts ->> 'is_certain')::boolean, false) then 'gone' else t.state end,
      gone_at = case when t.start_sent_at is null or coalesce((v_facts ->> 'is_certain')::boolean, false) then clock_timestamp() end
    where t.id = p_engine_task_id and t.state <> 'gone';
    if v_is_current then
      perform recorder.lose_attempt(v_recording.id, v_task.attempt, v_facts -> 'error');
    end if;

  else
    perform recorder.refuse('event_unknown', p_event);
  end if;

  if v_facts ? 'notice_ids' then
    update recorder.inbox i set applied_at = clock_timestamp()
    where i.notice_id in (select jsonb_array_elements_text(v_facts -> 'notice_ids'));
  end if;
  return (select jsonb_build_object('status', r.status, 'attempt', r.attempt) from public.recordings r where r.id = v_recording.id);
end
$$;
comment on function recorder_api.report(uuid, text, jsonb) is
  'Saves what the engine said about one task, whoever holds the lease, and moves the recording if it fits. Gives {status, attempt}. Refuses with engine_task_not_found, event_unknown.';

create function recorder.lose_attempt(p_recording_id uuid, p_attempt integer, p_error jsonb) returns void
  language plpgsql set search_path = ''
as $$
begin
  if p_attempt >= recorder.setting('attempt_limit') or p_error ->> 'retry' = 'never' then
    perform recorder.apply(p_recording_id, 'engine.start_failed', 'engine', jsonb_strip_nulls(jsonb_build_object('error', p_error)));
  else
    perform recorder.apply(p_recording_id, 'engine.attempt_lost', 'engine', jsonb_build_object('attempt', p_attempt));
  end if;
  perform recorder.apply(p_recording_id, 'engine.never_started', 'system');
end
$$;
comment on function recorder.lose_attempt(uuid, integer, jsonb) is 'One try to start is over: a fresh recorder is tried, or the recording fails with the reason.';

create function recorder_api.mark_applied(p_notice_ids text[]) returns void
  language sql security definer set search_path = ''
as $$ update recorder.inbox i set applied_at = clock_timestamp() where i.notice_id = any (p_notice_ids) and i.applied_at is null $$;
comment on function recorder_api.mark_applied(text[]) is 'Marks events of the inbox as applied.';

create function recorder_api.receive_event(
  p_notice_id text, p_event_type integer, p_sid text, p_channel text, p_uid text, p_is_sign_of_life boolean, p_event jsonb
) returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_task recorder.engine_tasks;
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
    if found then
      -- The reply to our start was lost or is late; the engine names the task itself.
      perform recorder_api.report(v_task.id, 'task.started', jsonb_build_object('sid', p_sid));
    end if;
  end if;
  if v_task.id is not null and p_is_sign_of_life then
    update recorder.engine_tasks t set last_seen_at = clock_timestamp(), suspect_since = null
    where t.id = v_task.id and t.last_seen_at < clock_timestamp() - interval '1 second';
    return jsonb_build_object('is_known', true, 'is_new', true);
  end if;
  insert into recorder.inbox (notice_id, engine_task_id, event_type, sid, event)
  values (p_notice_id, v_task.id, p_event_type, p_sid, p_event)
  on conflict (notice_id) do nothing;
  if found and v_task.id is not null then
    perform recorder.enqueue('apply_events', v_task.recording_id, v_task.id);
    return jsonb_build_object('is_known', true, 'is_new', true);
  end if;
  return jsonb_build_object('is_known', v_task.id is not null, 'is_new', false);
end
$$;
comment on function recorder_api.receive_event(text, integer, text, text, text, boolean, jsonb) is
  'Stores one verified event of the engine once and asks for its application. A mere sign of life only freshens the task. Gives {is_known, is_new}.';

create function recorder_api.publish(p_recording_id uuid, p_files jsonb, p_totals jsonb) returns boolean
  language plpgsql security definer set search_path = ''
as $$
begin
  perform from public.video_calls c join public.recordings r on c.id = r.call_id or (c.channel = r.channel and c.status = 'active')
  where r.id = p_recording_id order by c.id for no key update of c;
  perform from public.recordings r where r.id = p_recording_id for update;
  if not found then
    perform recorder.refuse('recording_not_found');
  end if;
  insert into public.recording_files (
    recording_id, kind, attempt, object_key, content_type, size_bytes, duration_ms, segment_count, verified_at)
  select p_recording_id, f.kind, f.attempt, f.object_key, f.content_type, f.size_bytes, f.duration_ms, f.segment_count, clock_timestamp()
  from jsonb_to_recordset(p_files) as f (
    kind text, attempt integer, object_key text, content_type text, size_bytes bigint, duration_ms bigint, segment_count integer)
  on conflict (recording_id, object_key) do update set
    size_bytes = excluded.size_bytes, duration_ms = excluded.duration_ms, segment_count = excluded.segment_count,
    verified_at = excluded.verified_at;
  return recorder.apply(p_recording_id, 'files.published', 'storage', p_totals);
end
$$;
comment on function recorder_api.publish(uuid, jsonb, jsonb) is
  'The verified files of a recording and its totals {duration_ms, size_bytes, stored_bytes, is_partial, gaps}: makes it recorded. Safe to repeat. Refuses with recording_not_found.';

create function recorder_api.files_failed(p_recording_id uuid, p_event text, p_facts jsonb default '{}') returns boolean
  language plpgsql security definer set search_path = ''
as $$
begin
  if p_event not in ('files.empty', 'files.missing') then
    perform recorder.refuse('event_unknown', p_event);
  end if;
  return recorder.apply(p_recording_id, p_event, 'storage', p_facts);
end
$$;
comment on function recorder_api.files_failed(uuid, text, jsonb) is 'Says that a recording has no files: files.empty (nobody sent anything) or files.missing.';

create function recorder_api.playback_of(p_recording_id uuid, p_user_id uuid) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'recording_id', r.id, 'status', r.status, 'duration_ms', r.duration_ms, 'size_bytes', r.size_bytes,
    'expires_at', r.expires_at, 'started_at', r.started_at, 'is_partial', r.is_partial,
    'files', coalesce((
      select jsonb_agg(jsonb_build_object(
        'kind', f.kind, 'attempt', f.attempt, 'object_key', f.object_key, 'content_type', f.content_type,
        'size_bytes', f.size_bytes, 'duration_ms', f.duration_ms) order by f.attempt, f.object_key)
      from public.recording_files f where f.recording_id = r.id), '[]'))
  from public.recordings r
  join public.mentorships m on m.id = r.mentorship_id
  left join public.instructors i on i.id = m.instructor_id
  left join public.mentees e on e.id = m.mentee_id
  where r.id = p_recording_id and p_user_id in (i.user_id, e.user_id)
$$;
comment on function recorder_api.playback_of(uuid, uuid) is
  'What there is to play of a recording for one of its two people; null for everybody else. Asked again at each playlist.';

do $$
declare
  v_function text;
begin
  foreach v_function in array array[
    'recorder_api.work(text, uuid, jsonb, integer)', 'recorder_api.leave(text, uuid, jsonb)',
    'recorder_api.begin_attempt(uuid, timestamptz)', 'recorder_api.report(uuid, text, jsonb)',
    'recorder_api.mark_applied(text[])', 'recorder_api.receive_event(text, integer, text, text, text, boolean, jsonb)',
    'recorder_api.publish(uuid, jsonb, jsonb)', 'recorder_api.files_failed(uuid, text, jsonb)',
    'recorder_api.playback_of(uuid, uuid)', 'recorder.give_up(recorder.jobs, jsonb)', 'recorder.finish_job(jsonb)',
    'recorder.job_context(recorder.jobs)', 'recorder.lose_attempt(uuid, integer, jsonb)']
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
    if v_function like 'recorder_api.%' then
      execute format('grant execute on function %s to service_role', v_function);
    end if;
  end loop;
end
$$;
