begin;
select plan(9);
select tests.people();
create temporary table it as select tests.new_call() as call_id;

select tests.wish((select call_id from it), 'starting');
update public.recordings set deadline_at = now() - interval '1 second';
select recorder.sweep();
select is((tests.recording_of((select call_id from it))).error ->> 'code', 'no_recorder_available', 'no recorder in time');

select tests.wish((select call_id from it), 'starting');
create temporary table engine as select tests.start_engine((tests.recording_of((select call_id from it))).id) as task_id;
update public.recordings set deadline_at = now() - interval '1 second' where status = 'starting';
select recorder.sweep();
select results_eq($$ select status, phase from public.recordings where status = 'starting' $$, $$ values ('starting', 'queued') $$, 'a lost attempt is followed by a fresh one');
select ok((select superseded from recorder.engine_tasks where id = (select task_id from engine)), 'the old task is superseded');
select recorder.sweep();
select is((select count(*) from recorder.jobs where kind = 'repair' and state = 'queued')::integer, 1, 'and stopped, should it have come up');

create temporary table second as
  select tests.start_engine((tests.recording_of((select call_id from it))).id, repeat('c', 32)) as task_id;
select tests.confirm_engine((select task_id from second));
update public.recordings set deadline_at = now() - interval '1 second' where status = 'recording';
select recorder.sweep();
select results_eq($$ select status, stop_reason from public.recordings where attempt = 2 $$, $$ values ('stopping', 'limit') $$, 'the longest recording ends');
update public.recordings set deadline_at = now() - interval '1 second' where status = 'stopping';
select recorder.sweep();
select is((select status from public.recordings where attempt = 2), 'processing', 'a stop that nobody confirms ends with the recorder''s token');
update public.recordings set deadline_at = now() - interval '1 second' where status = 'processing';
select recorder.sweep();
select results_eq($$ select status, error ->> 'code' from public.recordings where attempt = 2 $$, $$ values ('failed', 'files_missing') $$, 'files that never come are given up');

select tests.wish((select call_id from it), 'starting');
create temporary table third as
  select tests.start_engine((tests.recording_of((select call_id from it))).id, repeat('d', 32)) as task_id;
select tests.confirm_engine((select task_id from third));
update recorder.engine_tasks set last_seen_at = now() - interval '151 seconds' where id = (select task_id from third);
update recorder.jobs set state = 'done', finished_at = now() where state = 'queued';
select recorder.sweep();
select is((select count(*) from recorder.jobs where kind = 'heartbeat' and state = 'queued')::integer, 1, 'silence makes us ask the engine');
select is((select count(*) from public.recordings where (deadline_at is null) <> (status in ('recorded', 'failed', 'expired')))::integer, 0, 'every open state has a deadline');
select * from finish();
rollback;
