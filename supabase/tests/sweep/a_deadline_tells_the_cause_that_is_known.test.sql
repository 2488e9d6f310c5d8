-- What work met at its last try is what people read when its time is over: not only that something is missing.
begin;
select plan(27);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create function pg_temp.r() returns public.recordings language sql as $$ select tests.recording_of((select call_id from it)) $$;
create function pg_temp.pass() returns text language plpgsql as $$
begin
  update public.recordings set deadline_at = clock_timestamp() - interval '1 second' where id = (pg_temp.r()).id;
  perform recorder.sweep();
  return (pg_temp.r()).error ->> 'code';
end $$;
create function pg_temp.error(p_code text, p_blame text, p_retry text) returns jsonb language sql as $$
  select jsonb_build_object('code', p_code, 'blame', p_blame, 'retry', p_retry, 'message', 'What ' || p_code || ' means.', 'detail', 'only for us') $$;
-- One try of the recording's work of a kind: a worker takes it, whatever else waits, and comes back with this.
create function pg_temp.try_once(p_kind text, p_outcome text, p_error jsonb default null) returns void language plpgsql as $$
declare
  v_job recorder.jobs;
begin
  update recorder.jobs j set
    state = 'running', attempts = j.attempts + 1, lease_token = gen_random_uuid(), leased_until = clock_timestamp() + interval '1 hour'
  where j.recording_id = (pg_temp.r()).id and j.kind = p_kind and j.state = 'queued' returning * into strict v_job;
  if recorder.finish_job(jsonb_strip_nulls(jsonb_build_object('id', v_job.id, 'lease', v_job.lease_token, 'outcome', p_outcome,
    'error', p_error, 'after_ms', 3600000))) is not null
  then
    raise exception 'the result of % was refused', p_kind;
  end if;
end $$;
create function pg_temp.files_awaited(p_sid text) returns uuid language plpgsql as $$
declare
  v_id uuid := tests.engine_at_work((select call_id from it), p_sid);
begin
  perform tests.wish((select call_id from it), 'stopping');
  perform recorder_api.report(t.id, 'task.gone') from recorder.engine_tasks t where t.recording_id = v_id;
  return v_id;
end $$;
create function pg_temp.copy_planned(p_sid text, p_file text default 'one.mp4') returns uuid language plpgsql as $$
declare
  v_id uuid := case when (pg_temp.r()).status = 'processing' then (pg_temp.r()).id else pg_temp.files_awaited(p_sid) end;
  v_key text := 'recordings/' || replace(v_id::text, '-', '') || '/a1/' || p_file;
begin
  perform recorder_api.plan_transfers(v_id, 'staging', jsonb_build_array(jsonb_build_object(
    'attempt', 1, 'source_key', v_key, 'source_etag', 'e', 'source_modified_at', now(), 'total_bytes', 10, 'destination_key', v_key,
    'content_type', 'video/mp4', 'copy_order', 0)));
  return (select t.id from recorder.transfers t where t.destination_key = v_key and t.finished_at is null);
end $$;

-- Copies that the store refuses for three days.
select pg_temp.copy_planned(repeat('1', 32));
select pg_temp.try_once('transfer', 'retry', pg_temp.error('store_access_denied', 'configuration', 'never'));
select is(pg_temp.pass(), 'store_access_denied', 'what the copies met at their last try is what people read at the end');
select is((pg_temp.r()).error, pg_temp.error('store_access_denied', 'configuration', 'never') - 'detail', 'with its blame and sentence, and without what is ours');
select is((select detail ->> 'error' from public.recording_events where event = 'files.missing'), 'store_access_denied', 'the story tells it too');
select is(recorder.retry_recording((pg_temp.r()).id), 'processing', 'who has mended it may send the recording back');
update recorder.jobs set state = 'done', finished_at = now() where state = 'queued';
select is(pg_temp.pass(), 'files_missing', 'where nothing is open that met anything, the files are missing and no more is said');

-- The same by the storage lane's own word, an hour before.
select pg_temp.copy_planned(repeat('2', 32));
select pg_temp.try_once('transfer', 'retry', pg_temp.error('store_full', 'configuration', 'never'));
select ok(recorder_api.files_failed((pg_temp.r()).id, 'files.missing'), 'the storage lane says that nothing is there');
select is((pg_temp.r()).error ->> 'code', 'store_full', 'and the database knows why');
select pg_temp.copy_planned(repeat('3', 32));
select pg_temp.try_once('transfer', 'retry', pg_temp.error('store_full', 'configuration', 'never'));
select recorder_api.files_failed((pg_temp.r()).id, 'files.missing', jsonb_build_object('error', pg_temp.error('bucket_missing', 'configuration', 'never')));
select is((pg_temp.r()).error ->> 'code', 'bucket_missing', 'what the lane says itself goes before that');
select pg_temp.copy_planned(repeat('4', 32));
select pg_temp.try_once('transfer', 'retry', pg_temp.error('store_full', 'configuration', 'never'));
select recorder_api.files_failed((pg_temp.r()).id, 'files.empty');
select is((pg_temp.r()).error ->> 'code', 'nothing_recorded', 'that nobody sent anything has no other cause');

-- What is over is no cause.
select pg_temp.copy_planned(repeat('5', 32));
select pg_temp.try_once('transfer', 'retry', pg_temp.error('store_unavailable', 'storage', 'later'));
select pg_temp.try_once('transfer', 'snooze');
select results_eq($$ select last_error ->> 'code', is_overcome from recorder.jobs where kind = 'transfer' and state = 'queued' and recording_id = (pg_temp.r()).id $$,
  $$ values ('store_unavailable', true) $$, 'a try that went on has met nothing; what was before stays to be read');
select is(pg_temp.pass(), 'files_missing', 'and is no cause');
select pg_temp.copy_planned(repeat('5a', 16));
select pg_temp.try_once('transfer', 'snooze');
select pg_temp.try_once('transfer', 'retry', pg_temp.error('store_unavailable', 'storage', 'later'));
select is(pg_temp.pass(), 'store_unavailable', 'but one that comes after a try that went on');

-- A file that was given up, and one that was copied after all.
select recorder_api.fail_transfer(pg_temp.copy_planned(repeat('6', 32)), pg_temp.error('store_request_invalid', 'us', 'never'));
select is(pg_temp.pass(), 'store_request_invalid', 'what a file was given up for is told');
create temporary table copied as select pg_temp.copy_planned(repeat('7', 32)) as id;
select recorder_api.fail_transfer(id, pg_temp.error('store_request_invalid', 'us', 'never')) from copied;
update recorder.transfers set finished_at = now() - interval '2 hours' where id = (select id from copied);
select recorder_api.complete_transfers((pg_temp.r()).id, jsonb_build_array(jsonb_build_object('id', pg_temp.copy_planned(null), 'version_id', 'v', 'etag', 'e')));
select recorder_api.verify_transfers((pg_temp.r()).id, jsonb_build_array(jsonb_build_object('id', t.id, 'size_bytes', 10, 'etag_agrees', true)))
from recorder.transfers t where t.state = 'verifying';
select is(pg_temp.pass(), 'files_missing', 'unless it was copied later');

-- Looking itself.
select pg_temp.files_awaited(repeat('8', 32));
select pg_temp.try_once('collect', 'retry', pg_temp.error('store_key_unknown', 'configuration', 'never'));
select is(pg_temp.pass(), 'store_key_unknown', 'a bucket that nobody could look into is told as such, also when the last look was not taken');
select pg_temp.copy_planned(repeat('9', 32));
select pg_temp.try_once('collect', 'retry', recorder.error_of('unexpected_error'));
select pg_temp.try_once('transfer', 'retry', pg_temp.error('store_full', 'configuration', 'never'));
select is(recorder.known_cause((pg_temp.r()).id, array['collect', 'transfer']) ->> 'code', 'store_full', 'what names a cause goes before what only says that something went wrong');
select recorder_api.await_files((pg_temp.r()).id,
  jsonb_build_array(jsonb_build_object('kind', 'mp4', 'attempt', 1, 'object_key', 'recordings/x/a1/x.mp4', 'content_type', 'video/mp4', 'size_bytes', 10, 'duration_ms', 1000)),
  '{"duration_ms": 1000, "size_bytes": 10, "stored_bytes": 12}');
select is(pg_temp.pass(), null, 'what came in time is published');
select results_eq($$ select (pg_temp.r()).status, (pg_temp.r()).is_partial, (select e.detail ->> 'error' from public.recording_events e where e.recording_id = (pg_temp.r()).id and e.event = 'files.published') $$,
  $$ values ('recorded', true, 'unexpected_error') $$, 'as partial, and the story tells what stood in the way of the rest');

create temporary table partial as select pg_temp.files_awaited(repeat('0', 32)) as id;
select pg_temp.copy_planned(null);
select pg_temp.try_once('transfer', 'retry', pg_temp.error('store_full', 'configuration', 'never'));
select ok(recorder_api.publish(id, jsonb_build_array(jsonb_build_object('kind', 'mp4', 'attempt', 1, 'object_key', 'recordings/y/a1/y.mp4', 'content_type', 'video/mp4', 'size_bytes', 10, 'duration_ms', 1000)),
  '{"duration_ms": 1000, "size_bytes": 10, "stored_bytes": 12, "is_partial": true, "gaps": []}'), 'the lane publishes what is there') from partial;
select results_eq($$ select (pg_temp.r()).status, (pg_temp.r()).error, (select e.detail ->> 'error' from public.recording_events e where e.recording_id = (pg_temp.r()).id and e.event = 'files.published') $$,
  $$ values ('recorded', null::jsonb, 'store_full') $$, 'and the story tells what stood in the way of the rest');

-- Waiting for a recorder.
select tests.wish((select call_id from it), 'starting');
select is(pg_temp.pass(), 'no_recorder_available', 'five minutes in the queue without a try: none was free');
select tests.wish((select call_id from it), 'starting');
select pg_temp.try_once('start', 'retry', pg_temp.error('engine_unreachable', 'engine', 'later'));
select is(pg_temp.pass(), 'engine_unreachable', 'five minutes of tries that met something: that');

-- A recorder that does not come.
select tests.wish((select call_id from it), 'starting');
update recorder.settings set value = 1 where name = 'attempt_limit';
create temporary table task as select tests.start_engine((pg_temp.r()).id, repeat('a', 32)) as id;
select pg_temp.try_once('confirm', 'retry', pg_temp.error('engine_unavailable', 'engine', 'later'));
select is(pg_temp.pass(), 'engine_unavailable', 'a recorder that nobody could ask about fails with what the questions met');
select tests.wish((select call_id from it), 'starting');
create temporary table other_task as select tests.start_engine((pg_temp.r()).id, repeat('b', 32)) as id;
select pg_temp.try_once('confirm', 'retry', pg_temp.error('engine_unavailable', 'engine', 'later'));
select pg_temp.try_once('confirm', 'snooze');
select is(pg_temp.pass(), 'engine_start_failed', 'one that was asked about since, and is not there, did not start');
select tests.wish((select call_id from it), 'starting');
create temporary table third_task as select tests.start_engine((pg_temp.r()).id, repeat('c', 32)) as id;
select recorder_api.report(id, 'task.doubted', jsonb_build_object('error', pg_temp.error('engine_failed', 'engine', 'later'))) from third_task;
select is(pg_temp.pass(), 'engine_failed', 'what the engine itself said of it goes before our questions');

-- A stop that nobody confirms.
update recorder.settings set value = 3 where name = 'attempt_limit';
select tests.engine_at_work((select call_id from it), repeat('d', 32));
select tests.wish((select call_id from it), 'stopping');
select pg_temp.try_once('stop', 'retry', pg_temp.error('engine_unauthorized', 'configuration', 'never'));
select is(pg_temp.pass(), null, 'a stop that never came through ends with the recorder''s token');
select results_eq($$ select detail from public.recording_events where event = 'engine.stop_unconfirmed' $$, $$ values ('{"error": "engine_unauthorized"}'::jsonb) $$, 'and the story tells why');
select * from finish();
rollback;
