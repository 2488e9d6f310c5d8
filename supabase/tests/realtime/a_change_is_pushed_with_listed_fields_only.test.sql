begin;
select plan(21);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r (id uuid);
delete from realtime.messages;

create function pg_temp.keys(p_payload jsonb) returns text language sql as $$
  select string_agg(k, ' ' order by k) from jsonb_object_keys(p_payload) k
$$;
create function pg_temp.pushed(p_event text) returns jsonb language sql as $$
  select m.payload from realtime.messages m where m.event = p_event
$$;

-- One wish, in this one transaction.
select tests.wish((select call_id from it), 'starting');
insert into r select (tests.recording_of(call_id)).id from it;
select results_eq(
  $$ select topic, event, extension, private from realtime.messages order by topic $$,
  $$ select 'call:' || call_id, 'call.changed', 'broadcast', true from it
     union all select 'mentorship:' || tests.mentorship(), 'recording.changed', 'broadcast', true $$,
  'a wish pushes one message to its call and one to its mentorship, both private');
select is(pg_temp.keys(pg_temp.pushed('call.changed')),
  'call_id call_status id mentorship_id recording_duration_seconds recording_error recording_id recording_phase recording_progress recording_queue_place recording_size recording_status recording_url version',
  'of a call: the listed fields, and the message''s own id');
select is(pg_temp.keys(pg_temp.pushed('recording.changed')),
  'attempt call_id duration_ms error expires_at finished_at id is_partial mentorship_id phase progress queue_place recording_id requested_at size_bytes started_at status stop_requested_at stopped_at version',
  'of a recording: the listed fields, and the message''s own id');
select is(pg_temp.pushed('call.changed') ->> 'recording_status', 'starting', 'the call says the fact that the wish became');
select is(pg_temp.pushed('recording.changed') ->> 'status', 'starting', 'the recording too');
select is((pg_temp.pushed('recording.changed') ->> 'version')::bigint, (select version from public.recordings), 'with the recording''s version');
select is(pg_temp.pushed('call.changed') -> 'version', pg_temp.pushed('recording.changed') -> 'version', 'the same in both');
select isnt(pg_temp.pushed('recording.changed') ->> 'id', (select id::text from r), 'the message''s id is not the recording''s');

-- Every step of a life has a later version and no word of the engine.
create temporary table task as select tests.start_engine(id, 'sid-of-the-engine-00000000000000') as id from r;
select tests.confirm_engine((select id from task));
select tests.wish((select call_id from it), 'stopping');
select recorder_api.report((select id from task), 'task.gone', '{"files": [{"fileName": "engine-file.m3u8"}]}');
select recorder_api.publish((select id from r),
  '[{"kind": "playlist", "attempt": 1, "object_key": "recordings/x/a1/engine-file.m3u8", "content_type": "x", "size_bytes": 10}]',
  '{"duration_ms": 1000, "size_bytes": 10, "stored_bytes": 10}');
create temporary view pushed as select m.event, m.payload from realtime.messages m;
select results_eq(
  $$ select payload ->> 'status' from pushed where event = 'recording.changed'
     group by 1 order by min((payload ->> 'version')::bigint) $$,
  $$ values ('starting'), ('recording'), ('stopping'), ('processing'), ('recorded') $$, 'every status is pushed, in the order of the versions');
select is(
  (select max((payload ->> 'version')::bigint) from pushed where event = 'recording.changed'), (select version from public.recordings),
  'the last message has the last version');
select is(
  (select max((payload ->> 'version')::bigint) from pushed where event = 'call.changed'), (select version from public.recordings),
  'the call''s last one as well');
select is_empty(
  $$ select payload ->> 'version', payload ->> 'status' from pushed where event = 'recording.changed'
     except select payload ->> 'version', payload ->> 'recording_status' from pushed where event = 'call.changed' $$,
  'each of them reached the call, under the same version');
select is((select pg_temp.keys(payload) from pushed where event = 'call.changed' group by 1), pg_temp.keys((select payload from pushed where event = 'call.changed' limit 1)),
  'a call''s messages have the same fields all along');
select is((select count(distinct pg_temp.keys(payload)) from pushed)::integer, 2, 'and a recording''s too');
select is_empty(
  $$ select payload from pushed where payload::text ~ 'sid-of-the-engine|resource-|engine-file|recordings/x' $$,
  'no message knows a name of the engine or a key of the store');
select is_empty(
  format($$ select payload from pushed where payload::text ~ '%s' $$, (select uid from recorder.engine_tasks)), 'nor the recorder''s uid');

-- What nobody may see is not pushed.
delete from realtime.messages;
update public.recordings set mentorship_id = null;
select is((select count(*) from realtime.messages)::integer, 0, 'a recording without a mentorship is pushed to nobody');

savepoint before;
select tests.wish((select call_id from it), 'starting');
select isnt((select count(*) from realtime.messages)::integer, 0, 'a message is written with the change');
rollback to before;
select is((select count(*) from realtime.messages)::integer, 0, 'and undone with it');
set local request.method = 'PATCH';
select throws_ok(format($$ select tests.wish('%s', 'nonsense') $$, (select call_id from it)), 'PGRST', null, 'a refused wish');
select is((select count(*) from realtime.messages)::integer, 0, 'pushes nothing');
select * from finish();
rollback;
