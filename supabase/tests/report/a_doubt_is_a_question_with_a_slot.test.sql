-- Bad news of the engine is saved and asked about; its own words about the end are the reason that people read.
begin;
select plan(18);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create function pg_temp.r() returns public.recordings language sql as $$ select tests.recording_of((select call_id from it)) $$;
create function pg_temp.questions() returns integer language sql as $$
  select count(*)::integer from recorder.jobs j join recorder.job_kinds k using (kind)
  where j.kind = 'confirm' and j.state = 'queued' and j.run_at <= clock_timestamp() and k.engine_requests = 1 $$;
create function pg_temp.all_done() returns void language sql as $$
  update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now() where state in ('queued', 'running') $$;
create function pg_temp.refused() returns jsonb language sql as $$
  select '{"error": {"code": "engine_storage_refused", "blame": "configuration", "retry": "never", "message": "The recorder could not use the storage.", "detail": "secret"}}'::jsonb $$;
select tests.wish((select call_id from it), 'starting');
create temporary table task as select tests.start_engine((pg_temp.r()).id) as id;
create function pg_temp.tell(p_event text, p_facts jsonb default '{}') returns jsonb language sql as $$
  select recorder_api.report((select id from task), p_event, p_facts) $$;
select tests.confirm_engine((select id from task));
select pg_temp.all_done();

select pg_temp.tell('task.doubted');
select is(pg_temp.questions(), 1, 'a session that ended is asked about');
select pg_temp.tell('task.left', '{"left_at": "2026-11-22T18:00:00Z", "reasons": ["no_users"]}');
select is(pg_temp.questions(), 1, 'with a recorder that left: one question for both');
select is((select e.detail -> 'reasons' from public.recording_events e where e.event = 'engine.recorder_left'), '["no_users"]', 'the story says that nobody was there any more');
select pg_temp.all_done();

select pg_temp.tell('task.doubted', pg_temp.refused());
select is(pg_temp.questions(), 1, 'a fatal error is asked about');
select results_eq('select error ->> ''code'', error ? ''detail'', failed_at is not null from recorder.engine_tasks', $$ values ('engine_storage_refused', false, true) $$, 'and kept, without what is not for people');
create temporary table failed as select failed_at from recorder.engine_tasks;
select pg_temp.tell('task.doubted', '{"error": {"code": "engine_task_failed", "blame": "engine", "retry": "now", "message": "m"}}');
select results_eq('select error ->> ''code'', failed_at from recorder.engine_tasks', $$ select 'engine_storage_refused', failed_at from failed $$, 'the first error is the reason, whatever follows from it');
select pg_temp.tell('task.seen', '{"is_refuted": true}');
select is((select num_nonnulls(error, failed_at) from recorder.engine_tasks), 0, 'one that lives on had no such end');

-- It is its end.
select pg_temp.tell('task.doubted', pg_temp.refused());
select pg_temp.tell('task.gone');
select is((pg_temp.r()).status, 'processing', 'gone: the files are looked for');
select is((select recorder.job_context(j) #>> '{tasks,0,error,code}' from recorder.jobs j where j.kind = 'collect' and j.state = 'queued'), 'engine_storage_refused', 'by somebody who knows why there may be none');
select pg_temp.all_done();
select pg_temp.tell('task.doubted');
select is(pg_temp.questions(), 0, 'one that is gone is not asked about');
select recorder_api.files_failed((pg_temp.r()).id, 'files.missing');
select results_eq('select (pg_temp.r()).error ->> ''code'', (pg_temp.r()).error ->> ''blame'', (pg_temp.r()).error ? ''detail''', $$ values ('engine_storage_refused', 'configuration', false) $$,
  'no files: the reason is the engine''s, not that nobody sent anything');

-- While it starts: the reason of the failed attempt.
select tests.wish((select call_id from it), 'starting');
create temporary table second as select tests.start_engine((pg_temp.r()).id, repeat('b', 32)) as id;
select recorder_api.report(id, 'task.doubted', pg_temp.refused()) from second;
select recorder_api.report(id, 'task.gone') from second;
select results_eq('select (pg_temp.r()).status, (pg_temp.r()).error ->> ''code''', $$ values ('failed', 'engine_storage_refused') $$, 'what no fresh recorder can mend ends the start');
select is((pg_temp.r()).attempt, 1, 'at the first attempt');

-- Nobody wants it: its stop asks.
select tests.wish((select call_id from it), 'starting');
create temporary table third as select tests.start_engine((pg_temp.r()).id, repeat('c', 32)) as id;
select tests.wish((select call_id from it), 'stopping');
select pg_temp.all_done();
select recorder_api.report(id, 'task.doubted', pg_temp.refused()) from third;
select is(pg_temp.questions(), 0, 'a task that is being stopped is not asked about');
select is((select t.error ->> 'code' from recorder.engine_tasks t join third using (id)), 'engine_storage_refused', 'but its reason is kept');
select recorder_api.report(id, 'task.gone') from third;
select recorder_api.files_failed((pg_temp.r()).id, 'files.empty');
select is((pg_temp.r()).error ->> 'code', 'engine_storage_refused', 'and told');

-- Stopped while the recorder was on its way.
select tests.wish((select call_id from it), 'starting');
create temporary table fourth as select tests.start_engine((pg_temp.r()).id, repeat('d', 32)) as id;
select tests.wish((select call_id from it), 'stopping');
select recorder_api.report(id, 'task.gone', '{"is_empty": true}') from fourth;
select recorder_api.files_failed((pg_temp.r()).id, 'files.empty');
select results_eq('select (pg_temp.r()).error ->> ''code'', (pg_temp.r()).error ->> ''blame''', $$ values ('stopped_before_start', 'user') $$, 'stopped before the recorder was there: nobody is told that they sent nothing');
select tests.wish((select call_id from it), 'starting');
create temporary table fifth as select tests.start_engine((pg_temp.r()).id, repeat('e', 32)) as id;
select tests.confirm_engine(id) from fifth;
select tests.wish((select call_id from it), 'stopping');
select recorder_api.report(id, 'task.gone', '{"is_empty": true}') from fifth;
select recorder_api.files_failed((pg_temp.r()).id, 'files.empty');
select is((pg_temp.r()).error ->> 'code', 'nothing_recorded', 'where it was there, nothing was sent');
select * from finish();
rollback;
