begin;
select plan(29);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.finished_recording(call_id) as id from it;
create temporary table before as select expires_at from public.recordings;
grant select on it, r to authenticated, service_role, anon;
create function pg_temp.delete() returns public.recordings language sql as $$ select public.delete_recording((select id from r)) $$;

-- Who may not.
select tests.act_as('other mentor');
select throws_ok('select pg_temp.delete()', 'RC012', null, 'somebody else''s recording does not exist');
select tests.act_as('stranger');
select throws_ok('select pg_temp.delete()', 'RC012', null, 'nor for a stranger');
select tests.act_as('anon');
select throws_ok('select pg_temp.delete()', '42501', null, 'nobody not signed in may ask');
select tests.act_as('service_role');
select throws_ok('select pg_temp.delete()', '42501', null, 'nor the secret key: the wish is a person''s');
select tests.act_as('mentor');
select throws_ok('select public.delete_recording(null)', 'RC012', null, 'no recording is not one of mine');
select throws_ok('select public.delete_recording(gen_random_uuid())', 'RC012', null, 'nor an unknown one');

-- What stands against it.
select tests.act_as_administrator();
select recorder.hold_recording((select id from r), 'A dispute');
select tests.act_as('mentor');
select throws_ok('select pg_temp.delete()', 'RC803', null, 'a held recording cannot be deleted');
select tests.act_as_administrator();
select recorder.release_recording((select id from r));
update recorder.retention_policies set may_people_delete = false;
select tests.act_as('mentor');
select throws_ok('select pg_temp.delete()', 'RC805', null, 'nor where the policy wants it kept');
select tests.act_as_administrator();
insert into recorder.retention_policies (mentorship_id, keep_days, reason) values (tests.mentorship(), 365, 'test');
update public.mentorships set status = 'ended';
select tests.act_as('mentor');
select throws_ok('select pg_temp.delete()', 'RC012', null, 'of an ended mentorship nothing can be deleted any more');
select tests.act_as_administrator();
update public.mentorships set status = 'active';
select results_eq('select expires_at from public.recordings', 'select expires_at from before', 'so far nothing has changed');
select is((select count(*)::integer from recorder.jobs where kind = 'expire'), 0, 'and nothing is to be done');

-- The wish.
select tests.act_as('mentee');
select ok((select d.expires_at <= clock_timestamp() from pg_temp.delete() d), 'the mentee deletes it: it expires now');
select is((select d.status from pg_temp.delete() d), 'recorded', 'pressed twice it is the same');
select tests.act_as_administrator();
select results_eq(
  $$ select actor, event, detail from public.recording_events where event like '%deletion%' $$,
  $$ values ('user', 'recording.deletion_requested', '{"by": "mentee"}'::jsonb) $$, 'the story says who, once');
select is((select count(*)::integer from recorder.jobs where kind = 'expire' and state = 'queued'), 1, 'the lane is asked at once, once');
select is((select recording_version from public.video_calls), (select version from public.recordings), 'the call has the new version');
select is((recorder.sweep() ->> 'expired')::integer, 0, 'the sweep has nothing to add');

-- Until it begins, the other one may keep it.
select tests.act_as('mentor');
select ok((select k.expires_at > now() + interval '100 days' from public.keep_recording_longer((select id from r), now() + interval '101 days') k), 'the mentor keeps it');
select tests.act_as_administrator();
select is(recorder_api.begin_deletion((select id from r), 1, 1, 0, 1), 'kept', 'then it is kept');
select is_empty('select from recorder.deletions', 'and the wish is forgotten');
select tests.act_as('mentor');
select lives_ok('select pg_temp.delete()', 'a mentor may delete too');
select tests.act_as_administrator();
select recorder.hold_recording((select id from r), 'A court order');
select is(recorder_api.begin_deletion((select id from r), 1, 1, 0, 1), 'held', 'a hold after the wish wins');
select ok(recorder.release_recording((select id from r)) <= clock_timestamp(), 'released, the wish counts again');
select is(recorder_api.begin_deletion((select id from r), 1, 1, 0, 1), 'begun', 'and is done');
select is((select reason from recorder.deletions), 'request', 'for this reason');
select recorder_api.finish_deletion((select id from r), 1, 1);
select tests.act_as('mentee');
select is((select d.status from pg_temp.delete() d), 'expired', 'what is deleted stays deleted');

-- What is not over cannot be deleted; a failed one can.
select tests.act_as_administrator();
create temporary table live as select tests.engine_at_work(call_id, repeat('9', 32)) as id from it;
grant select on live to authenticated;
select tests.act_as('mentor');
select throws_ok($$ select public.delete_recording((select id from live)) $$, 'RC804', null, 'what is under way has to be stopped first');
select tests.act_as_administrator();
select tests.wish(call_id, 'stopping') from it;
select recorder_api.report(t.id, 'task.gone') from recorder.engine_tasks t where t.recording_id = (select id from live);
select recorder_api.files_failed((select id from live), 'files.missing');
select tests.act_as('mentor');
select ok((select d.expires_at <= clock_timestamp() from public.delete_recording((select id from live)) d), 'what a failed one left behind can be deleted');
select tests.act_as_administrator();
select is((select count(*)::integer from recorder.jobs where kind = 'expire' and recording_id = (select id from live)), 1, 'and is');
select * from finish();
rollback;
