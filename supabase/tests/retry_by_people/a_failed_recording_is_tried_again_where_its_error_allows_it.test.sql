begin;
select plan(14);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.failed_recording(call_id) as id from it;
grant select on it, r to authenticated, anon;
create function pg_temp.retry() returns text language sql as $$ select public.retry_recording((select id from r)) $$;

select tests.act_as('other mentor');
select throws_ok('select pg_temp.retry()', 'RC012', null, 'somebody else''s recording does not exist');
select tests.act_as('anon');
select throws_ok('select pg_temp.retry()', '42501', null, 'nobody not signed in may ask');
select tests.act_as('mentee');
select is(pg_temp.retry(), 'processing', 'files that did not come are looked for again');
select tests.act_as_administrator();
select results_eq(
  $$ select actor, event, to_status from public.recording_events order by id desc limit 1 $$,
  $$ values ('user', 'recording.retried', 'processing') $$, 'the story says that a user asked');
select is((select count(*)::integer from recorder.jobs where kind = 'collect' and state = 'queued'), 1, 'the bucket is looked at');
select tests.act_as('mentor');
select is(pg_temp.retry(), 'processing', 'asked while it is looked for, it is looked for now');
select tests.act_as_administrator();
select is((select count(*)::integer from public.recording_events where event = 'recording.retried'), 1, 'and nothing else happens');

create function pg_temp.fail(p_blame text, p_retry text) returns void language sql as $$
  select recorder_api.files_failed((select id from r), 'files.missing',
    jsonb_build_object('error', jsonb_build_object('code', 'some_code', 'blame', p_blame, 'retry', p_retry, 'message', 'Words.')))
$$;
select pg_temp.fail('storage', 'never');
select tests.act_as('mentor');
select throws_ok('select pg_temp.retry()', 'RC301', null, 'what needs an administrator cannot be tried by people');
select tests.act_as_administrator();
select is(recorder.retry_recording((select id from r)), 'processing', 'but by an administrator');
select pg_temp.fail('us', 'now');
select tests.act_as('mentor');
select is(pg_temp.retry(), 'processing', 'now means now');
select tests.act_as_administrator();
select recorder_api.publish((select id from r), '[{"kind": "mp4", "attempt": 1, "object_key": "k", "content_type": "video/mp4", "size_bytes": 1}]', '{"duration_ms": 1, "size_bytes": 1, "stored_bytes": 1}');
select tests.act_as('mentor');
select throws_ok('select pg_temp.retry()', 'RC303', null, 'what is there needs no retry');
select tests.act_as_administrator();
select tests.wish(call_id, 'starting') from it;
select tests.wish(call_id, 'stopping') from it;
update r set id = (select id from public.recordings where error ->> 'code' = 'stopped_before_start');
select tests.act_as('mentor');
select throws_ok('select pg_temp.retry()', 'RC302', null, 'where nobody ever recorded, a new recording has to be started');
select tests.act_as_administrator();
update public.mentorships set status = 'ended';
select tests.act_as('mentor');
select throws_ok('select pg_temp.retry()', 'RC012', null, 'after the mentorship it is over');
select throws_ok('select public.retry_recording(null)', 'RC012', null, 'and null is no recording');
select * from finish();
rollback;
