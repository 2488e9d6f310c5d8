begin;
select plan(2);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
insert into recorder.old_claims (call_id, recording_status, recording_metadata)
values ((select call_id from it), 'recorded', '{"instructorDiscordId": "d1"}'),
  (gen_random_uuid(), 'recorded', '{"instructorDiscordId": "d9"}');
select tests.act_as_recorder_admin();
select recorder.forget_user(tests.person('mentor'));
select tests.act_as_administrator();
select is(
  (select recording_metadata from recorder.old_claims where call_id = (select call_id from it)), null,
  'what the old portal noted about the person is gone');
select is(
  (select count(*) from recorder.old_claims where recording_metadata is not null)::integer, 1,
  'what it noted about others is untouched');
select * from finish();
rollback;
