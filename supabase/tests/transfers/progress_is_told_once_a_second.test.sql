begin;
select plan(11);
select tests.people();
-- A second is a quarter of an hour here, so that a busy machine changes nothing.
update recorder.settings set value = 1000 * value where name = 'transfer_progress_rest';
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.engine_at_work((select call_id from it)) as id;
select tests.wish((select call_id from it), 'stopping');
select recorder_api.report((select id from recorder.engine_tasks), 'task.gone');
insert into recorder.transfers (recording_id, attempt, source_store, source_key, source_etag, total_bytes, destination_key, content_type, part_bytes, state, upload_id, started_at)
select id, 1, 'staging', 'k', 'e', 100000000, 'd', 'video/mp4', 10000000, 'uploading', 'u', clock_timestamp() - interval '30 seconds' from r;
create function pg_temp.part(p_number integer) returns boolean language sql as $$
  select recorder_api.record_parts(t.id, 'u', jsonb_build_array(jsonb_build_object('part_number', p_number, 'size_bytes', 10000000, 'etag', 'p'))) from recorder.transfers t $$;
create function pg_temp.version() returns bigint language sql as $$ select version from public.recordings $$;
create function pg_temp.rest() returns void language sql as $$
  update public.recordings set progress = progress || jsonb_build_object('measured_at', clock_timestamp() - interval '2000 seconds') $$;

select ok(pg_temp.part(1), 'a part arrives');
select isnt((select progress from public.recordings), null, 'and is told');
create temporary table told as select pg_temp.version() as version;
select ok(pg_temp.part(2) and pg_temp.part(3) and pg_temp.part(4), 'three more within the second');
select is(pg_temp.version(), version, 'are not') from told;
select is((select count(*) from recorder.transfer_parts), 4::bigint, 'but saved');
select pg_temp.rest();
select ok(pg_temp.part(5), 'after the second');
select cmp_ok(pg_temp.version(), '>', version, 'the next one is told') from told;
select is((select progress ->> 'bytes' from public.recordings), '40000000', 'with what had arrived before it');
select is((select progress ->> 'percent' from public.recordings), '40', 'in percent');
-- 40 MB in 30 s and what the test took: 60 MB need 45 s and half as much again.
select ok((select (progress ->> 'estimated_end_at')::timestamptz - (progress ->> 'measured_at')::timestamptz between interval '44 s' and interval '90 s' from public.recordings), 'and when it will end');
update recorder.transfer_parts set done_at = now() - interval '2 minutes';
select pg_temp.rest();
select recorder.push_progress((select id from r));
select is((select progress -> 'estimated_end_at' from public.recordings), 'null', 'while nothing moves nobody knows when');
select * from finish();
rollback;
