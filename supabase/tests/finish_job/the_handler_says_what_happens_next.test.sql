begin;
select plan(37);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
create temporary table r as select (tests.recording_of((select call_id from it))).id;
-- Slots are no matter here.
update recorder.engine_accounts set requests_per_second = 1000;
create temporary table job (j jsonb);
create function pg_temp.again() returns void language sql as $$
  update recorder.jobs set run_at = now() where state = 'queued';
  delete from job; insert into job select tests.claim() -> 0 $$;
select pg_temp.again();

-- Refusals: their own code, and nothing is changed.
create temporary table before as select tests.fingerprint() as mark;
select is(recorder.finish_job(j || '{"outcome": "done"}' || jsonb_build_object('lease', gen_random_uuid())), 'lease_lost', 'another lease') from job;
select is(recorder.finish_job('{"id": 0, "outcome": "done", "lease": "00000000-0000-4000-8000-000000000000"}'), 'lease_lost', 'an unknown job');
select is(recorder.finish_job('{"id": 1, "lease": "00000000-0000-4000-8000-000000000000"}'), 'argument_missing', 'no outcome');
select is(recorder.finish_job(j || '{"outcome": "done", "lease": null}'), 'argument_missing', 'no lease') from job;
select is(recorder.finish_job(null), 'argument_missing', 'nothing');
select is(recorder.finish_job('[]'), 'argument_missing', 'a list');
select is(tests.finish(j, 'dream'), 'argument_invalid', 'an unknown outcome') from job;
select is(recorder.finish_job(j || '{"outcome": "done", "lease": "mine"}'), 'argument_invalid', 'a lease that is none') from job;
select is(recorder.finish_job(j || '{"outcome": "done", "id": "first"}'), 'argument_invalid', 'an id that is none') from job;
select is(tests.finish(j, 'retry', '{"after_ms": "soon"}'), 'argument_invalid', 'a pause that is none') from job;
select is(tests.finish(j, 'retry', '{"error": "broken"}'), 'argument_invalid', 'an error that is none') from job;
select is(tests.fingerprint(), mark, 'all refused, nothing changed') from before;

-- Retry: backs off, doubles, jitters, ends. Counted in tens of seconds, so that a busy machine changes nothing.
update recorder.settings set value = 20000 where name = 'retry_first_delay';
select is(tests.finish(j, 'retry', '{"error": {"code": "engine_timeout", "detail": "d"}}'), null, 'a retry is taken') from job;
select results_eq(
  $$ select state, attempts, lease_token is null, last_error ->> 'detail' from recorder.jobs $$,
  $$ values ('queued', 1, true, 'd') $$, 'it waits, counted, and keeps the reason');
select ok((select run_at between clock_timestamp() + interval '5 s' and clock_timestamp() + interval '20 s' from recorder.jobs), 'about the first delay');
update recorder.jobs set attempts = 9;
select pg_temp.again();
select is(tests.finish(j, 'retry'), null, 'much later') from job;
select ok((select run_at between clock_timestamp() + interval '20 s' and clock_timestamp() + interval '60 s' from recorder.jobs), 'at most the longest delay');
select pg_temp.again();
select is(tests.finish(j, 'retry', '{"after_ms": 70000}'), null, 'the engine said when') from job;
select ok((select run_at between clock_timestamp() + interval '60 s' and clock_timestamp() + interval '70 s' from recorder.jobs), 'its word is kept');
select pg_temp.again();
select is(tests.finish(j, 'snooze', '{"after_ms": 99999999999}'), null, 'a pause gone wrong') from job;
select ok((select run_at < clock_timestamp() + interval '25 hours' from recorder.jobs), 'is cut to a day');
select pg_temp.again();

-- A twin was asked for meanwhile.
select recorder.enqueue('start', (select id from r));
select is(tests.finish(j, 'retry', '{"after_ms": 50000}'), null, 'a retry beside a waiting twin') from job;
select results_eq(
  'select state, attempts from recorder.jobs order by id', $$ values ('done', 12), ('queued', 12) $$,
  'the twin goes on in its place, with its count');
select ok((select run_at > clock_timestamp() + interval '40 s' from recorder.jobs where state = 'queued'), 'and no earlier than it might');

-- The last attempt, and giving up: what it means depends on the kind.
update recorder.jobs set attempts = max_attempts - 1 where state = 'queued';
select pg_temp.again();
select is(tests.finish(j, 'retry', '{"error": {"code": "engine_timeout"}}'), null, 'the last attempt') from job;
select results_eq(
  $$ select status, error ->> 'code', error ->> 'retry' from public.recordings $$, $$ values ('failed', 'engine_timeout', 'later') $$,
  'a start that was tried too often fails its recording, with all four members of an error');
select is((select count(*) from recorder.jobs where state = 'dead' and last_error ->> 'code' = 'engine_timeout')::integer, 1, 'and is dead, with its reason');

-- Giving up a start while a recorder may be running: it is chased.
select tests.wish((select call_id from it), 'starting');
select pg_temp.again();
create temporary table engine as select tests.start_engine((tests.recording_of((select call_id from it))).id) as task_id;
select is(tests.finish(j, 'give_up', '{"error": {"code": "unexpected_error"}}'), null, 'given up after the engine was asked') from job;
select is((tests.recording_of((select call_id from it))).status, 'failed', 'the recording fails');
select ok(superseded and state = 'running', 'what may run is superseded') from recorder.engine_tasks where id = (select task_id from engine);
select is((select count(*) from recorder.jobs where kind = 'repair' and state = 'queued')::integer, 1, 'and stopped');
select recorder_api.report((select task_id from engine), 'task.gone');

-- A start that is given up when the stop is wanted already: the stop goes on until the recorder is gone.
select tests.wish((select call_id from it), 'starting');
delete from job; insert into job select e from jsonb_array_elements(tests.claim()) e where e ->> 'kind' = 'start';
create temporary table engine2 as select tests.start_engine((tests.recording_of((select call_id from it))).id, repeat('2', 32)) as task_id;
select tests.wish((select call_id from it), 'stopping');
select is(tests.finish(j, 'give_up'), null, 'given up while stopping') from job;
select is((tests.recording_of((select call_id from it))).status, 'stopping', 'a recorder that may run is not forgotten');

-- A stop that is given up.
delete from job; insert into job select e from jsonb_array_elements(tests.claim()) e where e ->> 'kind' = 'stop';
select is(tests.finish(j, 'give_up', '{"error": {"code": "engine_unauthorized"}}'), null, 'a stop is given up') from job;
select is((select detail ->> 'error' from public.recording_events where event = 'job.died'), 'engine_unauthorized', 'the story tells');
select recorder.sweep();
select is((select count(*) from recorder.jobs where kind = 'stop' and state = 'queued')::integer, 0, 'the sweep does not begin at once');
update recorder.jobs set finished_at = now() - interval '301 seconds' where state = 'dead' and kind = 'stop';
select recorder.sweep();
select is((select count(*) from recorder.jobs where kind = 'stop' and state = 'queued')::integer, 1, 'but after a pause: a promise to stop never ends');
select * from finish();
rollback;
