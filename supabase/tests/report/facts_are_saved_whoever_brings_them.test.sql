begin;
select plan(36);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
create temporary table r as select (tests.recording_of((select call_id from it))).id;
create function pg_temp.r() returns public.recordings language sql as $$ select x from public.recordings x where id = (select id from r) $$;
create function pg_temp.begin_one() returns uuid language sql as $$
  select (recorder_api.begin_attempt((select id from r), now() + interval '1 day') ->> 'id')::uuid $$;
create temporary table one as select pg_temp.begin_one() as id;
create function pg_temp.task() returns recorder.engine_tasks language sql as $$ select t from recorder.engine_tasks t where id = (select id from one) $$;
create function pg_temp.tell(p_event text, p_facts jsonb default '{}') returns jsonb language sql as $$
  select recorder_api.report((select id from one), p_event, p_facts) $$;

-- In order, each twice.
select is(pg_temp.tell('task.acquired', '{"resource_id": "res", "request": {"a": 1}}') ->> 'status', 'starting', 'acquired');
select is((pg_temp.r()).phase, 'requested', 'a recorder is asked');
update public.recordings set deadline_at = '2100-01-01';
select pg_temp.tell('task.acquired', '{"resource_id": "other"}');
select is((pg_temp.r()).deadline_at, '2100-01-01'::timestamptz, 'told twice, the time it has is not given again');
select is((pg_temp.task()).resource_id, 'res', 'and the first id stays');
select pg_temp.tell('task.started', '{"sid": "sid"}');
select is((pg_temp.task()).state, 'running', 'started');
select is((select count(*) from recorder.jobs where kind = 'confirm' and run_at between now() + interval '5 s' and clock_timestamp() + interval '5 s')::integer, 1, 'the engine is asked in 5 s');
select pg_temp.tell('task.confirmed', '{"started_at": "2026-11-22T10:00:00Z"}');
select results_eq('select (pg_temp.r()).status, (pg_temp.r()).started_at', $$ values ('recording', '2026-11-22T10:00:00Z'::timestamptz) $$, 'confirmed, with the engine''s own time');
select pg_temp.tell('task.confirmed', '{"started_at": "2026-11-22T11:00:00Z"}');
select is((pg_temp.task()).started_at, '2026-11-22T10:00:00Z'::timestamptz, 'a repeated event does not change the time');
select is((select count(*) from public.recording_events where event = 'engine.recorder_started')::integer, 1, 'nor tell the story twice');
update recorder.engine_tasks set last_seen_at = '2020-01-01';
select pg_temp.tell('task.suspected');
select isnt((pg_temp.task()).suspect_since, null, 'suspected');
select pg_temp.tell('task.seen');
select results_eq('select (pg_temp.task()).suspect_since is null, (pg_temp.task()).last_seen_at > now() - interval ''1 minute''', 'values (true, true)', 'seen: no suspicion is left');
select pg_temp.tell('task.lost');
select is((pg_temp.r()).status, 'recording', 'one that has shown itself is not lost for want of an answer');
select pg_temp.tell('task.left', '{"left_at": "2026-11-22T12:00:00Z"}');
select pg_temp.tell('task.left', '{"left_at": "2026-11-22T13:00:00Z"}');
select is((pg_temp.task()).left_at, '2026-11-22T12:00:00Z'::timestamptz, 'it left, once');
select is((select count(*) from public.recording_events where event = 'engine.recorder_left')::integer, 1, 'told once');
select pg_temp.tell('task.gone', '{"files": [{"fileName": "a.m3u8"}]}');
select results_eq('select (pg_temp.r()).status, (pg_temp.r()).stopped_at', $$ values ('processing', '2026-11-22T12:00:00Z'::timestamptz) $$, 'gone by itself, when it left');
create temporary table before as select tests.fingerprint() as mark;
select pg_temp.tell('task.gone');
select pg_temp.tell('task.suspected');
select pg_temp.tell('task.acquired', '{"resource_id": "late"}');
select pg_temp.tell('task.lost', '{"is_certain": true}');
select is(tests.fingerprint(), mark, 'gone is gone: what comes late or again changes nothing') from before;
select pg_temp.tell('task.started', '{"sid": "sid"}');
select is((pg_temp.task()).state, 'gone', 'a late word of its start does not wake the dead');

-- Files that come late.
select recorder_api.files_failed((select id from r), 'files.missing');
select pg_temp.tell('task.files', '{"files": []}');
select is((pg_temp.r()).status, 'failed', 'no files are no news');
select pg_temp.tell('task.files', '{"files": [{"fileName": "b.m3u8"}]}');
select results_eq('select (pg_temp.r()).status, (pg_temp.r()).error is null, (pg_temp.r()).deadline_at > now()', $$ values ('processing', true, true) $$, 'files that come late are looked for again');
select recorder_api.files_failed((select id from r), 'files.empty');

-- Attempts: an old one is deaf, and a late sid of it is saved and stopped.
select tests.wish((select call_id from it), 'starting');
delete from r; insert into r select (tests.recording_of((select call_id from it))).id;
delete from one; insert into one select pg_temp.begin_one();
select pg_temp.tell('task.acquired', '{"resource_id": "res-1"}');
select pg_temp.tell('task.lost', '{"error": {"code": "engine_timeout", "blame": "engine", "retry": "later", "message": "m"}}');
select results_eq('select (pg_temp.r()).status, (pg_temp.r()).phase', $$ values ('starting', 'queued') $$, 'lost: a fresh one is tried');
select is((select detail ->> 'error' from public.recording_events where event = 'engine.attempt_lost'), 'engine_timeout', 'the story says why');
select is((pg_temp.task()).state, 'requested', 'the old one may still come up');
create temporary table newer as select pg_temp.begin_one() as id;
update recorder.jobs set state = 'done', finished_at = now() where state = 'queued';
select pg_temp.tell('task.started', '{"sid": "late"}');
select results_eq('select (pg_temp.task()).sid, (pg_temp.task()).superseded', $$ values ('late', true) $$, 'a late sid is saved with its attempt');
select is((select count(*) from recorder.jobs where kind = 'stop' and state = 'queued')::integer, 1, 'and the superseded recorder is stopped');
select pg_temp.tell('task.confirmed');
select is((pg_temp.r()).status, 'starting', 'it does not speak for the recording any more');
select pg_temp.tell('task.gone');
select is((pg_temp.r()).status, 'starting', 'nor does its end');

-- One that was given up for certain and shows itself all the same.
select recorder_api.report((select id from newer), 'task.acquired', '{"resource_id": "res-2"}');
select recorder_api.report((select id from newer), 'task.lost', '{"is_certain": true}');
update recorder.jobs set state = 'done', finished_at = now() where state = 'queued';
select recorder_api.report((select id from newer), 'task.started', '{"sid": "undead"}');
select results_eq(
  $$ select state, superseded from recorder.engine_tasks where id = (select id from newer) $$, $$ values ('running', true) $$,
  'a recorder that was given up and shows itself is there');
select is((select count(*) from recorder.jobs where kind = 'stop' and state = 'queued')::integer, 1, 'and is stopped');
select is((pg_temp.r()).phase, 'queued', 'the recording waits for its third');

-- Refusals.
update before set mark = tests.fingerprint();
select throws_ok($$ select recorder_api.report(gen_random_uuid(), 'task.seen') $$, 'RC013', null, 'an unknown task');
select throws_ok($$ select recorder_api.report(null, 'task.seen') $$, 'RC011', null, 'no task');
select throws_ok($$ select pg_temp.tell('task.exploded') $$, 'RC014', null, 'an unknown event');
select throws_ok($$ select pg_temp.tell('task.started') $$, 'RC011', null, 'a start without its sid');
select throws_ok($$ select pg_temp.tell('task.started', '{"sid": "another"}') $$, 'RC503', null, 'another sid for the same task');
select throws_ok($$ select pg_temp.tell('task.left', '{"left_at": "yesterday, about noon"}') $$, 'RC502', null, 'a time that is none');
select is(tests.fingerprint(), mark, 'all refused, nothing changed') from before;
select * from finish();
rollback;
