begin;
select plan(19);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.finished_recording(call_id) as id from it;
create function pg_temp.transfer(p_columns text, p_values text) returns text language sql as $$
  select format(
    'insert into recorder.transfers (recording_id, attempt, source_store, source_key, source_etag, total_bytes, destination_key, content_type, %s)
     select id, 1, ''staging'', ''k'', ''"e"'', 20000000, ''d'', ''video/mp4'', %s from r', p_columns, p_values)
$$;
select lives_ok(pg_temp.transfer('part_bytes', '10000000'), 'a transfer begins as created');
select throws_ok(pg_temp.transfer('part_bytes', '10000000'), '23505', null, 'one destination has one transfer');
select lives_ok($$ update recorder.transfers set state = 'uploading', started_at = now(), upload_id = 'u' $$, 'it uploads under an upload id');
select throws_ok($$ update recorder.transfers set upload_id = null $$, '23514', null, 'never without');
select throws_ok($$ update recorder.transfers set state = 'created' $$, '23514', null, 'and never as if nothing had begun');
select lives_ok($$ insert into recorder.transfer_parts (transfer_id, part_number, offset_bytes, size_bytes, etag) select id, 1, 0, 10000000, '"p"' from recorder.transfers $$, 'a part that arrived is kept with its proof');
select throws_ok($$ insert into recorder.transfer_parts (transfer_id, part_number, offset_bytes, size_bytes, etag) select id, 2, 0, 1, null from recorder.transfers $$, '23502', null, 'never without');
select throws_ok($$ insert into recorder.transfer_parts (transfer_id, part_number, offset_bytes, size_bytes, etag) select id, 10001, 0, 1, 'e' from recorder.transfers $$, '23514', null, 'there are at most 10,000');
select throws_ok($$ update recorder.transfers set state = 'verifying' $$, '23514', null, 'what is verified has a version');
select lives_ok($$ update recorder.transfers set state = 'verifying', completed_at = now(), version_id = 'v' $$, 'when it is complete');
select throws_ok($$ update recorder.transfers set state = 'done', finished_at = now() $$, '23514', null, 'what is done was verified');
select throws_ok($$ update recorder.transfers set source_deleted_at = now() $$, '23514', null, 'the source is not deleted before that');
select lives_ok($$ update recorder.transfers set state = 'done', finished_at = now(), verified_at = now() $$, 'then it is done');
select lives_ok($$ update recorder.transfers set source_deleted_at = now() $$, 'and the source may go');
select throws_ok($$ update recorder.transfers set finished_at = null $$, '23514', null, 'what is final has an end');
select throws_ok($$ update recorder.transfers set state = 'failed', source_deleted_at = null $$, '23514', null, 'what failed says why');
select lives_ok($$ update recorder.transfers set state = 'failed', source_deleted_at = null, error = recorder.error_of('unexpected_error') $$, 'with a known error');
select lives_ok(pg_temp.transfer('part_bytes', 'null'), 'after a failure a new one may begin, in one piece');
select throws_ok(replace(pg_temp.transfer('part_bytes', '5242879'), '''d''', '''d2'''), '23514', null, 'parts are 5 MiB at least');
select * from finish();
rollback;
