begin;
select plan(13);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
create temporary table step as
  select recorder_api.work('control', 'd0000000-0000-4000-8000-000000000001', '[]', 5) as s;
select is((select jsonb_array_length(s -> 'jobs') from step), 1, 'the start is claimed');
select is((select s #>> '{jobs,0,kind}' from step), 'start', 'it is a start');
select is((select s #>> '{jobs,0,recording,status}' from step), 'starting', 'with what its handler needs');
select is(
  jsonb_array_length(recorder_api.work('control', 'd0000000-0000-4000-8000-000000000002', '[]', 5) -> 'jobs'), 0, 'nobody else gets it');
select is(
  recorder_api.work('control', 'd0000000-0000-4000-8000-000000000003', '[]', 5) ->> 'has_place', 'false', 'a third drain finds no place');
select throws_ok($$ select recorder_api.work('nonsense', gen_random_uuid()) $$, 'RC010', null, 'an unknown lane');
select throws_ok($$ select recorder_api.work(null, gen_random_uuid()) $$, 'RC011', null, 'a missing argument');

select recorder_api.work('control', 'd0000000-0000-4000-8000-000000000001',
  jsonb_build_array(jsonb_build_object('id', s #> '{jobs,0,id}', 'lease', gen_random_uuid(), 'outcome', 'done')), 5) from step;
select is((select state from recorder.jobs where kind = 'start'), 'running', 'a result without the lease changes nothing');

select recorder_api.work('control', 'd0000000-0000-4000-8000-000000000001',
  jsonb_build_array(jsonb_build_object('id', s #> '{jobs,0,id}', 'lease', s #> '{jobs,0,lease}', 'outcome', 'snooze', 'after_ms', 60000)), 5) from step;
select results_eq($$ select state, attempts from recorder.jobs where kind = 'start' $$, $$ values ('queued', 0) $$, 'a snooze is not counted');

update recorder.jobs set run_at = now() where kind = 'start';
create temporary table again as select recorder_api.work('control', 'd0000000-0000-4000-8000-000000000001', '[]', 5) as s;
update recorder.jobs set leased_until = now() - interval '1 second' where kind = 'start';
select recorder.sweep();
select results_eq($$ select state, attempts from recorder.jobs where kind = 'start' $$, $$ values ('queued', 1) $$, 'an expired lease brings the job back');

create temporary table third as select recorder_api.work('control', 'd0000000-0000-4000-8000-000000000001', '[]', 5) as s;
select recorder_api.work('control', 'd0000000-0000-4000-8000-000000000001',
  jsonb_build_array(jsonb_build_object('id', s #> '{jobs,0,id}', 'lease', s #> '{jobs,0,lease}', 'outcome', 'give_up',
    'error', '{"code": "engine_unauthorized", "blame": "configuration", "retry": "never", "message": "m", "detail": "secret"}'::jsonb)), 5) from third;
select is((select state from recorder.jobs where kind = 'start'), 'dead', 'giving up makes a dead job');
select is((tests.recording_of((select call_id from it))).error ->> 'code', 'engine_unauthorized', 'whose reason is on the recording');
select is((tests.recording_of((select call_id from it))).error -> 'detail', null, 'without the detail');
select * from finish();
rollback;
