begin;
select plan(47);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.engine_at_work((select call_id from it)) as id;
create function pg_temp.object(p_name text, p_bytes bigint, p_etag text default 'e1', p_part_bytes bigint default null, p_order integer default 0) returns jsonb language sql as $$
  select jsonb_build_object('attempt', 1, 'source_key', 'recordings/x/a1/' || p_name, 'source_etag', p_etag, 'source_modified_at', now(), 'total_bytes', p_bytes,
    'destination_key', 'recordings/' || replace((select id from r)::text, '-', '') || '/a1/' || p_name, 'content_type', 'video/mp4', 'copy_order', p_order, 'part_bytes', p_part_bytes) $$;
create function pg_temp.plan(variadic p_objects jsonb[]) returns jsonb language sql as $$
  select recorder_api.plan_transfers((select id from r), 'staging', to_jsonb(p_objects)) $$;
create function pg_temp.big() returns uuid language sql as $$
  select id from recorder.transfers where part_bytes is not null order by finished_at nulls first limit 1 $$;
create function pg_temp.small() returns uuid language sql as $$ select id from recorder.transfers where part_bytes is null limit 1 $$;
create function pg_temp.part(p_number integer, p_size bigint default 10000000, p_etag text default 'p') returns jsonb language sql as $$
  select jsonb_build_array(jsonb_build_object('part_number', p_number, 'size_bytes', p_size, 'etag', p_etag)) $$;
create temporary table before (mark text);

select is(pg_temp.plan(pg_temp.object('s.ts', 5)) ->> 'open_count', '0', 'while it records nothing is copied');
select is((select count(*) from recorder.transfers), 0::bigint, 'nothing is planned');
select tests.wish((select call_id from it), 'stopping');
select recorder_api.report((select id from recorder.engine_tasks), 'task.gone');

-- Planning.
select throws_ok($$ select pg_temp.plan(pg_temp.object('s.ts', 5) || '{"destination_key": "recordings/another/a1/s.ts"}') $$, 'RC502', null, 'into another folder');
select throws_ok($$ select pg_temp.plan(pg_temp.object('s.ts', -5)) $$, 'RC502', null, 'fewer bytes than none');
select throws_ok($$ select pg_temp.plan(pg_temp.object('s.ts', 5) - 'source_etag') $$, 'RC502', null, 'a source that nothing guards');
select throws_ok($$ select pg_temp.plan(pg_temp.object('s.ts', 6000000000)) $$, 'RC502', null, 'six gigabytes in one piece');
select throws_ok($$ select recorder_api.plan_transfers((select id from r), 'https://elsewhere', jsonb_build_array(pg_temp.object('s.ts', 5))) $$, 'RC502', null, 'an address in place of a name');
select throws_ok($$ select recorder_api.plan_transfers(gen_random_uuid(), 'staging', '[]') $$, 'RC012', null, 'an unknown recording');
select is((select count(*) from recorder.transfers), 0::bigint, 'all refused');
select is(pg_temp.plan(pg_temp.object('m.mp4', 25000000, 'e1', 10000000, 2), pg_temp.object('s.ts', 5)) -> 'open_count', '2', 'two files are to be copied');
select is((select phase from public.recordings), 'transferring', 'which its people see');
select is((select recording_progress - 'measured_at' from public.video_calls where id = (select call_id from it)),
  '{"bytes": 0, "total_bytes": 25000005, "percent": 0, "estimated_end_at": null}', 'with how much it is');
select is((select count(*) from recorder.jobs where kind = 'transfer' and state = 'queued'), 1::bigint, 'one job copies them');
select is(pg_temp.plan(pg_temp.object('m.mp4', 25000000, 'e1', 10000000, 2), pg_temp.object('s.ts', 5)) -> 'open_count', '2', 'planned again');
select is((select count(*) from recorder.transfers), 2::bigint, 'they are the same two');
select is((select jsonb_path_query_array(recorder_api.next_transfers((select id from r), 10), '$[*].total_bytes')), '[5, 25000000]', 'the slice goes first');

-- In parts.
select is(recorder_api.begin_upload(pg_temp.big(), 'u1'), 'u1', 'an upload is begun');
select is(recorder_api.begin_upload(pg_temp.big(), 'u2'), 'u1', 'who is slower is told which one holds');
select throws_ok($$ select recorder_api.begin_upload(pg_temp.small(), 'u3') $$, 'RC502', null, 'what goes in one piece has none');
select throws_ok($$ select recorder_api.begin_upload(gen_random_uuid(), 'u3') $$, 'RC701', null, 'an unknown transfer');
select is(recorder_api.record_parts(pg_temp.big(), 'u1', pg_temp.part(1)), true, 'a part arrived');
select is(recorder_api.record_parts(pg_temp.big(), 'u1', pg_temp.part(1)), true, 'and is told of twice');
select is(recorder_api.record_parts(pg_temp.big(), 'u2', pg_temp.part(2)), false, 'a part of another upload counts for nothing');
select throws_ok($$ select recorder_api.record_parts(pg_temp.big(), 'u1', pg_temp.part(2, 9999999)) $$, 'RC502', null, 'a short part');
select throws_ok($$ select recorder_api.record_parts(pg_temp.big(), 'u1', pg_temp.part(3)) $$, 'RC502', null, 'a last part that is too long');
select throws_ok($$ select recorder_api.record_parts(pg_temp.big(), 'u1', pg_temp.part(4)) $$, 'RC502', null, 'a part behind the end');
select throws_ok($$ select recorder_api.record_parts(pg_temp.big(), 'u1', pg_temp.part(0)) $$, 'RC502', null, 'a part before the beginning');
select throws_ok($$ select recorder_api.record_parts(pg_temp.big(), 'u1', pg_temp.part(2, 10000000, null)) $$, 'RC502', null, 'a part without proof');
select is(recorder_api.complete_transfers((select id from r), jsonb_build_array(jsonb_build_object('id', pg_temp.big(), 'version_id', 'v', 'etag', 'x'))), 0, 'with parts missing it is not complete');
select is((select count(*) from recorder.transfer_parts), 1::bigint, 'one part is there');
select ok(recorder_api.record_parts(pg_temp.big(), 'u1', pg_temp.part(2) || pg_temp.part(3, 5000000)), 'the others come');
select is((select state from recorder.transfers where id = pg_temp.big()), 'completing', 'all parts are there');
select is(recorder_api.complete_transfers((select id from r), jsonb_build_array(jsonb_build_object('id', pg_temp.big(), 'version_id', 'v', 'etag', 'x'))), 1, 'now it is complete');
select is(recorder_api.verify_transfers((select id from r), jsonb_build_array(jsonb_build_object('id', pg_temp.big(), 'size_bytes', 24999999, 'etag_agrees', true))), 0, 'a byte short is not verified');
select is(recorder_api.verify_transfers((select id from r), jsonb_build_array(jsonb_build_object('id', pg_temp.big(), 'size_bytes', 25000000, 'etag_agrees', false))), 1, 'the size decides');

-- A source that changes, and what is done.
update recorder.transfers set state = 'uploading', started_at = now() where part_bytes is null;
select is(pg_temp.plan(pg_temp.object('s.ts', 6, 'e2')) ->> 'open_count', '1', 'another source under the same name');
select is((select array_agg(state || ' ' || coalesce(ended_because, '-') order by created_at, total_bytes) from recorder.transfers where part_bytes is null),
  array['aborted source_changed', 'created -'], 'is copied from its beginning');
select is((select count(*) from public.recording_events where event = 'transfer.restarted' and detail ->> 'reason' = 'source_changed'), 1::bigint, 'which the story tells');
select is(recorder_api.sources_to_delete((select id from r)), '[]', 'no source may go yet');
delete from recorder.jobs;
select is((select recorder_api.complete_transfers((select id from r), jsonb_build_array(jsonb_build_object('id', t.id, 'version_id', 'v', 'etag', 'e2')))
  + recorder_api.verify_transfers((select id from r), jsonb_build_array(jsonb_build_object('id', t.id, 'size_bytes', 6, 'etag_agrees', true)))
  from recorder.transfers t where t.state = 'created'), 2, 'in one piece it is complete at once');
select is((select array_agg(kind) from recorder.jobs), array['collect'], 'the last one asks for a look at our bucket');
select is((select progress ->> 'percent' from public.recordings), '100', 'and its people see that all is copied');
select ok(recorder_api.publish((select id from r), '[{"kind": "mp4", "attempt": 1, "object_key": "k", "content_type": "video/mp4", "size_bytes": 6}]',
  '{"duration_ms": 1, "size_bytes": 6, "stored_bytes": 6}'), 'published');
select is((select count(*) from recorder.jobs where kind = 'transfer'), 1::bigint, 'now the sources may go');
select is(jsonb_array_length(recorder_api.sources_to_delete((select id from r))), 2, 'both');
select is(recorder_api.note_sources_deleted(array(select id from recorder.transfers where state = 'done')), 2, 'they are gone');
select is(recorder_api.sources_to_delete((select id from r)), '[]', 'once');
select * from finish();
rollback;
