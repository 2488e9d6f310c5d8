begin;
select plan(18);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table rec as select tests.engine_at_work((select call_id from it)) as id;
select tests.wish((select call_id from it), 'stopping');
update recorder.jobs set state = 'dead', finished_at = now(), attempts = max_attempts, last_error = recorder.error_of('unexpected_error') where kind in ('stop', 'start');
create temporary table job as select kind, id from recorder.jobs;
create temporary table events as select count(*) as n from public.recording_events;
grant select on it, rec, job to recorder_admin;

select tests.act_as_recorder_admin();
select is(recorder.retry_job((select id from job where kind = 'stop')), 'queued', 'a dead job is queued again');
select is(recorder.retry_job((select id from job where kind = 'stop')), 'queued', 'twice is the same');
select tests.act_as_administrator();
select results_eq($$ select state, attempts, run_at <= clock_timestamp(), finished_at is null, last_error ->> 'code' from recorder.jobs where kind = 'stop' $$,
  $$ values ('queued', 0, true, true, 'unexpected_error') $$, 'due now, counted anew, its last error kept');
select is((select count(*) from public.recording_events)::integer, (select n::integer + 1 from events), 'one line in the story');
select results_eq($$ select actor, event, detail ->> 'kind' from public.recording_events order by id desc limit 1 $$,
  $$ values ('administrator', 'job.retried', 'stop') $$, 'which says what');

select tests.act_as_recorder_admin();
select throws_ok($$ select recorder.retry_job((select id from job where kind = 'start')) $$, 'RC306', null, 'a start whose recording has moved on is refused');
select throws_ok($$ select recorder.retry_job(null) $$, 'RC011', null, 'null is refused');
select throws_ok($$ select recorder.retry_job(-1) $$, 'RC304', null, 'an unknown id is refused');
select tests.act_as_administrator();
select is((select state from recorder.jobs where kind = 'start'), 'dead', 'and it is as dead as before');

-- The same work was asked for again meanwhile.
update recorder.jobs set state = 'dead', finished_at = now() where kind = 'stop';
select recorder.enqueue('stop', (select id from rec), (select engine_task_id from recorder.jobs where kind = 'stop'));
select tests.act_as_recorder_admin();
select is(recorder.retry_job((select id from job where kind = 'stop')), 'queued', 'where the same work waits already, that is enough');
select tests.act_as_administrator();
select is((select count(*) from recorder.jobs where kind = 'stop' and state = 'queued')::integer, 1, 'and stays one job');

-- The death of a collect job ended its recording.
select recorder_api.report(t.id, 'task.gone') from recorder.engine_tasks t;
update recorder.jobs set state = 'running', lease_token = gen_random_uuid(), leased_until = now() where kind = 'collect';
select recorder.finish_job(jsonb_build_object('id', j.id, 'lease', j.lease_token, 'outcome', 'give_up', 'error', recorder.error_of('files_missing')))
from recorder.jobs j where j.kind = 'collect';
create temporary table collect as select id from recorder.jobs where kind = 'collect';
grant select on collect to recorder_admin;
select is((select status from public.recordings), 'failed', 'its recording failed with the collect job');
select tests.act_as_recorder_admin();
select is(recorder.retry_job((select id from collect)), 'queued', 'it can be retried');
select tests.act_as_administrator();
select is((select status from public.recordings), 'processing', 'and takes the recording with it');
select is((select count(*) from recorder.jobs where kind = 'collect')::integer, 1, 'as the one job');
update recorder.jobs set state = 'done', finished_at = now() where kind = 'collect';
select tests.act_as_recorder_admin();
select throws_ok($$ select recorder.retry_job((select id from collect)) $$, 'RC305', null, 'a finished job is refused');
select tests.act_as_administrator();

-- What must not be revived: the refusal takes the job back with it.
select recorder_api.files_failed((select id from rec), 'files.empty');
update recorder.jobs set state = 'dead', finished_at = now() where kind = 'collect';
select tests.act_as_recorder_admin();
select throws_ok($$ select recorder.retry_job((select id from collect)) $$, 'RC301', null, 'a recording that cannot be helped refuses for its job');
select tests.act_as_administrator();
select is((select state from recorder.jobs where kind = 'collect'), 'dead', 'which stays dead');
select * from finish();
rollback;
