begin;
select plan(17);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
create temporary table r as select (tests.recording_of((select call_id from it))).id;
create function pg_temp.begin_one(p_hours integer default 24) returns jsonb language sql as $$
  select recorder_api.begin_attempt((select id from r), now() + make_interval(hours => p_hours)) $$;

create temporary table first as select pg_temp.begin_one() as t;
select is((select t -> 'attempt' from first), '1', 'the first attempt');
select results_eq(
  'select state, sid is null, start_sent_at is null from recorder.engine_tasks', $$ values ('preparing', true, true) $$, 'is written down');
select ok((t ->> 'uid')::bigint between 4000000000 and 4294967295, 'with a uid of its own range') from first;
select is(pg_temp.begin_one(30) ->> 'id', t ->> 'id', 'asked again before it was sent: the same') from first;
select is((select token_expires_at from recorder.engine_tasks), now() + interval '30 hours', 'whose token lives as long as the last one made');
select recorder_api.report((t ->> 'id')::uuid, 'task.acquired', '{"resource_id": "one"}') from first;
select is(pg_temp.begin_one(), null, 'one that may be running is never asked twice');

select recorder_api.report((t ->> 'id')::uuid, 'task.lost', '{}') from first;
create temporary table second as select pg_temp.begin_one() as t;
select is((select t -> 'attempt' from second), '2', 'when it is lost there is another attempt');
select isnt((select t ->> 'uid' from second), (select t ->> 'uid' from first), 'with another uid');
select is((select attempt from public.recordings), 1, 'the recording counts what was sent');
select recorder_api.report((t ->> 'id')::uuid, 'task.acquired', '{"resource_id": "two"}') from second;
select is((select attempt from public.recordings), 2, 'and now the second');

-- A task that was written down and superseded is not used again.
update public.recordings set deadline_at = now() - interval '1 second';
select recorder.sweep();
create temporary table third as select pg_temp.begin_one() as t;
update recorder.engine_tasks set superseded = true where id = (select (t ->> 'id')::uuid from third);
select is((select pg_temp.begin_one() -> 'attempt'), '4', 'a superseded one is not used again');

select tests.wish((select call_id from it), 'stopping');
select is(pg_temp.begin_one(), null, 'after a wish to stop nothing is begun');
select recorder.sweep();
select is((select count(*) from recorder.engine_tasks where state = 'preparing')::integer, 0, 'and what was never sent is gone');

select throws_ok($$ select recorder_api.begin_attempt(gen_random_uuid(), now()) $$, 'RC012', null, 'an unknown recording');
select throws_ok($$ select recorder_api.begin_attempt(null, now()) $$, 'RC011', null, 'no recording');
select throws_ok($$ select recorder_api.begin_attempt((select id from r), null) $$, 'RC011', null, 'no end of the token');
select is((select count(*) from public.recording_events where event = 'recording.requested')::integer, 1, 'one story all along');
select * from finish();
rollback;
