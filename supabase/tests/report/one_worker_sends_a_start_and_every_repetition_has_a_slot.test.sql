-- A start is sent by one worker, and what stayed open is asked for again by jobs, which take slots.
begin;
select plan(33);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create function pg_temp.r() returns public.recordings language sql as $$ select tests.recording_of((select call_id from it)) $$;
create function pg_temp.begin_one() returns uuid language sql as $$
  select (recorder_api.begin_attempt((pg_temp.r()).id, now() + interval '1 day') ->> 'id')::uuid $$;
create function pg_temp.tell(p_task uuid, p_event text, p_facts jsonb default '{}') returns jsonb language sql as $$
  select recorder_api.report(p_task, p_event, p_facts) $$;
create function pg_temp.task(p_task uuid) returns recorder.engine_tasks language sql as $$ select t from recorder.engine_tasks t where id = p_task $$;
create function pg_temp.waiting(p_kind text) returns recorder.jobs language sql as $$ select j from recorder.jobs j where kind = p_kind and state = 'queued' $$;
create function pg_temp.all_done() returns void language sql as $$
  update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now() where state in ('queued', 'running') $$;

-- Two workers, one task.
select tests.wish((select call_id from it), 'starting');
create temporary table one as select pg_temp.begin_one() as id;
select is(pg_temp.begin_one(), (select id from one), 'two workers may be given the same task');
select is(pg_temp.tell(id, 'task.acquired', '{"resource_id": "first", "request": {"a": 1}}') -> 'is_won', 'true', 'the first to save its resource id may send the start') from one;
select is(pg_temp.tell(id, 'task.acquired', '{"resource_id": "second"}') -> 'is_won', 'false', 'the second may not') from one;
select results_eq('select (pg_temp.task(id)).resource_id, (pg_temp.task(id)).is_unanswered from one', $$ values ('first', true) $$, 'the first id stays, and from then on a recorder may be running');
select is((pg_temp.r()).attempt, 1, 'the attempt that was sent is counted');
create temporary table version as select (pg_temp.r()).version as at;
select is(pg_temp.begin_one(), null, 'nobody begins another');
select is((pg_temp.r()).version, (select at from version), 'and nothing that people see has changed');

-- The worker died with the answer: who looks next has it asked for again.
select results_eq('select (pg_temp.waiting(''start_again'')).engine_task_id, (pg_temp.waiting(''start_again'')).run_at <= clock_timestamp()',
  'select id, true from one', 'the same start is sent again at once');
select is((select engine_requests from recorder.job_kinds where kind = 'start_again'), 1, 'with a slot of its own');
select is((select recorder.job_context(pg_temp.waiting('start_again')) -> 'tasks' -> 0 -> 'request'), '{"a": 1}', 'and with what was said the first time');
select pg_temp.all_done();

-- An answer that stayed open.
select pg_temp.tell(id, 'task.unanswered', '{"may_run": true, "again_after_ms": 60000}') from one;
select ok((select (pg_temp.waiting('start_again')).run_at between clock_timestamp() + interval '20 seconds' and clock_timestamp() + interval '60 seconds'), 'is asked for again after the engine''s own pause');
select pg_temp.all_done();
select pg_temp.tell(id, 'task.unanswered', '{"may_run": false}') from one;
select ok(not (pg_temp.task(id)).is_unanswered, 'a clear no: nothing runs') from one;
select pg_temp.tell(id, 'task.resent') from one;
select ok((pg_temp.task(id)).is_unanswered, 'sent again, it may run') from one;
select pg_temp.tell(id, 'task.unanswered', '{"may_run": true, "look": true}') from one;
select is((pg_temp.waiting('confirm')).run_at, (pg_temp.task(id)).start_sent_at + interval '20 seconds', 'what stays open is looked for when its first file may be there') from one;
select is((select count(*) from recorder.jobs where state = 'queued')::integer, 1, 'and asked for no more');
select pg_temp.all_done();

-- Its sid comes: by a file, an event or a late answer, all the same.
select is(pg_temp.tell(id, 'task.started', '{"sid": "sid"}') -> 'is_won', 'true', 'a sid that is news') from one;
select ok(not (pg_temp.task(id)).is_unanswered and (pg_temp.waiting('confirm')).id is not null, 'ends the doubt and is confirmed') from one;
select is(pg_temp.tell(id, 'task.unanswered', '{"may_run": true, "again_after_ms": 0}') ->> 'status', 'starting', 'a slow worker says it got no answer') from one;
select is((pg_temp.waiting('start_again')).id, null, 'which is no news any more');

-- A stop that waits for the engine is not hurried by what is known already.
select tests.wish((select call_id from it), 'stopping');
select is((pg_temp.waiting('stop')).engine_task_id, (select id from one), 'a stop is about one task');
update recorder.jobs set run_at = clock_timestamp() + interval '5 seconds' where kind = 'stop';
create temporary table stop_at as select run_at from recorder.jobs where kind = 'stop';
select pg_temp.tell(id, 'task.started', '{"sid": "sid"}') from one;
select is((pg_temp.waiting('stop')).run_at, (select run_at from stop_at), 'the same sid once more changes nothing');
select is(pg_temp.tell(id, 'task.started', '{"sid": "sid"}') -> 'is_won', 'false', 'and says so') from one;

-- The other side asked for a pause: nobody shortens it.
select pg_temp.all_done();
select recorder.enqueue('stop', (pg_temp.r()).id, (select id from one));
create temporary table claimed as select tests.claim() -> 0 as j;
select tests.finish(j, 'retry', '{"after_ms": 70000}') from claimed;
select recorder.enqueue('stop', (pg_temp.r()).id, (select id from one));
select ok((pg_temp.waiting('stop')).run_at > clock_timestamp() + interval '20 seconds', 'Retry-After holds, whoever asks for the stop again');
update recorder.jobs set run_at = now(), not_before = null where kind = 'stop' and state = 'queued';
create temporary table again as select tests.claim() -> 0 as j;
select tests.finish(j, 'snooze', '{"after_ms": 60000}') from again;
select recorder.enqueue('stop', (pg_temp.r()).id, (select id from one));
select ok((pg_temp.waiting('stop')).run_at <= clock_timestamp(), 'our own waiting ends with news');

-- A stop while a worker is on its way to the engine.
select pg_temp.tell(id, 'task.gone', '{"is_empty": true}') from one;
select recorder_api.files_failed((pg_temp.r()).id, 'files.empty');
select tests.wish((select call_id from it), 'starting');
create temporary table two as select pg_temp.begin_one() as id;
select tests.wish((select call_id from it), 'stopping');
select is(pg_temp.tell(id, 'task.acquired', '{"resource_id": "third"}') -> 'is_won', 'false', 'stopped meanwhile: the start is not sent') from two;
select results_eq('select (pg_temp.task(id)).state, (pg_temp.task(id)).start_sent_at is null from two', $$ values ('gone', true) $$, 'and the task is gone, never sent');
select is((pg_temp.r()).status, 'failed', 'as is the wish');

-- One that was superseded while its worker slept.
select tests.wish((select call_id from it), 'starting');
create temporary table three as select pg_temp.begin_one() as id;
update recorder.engine_tasks set superseded = true where id = (select id from three);
select is(pg_temp.tell(id, 'task.acquired', '{"resource_id": "fourth"}') -> 'is_won', 'false', 'a superseded task is not sent') from three;
create temporary table four as select pg_temp.begin_one() as id;
select isnt((select id from four), (select id from three), 'another one is');
select is(pg_temp.tell(id, 'task.acquired', '{"resource_id": "fifth"}') -> 'is_won', 'true', 'once') from four;

-- Nobody wants it: it is looked for, not asked for.
select tests.wish((select call_id from it), 'stopping');
select pg_temp.all_done();
select pg_temp.tell(id, 'task.unanswered', '{"may_run": true, "again_after_ms": 0}') from four;
select is((pg_temp.waiting('start_again')).id, null, 'no recorder is asked for that nobody wants');
select is((select count(*) from recorder.jobs where state = 'queued')::integer, 0, 'its stop finds it');
select recorder.sweep();
select is((pg_temp.waiting('stop')).engine_task_id, (select id from four), 'and is asked for by the sweep, should it be lost');
select * from finish();
rollback;
