begin;
select plan(9);
select tests.people();
create temporary table it as select tests.new_call() as call_id;

select is(tests.wish((select call_id from it), 'starting'), 'starting', 'a wish to start is stored as starting');
select is((tests.recording_of((select call_id from it))).phase, 'queued', 'and a recording waits for a recorder');
select is(tests.wish((select call_id from it), 'starting', 'mentee'), 'starting', 'the other person pressing too changes nothing');
select is((select count(*) from public.recordings)::integer, 1, 'two presses are one recording');
select is(tests.wish((select call_id from it), 'recording'), 'starting', 'the old word for start is the same wish');

create temporary table engine as select tests.start_engine((tests.recording_of((select call_id from it))).id) as task_id;
select is(tests.wish((select call_id from it), 'stopping'), 'stopping', 'a wish to stop is stored as stopping while a start is under way');
select throws_ok(
  $$ select tests.wish((select call_id from it), 'starting') $$, 'RC004', null, 'start while stopping is refused');
select is(tests.wish((select call_id from it), 'stopping'), 'stopping', 'stop again changes nothing');
select is(
  (select count(*) from public.recording_events where event = 'recording.stop_requested')::integer, 1, 'one wish to stop, one line of the story');
select * from finish();
rollback;
