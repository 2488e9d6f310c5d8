begin;
select plan(20);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.engine_at_work((select call_id from it)) as id;
create function pg_temp.publish(p_files jsonb, p_totals jsonb default '{"duration_ms": 1500, "size_bytes": 10, "stored_bytes": 12}') returns boolean
  language sql as $$ select recorder_api.publish((select id from r), p_files, p_totals) $$;
create function pg_temp.file(p_size bigint default 10) returns jsonb language sql as $$
  select jsonb_build_array(jsonb_build_object('kind', 'mp4', 'attempt', 1, 'object_key', 'recordings/k/a1/x.mp4', 'content_type', 'video/mp4', 'size_bytes', p_size)) $$;

create temporary table before as select tests.fingerprint() as mark;
select is(pg_temp.publish(pg_temp.file()), false, 'while it records there is nothing to publish');
select is(recorder_api.files_failed((select id from r), 'files.missing'), false, 'nor anything to miss');
select is(tests.fingerprint(), mark, 'and nothing changed') from before;

select tests.wish((select call_id from it), 'stopping');
select recorder_api.report((select id from recorder.engine_tasks), 'task.gone');
update before set mark = tests.fingerprint();
select throws_ok($$ select pg_temp.publish('[]') $$, 'RC502', null, 'recorded without a file is a lie');
select throws_ok($$ select pg_temp.publish('{}') $$, 'RC502', null, 'files that are no list');
select throws_ok($$ select pg_temp.publish(pg_temp.file(), '[]') $$, 'RC502', null, 'totals that are none');
select throws_ok($$ select pg_temp.publish(pg_temp.file(), '{"size_bytes": 10}') $$, 'RC502', null, 'totals without a duration');
select throws_ok($$ select pg_temp.publish(pg_temp.file(), '{"duration_ms": 1, "size_bytes": 10, "stored_bytes": 9}') $$, 'RC502', null, 'less stored than played');
select throws_ok($$ select pg_temp.publish(pg_temp.file(-1)) $$, 'RC502', null, 'a size below nothing');
select throws_ok($$ select pg_temp.publish('[{"kind": "hologram", "attempt": 1, "object_key": "k", "content_type": "c", "size_bytes": 1}]') $$, 'RC502', null, 'an unknown kind');
select throws_ok($$ select pg_temp.publish('[{"kind": "mp4"}]') $$, 'RC502', null, 'a file without a name');
select throws_ok($$ select pg_temp.publish(pg_temp.file() || pg_temp.file()) $$, 'RC502', null, 'a file twice');
select throws_ok($$ select pg_temp.publish(null) $$, 'RC011', null, 'no files');
select throws_ok($$ select recorder_api.publish(gen_random_uuid(), pg_temp.file(), '{}') $$, 'RC012', null, 'an unknown recording');
select is(tests.fingerprint(), mark, 'all refused, nothing changed') from before;

select is(pg_temp.publish(pg_temp.file()), true, 'published');
update before set mark = tests.fingerprint();
select is(pg_temp.publish(pg_temp.file(99)), false, 'again, with another size');
select is(tests.fingerprint(), mark, 'what was published stays as it was') from before;
select is((select size_bytes from public.recording_files), 10::bigint, 'with the size that was seen');
select is((select recording_duration_seconds from public.video_calls where id = (select call_id from it)), 2, 'and the call shows it, in seconds');
select * from finish();
rollback;
