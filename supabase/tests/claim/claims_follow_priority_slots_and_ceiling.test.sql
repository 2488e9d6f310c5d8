begin;
select plan(46);
select tests.people();
-- Many recordings, each on a channel of its own.
create function pg_temp.recordings(p_count integer, p_status text) returns void
  language sql
as $$
  insert into public.recordings (channel, status, quality, layout, phase, attempt, started_at, stop_requested_at, stop_reason, deadline_at)
  select md5(p_status || n), p_status, '720p', 'best_fit', case when p_status = 'starting' then 'queued' end, 0,
    case when p_status = 'recording' then now() end, case when p_status = 'stopping' then now() end,
    case when p_status = 'stopping' then 'user' end, now() + interval '1 hour'
  from generate_series(1, p_count) n
$$;
select pg_temp.recordings(20, 'starting');
select pg_temp.recordings(20, 'stopping');
select recorder.enqueue('start', id) from public.recordings where status = 'starting';
update recorder.lanes set batch = 100;
-- A thousandth of the speed: what counts in tenths of a second counts in minutes here, so that a busy machine changes no number.
update recorder.settings set value = 1000 * value where name in ('slot_horizon', 'place_rest', 'drain_lease', 'drain_takeover');
update recorder.settings set value = 0.01 where name = 'requests_per_second';
create function pg_temp.step(p_limit integer default 100) returns jsonb language sql as $$
  select recorder_api.work('control', 'd0000000-0000-4000-8000-00000000000d', '[]', p_limit) $$;

-- Slots: 10 in 1000 s, a start takes two, at most 800 s ahead (the last fifth of the horizon belongs to stops).
create temporary table first as select pg_temp.step() as s;
select is((select jsonb_array_length(s -> 'jobs') from first), 5, 'five starts fit into four fifths of the horizon');
select results_eq(
  $$ select (round((j ->> 'wait_ms')::numeric / 1000, -2))::integer from first, jsonb_array_elements(s -> 'jobs') j $$, 'values (0), (200), (400), (600), (800)',
  'each has a slot of its own');
select ok((s ->> 'next_run_in_ms')::integer between 50000 and 210000, 'the drain is told when the next slot comes: ' || (s ->> 'next_run_in_ms')) from first;
select is((select jsonb_array_length(pg_temp.step() -> 'jobs')), 0, 'until then there is none');

-- Stops go first, and find room where starts do not.
select recorder.enqueue('stop', id) from public.recordings where status = 'stopping' order by id limit 1;
create temporary table stops as select pg_temp.step() as s;
select results_eq($$ select j ->> 'kind' from stops, jsonb_array_elements(s -> 'jobs') j $$, $$ values ('stop') $$, 'a stop finds a slot all the same');
select ok((select (s #>> '{jobs,0,wait_ms}')::integer between 900000 and 1000000 from stops), 'within the horizon');
select recorder.enqueue('stop', id) from public.recordings where status = 'stopping';
select pg_temp.step();
select ok((select next_slot_at - clock_timestamp() < interval '1200 s' from recorder.engine_accounts), 'no slot is handed out further ahead than the horizon, even to 19 stops');
update recorder.engine_accounts set next_slot_at = '-infinity';
create temporary table mixed as select pg_temp.step(100) as s;
select is((select count(*) from mixed, jsonb_array_elements(s -> 'jobs') j where j ->> 'kind' = 'start')::integer, 0, 'as long as stops wait, no start gets a slot');
select is((select count(*) from mixed, jsonb_array_elements(s -> 'jobs') j where j ->> 'kind' = 'stop')::integer, 11, 'a horizon full of stops');

-- Priority, and what needs no slot.
update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now();
update recorder.engine_accounts set next_slot_at = '-infinity';
create temporary table one as select id from public.recordings where status = 'recording' union all select (array_agg(id))[1] from public.recordings where status = 'starting';
create temporary table kinds as select unnest(array['heartbeat', 'repair', 'confirm', 'start', 'apply_events', 'stop']) as kind;
select recorder.enqueue(kind, (select id from one)) from kinds;
create temporary table order_of as select pg_temp.step() as s;
select results_eq(
  $$ select j ->> 'kind' from order_of, jsonb_array_elements(s -> 'jobs') j $$,
  $$ values ('apply_events'), ('stop'), ('start'), ('confirm'), ('repair'), ('heartbeat') $$, 'stop > start > confirm > repair > heartbeat');
select is((select j ->> 'wait_ms' from order_of, jsonb_array_elements(s -> 'jobs') j where j ->> 'kind' = 'apply_events'), '0', 'events need no slot');
select is((select s ->> 'next_run_in_ms' from order_of), null, 'nothing is left to wait for');

-- What waits for a slot does not stand in the way of what needs none.
update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now();
update recorder.engine_accounts set next_slot_at = clock_timestamp() + interval '10000 s';
select recorder.enqueue('start', id) from public.recordings where status = 'starting';
select recorder.enqueue('apply_events', (select id from one));
select results_eq(
  $$ select j ->> 'kind' from (select pg_temp.step(1) as s) x, jsonb_array_elements(s -> 'jobs') j $$, $$ values ('apply_events') $$,
  'one place, twenty starts without a slot: the event is claimed');

-- Heartbeats: at most a share of the rate.
update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now();
update recorder.engine_accounts set next_slot_at = '-infinity', next_heartbeat_at = '-infinity';
select recorder.enqueue('heartbeat', id) from public.recordings;
select is((select jsonb_array_length(pg_temp.step() -> 'jobs')), 3, 'three tenths of what others might have');
update recorder.engine_accounts set next_slot_at = '-infinity';
select is((select jsonb_array_length(pg_temp.step() -> 'jobs')), 0, 'no more, though the engine is idle');

-- The ceiling.
update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now();
update recorder.engine_accounts set next_slot_at = '-infinity', requests_per_second = 1000;
update recorder.settings set value = 3 where name = 'concurrent_tasks';
select recorder.enqueue('start', id) from public.recordings where status = 'starting';
create temporary table full_house as select pg_temp.step() as s;
select is((select jsonb_array_length(s -> 'jobs') from full_house), 3, 'three recorders may run: three starts are claimed');
select is((select s ->> 'next_run_in_ms' from full_house), null, 'the others wait for no time, but for a recorder that ends');
select ok(not recorder.has_due_work('control'), 'and nobody is woken for them');
create temporary table started as
select tests.start_engine((j ->> 'recording_id')::uuid, md5(j ->> 'recording_id')) as task_id, j as job
from full_house, jsonb_array_elements(s -> 'jobs') j;
select is(recorder.free_tasks('default'), 0, 'a start that became a task counts once');
select recorder.finish_job(jsonb_build_object('id', job -> 'id', 'lease', job -> 'lease', 'outcome', 'done')) from started;
select is(recorder.free_tasks('default'), 0, 'and goes on counting when its job is done');
select recorder_api.report((select task_id from started limit 1), 'task.gone');
select is(recorder.free_tasks('default'), 0, 'one recorder ends: the engine counts it a moment longer');
create temporary table resting as select pg_temp.step() as s;
select is((select jsonb_array_length(s -> 'jobs') from resting), 0, 'so nobody starts in its place yet');
select ok((select (s ->> 'next_run_in_ms')::integer between 0 and 2000000 from resting), 'but the drain is told when its place is free: ' || (select s ->> 'next_run_in_ms' from resting));
update recorder.engine_tasks set gone_at = gone_at - recorder.seconds('place_rest') where state = 'gone';
select is(recorder.free_tasks('default'), 1, 'then it is');
select ok(recorder.has_due_work('control'), 'now there is work');
select is((select jsonb_array_length(pg_temp.step() -> 'jobs')), 1, 'for one');
update recorder.engine_accounts set concurrent_tasks = 5;
select is((select count(*) from (select pg_temp.step() as s) x, jsonb_array_elements(s -> 'jobs') j where j ->> 'kind' = 'start')::integer, 2, 'an account may have a ceiling of its own');

-- A start that was given up without an answer: its recorder may still come, until it would have shown itself.
create temporary table unheard as
select t.id from recorder.engine_tasks t where t.engine_account = 'default' and t.state = 'running' limit 1;
update recorder.engine_tasks set state = 'requested', sid = null, superseded = true, start_sent_at = clock_timestamp() where id = (select id from unheard);
create temporary table before_limit as select recorder.free_tasks('default') as free;
update recorder.engine_tasks set start_sent_at = clock_timestamp() - recorder.seconds('unheard_start_limit') + interval '60 seconds' where id = (select id from unheard);
select is(recorder.free_tasks('default'), (select free from before_limit), 'a start that nobody heard of has its place for as long as its recorder may come unheard');
update recorder.engine_tasks set start_sent_at = clock_timestamp() - recorder.seconds('unheard_start_limit') where id = (select id from unheard);
select is(recorder.free_tasks('default'), (select free from before_limit) + 1, 'and not until its token ends');
update recorder.engine_tasks set sid = md5('here'), state = 'running' where id = (select id from unheard);
select is(recorder.free_tasks('default'), (select free from before_limit), 'should it show itself after all, it counts again until it is stopped');

-- Two accounts: each has its own rate and its own ceiling.
insert into recorder.engine_accounts (engine_account, concurrent_tasks) values ('second', 1);
select pg_temp.recordings(1, 'recording');
select recorder.enqueue('start', id) from public.recordings where status = 'recording';
select is((select engine_account from recorder.jobs order by id desc limit 1), 'second', 'new work goes to the account with the fewest recorders');
select is((select count(*) from (select pg_temp.step() as s) x, jsonb_array_elements(s -> 'jobs') j where j ->> 'kind' = 'start')::integer, 1, 'whose ceiling is its own');

-- Places and arguments.
select is(recorder_api.work('control', gen_random_uuid()) ->> 'has_place', 'true', 'a second drain finds a place');
select is(recorder_api.work('control', gen_random_uuid()) ->> 'has_place', 'false', 'a third does not');
select ok((recorder_api.work('control', gen_random_uuid()) ->> 'next_run_in_ms')::integer between 50 and 2000100, 'but is told when it would show that one of the two is dead');
update recorder.drains set leased_until = clock_timestamp() + recorder.seconds('drain_lease') - recorder.seconds('drain_takeover') where lane = 'control';
update recorder.drains set leased_until = clock_timestamp() + recorder.seconds('drain_lease') where lane = 'control' and place = 1;
create temporary table heir as select gen_random_uuid() as token;
select is(recorder_api.work('control', token) ->> 'has_place', 'true', 'two workers killed one after the other: the third waits two seconds, not ten') from heir;
select is((select place from recorder.drains where token = (select token from heir)), 2, 'and has the place that was not renewed');
select is(recorder_api.work('control', gen_random_uuid()) ->> 'has_place', 'false', 'the others are alive');
update recorder.drains set leased_until = now() - interval '1 second' where place = 2 and lane = 'control';
select is(recorder_api.work('control', gen_random_uuid()) ->> 'has_place', 'true', 'a drain that died gives its place up after its lease');
select is(jsonb_array_length(recorder_api.work('control', 'd0000000-0000-4000-8000-00000000000d', '[]', -5) -> 'jobs'), 0, 'fewer than none is none');
select is(
  recorder_api.work('control', gen_random_uuid(), '[{"id": 1, "lease": "00000000-0000-4000-8000-000000000000", "outcome": "done"}, {"id": 2}]') -> 'refused',
  '[{"id": 1, "code": "lease_lost"}, {"id": 2, "code": "argument_missing"}]', 'bad results are named, and do not hold up the rest');
select throws_ok($$ select recorder_api.work('control', gen_random_uuid(), '{"id": 1}') $$, 'RC502', null, 'results that are no list');
select throws_ok($$ select recorder_api.work('dreams', gen_random_uuid()) $$, 'RC010', null, 'an unknown lane');
select throws_ok($$ select recorder_api.work(null, gen_random_uuid()) $$, 'RC011', null, 'no lane');
select throws_ok($$ select recorder_api.work('control', null) $$, 'RC011', null, 'no drain');

-- The last sweep is overdue: whoever looks for work sweeps.
update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now() where state <> 'done';
update recorder.sweeps set last_run_at = now() - interval '31 seconds';
update public.recordings set deadline_at = now() - interval '1 second' where status = 'recording';
select recorder_api.work('storage', gen_random_uuid());
select is((select count(*) from public.recordings where status = 'recording')::integer, 0, 'an overdue sweep is run by a worker');
select * from finish();
rollback;
