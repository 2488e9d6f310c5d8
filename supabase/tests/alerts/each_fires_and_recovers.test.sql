begin;
select no_plan();
select tests.people();
set local application_name = 'pg_net 0.20.4';
select vault.create_secret('http://127.0.0.1:9/functions/v1', 'functions_url');
select vault.create_secret('whsec_' || encode('01234567890123456789012345678901', 'base64'), 'wake_up_secret');
insert into cron.job_run_details (runid, jobid, command, status, end_time)
select 1, jobid, command, 'succeeded', clock_timestamp() from cron.job where jobname = 'recorder-sweep';
update recorder.settings set value = 1 where name = 'success_sample';

-- One recording that records, another one that is there.
create temporary table live as select tests.engine_at_work(tests.new_call()) as id;
insert into recorder.inbox (notice_id, engine_task_id, event_type, event) select 'n1', t.id, 40, '{}' from recorder.engine_tasks t;
create temporary table whole as select gen_random_uuid() as id;
insert into public.recordings (id, mentorship_id, channel, status, quality, layout, started_at, stopped_at, finished_at, duration_ms, size_bytes, stored_bytes)
select id, tests.mentorship(), 'another', 'recorded', '720p', 'best_fit', now(), now(), now(), 1, 1, 1 from whole;

create function pg_temp.has_claimed(p_lane text, p_error text) returns void language plpgsql as $$
declare v_job jsonb;
begin
  update recorder.jobs set run_at = now() where lane = p_lane and state = 'queued';
  for v_job in select * from jsonb_array_elements(tests.claim(p_lane)) loop
    perform tests.finish(v_job, 'retry', jsonb_build_object('after_ms', 0, 'error', jsonb_build_object(
      'code', p_error, 'blame', 'configuration', 'retry', 'later', 'message', 'x')));
  end loop;
end $$;

create temporary table stories (rule text primary key, makes_red text, makes_green text);
insert into stories values
  ('stuck_recording',
   $$ update recorder.engine_tasks set state = 'gone', gone_at = now(); update public.recordings set updated_at = now() - interval '2 minutes' $$,
   $$ update recorder.engine_tasks set state = 'running', gone_at = null $$),
  ('old_open_recording',
   $$ update public.recordings set requested_at = now() - interval '31 hours' where status = 'recording' $$,
   $$ update public.recordings set requested_at = now() where status = 'recording' $$),
  ('dead_job',
   $$ update recorder.jobs set state = 'dead', finished_at = clock_timestamp(), last_error = recorder.error_of('unexpected_error') where kind = 'confirm' $$,
   $$ update recorder.jobs set finished_at = now() - interval '25 hours' where kind = 'confirm' $$),
  ('orphan_task',
   $$ insert into recorder.engine_tasks (recording_id, attempt, channel, uid, state, sid, start_sent_at) select id, 1, 'another', '1', 'running', 'orphan', now() from whole
      on conflict (recording_id, attempt) do update set state = 'running', gone_at = null;
      update public.recordings set finished_at = now() - interval '6 minutes' where channel = 'another' $$,
   $$ update recorder.engine_tasks set state = 'gone', gone_at = now() where sid = 'orphan' $$),
  ('webhooks_never_came',
   $$ delete from recorder.inbox; update public.recordings set started_at = now() - interval '3 minutes' where status = 'recording' $$,
   $$ insert into recorder.inbox (notice_id, engine_task_id, event_type, event) select 'n2', t.id, 40, '{}' from recorder.engine_tasks t join live l on l.id = t.recording_id $$),
  ('webhooks_silent',
   $$ update public.recordings set started_at = now() - interval '2 hours' where status = 'recording';
      update recorder.inbox set received_at = now() - interval '61 minutes';
      update recorder.webhook_verdicts set last_at = '-infinity' $$,
   $$ select recorder_api.count_webhook_verdicts('{"not_kept": 1}') $$),
  ('webhooks_unverified',
   $$ update recorder.unverified_events set last_at = clock_timestamp() $$,
   $$ update recorder.unverified_events set last_at = now() - interval '61 minutes' $$),
  ('success_rate_low',
   $$ update recorder.outcomes set outcome = 'failed', error_code = 'files_missing' $$,
   $$ update recorder.outcomes set outcome = 'recorded' $$),
  ('storage_cap_reached',
   $$ select recorder.enqueue('collect', id) from whole; select pg_temp.has_claimed('storage', 'store_daily_cap_exceeded') $$,
   $$ update recorder.storage_caps set last_at = now() - interval '16 minutes' $$),
  ('secret_expiring',
   $$ select recorder.set_secret_expiry('AGORA_CUSTOMER_SECRET', now() + interval '13 days') $$,
   $$ select recorder.set_secret_expiry('AGORA_CUSTOMER_SECRET', now() + interval '90 days') $$),
  ('scheduler_dead',
   $$ update cron.job_run_details set end_time = now() - interval '61 seconds' $$,
   $$ update cron.job_run_details set end_time = clock_timestamp() $$),
  ('pg_net_dead',
   $$ insert into net.http_request_queue (method, url, timeout_milliseconds) select 'POST', 'http://127.0.0.1:9/', 1 from generate_series(1, 501) $$,
   $$ delete from net.http_request_queue $$),
  ('vault_broken',
   $$ select vault.update_secret(id, new_name => 'mislaid') from vault.secrets where name = 'functions_url' $$,
   $$ select vault.update_secret(id, new_name => 'functions_url') from vault.secrets where name = 'mislaid' $$),
  ('control_lane_stands',
   $$ select recorder.enqueue('heartbeat', id) from live; update recorder.jobs set run_at = now() - interval '31 seconds' where kind = 'heartbeat' $$,
   $$ delete from recorder.jobs where kind = 'heartbeat' $$),
  ('storage_lane_stands',
   $$ select recorder.enqueue('collect', id) from whole; update recorder.jobs set run_at = now() - interval '31 seconds' where kind = 'collect';
      update recorder.drains set token = null, leased_until = '-infinity' $$,
   $$ delete from recorder.jobs where kind = 'collect' $$),
  ('notify_lane_stands',
   $$ insert into recorder.jobs (kind, lane, priority, dedupe_key, max_attempts, run_at) values ('notify', 'notify', 1, 'x', 10, now() - interval '31 seconds');
      update recorder.jobs set finished_at = now() - interval '1 hour' where lane = 'notify' and finished_at is not null $$,
   $$ delete from recorder.jobs where kind = 'notify' $$),
  ('deletion_late',
   $$ update public.recordings set expires_at = now() - interval '2 days' where channel = 'another' $$,
   $$ update public.recordings set expires_at = null where channel = 'another' $$),
  ('audit_late',
   $$ update recorder.audits set finished_at = now() - interval '2 days' $$,
   $$ update recorder.audits set finished_at = now() $$),
  ('audit_found',
   $$ insert into recorder.audit_findings (kind, key, audit_id) values ('file_missing', 'k', gen_random_uuid()) $$,
   $$ update recorder.audit_findings set resolved_at = now() $$);
select bag_eq('select rule from stories', 'select rule from recorder.alert_rules', 'every rule has its story here');

create function pg_temp.story(p_rule text) returns text[] language plpgsql as $$
declare
  v_told text[];
  v_step text;
  v_for integer := (select r.for_seconds from recorder.alert_rules r where r.rule = p_rule);
begin
  -- Other rules have their own stories; a lane that lies idle is idle again.
  delete from recorder.alerts where rule <> p_rule;
  foreach v_step in array array['all is well', 'red', 'still red', 'red for long', 'red for longer', 'green', 'still green', 'green for long', 'red again'] loop
    if v_step in ('red', 'red again') then
      execute (select s.makes_red from stories s where s.rule = p_rule);
    elsif v_step = 'green' then
      execute (select s.makes_green from stories s where s.rule = p_rule);
      -- What was told is told.
      update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now() where kind = 'alert' and state <> 'done';
    elsif v_step = 'red for long' then
      update recorder.alerts set pending_at = pending_at - make_interval(secs => v_for) where rule = p_rule and state = 'pending';
    elsif v_step = 'green for long' then
      update recorder.alerts set calm_at = calm_at - interval '60 seconds' where rule = p_rule;
    end if;
    perform recorder.evaluate_alerts();
    v_told := v_told || format('%s: %s, told %s', v_step,
      coalesce((select a.state from recorder.alerts a where a.rule = p_rule order by a.pending_at desc limit 1), 'nothing'),
      coalesce((select string_agg(j.payload ->> 'state', ' then ' order by j.id) from recorder.jobs j where j.kind = 'alert' and j.payload ->> 'rule' = p_rule), 'nobody'));
  end loop;
  execute (select s.makes_green from stories s where s.rule = p_rule);
  delete from recorder.alerts;
  delete from recorder.jobs where kind = 'alert';
  return v_told;
end $$;
select is(pg_temp.story(s.rule), array[
    'all is well: nothing, told nobody',
    case when r.for_seconds > 0 then 'red: pending, told nobody' else 'red: firing, told firing' end,
    case when r.for_seconds > 0 then 'still red: pending, told nobody' else 'still red: firing, told firing' end,
    'red for long: firing, told firing', 'red for longer: firing, told firing',
    'green: firing, told firing', 'still green: firing, told firing', 'green for long: resolved, told firing then resolved',
    case when r.for_seconds > 0 then 'red again: pending, told firing then resolved' else 'red again: firing, told firing then resolved then firing' end],
  s.rule || ' fires, and recovers')
from stories s join recorder.alert_rules r on r.rule = s.rule order by s.rule;
select * from finish();
rollback;
