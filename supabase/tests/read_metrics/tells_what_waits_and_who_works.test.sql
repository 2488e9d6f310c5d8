begin;
select plan(12);
select tests.people();
create function pg_temp.value(p_metric text, p_labels jsonb) returns numeric language sql as $$
  select s.value from jsonb_to_recordset(recorder_api.read_metrics() -> 'samples') s (metric text, labels jsonb, value numeric)
  where s.metric = p_metric and s.labels = p_labels $$;
create temporary table it as select tests.new_call() as call_id;

select is(pg_temp.value('queue_age_seconds', '{"lane": "control"}'), 0::numeric, 'nothing is due');
select is(pg_temp.value('jobs', '{"kind": "start", "state": "queued"}'), 0::numeric, 'a number that is zero is told too');
select tests.wish((select call_id from it), 'starting');
update recorder.jobs set run_at = clock_timestamp() - interval '12 seconds' where kind = 'start';
select ok(pg_temp.value('queue_age_seconds', '{"lane": "control"}') between 12 and 60, 'a wish that nobody attends to grows old');
select is(pg_temp.value('queue_age_seconds', '{"lane": "storage"}'), 0::numeric, 'in its lane');
select is(pg_temp.value('jobs', '{"kind": "start", "state": "queued"}'), 1::numeric, 'it waits');
create temporary table job as select tests.claim() -> 0 as job;
select is(pg_temp.value('jobs', '{"kind": "start", "state": "running"}'), 1::numeric, 'then it runs');
select tests.start_engine((tests.recording_of((select call_id from it))).id);
select is(pg_temp.value('engine_recorders', '{"engine_account": "default"}'), 1::numeric, 'a recorder is at work');
select is(pg_temp.value('engine_recorder_limit', '{"engine_account": "default"}'), 50::numeric, 'of so many');
select tests.finish((select job from job), 'give_up');
select is(pg_temp.value('jobs', '{"kind": "start", "state": "dead"}'), 1::numeric, 'what was given up stays');
select is(pg_temp.value('recordings', '{"status": "failed", "outcome": "failed"}'), 1::numeric, 'and has cost a recording');

-- Copies: a part counts when it has arrived, what goes in one piece when it is complete.
insert into recorder.transfers (recording_id, attempt, source_store, source_key, source_etag, total_bytes, destination_key, content_type, state, started_at, part_bytes, upload_id)
select (tests.recording_of(call_id)).id, 1, 'staging', 'k1', 'e', 7000000, 'd1', 'video/mp4', 'uploading', now(), 5242880, 'u1' from it;
insert into recorder.transfers (recording_id, attempt, source_store, source_key, source_etag, total_bytes, destination_key, content_type, state, started_at)
select (tests.recording_of(call_id)).id, 1, 'staging', 'k2', 'e', 100, 'd2', 'video/mp2t', 'uploading', now() from it;
insert into recorder.transfer_parts (transfer_id, part_number, offset_bytes, size_bytes, etag) select id, 1, 0, 5242880, 'p' from recorder.transfers where source_key = 'k1';
update recorder.transfers set state = 'verifying', completed_at = now(), version_id = 'v' where source_key = 'k2';
select is(pg_temp.value('transfer_bytes', '{}'), 5242980::numeric, 'bytes that arrived are counted once');

select isnt_empty($$ select from pg_indexes where schemaname = 'recorder' and indexname = 'jobs_dead' $$, 'dead jobs have an index of their own');
select * from finish();
rollback;
