begin;
select plan(12);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create function pg_temp.reason() returns text language sql as $$ select reason from recorder.stuck $$;
-- Everything below happened two minutes ago, which is longer than health_stuck_after.
create function pg_temp.grow_old() returns void language sql
  as $$ update public.recordings set updated_at = now() - interval '2 minutes' where deadline_at is not null $$;

select tests.wish((select call_id from it), 'starting');
select pg_temp.grow_old();
select is_empty('select * from recorder.stuck', 'who waits for a recorder and has a start job is not stuck');
delete from recorder.jobs;
select is(pg_temp.reason(), 'It waits for a recorder, but there is no start job.', 'without a start job it is');
update public.recordings set updated_at = now();
select is_empty('select * from recorder.stuck', 'not yet, though, while the sweep may still mend it');
select pg_temp.grow_old();

create temporary table engine as select tests.start_engine((tests.recording_of((select call_id from it))).id) as task_id;
delete from recorder.jobs;
select pg_temp.grow_old();
select is_empty('select * from recorder.stuck', 'a requested start has its deadline');
update recorder.engine_tasks set superseded = true;
select is(pg_temp.reason(), 'A recorder was asked to start, but there is neither an engine task nor a job.', 'unless its task is gone');
update recorder.engine_tasks set superseded = false;

select tests.confirm_engine((select task_id from engine));
select pg_temp.grow_old();
select is_empty('select * from recorder.stuck', 'recording with a live task is well');
update recorder.engine_tasks set state = 'gone', gone_at = now();
select is(pg_temp.reason(), 'It counts as recording, but no engine task is alive.', 'a row that lies is found');
update recorder.engine_tasks set state = 'running', gone_at = null;

select tests.wish((select call_id from it), 'stopping');
delete from recorder.jobs;
select pg_temp.grow_old();
select is(pg_temp.reason(), 'A stop is wanted, but there is no stop job.', 'a stop that nobody carries out');

select recorder_api.report((select task_id from engine), 'task.gone');
select pg_temp.grow_old();
select is_empty('select * from recorder.stuck', 'processing with a collect job is well');
update recorder.jobs set state = 'dead', finished_at = now(), last_error = recorder.error_of('unexpected_error') where kind = 'collect';
select is(pg_temp.reason(), 'Files are awaited, but there is no collect job. Its collect job was given up: unexpected_error.',
  'a job that was given up is named');
update public.recordings set deadline_at = now() - interval '2 minutes';
select matches(pg_temp.reason(), '^The deadline has passed and nobody acted', 'a passed deadline is named before all else');
update recorder.jobs set state = 'running', finished_at = null, lease_token = gen_random_uuid(), leased_until = now() + interval '1 minute';
select matches(pg_temp.reason(), '^The deadline has passed, but a collect job still holds its lease', 'and who holds it');
select * from finish();
rollback;
