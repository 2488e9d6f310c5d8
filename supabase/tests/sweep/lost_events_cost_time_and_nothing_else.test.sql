-- Every bound of the repair, with rows that are moved back in time: silence 150 s, suspicion 90 s, a lost answer 15 s, an orphan one sweep.
begin;
select plan(33);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create function pg_temp.r() returns public.recordings language sql as $$ select tests.recording_of((select call_id from it)) $$;
create function pg_temp.all_done() returns void language sql as $$
  update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now() where state in ('queued', 'running') $$;
create function pg_temp.waiting(p_kind text) returns integer language sql as $$
  select count(*)::integer from recorder.jobs where kind = p_kind and state = 'queued' $$;
create function pg_temp.end_it() returns void language plpgsql as $$
begin
  perform tests.wish((select call_id from it), 'stopping');
  perform recorder_api.report(t.id, 'task.gone') from recorder.engine_tasks t where t.recording_id = (pg_temp.r()).id and t.state <> 'gone';
  perform recorder_api.files_failed((pg_temp.r()).id, 'files.missing');
  perform pg_temp.all_done();
end $$;

-- Silence: 150 s, then a question; suspicion: 90 s, then the conclusion.
create temporary table rec as select tests.engine_at_work((select call_id from it), repeat('1', 32)) as id;
create temporary table task as select id from recorder.engine_tasks;
select pg_temp.all_done();
update recorder.engine_tasks set last_seen_at = clock_timestamp() - interval '120 seconds';
select recorder.sweep();
select is(pg_temp.waiting('heartbeat'), 0, 'silent for 120 s: nobody is asked');
update recorder.engine_tasks set last_seen_at = clock_timestamp() - interval '150.1 seconds';
select recorder.sweep();
select is(pg_temp.waiting('heartbeat'), 1, 'silent for 150 s: the next sweep has the engine asked');
select recorder.sweep();
select is(pg_temp.waiting('heartbeat'), 1, 'once');
select recorder_api.report(id, 'task.suspected') from task;
create temporary table suspected as select suspect_since from recorder.engine_tasks;
select recorder_api.report(id, 'task.suspected') from task;
select results_eq('select suspect_since from recorder.engine_tasks', 'select suspect_since from suspected', 'suspicion counts from the first 404');
select is(recorder.setting('death_after')::integer, 90, 'for 90 s');
select recorder_api.report(id, 'task.seen') from task;
select is((select suspect_since from recorder.engine_tasks), null, 'a sign of life ends it');
select recorder_api.report(id, 'task.suspected') from task;
select recorder_api.receive_event('life', 33, repeat('1', 32), null, null, true, '{}');
select is((select suspect_since from recorder.engine_tasks), null, 'as does an event of mere life');
select is((pg_temp.r()).status, 'recording', 'nothing of all this ended the recording');
select recorder_api.report(id, 'task.gone') from task;
select is((pg_temp.r()).status, 'processing', 'the conclusion does');
select recorder_api.files_failed((pg_temp.r()).id, 'files.missing');
select pg_temp.all_done();

-- A running task without a live recording: one sweep.
update recorder.engine_tasks set state = 'running', gone_at = null, last_seen_at = clock_timestamp();
select is((recorder.sweep() ->> 'orphan_tasks')::integer, 1, 'a recorder that nobody wants is found by the next sweep');
select results_eq($$ select engine_task_id from recorder.jobs where kind = 'repair' and state = 'queued' $$, 'select id from task', 'and stopped');
select is((recorder.sweep() ->> 'orphan_tasks')::integer, 0, 'by one job');
select ok((select max_attempts >= 10000 from recorder.job_kinds where kind = 'repair') and recorder.setting('retry_longest_delay') <= 60000,
  'which asks at least once a minute: with a known sid an orphan lives five minutes at most');
update recorder.jobs set state = 'dead', finished_at = clock_timestamp() - interval '301 seconds', last_error = recorder.error_of('unexpected_error') where kind = 'repair' and state = 'queued';
select is((recorder.sweep() ->> 'orphan_tasks')::integer, 1, 'also where that was given up five minutes ago');
select recorder_api.report(id, 'task.gone') from task;
select pg_temp.all_done();

-- Two orphans of one recording: each has its own stop.
select tests.wish((select call_id from it), 'starting');
create temporary table first as select tests.start_engine((pg_temp.r()).id, repeat('2', 32)) as id;
select recorder_api.report(id, 'task.lost', '{"is_certain": false}') from first;
update recorder.engine_tasks set superseded = true where id = (select id from first);
update public.recordings set status = 'starting', phase = 'queued', deadline_at = now() + interval '1 minute' where id = (pg_temp.r()).id;
create temporary table second as select tests.start_engine((pg_temp.r()).id, repeat('3', 32)) as id;
select pg_temp.all_done();
select recorder.sweep();
select results_eq($$ select kind, engine_task_id from recorder.jobs where state = 'queued' and kind in ('stop', 'repair') $$, $$ select 'repair', id from first $$, 'a superseded recorder is stopped beside the one that is wanted');
select tests.wish((select call_id from it), 'stopping');
select results_eq($$ select kind, engine_task_id from recorder.jobs where state = 'queued' and kind in ('stop', 'repair') order by kind, engine_task_id = (select id from second) $$,
  $$ select 'repair', id from first union all (select 'stop', id from (select id, 1 as n from first union all select id, 2 from second) s order by n) $$, 'a wish to stop asks for the end of both');
select pg_temp.end_it();

-- A start whose sender died with the answer: 15 s.
select tests.wish((select call_id from it), 'starting');
create temporary table lost as select (recorder_api.begin_attempt((pg_temp.r()).id, now() + interval '1 day') ->> 'id')::uuid as id;
select recorder_api.report(id, 'task.acquired', '{"resource_id": "lost"}') from lost;
update recorder.engine_tasks set start_sent_at = clock_timestamp() - interval '5 seconds' where id = (select id from lost);
select recorder.sweep();
select is(pg_temp.waiting('start_again'), 0, 'whoever sent a start 5 s ago may still be listening');
update recorder.engine_tasks set start_sent_at = clock_timestamp() - interval '16 seconds' where id = (select id from lost);
select is((recorder.sweep() ->> 'unanswered_starts')::integer, 1, 'after 15 s it is sent again');
select is((recorder.sweep() ->> 'unanswered_starts')::integer, 0, 'by one job');
select pg_temp.all_done();
select recorder_api.report(id, 'task.unanswered', '{"may_run": true, "look": true}') from lost;
select is((recorder.sweep() ->> 'unanswered_starts')::integer, 0, 'one that is looked for in the bucket is not sent again');

-- The attempt's time is over: nobody knows whether it runs.
update public.recordings set deadline_at = now() - interval '1 second' where id = (pg_temp.r()).id;
select recorder.sweep();
select results_eq($$ select t.superseded, t.state from recorder.engine_tasks t where t.id = (select id from lost) $$, $$ values (true, 'requested') $$, 'given up, not forgotten');
select recorder.sweep();
select is((select count(*) from recorder.jobs where kind = 'repair' and state = 'queued' and engine_task_id = (select id from lost))::integer, 1, 'it is looked for, to be stopped');
select is((pg_temp.r()).phase, 'queued', 'while a fresh one is tried');
-- Its file tells the sid.
select pg_temp.all_done();
select recorder_api.report(id, 'task.started', jsonb_build_object('sid', repeat('4', 32))) from lost;
select is((select count(*) from recorder.jobs where kind = 'stop' and state = 'queued' and engine_task_id = (select id from lost))::integer, 1, 'found, it is stopped');
select recorder_api.report(id, 'task.gone') from lost;
-- A clear no before the time was over leaves nothing to look for.
create temporary table refused as select (recorder_api.begin_attempt((pg_temp.r()).id, now() + interval '1 day') ->> 'id')::uuid as id;
select recorder_api.report(id, 'task.acquired', '{"resource_id": "refused"}') from refused;
select recorder_api.report(id, 'task.unanswered', '{"may_run": false}') from refused;
update public.recordings set deadline_at = now() - interval '1 second' where id = (pg_temp.r()).id;
select recorder.sweep();
select is((select state from recorder.engine_tasks where id = (select id from refused)), 'gone', 'a start that was clearly refused is gone when its time is over');
select pg_temp.end_it();

-- A live recording without a task is repaired or ends with its reason.
create temporary table bare as select tests.engine_at_work((select call_id from it), repeat('5', 32)) as id;
update recorder.engine_tasks set state = 'gone', gone_at = now() where recording_id = (select id from bare);
select is((recorder.sweep() ->> 'forgotten_jobs')::integer, 1, 'a recording that records without a recorder');
select is((pg_temp.r()).status, 'processing', 'is over, and its files are looked for');
select recorder_api.files_failed((pg_temp.r()).id, 'files.missing');
select pg_temp.all_done();
select tests.wish((select call_id from it), 'starting');
create temporary table vanished as select tests.start_engine((pg_temp.r()).id, repeat('6', 32)) as id;
update recorder.engine_tasks set state = 'gone', gone_at = now() where id = (select id from vanished);
select recorder.sweep();
select results_eq('select (pg_temp.r()).phase, (pg_temp.r()).attempt', $$ values ('queued', 1) $$, 'one that starts without a recorder tries a fresh one, before its time is over');
select is(pg_temp.waiting('start'), 1, 'at once');
create temporary table third_try as select tests.start_engine((pg_temp.r()).id, repeat('7', 32)) as id;
update recorder.engine_tasks set attempt = 3, state = 'gone', gone_at = now(), error = recorder.error_of('engine_start_failed') || '{"code": "engine_token_invalid", "retry": "never"}', failed_at = now()
where id = (select id from third_try);
select recorder.sweep();
select results_eq('select (pg_temp.r()).status, (pg_temp.r()).error ->> ''code''', $$ values ('failed', 'engine_token_invalid') $$, 'or fails, with the reason that is known');

-- The ends that nobody wishes: too long, call over, engine idle.
create temporary table endless as select tests.engine_at_work((select call_id from it), repeat('8', 32)) as id;
select is(extract(epoch from (pg_temp.r()).deadline_at - (pg_temp.r()).started_at)::integer, 21600, 'a recording has six hours');
update public.recordings set deadline_at = now() - interval '1 second' where id = (pg_temp.r()).id;
select recorder.sweep();
select results_eq('select (pg_temp.r()).status, (pg_temp.r()).stop_reason', $$ values ('stopping', 'limit') $$, 'then it is stopped');
select is(pg_temp.waiting('stop'), 1, 'for real');
select * from finish();
rollback;
