begin;
select plan(16);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.failed_recording(call_id) as id from it;

select ok((select expires_at = finished_at + interval '365 days' from public.recordings), 'a recording that failed after a recorder was asked expires as the policy says');
select tests.wish(call_id, 'starting') from it;
select tests.wish(call_id, 'stopping') from it;
select is((select expires_at from public.recordings where error ->> 'code' = 'stopped_before_start'), null, 'one for which nobody was asked has nothing to expire');

select recorder.retry_recording((select id from r));
select is((select expires_at from public.recordings where id = (select id from r)), null, 'tried again it has no expiry');
select is(recorder_api.begin_deletion((select id from r), 1, 1, 0, 1), 'not_over', 'and is not deleted');
select recorder_api.files_failed((select id from r), 'files.missing');
select isnt((select expires_at from public.recordings where id = (select id from r)), null, 'failed again it has one');

update public.recordings set expires_at = clock_timestamp() - interval '1 second' where id = (select id from r);
select is((recorder.sweep() ->> 'expired')::integer, 1, 'the sweep asks for its deletion');
select is(recorder_api.begin_deletion((select id from r), 0, 0, 0, 0), 'nothing_there', 'where nothing is, nothing is deleted');
select results_eq($$ select status, expires_at from public.recordings where id = (select id from r) $$, $$ values ('failed', null::timestamptz) $$, 'it stays failed, for ever');
select is((recorder.sweep() ->> 'expired')::integer, 0, 'and is not looked for again');

update public.recordings set expires_at = clock_timestamp() - interval '1 second' where id = (select id from r);
select is(recorder_api.begin_deletion((select id from r), 3, 3, 0, 300), 'begun', 'where something is, it goes');
select is((select count(*)::integer from public.notifications where kind = 'recording_expiring'), 0, 'without a word: nobody could ever play it');
select throws_ok($$ select recorder.retry_recording((select id from r)) $$, 'RC801', null, 'now it cannot be tried again');
select recorder_api.report(t.id, 'task.files', '{"files": [{"fileName": "x.mp4"}]}') from recorder.engine_tasks t where t.recording_id = (select id from r);
select is((select status from public.recordings where id = (select id from r)), 'failed', 'nor does the engine bring it back');
select is(recorder_api.finish_deletion((select id from r), 3, 300), true, 'then it is expired');
select results_eq($$ select status, error from public.recordings where id = (select id from r) $$, $$ values ('expired', null::jsonb) $$, 'says the row');

-- Both people forgotten: what fails with files expires at once.
select recorder.forget_user(tests.person('mentor')), recorder.forget_user(tests.person('mentee'));
update public.recordings set status = 'processing', phase = 'waiting_for_upload', finished_at = null, deletion_began_at = null, deadline_at = now() + interval '1 day' where id = (select id from r);
select recorder_api.files_failed((select id from r), 'files.missing');
select ok((select expires_at <= clock_timestamp() from public.recordings where id = (select id from r)), 'after both were forgotten it goes at once');
select * from finish();
rollback;
