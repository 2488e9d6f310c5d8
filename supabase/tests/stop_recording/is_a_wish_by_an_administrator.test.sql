begin;
select plan(12);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
create temporary table first as select (tests.recording_of((select call_id from it))).id;
grant select on it, first to recorder_admin;
select tests.act_as_recorder_admin();
select is(recorder.stop_recording((select id from first)), 'failed', 'what still waits for a recorder ends at once');
select is(recorder.stop_recording((select id from first)), 'failed', 'and stays so');
select tests.act_as_administrator();
select results_eq($$ select status, error ->> 'code', stop_reason from public.recordings $$,
  $$ values ('failed', 'stopped_before_start', 'administrator') $$, 'with the reason');

create temporary table second as select tests.engine_at_work((select call_id from it)) as id;
create temporary table events as select count(*) as n from public.recording_events;
grant select on second to recorder_admin;
select tests.act_as_recorder_admin();
select is(recorder.stop_recording((select id from second)), 'stopping', 'a running recorder is told to stop');
select is(recorder.stop_recording((select id from second)), 'stopping', 'twice is the same');
select tests.act_as_administrator();
select is((select count(*) from recorder.jobs where kind = 'stop' and state = 'queued')::integer, 1, 'by one stop job');
select is((select recording_status from public.video_calls), 'stopping', 'the call follows');
select is((select count(*) from public.recording_events)::integer, (select n::integer + 1 from events), 'one line in the story');
select results_eq($$ select actor, event, detail ->> 'reason' from public.recording_events order by id desc limit 1 $$,
  $$ values ('administrator', 'recording.stop_requested', 'administrator') $$, 'which says who did it');
select tests.act_as_recorder_admin();
select throws_ok($$ select recorder.stop_recording(null) $$, 'RC011', null, 'null is refused');
select throws_ok($$ select recorder.stop_recording(gen_random_uuid()) $$, 'RC012', null, 'an unknown id is refused');
select tests.act_as('service_role');
select throws_ok($$ select recorder.stop_recording('33000000-0000-4000-8000-000000000001') $$, '42501', null, 'the service key may not');
select * from finish();
rollback;
