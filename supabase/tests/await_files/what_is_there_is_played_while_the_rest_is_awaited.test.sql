begin;
select plan(21);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.engine_at_work((select call_id from it)) as id;
create function pg_temp.file(p_key text, p_size bigint default 10) returns jsonb language sql as $$
  select jsonb_build_array(jsonb_build_object('kind', 'playlist', 'attempt', 1, 'object_key', p_key, 'content_type', 'application/vnd.apple.mpegurl', 'size_bytes', p_size, 'duration_ms', 1500, 'segment_count', 1)) $$;
create function pg_temp.totals(p_size bigint default 10) returns jsonb language sql as $$
  select jsonb_build_object('duration_ms', 1500, 'size_bytes', p_size, 'stored_bytes', p_size + 2, 'is_partial', true) $$;
create function pg_temp.call() returns public.video_calls language sql as $$ select c from public.video_calls c where c.id = (select call_id from it) $$;

select is(recorder_api.await_files((select id from r)), false, 'while it records nothing is awaited');
select tests.wish((select call_id from it), 'stopping');
select recorder_api.report((select id from recorder.engine_tasks), 'task.gone');
select is((select phase from public.recordings), 'waiting_for_upload', 'after the end its files are awaited');
select is((pg_temp.call()).recording_phase, 'waiting_for_upload', 'which its people see');
select is((pg_temp.call()).recording_url, null, 'there is nothing to play yet');
update public.recordings set deadline_at = now() + interval '1 hour';
select is(recorder_api.await_files((select id from r)), false, 'that it still waits is no news');

select is(recorder_api.await_files((select id from r), pg_temp.file('k1'), pg_temp.totals()), true, 'a first playlist is there');
select is((select status || ' ' || phase from public.recordings), 'processing waiting_for_upload', 'it still waits');
select is((select deadline_at from public.recordings), now() + interval '1 hour', 'as long as before');
select is((pg_temp.call()).recording_url, '/recordings/' || (select id from r), 'and can be played');
select is((select count(*) from recorder.jobs where kind = 'collect' and state = 'queued'), 1::bigint, 'one collection goes on');
create temporary table before as select tests.fingerprint() as mark;
select is(recorder_api.await_files((select id from r), pg_temp.file('k1'), pg_temp.totals()), false, 'the same again');
select is(tests.fingerprint(), mark, 'changes nothing') from before;
select is(recorder_api.await_files((select id from r), pg_temp.file('k2', 20), pg_temp.totals(20)), true, 'a longer one takes its place');
select is((select array_agg(object_key) from public.recording_files), array['k2'], 'and only that one holds');

update before set mark = tests.fingerprint();
select throws_ok($$ select recorder_api.await_files((select id from r), '[]', '{}') $$, 'RC502', null, 'no file is not something to play');
select throws_ok($$ select recorder_api.await_files((select id from r), pg_temp.file('k3'), null) $$, 'RC011', null, 'files without totals');
select throws_ok($$ select recorder_api.await_files(gen_random_uuid()) $$, 'RC012', null, 'an unknown recording');
select throws_ok($$ select recorder_api.await_files((select id from r), pg_temp.file('k3', -1), pg_temp.totals(5)) $$, 'RC502', null, 'a size below nothing');
select is(tests.fingerprint(), mark, 'all refused, nothing changed') from before;

update public.recordings set deadline_at = now() - interval '1 second';
update recorder.jobs set run_at = now() + interval '1 day';
select recorder.sweep_deadlines(10);
select is((select status || ' ' || is_partial || ' ' || size_bytes from public.recordings), 'recorded true 20', 'when the time is over, what was there is the recording');
select is(
  (select array_agg(k order by k) from jsonb_object_keys((pg_temp.call()).recording_metadata) k),
  array['gaps', 'is_partial', 'layout', 'quality', 'recording_id', 'started_at', 'stopped_at', 'stored_bytes'],
  'what the call says about it has always the same members');
select * from finish();
rollback;
