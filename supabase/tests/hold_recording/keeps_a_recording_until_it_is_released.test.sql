begin;
select plan(18);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table rec as select tests.finished_recording((select call_id from it)) as id;
create temporary table before as select version, expires_at from public.recordings;
create temporary table events as select count(*) as n from public.recording_events;
grant select on it, rec, before to recorder_admin;

select tests.act_as_recorder_admin();
create temporary table since as select recorder.hold_recording((select id from rec), ' A dispute ') as held_at;
select is(recorder.hold_recording((select id from rec), 'A dispute'), (select held_at from since), 'a hold stands since the first time');
select tests.act_as_administrator();
select results_eq('select held_at, hold_reason from public.recordings', $$ select held_at, 'A dispute' from since $$, 'it is on the recording, with its reason');
select is((select count(*) from public.recording_events)::integer, (select n::integer + 1 from events), 'one line in the story for two calls');
select results_eq($$ select actor, event, detail ->> 'reason' from public.recording_events order by id desc limit 1 $$,
  $$ values ('administrator', 'recording.held', 'A dispute') $$, 'which says why');
select ok((select r.version > b.version from public.recordings r, before b), 'watchers see a newer version');
select is((select c.recording_version from public.video_calls c), (select r.version from public.recordings r), 'the call has the same');
select tests.act_as_recorder_admin();
select is(recorder.hold_recording((select id from rec), 'A court order'), (select held_at from since), 'another reason does not begin it anew');
select tests.act_as_administrator();
select is((select hold_reason from public.recordings), 'A court order', 'but is noted');

select tests.act_as_recorder_admin();
select is(recorder.release_recording((select id from rec)), (select expires_at from before), 'released, its expiry counts as before');
select is(recorder.release_recording((select id from rec)), (select expires_at from before), 'twice is the same');
select tests.act_as_administrator();
select results_eq('select held_at is null, hold_reason is null from public.recordings', $$ values (true, true) $$, 'nothing is left of the hold');
select is((select count(*) from public.recording_events where event = 'recording.released')::integer, 1, 'one line in the story');

select tests.act_as_recorder_admin();
select throws_ok($$ select recorder.hold_recording(null, 'x') $$, 'RC011', null, 'null is refused');
select throws_ok($$ select recorder.hold_recording((select id from rec), ' ') $$, 'RC011', null, 'a hold without a reason is refused');
select throws_ok($$ select recorder.hold_recording(gen_random_uuid(), 'x') $$, 'RC012', null, 'an unknown id is refused');
select throws_ok($$ select recorder.release_recording(null) $$, 'RC011', null, 'null is refused here too');
select throws_ok($$ select recorder.release_recording(gen_random_uuid()) $$, 'RC012', null, 'and an unknown id');
select tests.act_as_administrator();
select recorder.apply((select id from rec), 'recording.expired', 'system');
select tests.act_as_recorder_admin();
select throws_ok($$ select recorder.hold_recording((select id from rec), 'x') $$, 'RC307', null, 'what is deleted cannot be held');
select * from finish();
rollback;
