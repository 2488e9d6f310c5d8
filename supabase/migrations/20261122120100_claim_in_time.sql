-- When the place of a recorder is free again, how fast an account may be asked by each worker, and what a claim sees.

insert into recorder.settings (name, value, unit, reason) values
  ('place_rest', 2, 'seconds', 'After its answer to stop the engine''s task goes on for a moment (status 6 to 8) and is counted against the ceiling; for how long is not documented. A start sent at once would be refused with 406.'),
  ('unheard_start_limit', 480, 'seconds', 'A recorder that somebody sends to ends its first slice within 330 s, and its file tells its name; one that nobody sends to leaves after idle_limit. With the 90 s of a failover and half a minute until somebody looks: what was not heard of by then does not run.'),
  ('usual_upload_limit', 1200, 'seconds', 'The engine''s own normal ceiling for uploads after the end: whoever named no file and left none until then has recorded nothing. What comes later takes the recording back.');

create index engine_tasks_resting on recorder.engine_tasks (engine_account, gone_at) where state = 'gone' and sid is not null;

create or replace function recorder.free_tasks(p_engine_account text) returns integer
  language plpgsql stable set search_path = ''
as $$
declare
  -- As values: compared with a volatile expression, the index of what rests would be read from its beginning, every recorder there ever was.
  v_unheard_since timestamptz := clock_timestamp() - recorder.seconds('unheard_start_limit');
  v_resting_since timestamptz := clock_timestamp() - recorder.seconds('place_rest');
begin
  return (select greatest(0,
    coalesce(a.concurrent_tasks, recorder.setting('concurrent_tasks')::integer)
    - (select count(*) from recorder.engine_tasks t
       where t.engine_account = a.engine_account and t.state in ('requested', 'running')
         -- One that was given up without ever having shown itself does not run by now.
         and not (t.superseded and t.sid is null and t.start_sent_at < v_unheard_since))::integer
    - (select count(*) from recorder.engine_tasks t
       where t.engine_account = a.engine_account and t.state = 'gone' and t.sid is not null
         and t.gone_at > v_resting_since)::integer
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
  'How many more recorders an account may have at once: its ceiling less those that run or are being started, those that ended within place_rest, and those of which nobody has heard, for unheard_start_limit. Called by claims, under the lock of the account.';

create function recorder.next_free_task_at(p_engine_account text) returns timestamptz
  language plpgsql stable set search_path = ''
as $$
declare
  v_rest interval := recorder.seconds('place_rest');
  v_unheard_limit interval := recorder.seconds('unheard_start_limit');
  v_resting_since timestamptz := clock_timestamp() - v_rest;
  v_unheard_since timestamptz := clock_timestamp() - v_unheard_limit;
begin
  return coalesce(least(
    (select min(t.gone_at) + v_rest from recorder.engine_tasks t
     where t.engine_account = p_engine_account and t.state = 'gone' and t.sid is not null and t.gone_at > v_resting_since),
    (select min(t.start_sent_at) + v_unheard_limit from recorder.engine_tasks t
     where t.engine_account = p_engine_account and t.state = 'requested' and t.superseded and t.sid is null
       and t.start_sent_at > v_unheard_since)), 'infinity');
end
$$;
comment on function recorder.next_free_task_at(text) is
  'When the next place of an account is free by the mere passing of time; infinity where one has to end first. For recorder.claim.';

create or replace function recorder.claim(p_lane text, p_limit integer, out jobs jsonb, out next_run_in_ms double precision)
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
          -- What waits for another recorder to end is looked at again when one has ended, or when its place is free.
          v_wait := recorder.next_free_task_at(v_kind.engine_account);
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
        'correlation_id', (p.job).correlation_id,
        'wait_ms', case when v_kind.engine_requests > 0
          then greatest(0, ceil(extract(epoch from v_first_at + v_spacing * p.place - v_now) * 1000)) else 0 end,
        'engine_account', (p.job).engine_account,
        'requests_per_second', case when v_kind.engine_requests > 0 then v_kind.engine_requests / extract(epoch from v_spacing) end)
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
  'Leases at most p_limit due jobs of a lane, kind by kind in order of priority, each with what its handler needs and, where it asks the engine, a slot in time (wait_ms), the account and its rate (requests_per_second). next_run_in_ms: when to look again; null when nothing waits for time to pass, or nothing was asked for. For recorder_api.work.';

-- Whoever asks for work that waits already finds it waiting; what they have just saved must be seen by the claim that takes it. A stable
-- function would look with the eyes of the claim's statement, which may have begun before they committed.
alter function recorder.job_context(recorder.jobs) volatile;
comment on function recorder.job_context(recorder.jobs) is
  'What a handler needs to know, in the same round trip as the claim: the recording, its engine tasks, open events, the payload of its kind; for a start also the numbers of its quality and whose picture is the large one. Volatile on purpose: it looks after the job was locked, so it sees everything that was saved by those who found the job still waiting.';

revoke all on function recorder.next_free_task_at(text) from public, anon, authenticated, service_role;
