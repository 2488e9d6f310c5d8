begin;
select plan(21);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
create temporary table task as
  select (recorder_api.begin_attempt((tests.recording_of((select call_id from it))).id, now() + interval '1 day') ->> 'id')::uuid as id;
create function pg_temp.t() returns recorder.engine_tasks language sql as $$ select x from recorder.engine_tasks x where id = (select id from task) $$;
create function pg_temp.receive(p_notice text, p_sid text, p_knows_channel boolean default false, p_is_life boolean default false) returns jsonb
  language sql as $$
  select recorder_api.receive_event(p_notice, 40, p_sid, case when p_knows_channel then (pg_temp.t()).channel end,
    case when p_knows_channel then (pg_temp.t()).uid end, p_is_life, '{"payload": {"sequence": 1}}') $$;

select is(pg_temp.receive('n1', 'sid'), '{"is_known": false, "is_stored": true}', 'what comes before its task is known is kept');
select is(pg_temp.receive('n1', 'sid'), '{"is_known": false, "is_stored": false}', 'once');
select is(pg_temp.receive('n2', 'other', true), '{"is_known": false, "is_stored": true}', 'a task that was never sent is nobody''s');
select recorder_api.report((select id from task), 'task.acquired', '{"resource_id": "res"}');

select is(pg_temp.receive('n3', 'sid', true), '{"is_known": true, "is_stored": true}', 'by channel and uid, while the answer to start is out');
select results_eq('select (pg_temp.t()).sid, (pg_temp.t()).state', $$ values ('sid', 'running') $$, 'the engine names its task itself');
select is((select count(*) from recorder.inbox where engine_task_id = (select id from task))::integer, 2, 'what waited under the sid has found its task');
select is((select count(*) from recorder.jobs where kind = 'apply_events' and state = 'queued')::integer, 1, 'all that is one job');
select is(
  jsonb_array_length((select recorder.job_context(j) -> 'events' from recorder.jobs j where kind = 'apply_events')), 2, 'which is given both');
select is(recorder_api.mark_applied(array['n1', 'n3', 'nobody''s']), 2, 'two of three ids are marked');
select is(recorder_api.mark_applied(array['n1', 'n3']), 0, 'once');
select is(jsonb_array_length((select recorder.job_context(j) -> 'events' from recorder.jobs j where kind = 'apply_events')), 0, 'and not again');

update recorder.jobs set state = 'done', finished_at = now() where state = 'queued';
select is(pg_temp.receive('n3', 'sid'), '{"is_known": true, "is_stored": false}', 'the same again: known, and no news');
select is((select count(*) from recorder.jobs where state = 'queued')::integer, 0, 'no work comes of it');

update recorder.engine_tasks set last_seen_at = now() - interval '1 hour', suspect_since = now();
select pg_temp.receive('n4', 'sid', false, true);
select results_eq('select (pg_temp.t()).suspect_since is null, (pg_temp.t()).last_seen_at > now() - interval ''1 minute''', 'values (true, true)', 'a sign of life freshens the task');
select is((select count(*) from recorder.inbox where notice_id = 'n4')::integer, 0, 'and is not kept');
select is(pg_temp.receive('n5', 'unheard of', false, true), '{"is_known": false, "is_stored": false}', 'nor is one of a task that nobody knows');
select is((select count(*) from recorder.inbox where notice_id = 'n5')::integer, 0, 'which would never find it');

select throws_ok($$ select pg_temp.receive(null, 'sid') $$, 'RC011', null, 'no id');
select throws_ok($$ select recorder_api.receive_event('n', null, 's', 'c', 'u', false, '{}') $$, 'RC011', null, 'no type');
select throws_ok($$ select recorder_api.receive_event('n', 1, 's', 'c', 'u', false, null) $$, 'RC011', null, 'no event');
select throws_ok($$ select recorder_api.mark_applied(null) $$, 'RC011', null, 'no ids to mark');
select * from finish();
rollback;
