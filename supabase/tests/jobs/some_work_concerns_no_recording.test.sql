begin;
select plan(9);
select tests.people();
insert into recorder.jobs (kind, lane, priority, dedupe_key, max_attempts) select 'notify', 'notify', 1, 'notify:alert', 2;
select throws_ok(
  $$ insert into recorder.jobs (kind, lane, priority, dedupe_key, max_attempts) values ('collect', 'storage', 1, 'x', 1) $$,
  '23514', null, 'other work has a recording');

create temporary table claimed as select j from jsonb_array_elements(tests.claim('notify')) j;
select results_eq($$ select j -> 'recording_id', j -> 'recording', j -> 'tasks' from claimed $$,
  $$ values ('null'::jsonb, 'null'::jsonb, '[]'::jsonb) $$, 'it is claimed without one');
update recorder.jobs set leased_until = clock_timestamp() - interval '1 second' where state = 'running';
select is((recorder.sweep() ->> 'expired_leases')::integer, 1, 'when its worker died');
select is((select state from recorder.jobs where dedupe_key = 'notify:alert'), 'queued', 'it is due again');
truncate claimed;
insert into claimed select j from jsonb_array_elements(tests.claim('notify')) j;
update recorder.jobs set leased_until = clock_timestamp() - interval '1 second' where state = 'running';
select is((recorder.sweep() ->> 'expired_leases')::integer, 1, 'after its last try');
select is((select state from recorder.jobs where dedupe_key = 'notify:alert'), 'dead', 'it is dead');
select is((select count(*)::integer from recorder.dead_jobs where recording_id is null), 1, 'and shows');
select is(recorder.retry_job((select job_id from recorder.dead_jobs)), 'queued', 'until somebody has it tried again');
select is((select count(*)::integer from recorder.dead_jobs), 0, 'then it does not');
select * from finish();
rollback;
