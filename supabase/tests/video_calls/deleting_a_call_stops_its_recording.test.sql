begin;
select plan(5);
select tests.people();
-- Two rows of one meeting, as old clients make them.
insert into public.video_calls (id, mentorship_id) values
  ('c0000000-0000-4000-8000-000000000001', tests.mentorship()), ('c0000000-0000-4000-8000-000000000002', tests.mentorship());
select tests.wish('c0000000-0000-4000-8000-000000000001', 'starting');
create temporary table it as
select id from tests.recording_of('c0000000-0000-4000-8000-000000000001');
select tests.confirm_engine(tests.start_engine((select id from it)));
select is(
  (select recording_status from public.video_calls where id = 'c0000000-0000-4000-8000-000000000002'), 'recording',
  'both rows show the recording');

select tests.act_as('service_role');
delete from public.video_calls where id = 'c0000000-0000-4000-8000-000000000001';
select tests.act_as_administrator();
select results_eq(
  'select r.status, r.stop_reason, r.call_id from public.recordings r join it using (id)',
  $$ values ('stopping', 'call_deleted', null::uuid) $$, 'deleting the row it began on is a wish to stop');
select is(
  (select count(*) from recorder.jobs j join it on j.recording_id = it.id where j.kind = 'stop' and j.state = 'queued')::integer, 1,
  'and the stop is a job');
select is(
  (select recording_status from public.video_calls where id = 'c0000000-0000-4000-8000-000000000002'), 'stopping',
  'the row that stays follows');
select lives_ok(
  $$ delete from public.video_calls where id = 'c0000000-0000-4000-8000-000000000002' $$,
  'and can be deleted itself while the engine is being stopped');
select * from finish();
rollback;
