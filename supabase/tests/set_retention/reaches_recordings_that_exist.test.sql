begin;
select plan(22);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table rec as select tests.finished_recording((select call_id from it)) as id;
grant select on it, rec to recorder_admin;
create function pg_temp.days_left() returns integer language sql
  as $$ select round(extract(epoch from expires_at - now()) / 86400)::integer from public.recordings $$;
select is(pg_temp.days_left(), 365, 'by default a year');

select tests.act_as_recorder_admin();
select is(recorder.set_retention(null, 30), 1, 'a shorter default reaches the recording that is there');
select is(recorder.set_retention(null, 30), 0, 'twice changes nothing more');
select results_eq('select mentorship_id, keep_days, longest_keep_days, reason from recorder.retention_policies',
  $$ values (null::uuid, 30, 1095, 'Set by an administrator.') $$, 'the policy is there, the longest as before');
select tests.act_as_administrator();
select is(pg_temp.days_left(), 30, 'and the recording follows');
select results_eq($$ select actor, (detail ->> 'expires_at')::timestamptz from public.recording_events where event = 'recording.retention_changed' $$,
  $$ select 'administrator', expires_at from public.recordings $$, 'which its story says once');
select is((select c.recording_version from public.video_calls c), (select r.version from public.recordings r), 'the call has the same version');

-- A mentorship of its own.
select tests.act_as_recorder_admin();
select is(recorder.set_retention(tests.mentorship(), 2000, null, 'A study'), 1, 'a mentorship may have its own');
select results_eq('select keep_days, longest_keep_days, reason from recorder.retention_policies where mentorship_id is not null',
  $$ values (2000, 2000, 'A study') $$, 'longer than the longest raises that as well');
select is(recorder.set_retention(null, 10), 0, 'the default does not touch it any more');
select is(recorder.set_retention(tests.mentorship(), null), 1, 'for ever is possible');
select tests.act_as_administrator();
select is((select expires_at from public.recordings), null, 'then it never expires');

-- What its people keep longer stays so, within the policy.
select tests.act_as_recorder_admin();
select recorder.set_retention(tests.mentorship(), 100, 300);
select tests.act_as_administrator();
select recorder.keep_longer((select id from rec), null, 'user');
select tests.act_as_recorder_admin();
select is(recorder.set_retention(tests.mentorship(), 50), 0, 'who kept it longer keeps it');
select tests.act_as_administrator();
select is(pg_temp.days_left(), 300, 'as long as they wanted');
select tests.act_as_recorder_admin();
select recorder.set_retention(tests.mentorship(), 50, 200);
select tests.act_as_administrator();
select is(pg_temp.days_left(), 200, 'but no longer than the policy allows');

-- Notice.
update public.recordings set finished_at = now() - interval '190 days', expires_at = now() + interval '10 days';
select tests.act_as_recorder_admin();
select recorder.set_retention(tests.mentorship(), 20, 20);
select recorder.set_retention(tests.mentorship(), 10, 10);
select tests.act_as_administrator();
select is(pg_temp.days_left(), 7, 'what would be gone at once has a week''s notice');

select tests.act_as_recorder_admin();
select throws_ok($$ select recorder.set_retention(gen_random_uuid(), 10) $$, 'RC310', null, 'an unknown mentorship is refused');
select throws_ok($$ select recorder.set_retention(null, 0) $$, 'RC309', null, 'no days are refused');
select throws_ok($$ select recorder.set_retention(null, 36501) $$, 'RC309', null, 'too many as well');
select throws_ok($$ select recorder.set_retention(null, 10, 9) $$, 'RC309', null, 'and a longest that is shorter');
select throws_ok($$ select recorder.set_retention(null, 10, 20, ' ') $$, 'RC011', null, 'a reason is needed');
select results_eq('select keep_days from recorder.retention_policies where mentorship_id is null', $$ values (10) $$, 'refused, nothing has changed');
select * from finish();
rollback;
