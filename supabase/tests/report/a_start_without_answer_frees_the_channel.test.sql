begin;
select plan(6);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
create temporary table r as select (tests.recording_of((select call_id from it))).id;
create temporary table task as
  select (recorder_api.begin_attempt((select id from r), now() + interval '1 day') ->> 'id')::uuid as id;
select recorder_api.report((select id from task), 'task.acquired', '{"resource_id": "abc"}');
select is(tests.wish((select call_id from it), 'stopping'), 'stopping', 'stopped while nobody knows whether the engine heard of it');

select recorder_api.report((select id from task), 'task.lost', '{"is_certain": false}');
select results_eq(
  $$ select status, error ->> 'code' from public.recordings where id = (select id from r) $$,
  $$ values ('failed', 'stopped_before_start') $$, 'given up, the recording ends and says why');
select is(tests.wish((select call_id from it), 'starting'), 'starting', 'and the channel is free for the next one');
select ok((select superseded and state = 'requested' from recorder.engine_tasks where id = (select id from task)), 'the task is not forgotten');

update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now() where state = 'queued';
select recorder_api.receive_event('n1', 40, repeat('e', 32), t.channel, t.uid, false, '{}')
from recorder.engine_tasks t where t.id = (select id from task);
select is((select sid from recorder.engine_tasks where id = (select id from task)), repeat('e', 32), 'should it come up, its first event names it');
select is(
  (select count(*) from recorder.jobs where kind = 'stop' and state = 'queued' and recording_id = (select id from r))::integer,
  1, 'and it is stopped');
select * from finish();
rollback;
