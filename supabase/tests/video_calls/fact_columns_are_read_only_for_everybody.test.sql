begin;
select plan(12);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
grant select on it to authenticated, service_role, anon;

select tests.act_as('mentor');
select throws_ok($$ update public.video_calls set recording_url = 'x' $$, '42501', null, 'a client has no right to a fact column');
select throws_ok($$ update public.video_calls set status = 'ended' $$, '42501', null, 'nor to the call''s own status');
select throws_ok($$ delete from public.video_calls $$, '42501', null, 'nor to delete');
select throws_ok($$ insert into public.video_calls (mentorship_id) values (tests.mentorship()) $$, '42501', null, 'nor to insert');
select throws_ok($$ update public.recordings set status = 'recorded' $$, '42501', null, 'nor to a recording');

select tests.act_as('service_role');
select throws_ok($$ update public.video_calls set recording_url = 'x' $$, 'RC003', null, 'the service key is refused without an old word');
select throws_ok($$ update public.video_calls set recording_url = 'x', recording_status = 'starting' $$, 'RC003', null, 'and beside a new word');
select throws_ok($$ update public.recordings set status = 'recorded' $$, '42501', null, 'it cannot write a recording');

select tests.act_as_administrator();
select throws_ok($$ update public.video_calls set recording_size = 1 $$, 'RC003', null, 'an administrator is refused too');
select throws_ok($$ update public.video_calls set recording_status = 'recorded', recording_size = 1 $$, 'RC003', null, 'also beside an old word');
select throws_ok($$ update public.video_calls set channel = 'abc' $$, 'RC003', null, 'the channel is a fact as well');
select results_eq(
  $$ select recording_status, recording_url, recording_size from public.video_calls $$,
  $$ values (null::text, null::text, null::bigint) $$, 'and nothing was changed');
select * from finish();
rollback;
