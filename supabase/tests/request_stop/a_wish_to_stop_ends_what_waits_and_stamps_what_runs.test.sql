begin;
select plan(14);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create function pg_temp.r() returns public.recordings language sql as $$ select (tests.recording_of((select call_id from it))) $$;
select tests.wish((select call_id from it), 'starting');
create temporary table first as select (pg_temp.r()).id;

select throws_ok($$ select recorder.request_stop(null, 'user', 'user') $$, 'RC011', null, 'no recording');
select throws_ok($$ select recorder.request_stop((select id from first), null, 'user') $$, 'RC011', null, 'no reason');
select throws_ok($$ select recorder.request_stop(gen_random_uuid(), 'user', 'user') $$, 'RC012', null, 'an unknown recording');
select throws_ok($$ select recorder.request_stop((select id from first), 'whim', 'user') $$, '23514', null, 'a reason that is none');

-- Written down, not sent: nothing has to be stopped.
select recorder_api.begin_attempt((select id from first), now() + interval '1 day');
select is(recorder.request_stop((select id from first), 'administrator', 'administrator'), true, 'what waits ends at once');
select results_eq(
  $$ select (pg_temp.r()).status, (pg_temp.r()).stop_reason, (pg_temp.r()).error ->> 'code' $$,
  $$ values ('failed', 'administrator', 'stopped_before_start') $$, 'with reason and error');
select is(recorder.request_stop((select id from first), 'user', 'user'), false, 'once');
-- The caller lets the calls follow; here any write of them does.
update public.video_calls set participants = '[]';

-- An attempt that may have come up, then phase queued again: that one has to be stopped.
select tests.wish((select call_id from it), 'starting');
create temporary table task as select tests.start_engine((pg_temp.r()).id) as id;
update public.recordings set deadline_at = now() - interval '1 second' where status = 'starting';
select recorder.sweep();
select is((pg_temp.r()).phase, 'queued', 'it waits for another recorder');
select is(recorder.request_stop((pg_temp.r()).id, 'user', 'user'), true, 'a wish to stop');
select is((pg_temp.r()).status, 'stopping', 'does not end what may be running');
create temporary table stamp as select (pg_temp.r()).stop_requested_at as at;
select is(recorder.request_stop((pg_temp.r()).id, 'limit', 'system'), false, 'another one');
select results_eq('select (pg_temp.r()).stop_requested_at, (pg_temp.r()).stop_reason', $$ select at, 'user' from stamp $$, 'changes neither time nor reason');
select recorder_api.report((select id from task), 'task.gone');
select is((pg_temp.r()).status, 'processing', 'when it is gone, what it made is looked for');
select is(recorder.request_stop((pg_temp.r()).id, 'user', 'user'), false, 'then there is nothing to stop');
select * from finish();
rollback;
