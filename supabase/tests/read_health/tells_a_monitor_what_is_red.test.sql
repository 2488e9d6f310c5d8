begin;
select plan(6);
select tests.people();
set local application_name = 'pg_net 0.20.4';
select vault.create_secret('http://127.0.0.1:9/functions/v1', 'functions_url');
select vault.create_secret('whsec_' || encode('01234567890123456789012345678901', 'base64'), 'wake_up_secret');
insert into cron.job_run_details (runid, jobid, command, status, end_time)
select 1, jobid, command, 'succeeded', clock_timestamp() from cron.job where jobname = 'recorder-sweep';

set local role service_role;
select is(recorder_api.read_health() -> 'is_ok', 'true', 'all is well');
select is(recorder_api.read_health() -> 'lanes_to_wake', '[]', 'and nobody needs to be woken');
reset role;
update recorder.sweeps set last_run_at = clock_timestamp() - interval '61 seconds';
set local role service_role;
select results_eq(
  $$ select h -> 'is_ok', h -> 'lanes_to_wake' from recorder_api.read_health() h $$,
  $$ values ('false'::jsonb, '[{"lane": "control", "function_name": "run-control"}]'::jsonb) $$,
  'nobody sweeps: that is red, and whoever asks is told whom to wake');
select is(recorder_api.read_health() -> 'lanes_to_wake', '[]', 'the next one to ask need not do the same');
select is((select string_agg(c ->> 'name', ' ') from jsonb_array_elements(recorder_api.read_health() -> 'checks') c where c -> 'is_ok' = 'false'),
  'sweep', 'the checks say what it is');
select is((select array_agg(k order by k) from jsonb_object_keys(recorder_api.read_health() -> 'checks' -> 0) k),
  array['explanation', 'is_ok', 'name', 'threshold', 'unit', 'value'], 'each in full');
reset role;
select * from finish();
rollback;
