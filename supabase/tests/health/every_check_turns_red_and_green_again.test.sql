begin;
select plan(39);
select tests.people();
-- The worker of pg_net is known by the name of its session; here this session passes for it.
set local application_name = 'pg_net 0.20.4';
select vault.create_secret('http://127.0.0.1:9/functions/v1', 'functions_url');
select vault.create_secret('whsec_' || encode('01234567890123456789012345678901', 'base64'), 'wake_up_secret');
update recorder.sweeps set last_run_at = clock_timestamp();
insert into cron.job_run_details (runid, jobid, command, status, end_time)
select 1, jobid, command, 'succeeded', clock_timestamp() from cron.job where jobname = 'recorder-sweep';
create temporary table it as select tests.new_call() as call_id;
grant select on it to recorder_admin;

create function pg_temp.red() returns text language sql
  as $$ select coalesce(string_agg(name, ' ' order by name), '') from recorder.health where is_ok is not true $$;
create function pg_temp.says(p_name text) returns text language sql
  as $$ select explanation from recorder.health where name = p_name $$;

select tests.act_as_recorder_admin();
select results_eq('select name from recorder.health',
  $$ values ('control_queue_depth'), ('control_queue_age'), ('control_worker'),
       ('notify_queue_depth'), ('notify_queue_age'), ('notify_worker'),
       ('storage_queue_depth'), ('storage_queue_age'), ('storage_worker'),
       ('sweep'), ('oldest_open_recording'), ('stuck_recordings'), ('dead_jobs'), ('last_webhook'), ('orphan_tasks'), ('webhook_secret'), ('deletions'), ('audit'), ('audit_findings'),
       ('cron'), ('pg_net'), ('vault') $$, 'one row per check');
select is((select count(*) from recorder.health where is_ok is null or unit is null or threshold is null or explanation is null)::integer, 0, 'each says everything');
select tests.act_as_administrator();
select is(pg_temp.red(), '', 'an idle system is well');

-- Lanes.
select tests.wish((select call_id from it), 'starting');
select is(pg_temp.red(), '', 'work that has just become due is no illness');
update recorder.jobs set run_at = clock_timestamp() - interval '31 seconds';
select is(pg_temp.red(), 'control_queue_age control_worker', 'work that nobody does for 30 s is');
select matches(pg_temp.says('control_worker'), '^Work is due and run-control does none; last seen: never', 'and says who does none');
update recorder.drains set token = gen_random_uuid(), leased_until = clock_timestamp() + interval '9 seconds' where lane = 'control' and place = 1;
select is(pg_temp.red(), 'control_queue_age', 'a worker that holds its place is alive');
update recorder.settings set value = 0 where name = 'health_queue_depth';
select is(pg_temp.red(), 'control_queue_age control_queue_depth', 'too much due work shows');
update recorder.settings set value = 1000 where name = 'health_queue_depth';
update recorder.jobs set run_at = clock_timestamp();
update recorder.drains set token = null, leased_until = '-infinity';
update recorder.lanes set last_wake_at = clock_timestamp() - interval '5 seconds', last_wake_request_id = 77 where lane = 'control';
insert into net._http_response (id, status_code, created) values (77, 401, clock_timestamp() - interval '1 day');
select is(pg_temp.red(), '', 'an old answer under the same id is somebody else''s');
insert into net._http_response (id, status_code, created) values (77, 401, clock_timestamp());
select is(pg_temp.red(), 'control_worker', 'a worker that refuses its wake-up is ill');
select matches(pg_temp.says('control_worker'), '^run-control answered the wake-up of \d+ s ago with: HTTP 401\.$', 'and its answer is shown');
delete from net._http_response;
insert into net._http_response (id, error_msg, created) values (77, 'Couldn''t connect to server', clock_timestamp());
select matches(pg_temp.says('control_worker'), 'with: Couldn''t connect to server\.$', 'or why there was none');
delete from net._http_response;
insert into net._http_response (id, status_code, created) values (77, 202, clock_timestamp());
select is(pg_temp.red(), '', 'one that took it is well');

-- Recordings.
create temporary table engine as select tests.start_engine((tests.recording_of((select call_id from it))).id) as task_id;
select tests.confirm_engine((select task_id from engine));
update public.recordings set started_at = clock_timestamp() - interval '100 seconds';
select is(pg_temp.red(), '', 'the engine has two minutes for its first event');
update public.recordings set started_at = now() - interval '3 minutes';
select is(pg_temp.red(), 'last_webhook', 'a recorder that works and never sends an event is a sign of a wrong address');
select matches(pg_temp.says('last_webhook'), '^Last event of the engine: never\. 1 live recording\(s\) never had one', 'in words');
insert into recorder.inbox (notice_id, engine_task_id, event_type, event) select 'n1', task_id, 40, '{}' from engine;
select is(pg_temp.red(), '', 'one event is enough');
update public.recordings set requested_at = now() - interval '31 hours';
select is(pg_temp.red(), 'oldest_open_recording', 'what is open for more than 30 hours needs a person');
update public.recordings set requested_at = now(), updated_at = now() - interval '2 minutes';
update recorder.engine_tasks set state = 'gone', gone_at = now();
select is(pg_temp.red(), 'stuck_recordings', 'what is stuck shows');
update recorder.engine_tasks set state = 'running', gone_at = null;
update recorder.jobs set state = 'dead', finished_at = clock_timestamp(), last_error = recorder.error_of('unexpected_error') where kind = 'confirm';
select is(pg_temp.red(), 'dead_jobs', 'work that was given up shows');
update recorder.jobs set finished_at = now() - interval '2 days' where kind = 'confirm';
select is(pg_temp.red(), '', 'for a day');
select matches(pg_temp.says('dead_jobs'), '0 given up lately, 1 in all', 'and is counted afterwards');
select tests.wish((select call_id from it), 'stopping');
select recorder_api.report((select task_id from engine), 'task.gone');
update recorder.engine_tasks set state = 'running', gone_at = null;
select is(pg_temp.red(), '', 'a recorder may need a moment to leave');
update public.recordings set stopped_at = now() - interval '6 minutes';
select is(pg_temp.red(), 'orphan_tasks', 'one that stays without a live recording shows');
update recorder.engine_tasks set state = 'gone', gone_at = now();

update recorder.sweeps set last_run_at = clock_timestamp() - interval '61 seconds';
select is(pg_temp.red(), 'sweep', 'a sweep that nobody runs shows');
update recorder.sweeps set last_run_at = clock_timestamp();

-- What lies outside.
update cron.job_run_details set end_time = now() - interval '61 seconds';
select is(pg_temp.red(), 'cron', 'a sweep that does not run shows');
insert into cron.job_run_details (runid, jobid, command, status, return_message, end_time)
select 2, jobid, command, 'failed', 'ERROR: out of luck', clock_timestamp() from cron.job where jobname = 'recorder-sweep';
select matches(pg_temp.says('cron'), 'The last run failed: ERROR: out of luck', 'and why');
insert into cron.job_run_details (runid, jobid, command, status, end_time)
select 3, jobid, command, 'succeeded', clock_timestamp() from cron.job where jobname = 'recorder-sweep';
select is(pg_temp.red(), '', 'until it runs again');
select cron.unschedule('recorder-sweep');
select is(pg_temp.red(), 'cron', 'a sweep that nobody scheduled shows');
select cron.schedule('recorder-sweep', '10 seconds', 'select recorder.sweep()');
insert into cron.job_run_details (runid, jobid, command, status, end_time)
select 4, jobid, command, 'succeeded', clock_timestamp() from cron.job where jobname = 'recorder-sweep';
set local role service_role;
select is(recorder_api.note_unverified_event(), true, 'an event comes, and nobody set its secret');
select is(recorder_api.note_unverified_event(), false, 'the next ones within a moment cost nothing');
reset role;
select is(pg_temp.red(), 'webhook_secret', 'a secret that nobody set shows');
update recorder.unverified_events set last_at = clock_timestamp() - interval '61 minutes';
select is(pg_temp.red(), '', 'until an hour after the last such event');
insert into net.http_request_queue (method, url, timeout_milliseconds) select 'POST', 'http://127.0.0.1:9/', 1 from generate_series(1, 501);
select is(pg_temp.red(), 'pg_net', 'a queue that only grows shows');
delete from net.http_request_queue;
select is(pg_temp.red(), '', 'until it is empty');
set local application_name = 'somebody else';
select pg_stat_clear_snapshot();
select is(pg_temp.red(), 'pg_net', 'a worker that is not up shows');
select matches(pg_temp.says('pg_net'), 'the pg_net background worker is not up', 'with pg_net''s own words');

set local application_name = 'pg_net 0.20.4';
select pg_stat_clear_snapshot();
select vault.update_secret(id, new_secret => 'whsec_too short') from vault.secrets where name = 'wake_up_secret';
select is(pg_temp.red(), 'vault', 'a secret of the wrong form shows');
select is((select count(*) from recorder.health h, vault.decrypted_secrets s where strpos(h::text, s.decrypted_secret) > 0)::integer, 0, 'and no secret is in any row');
select * from finish();
rollback;
