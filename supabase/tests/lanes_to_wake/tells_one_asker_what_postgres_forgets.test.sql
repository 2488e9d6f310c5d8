-- Where pg_net, Vault or the scheduler is out of order, functions that are called from outside wake the lanes.
begin;
select plan(17);
select tests.people();
-- What counts in seconds counts in thousands of them here, so that a busy machine changes nothing.
update recorder.settings set value = 1000 * value where name in ('direct_wake_rest', 'direct_wake_after', 'sweep_overdue');
create temporary table it as select tests.new_call() as call_id;
create function pg_temp.lanes() returns text language sql as $$
  select string_agg(j ->> 'function_name', ' ' order by j ->> 'lane') from jsonb_array_elements(recorder_api.lanes_to_wake()) j $$;
create function pg_temp.later() returns void language sql as $$
  update recorder.lanes set last_direct_wake_at = last_direct_wake_at - interval '6000 seconds' $$;

select is(recorder_api.lanes_to_wake(), '[]', 'all is well: nobody has to be woken');
select tests.wish((select call_id from it), 'starting');
update recorder.jobs set run_at = now() - interval '9000 seconds';
select is(pg_temp.lanes(), null, 'work that is younger than a sweep is left to Postgres');
update recorder.jobs set run_at = now() - interval '11000 seconds';
select is(recorder_api.lanes_to_wake(), '[{"lane": "control", "function_name": "run-control"}]', 'older work is not');
select is(pg_temp.lanes(), null, 'one asker is told');
select pg_temp.later();
select is(pg_temp.lanes(), 'run-control', 'five seconds later the next one, while it lasts');
select pg_temp.later();
update recorder.settings set value = 0 where name = 'concurrent_tasks';
select is(pg_temp.lanes(), null, 'starts that wait for another recorder to end are not late');
update recorder.settings set value = 50 where name = 'concurrent_tasks';
update recorder.jobs set state = 'done', finished_at = now();

-- The sweep does not run.
update recorder.sweeps set last_run_at = now() - interval '29000 seconds';
select is(pg_temp.lanes(), null, 'one missed sweep is none');
update recorder.sweeps set last_run_at = now() - interval '31000 seconds';
select is(pg_temp.lanes(), 'run-control', 'after two, somebody wakes a drain, which sweeps');
update recorder.sweeps set last_run_at = clock_timestamp();
select pg_temp.later();

-- Events carry it, so that no question has to be asked.
select is(recorder_api.receive_event('n1', 40, 'unknown', null, null, false, '{}') -> 'lanes_to_wake', null, 'an event says nothing while all is well');
update recorder.sweeps set last_run_at = now() - interval '31000 seconds';
select is(recorder_api.receive_event('n2', 33, 'unknown', null, null, true, '{}') -> 'lanes_to_wake' -> 0 ->> 'lane', 'control', 'and whom to wake otherwise');
select is(recorder_api.receive_event('n3', 33, 'unknown', null, null, true, '{}') -> 'lanes_to_wake', null, 'once');
update recorder.sweeps set last_run_at = clock_timestamp();

-- The control lane wakes the storage lane by itself when there are files to look for.
select tests.wish((select call_id from it), 'stopping');
select tests.wish((select call_id from it), 'starting');
create temporary table task as select tests.start_engine((tests.recording_of((select call_id from it))).id) as id;
select is(recorder_api.report((select id from task), 'task.confirmed') -> 'lanes_to_wake', null, 'no files yet');
select tests.wish((select call_id from it), 'stopping');
select is(recorder_api.report((select id from task), 'task.gone') -> 'lanes_to_wake' -> 0 ->> 'function_name', 'run-storage', 'the engine is gone: the files are looked for at once');
select is(recorder_api.report((select id from task), 'task.gone') -> 'lanes_to_wake', null, 'told twice, woken once');
update recorder.jobs set run_at = now() - interval '11000 seconds' where kind = 'collect';
select is(pg_temp.lanes(), 'run-storage', 'and should that be lost as well, it is late work like any other');

-- Asked by many at once, nobody waits for another.
select is((select count(*) from recorder.lanes where last_direct_wake_at > now() - interval '1 hour')::integer, 2, 'each lane remembers when');
select is(recorder.setting('direct_wake_rest')::integer / 1000, 5000, 'and rests five seconds');
select * from finish();
rollback;
