begin;
select plan(19);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.finished_recording(call_id) as id from it;
grant select on it, r to authenticated, service_role, anon;

select results_eq(
  $$ select user_id, kind, read_at is null from public.notifications order by user_id $$,
  $$ values (tests.person('mentor'), 'recording_ready', true), (tests.person('mentee'), 'recording_ready', true) $$,
  'a recording that is there tells its two people');
select results_eq(
  $$ select distinct payload - 'expires_at' from public.notifications $$,
  $$ select jsonb_build_object('mentorship_id', tests.mentorship(), 'call_id', (select call_id from it), 'duration_ms', 60000) $$,
  'with the listed fields');
select ok((select bool_and(payload ? 'expires_at') from public.notifications), 'and when it expires');

select tests.act_as('mentor');
select is((select count(*) from public.notifications)::integer, 1, 'the mentor sees the own one');
select lives_ok($$ update public.notifications set read_at = now() $$, 'and may say that it is read');
select throws_ok($$ update public.notifications set payload = '{}' $$, '42501', null, 'but not change what it says');
select throws_ok($$ update public.notifications set user_id = tests.person('stranger') $$, '42501', null, 'nor whose it is');
select throws_ok($$ delete from public.notifications $$, '42501', null, 'nor delete it');
select tests.act_as_administrator();
select results_eq(
  $$ select user_id from public.notifications where read_at is not null $$, $$ values (tests.person('mentor')) $$,
  'only the own one is read now');
select tests.act_as('other mentor');
select is((select count(*) from public.notifications)::integer, 0, 'another mentor sees none');

select tests.act_as_administrator();
select is(recorder.notify((select id from r), 'recording_ready'), 2, 'told again');
select is((select count(*) from public.notifications where read_at is null)::integer, 2, 'it is the same row, unread again');
select is(recorder.notify(gen_random_uuid(), 'recording_ready'), 0, 'an unknown recording tells nobody');
select throws_ok($$ select recorder.notify((select id from r), 'gossip') $$, '23514', null, 'an unknown kind is refused');
select throws_ok(
  $$ insert into public.notifications (user_id, recording_id, kind, payload) select tests.person('mentor'), id, 'recording_expiring', '{"sid": "x"}' from r $$,
  '23514', null, 'a field that is not listed is refused');

select tests.wish((select call_id from it), 'starting');
select tests.wish((select call_id from it), 'stopping');
select is((select count(*) from public.notifications)::integer, 2, 'a wish taken back is no news');

select tests.wish((select call_id from it), 'starting');
select recorder.apply((tests.recording_of((select call_id from it))).id, 'recording.queue_timed_out', 'system');
select results_eq(
  $$ select payload ->> 'code' from public.notifications where kind = 'recording_failed' $$,
  $$ values ('no_recorder_available'), ('no_recorder_available') $$, 'a failure names its code');

update public.mentees set user_id = null;
select is(recorder.notify((select id from r), 'recording_expiring'), 1, 'who never signed in cannot be told');
delete from auth.users where id = tests.person('mentor');
select is((select count(*) from public.notifications where user_id = tests.person('mentor'))::integer, 0, 'a deleted user''s notifications go along');
select * from finish();
rollback;
