-- The old portal writes its word again, with made-up keys beside it: no change, no wish, and no refusal either.
begin;
select plan(8);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
grant select on it to service_role, authenticated;
create temporary table r as select tests.engine_at_work((select call_id from it)) as id;
select tests.act_as('service_role');
select lives_ok(
  $$ update public.video_calls set recording_status = 'recording', recording_key = 'made/up', recording_url = 'https://made.up',
     recording_size = 7, recording_duration_seconds = 7, recording_metadata = '{}' where id = (select call_id from it) $$,
  'the word that is stored already, with claims');
select is((select recording_key from public.video_calls where id = (select call_id from it)), null, 'the claims are put back');
select is((select recording_status from public.video_calls where id = (select call_id from it)), 'recording', 'the word is no wish');
select throws_ok(
  $$ update public.video_calls set recording_key = 'made/up' where id = (select call_id from it) $$, 'RC003', null,
  'without the word the same claims are refused');
select throws_ok(
  $$ update public.video_calls set recording_status = 'recording', recording_version = 7 where id = (select call_id from it) $$, 'RC003', null,
  'what the old portal does not know is refused with the word, too');
select tests.act_as_administrator();
select is((select count(*) from public.recording_events where event = 'recording.claim_ignored')::integer, 1, 'it is noted');
select throws_ok(
  $$ update public.video_calls set recording_status = 'recording', recording_key = 'made/up' where id = (select call_id from it) $$, 'RC003', null,
  'an administrator has no old words');
select tests.act_as('mentor');
select throws_ok(
  $$ update public.video_calls set recording_status = 'recording', recording_key = 'made/up' where id = (select call_id from it) $$, '42501', null,
  'a client may not name the column at all');
select * from finish();
rollback;
