begin;
select plan(8);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
grant select on it to service_role;

select tests.act_as('service_role');
select lives_ok(
  $$ update public.video_calls set recording_status = 'recording', recording_key = 'recordings/x/1.mp4',
     recording_metadata = '{"resourceId": "made up"}' where id = (select call_id from it) $$,
  'the old portal''s start, with its made-up key, is accepted');
select tests.act_as_administrator();
select is((select recording_status from public.video_calls where id = (select call_id from it)), 'starting', 'and is a wish');
select is((select recording_key from public.video_calls where id = (select call_id from it)), null, 'its key is put back');
create temporary table engine as select tests.start_engine((tests.recording_of((select call_id from it))).id) as task_id;
select tests.confirm_engine((select task_id from engine));
select is((select recording_status from public.video_calls where id = (select call_id from it)), 'recording', 'the engine makes it a fact');

select tests.act_as('service_role');
select lives_ok(
  $$ update public.video_calls set recording_status = 'recorded', recording_url = 'https://example.com/1.mp4',
     recording_duration_seconds = 12 where id = (select call_id from it) $$, 'the old portal''s stop is accepted');
select tests.act_as_administrator();
select results_eq(
  $$ select recording_status, recording_url, recording_duration_seconds from public.video_calls where id = (select call_id from it) $$,
  $$ values ('stopping', null::text, null::integer) $$, 'and is a wish to stop; its claims are put back');
select is((select count(*) from public.recording_events where event = 'recording.claim_ignored')::integer, 1, 'the claim is noted');

select tests.act_as('service_role');
update public.video_calls set status = 'ended', end_time = now(), duration_seconds = 5, recording_status = 'failed' where id = (select call_id from it);
select tests.act_as_administrator();
select is((select status from public.video_calls where id = (select call_id from it)), 'ended', 'leaving while recording ends the call');
select * from finish();
rollback;
