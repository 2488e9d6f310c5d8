begin;
select plan(14);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
create temporary table r as select (tests.recording_of((select call_id from it))).id;
create temporary table engine as select tests.start_engine((select id from r)) as task_id;
select is((tests.recording_of((select call_id from it))).phase, 'requested', 'asked');
select tests.confirm_engine((select task_id from engine));
select is((tests.recording_of((select call_id from it))).status, 'recording', 'confirmed by the engine');
select isnt((tests.recording_of((select call_id from it))).started_at, null, 'with its start');
select is(tests.wish((select call_id from it), 'stopping'), 'stopping', 'stop is wanted');
select recorder_api.report((select task_id from engine), 'task.left', jsonb_build_object('left_at', clock_timestamp()));
select is((tests.recording_of((select call_id from it))).status, 'stopping', 'leaving is not yet gone');
select recorder_api.report((select task_id from engine), 'task.gone', '{"files": [{"fileName": "x.m3u8"}]}');
select is((tests.recording_of((select call_id from it))).status, 'processing', 'the engine confirms that it is gone');
select is((select count(*) from recorder.jobs where kind = 'collect' and state = 'queued')::integer, 1, 'files are collected');
select is(
  recorder_api.publish((select id from r),
    '[{"kind": "mp4", "attempt": 1, "object_key": "recordings/x/a1/x_0.mp4", "content_type": "video/mp4", "size_bytes": 1000}]',
    '{"duration_ms": 61500, "size_bytes": 1000, "stored_bytes": 2500, "is_partial": false, "gaps": []}'),
  true, 'published');
select results_eq(
  $$ select recording_status, recording_size, recording_duration_seconds, recording_url from public.video_calls where id = (select call_id from it) $$,
  $$ select 'recorded', 1000::bigint, 62, '/recordings/' || id from r $$, 'the call shows it');
select is(recorder_api.publish((select id from r), '[]', '{}'), false, 'publishing again changes nothing');
select is(
  (select array_agg(coalesce(to_status, '-') order by id) from public.recording_events where recording_id = (select id from r)),
  array['starting', 'starting', '-', 'recording', 'stopping', '-', 'processing', 'recorded'], 'its story can be read');
select is((select count(*) from public.recordings where deadline_at is null)::integer, 1, 'a final recording has no deadline');
select is(recorder.apply((select id from r), 'engine.confirmed', 'engine'), false, 'a late event is not heard');
select is(tests.wish((select call_id from it), 'starting'), 'starting', 'pressing again begins a new recording');
select * from finish();
rollback;
