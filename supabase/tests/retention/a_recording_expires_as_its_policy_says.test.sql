begin;
select plan(30);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.finished_recording(call_id) as id from it;
grant select on it, r to authenticated, service_role, anon;

select ok((select expires_at = finished_at + interval '365 days' from public.recordings), 'the default policy gives a recording its expiry');
select is((recorder.retention_of(null)).keep_days, 365, 'the default is the row without a mentorship');
select is((recorder.retention_of(gen_random_uuid())).keep_days, 365, 'which counts for a mentorship without its own');
insert into recorder.retention_policies (mentorship_id, keep_days, longest_keep_days, reason) values (tests.mentorship(), 10, 30, 'test');
select is((recorder.retention_of(tests.mentorship())).keep_days, 10, 'its own policy comes first');
select is(recorder.expiry_of(tests.mentorship(), '2026-01-01Z'), '2026-01-11Z', 'days are counted from the moment it is there');
update recorder.retention_policies set keep_days = null, longest_keep_days = null where mentorship_id is null;
select is(recorder.expiry_of(null, '2026-01-01Z'), null, 'null keeps for ever');
select throws_ok($$ insert into recorder.retention_policies (keep_days, reason) values (1, 'second default') $$, '23505', null, 'there is one default');
select throws_ok($$ update recorder.retention_policies set keep_days = 31 where mentorship_id is not null $$, '23514', null, 'nothing is kept longer than the longest');
select throws_ok($$ update recorder.retention_policies set keep_days = null where mentorship_id is not null $$, '23514', null, 'nor for ever where there is a longest');
select throws_ok($$ update recorder.retention_policies set keep_days = 0 where mentorship_id is not null $$, '23514', null, 'a recording is kept a day at least');
select throws_ok($$ update public.recordings set held_at = now() $$, '23514', null, 'a hold has a reason');

update public.recordings set expires_at = finished_at + interval '10 days';
select tests.act_as('mentee');
select ok(
  (select k.expires_at = k.finished_at + interval '20 days' from public.keep_recording_longer((select id from r), (select finished_at + interval '20 days' from public.recordings)) k),
  'its people may keep it until a later day');
select ok(
  (select k.expires_at = k.finished_at + interval '20 days' from public.keep_recording_longer((select id from r), (select finished_at + interval '15 days' from public.recordings)) k),
  'an earlier day changes nothing');
select throws_ok(
  $$ select public.keep_recording_longer((select id from r), (select finished_at + interval '30 days 1 second' from public.recordings)) $$,
  'RC206', null, 'longer than the policy is refused');
select ok(
  (select k.expires_at = k.finished_at + interval '30 days' from public.keep_recording_longer((select id from r)) k),
  'without a day it is as long as the policy allows');
select ok(
  (select k.expires_at = k.finished_at + interval '30 days' from public.keep_recording_longer((select id from r), 'infinity') k),
  'for ever means the same');
select is(
  (select count(*) from public.recording_events where event = 'recording.kept_longer')::integer, 2,
  'the story tells of the two times that changed something');
select is(
  (select recording_version from public.video_calls), (select version from public.recordings), 'and the call has the new version');

select tests.act_as('other mentor');
select throws_ok($$ select public.keep_recording_longer((select id from r)) $$, 'RC012', null, 'somebody else''s recording does not exist');
select tests.act_as('mentor');
select throws_ok($$ select public.keep_recording_longer(null) $$, 'RC012', null, 'no recording neither');
select throws_ok($$ select public.keep_recording_longer(gen_random_uuid()) $$, 'RC012', null, 'nor an unknown one');
select tests.act_as('anon');
select throws_ok($$ select public.keep_recording_longer((select id from r)) $$, '42501', null, 'nobody not signed in may ask');
select tests.act_as_administrator();
select throws_ok($$ select recorder.keep_longer(gen_random_uuid(), null, 'user') $$, 'RC012', null, 'inside, an unknown one is refused too');

update recorder.retention_policies set longest_keep_days = null where mentorship_id is not null;
select tests.act_as('mentor');
select ok((select k.expires_at is null from public.keep_recording_longer((select id from r)) k), 'without a longest it may be kept for ever');
select ok((select k.expires_at is null from public.keep_recording_longer((select id from r), now()) k), 'and what is kept for ever stays so');

select tests.wish((select call_id from it), 'starting');
create temporary table s as select (tests.recording_of((select call_id from it))).id;
grant select on s to authenticated;
select tests.act_as('mentor');
select throws_ok($$ select public.keep_recording_longer((select id from s)) $$, 'RC205', null, 'what is not there cannot be kept longer');
select tests.act_as_administrator();
select is((select expires_at from public.recordings where id = (select id from s)), null, 'and it has no expiry yet');

update public.mentorships set status = 'ended';
select tests.act_as('mentor');
select is((select count(*) from public.recordings)::integer, 2, 'after the end of the mentorship it can be looked back on');
select throws_ok($$ select public.keep_recording_longer((select id from r)) $$, 'RC012', null, 'not prolonged');
select tests.act_as_administrator();
select is((select count(*) from public.recordings where held_at is not null)::integer, 0, 'nothing is held unless somebody holds it');
select * from finish();
rollback;
