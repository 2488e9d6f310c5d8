-- From the notice to the proof. Time passes by moving expires_at.
begin;
select plan(47);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.finished_recording(call_id) as id from it;
grant select on it, r to authenticated, service_role, recorder_admin;
update recorder.jobs set state = 'done', finished_at = now();

create function pg_temp.due(p_in interval) returns void language sql
  as $$ update public.recordings set expires_at = clock_timestamp() + p_in where id = (select id from r) $$;
create function pg_temp.jobs() returns bigint language sql
  as $$ select count(*) from recorder.jobs where kind = 'expire' and state = 'queued' and recording_id = (select id from r) $$;
create function pg_temp.begin(p_versions bigint default 9) returns text language sql
  as $$ select recorder_api.begin_deletion((select id from r), 6, p_versions, 1, 5200) $$;
create function pg_temp.story() returns text language sql
  as $$ select string_agg(event, ' ' order by id) from (
    select event, id from public.recording_events where recording_id = (select id from r) order by id desc limit 3) e $$;

-- The notice.
select pg_temp.due('8 days');
select is((recorder.sweep() ->> 'told_of_expiry')::integer, 0, 'eight days before nobody is told');
select pg_temp.due('6 days');
select is((recorder.sweep() ->> 'told_of_expiry')::integer, 1, 'a week before they are');
select results_eq(
  $$ select n.user_id, (n.payload ->> 'expires_at')::timestamptz from public.notifications n where n.kind = 'recording_expiring' order by 1 $$,
  $$ select p, r.expires_at from public.recordings r cross join unnest(array[tests.person('mentor'), tests.person('mentee')]) p $$,
  'both people, with the day');
update public.notifications set read_at = now();
select is((recorder.sweep() ->> 'told_of_expiry')::integer, 0, 'once');
select is((select count(*)::integer from public.notifications where read_at is null), 0, 'and who has read it is not told again');
select tests.act_as('mentee');
select public.keep_recording_longer((select id from r), now() + interval '20 days');
select tests.act_as_administrator();
select is((recorder.sweep() ->> 'told_of_expiry')::integer, 0, 'kept longer, it is no news for now');
select pg_temp.due('5 days');
select is((recorder.sweep() ->> 'told_of_expiry')::integer, 1, 'but before the new day they are told again');
select pg_temp.due('4 days');
update public.recordings set held_at = now(), hold_reason = 'test';
select is((recorder.sweep() ->> 'told_of_expiry')::integer, 0, 'of a held one nobody is told');
select is((select count(*) from recorder.jobs where kind = 'expire'), 0::bigint, 'and nothing is deleted before its time');

-- Whose time has come, and what stops it.
select pg_temp.due('-1 second');
select recorder.sweep();
select is(pg_temp.jobs(), 0::bigint, 'a held recording is left alone');
update public.recordings set held_at = null, hold_reason = null;
select is((recorder.sweep() ->> 'expired')::integer, 1, 'released, it is to be deleted at once');
select is((recorder.sweep() ->> 'expired')::integer, 0, 'which is asked for once');
select is(pg_temp.jobs(), 1::bigint, 'one job');
select is((select lane from recorder.jobs where kind = 'expire'), 'storage', 'in the lane of the bucket');

update public.recordings set held_at = now(), hold_reason = 'at the last moment';
select is(pg_temp.begin(), 'held', 'a hold that came after the job wins');
update public.recordings set held_at = null, hold_reason = null;
select pg_temp.due('1 day');
select is(pg_temp.begin(), 'kept', 'and so does a later day');
select results_eq($$ select deletion_began_at, status from public.recordings $$, $$ values (null::timestamptz, 'recorded') $$, 'nothing has happened to it');
select is_empty('select from recorder.deletions', 'nor was anything written down');
select isnt_empty($$ select from jsonb_array_elements(recorder_api.playback_of((select id from r), tests.person('mentee')) -> 'files') $$, 'it plays');

-- The deletion.
select pg_temp.due('-1 second');
create temporary table version as select version from public.recordings;
select is(pg_temp.begin(), 'begun', 'when nothing stands against it, it begins');
select ok((select r.version > v.version from public.recordings r, version v), 'watchers see a newer version');
select results_eq($$ select status, deletion_began_at is not null from public.recordings $$, $$ values ('recorded', true) $$, 'the row says that it has begun');
select results_eq(
  $$ select p ->> 'status', p -> 'files' from (select recorder_api.playback_of((select id from r), tests.person('mentee'))) f (p) $$,
  $$ values ('expired', '[]'::jsonb) $$, 'from this moment nothing of it is played');
select results_eq(
  $$ select recording_url, recording_key, recording_version = (select version from public.recordings) from public.video_calls where id = (select call_id from it) $$,
  $$ values (null::text, null::text, true) $$, 'and the call gives no address');
select results_eq(
  $$ select reason, found_objects, found_versions, found_uploads, found_bytes, finished_at from recorder.deletions $$,
  $$ values ('retention', 6::bigint, 9::bigint, 1::bigint, 5200::bigint, null::timestamptz) $$, 'what was there is written down before it goes');
select is(recorder_api.begin_deletion((select id from r), 0, 0, 0, 0), 'begun', 'after a crash it goes on');
select is((select found_versions from recorder.deletions), 9::bigint, 'and the first count stays');

-- Nothing brings it back.
select tests.act_as('mentor');
select throws_ok($$ select public.keep_recording_longer((select id from r)) $$, 'RC801', null, 'it is too late to keep it');
select is((select d.status from public.delete_recording((select id from r)) d), 'recorded', 'to delete it once more changes nothing');
select tests.act_as_recorder_admin();
select throws_ok($$ select recorder.hold_recording((select id from r), 'too late') $$, 'RC801', null, 'and to hold it');
select tests.act_as_administrator();
select is(recorder.set_retention(null, 3000, 3000), 0, 'another policy does not reach it');

select throws_ok($$ select recorder_api.finish_deletion(gen_random_uuid(), 0, 0) $$, 'RC012', null, 'an unknown recording is refused');
select throws_ok($$ select recorder_api.finish_deletion((select id from r), null, 0) $$, 'RC011', null, 'and null');
select is(recorder_api.finish_deletion((select id from r), 9, 5200), true, 'when nothing is left, it is expired');
select is((select status from public.recordings), 'expired', 'says the row');
select is(pg_temp.story(), 'recording.deletion_began recording.files_deleted recording.expired', 'says its story');
select results_eq(
  $$ select detail - 'nothing_left_at', (detail ->> 'nothing_left_at')::timestamptz <= clock_timestamp() from public.recording_events where event = 'recording.files_deleted' $$,
  $$ values ('{"bytes": 5200, "objects": 6, "uploads": 1, "versions": 9}'::jsonb, true) $$, 'with the proof');
select ok((select bool_and(deleted_at is not null) from public.recording_files), 'the rows of its files say that they are deleted');
select ok((select finished_at is not null from recorder.deletions), 'and the deletion is finished');
select is((select recording_status from public.video_calls where id = (select call_id from it)), 'expired', 'the call follows');
select is(recorder_api.finish_deletion((select id from r), 0, 0), false, 'said twice, it is once');
select is(recorder_api.begin_deletion((select id from r), 1, 1, 0, 7), 'begun', 'what comes afterwards may be deleted too');
select is(recorder_api.finish_deletion((select id from r), 1, 7), false, 'and is told');
select is(pg_temp.story(), 'recording.files_deleted recording.expired recording.leftovers_deleted', 'in the story');
update recorder.jobs set state = 'done', finished_at = now(), lease_token = null, leased_until = null;
select is((recorder.sweep() ->> 'expired')::integer, 0, 'nobody asks for it again');

-- Health.
insert into public.recordings (channel, status, quality, layout, stopped_at, finished_at, expires_at, duration_ms, size_bytes, stored_bytes)
select 'late', 'recorded', '720p', 'best_fit', now(), now(), now() - interval '23 hours', 1, 1, 1;
select is((select is_ok from recorder.health where name = 'deletions'), true, 'a deletion has a day');
update public.recordings set expires_at = now() - interval '25 hours' where channel = 'late';
select is((select is_ok from recorder.health where name = 'deletions'), false, 'after that somebody has to look');
select * from finish();
rollback;
