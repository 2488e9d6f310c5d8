begin;
select plan(31);
select tests.people();
update public.instructors set discord_id = 'd1' where id = '11000000-0000-4000-8000-000000000001';
update public.mentees set discord_id = 'd2', discord_username = 'chidi', email = 'mentee@example.com';
create temporary table it as select tests.new_call() as call_id;
update public.video_calls set participants = '["Amara", "Chidi"]';
create temporary table rec as select tests.finished_recording((select call_id from it)) as id;
grant select on rec to public;
select tests.act_as('mentor');
insert into public.playback_positions (recording_id, position_ms) values ((select id from rec), 1000);
insert into public.playback_events (recording_id, kind) values ((select id from rec), 'started');
select tests.act_as('mentee');
insert into public.playback_positions (recording_id, position_ms) values ((select id from rec), 2000);
select tests.act_as_administrator();
create temporary table live as select tests.engine_at_work((select call_id from it)) as id;
grant select on it, rec, live to recorder_admin;

-- The mentor asks.
select tests.act_as_recorder_admin();
select is(recorder.forget_user(tests.person('mentor')), '{"people": 1, "recordings": 2, "to_delete": 0, "held": 0}', 'it says what it did');
select is(recorder.forget_user(tests.person('mentor')), '{"people": 0, "recordings": 0, "to_delete": 0, "held": 0}', 'the second time there is nothing left');
select tests.act_as_administrator();
select results_eq($$ select user_id, discord_id, name from public.instructors where id = '11000000-0000-4000-8000-000000000001' $$,
  $$ values (null::uuid, null::text, null::text) $$, 'the person has no name any more');
select is((select participants from public.video_calls), null, 'nor in the call');
select is_empty($$ select * from public.recordings where requested_by = tests.person('mentor') $$, 'nor in the recordings');
select is_empty($$ select * from public.playback_positions where user_id = tests.person('mentor') $$, 'where they watched is gone');
select is_empty($$ select * from public.playback_events where user_id = tests.person('mentor') $$, 'and how');
select is_empty($$ select * from public.notifications where user_id = tests.person('mentor') $$, 'and what they were told');
select is((select status from public.recordings where id = (select id from live)), 'stopping', 'nobody is recorded who has asked');
select is((select stop_reason from public.recordings where id = (select id from live)), 'administrator', 'stopped by an administrator');
select is((select count(*) from public.recording_events where event = 'recording.person_forgotten' and actor = 'administrator')::integer, 2, 'each story has one line');
select ok((select expires_at > now() + interval '300 days' from public.recordings where id = (select id from rec)), 'the other person keeps the recording');
select is((select name from public.instructors where id = '11000000-0000-4000-8000-000000000002'), 'Bruno', 'other people are untouched');
select is((select count(*) from public.playback_positions)::integer, 1, 'and so is what they saw');
select tests.act_as('mentor');
select is_empty('select * from public.recordings', 'who was forgotten sees nothing any more');
select tests.act_as('mentee');
select is((select count(*) from public.recordings)::integer, 2, 'the other person still does');
select tests.act_as_administrator();
select ok(exists (select from auth.users where id = tests.person('mentor')), 'the account is Auth''s to delete');

-- The mentee asks as well, while the recording is held.
select tests.act_as_recorder_admin();
select recorder.hold_recording((select id from rec), 'A dispute');
select is(recorder.forget_user(tests.person('mentee')), '{"people": 1, "recordings": 2, "to_delete": 2, "held": 1}', 'now both have asked');
select tests.act_as_administrator();
select results_eq($$ select user_id, discord_id, discord_username, display_name, email from public.mentees $$,
  $$ values (null::uuid, null::text, null::text, null::text, null::text) $$, 'the mentee has no name any more');
select ok((select expires_at <= clock_timestamp() from public.recordings where id = (select id from rec)), 'the recording is to be deleted');
select ok((select held_at is not null from public.recordings where id = (select id from rec)), 'once it is not held any more');
select tests.act_as_recorder_admin();
select ok(recorder.release_recording((select id from rec)) <= clock_timestamp(), 'which release tells');
select recorder.set_retention(null, 3000);
select tests.act_as_administrator();
select ok((select expires_at <= clock_timestamp() from public.recordings where id = (select id from rec)), 'no retention brings it back');

-- What was under way then becomes recorded later.
select recorder_api.report(t.id, 'task.gone') from recorder.engine_tasks t where t.recording_id = (select id from live);
select tests.publish((select id from live));
select ok((select status = 'recorded' and expires_at <= clock_timestamp() from public.recordings where id = (select id from live)), 'and expires at once');
select is_empty('select * from public.notifications', 'nobody is told about it');

-- Somebody with no mentorship, and nobody at all.
select tests.act_as_recorder_admin();
select is(recorder.forget_user(tests.person('stranger')), '{"people": 0, "recordings": 0, "to_delete": 0, "held": 0}', 'a user who is nobody''s mentor or mentee');
select throws_ok($$ select recorder.forget_user(null) $$, 'RC011', null, 'null is refused');
select throws_ok($$ select recorder.forget_user(gen_random_uuid()) $$, 'RC308', null, 'an unknown user is refused');
select tests.act_as('service_role');
select throws_ok($$ select recorder.forget_user('a0000000-0000-4000-8000-000000000002') $$, '42501', null, 'the service key may not');
select tests.act_as_administrator();
delete from auth.users where id = tests.person('mentor');
select is((select count(*) from recorder.forgotten_people where user_id is null)::integer, 1, 'deleting the account takes the last link');
select ok(recorder.is_forgotten(r), 'and both are still forgotten') from public.recordings r where r.id = (select id from rec);
select * from finish();
rollback;
