begin;
select plan(17);
select tests.people();
create function pg_temp.outcome(p_id uuid) returns text language sql
  as $$ select o.outcome || coalesce(' ' || o.error_code, '') from recorder.outcomes o where o.recording_id = p_id $$;
create function pg_temp.gauge(p_status text, p_outcome text) returns numeric language sql as $$
  select coalesce(sum(t.value), 0) from recorder.tallied() t
  where t.metric = 'recordings' and t.labels = jsonb_build_object('status', p_status, 'outcome', p_outcome) $$;
create function pg_temp.new_channel() returns uuid language plpgsql as $$
declare v_call uuid := tests.new_call();
begin
  -- Each in a call of its own.
  perform tests.act_as('mentor'); perform public.end_call(v_call); perform tests.act_as_administrator();
  return tests.new_call();
end $$;

create temporary table whole as select tests.finished_recording(tests.new_call()) as id;
select is(pg_temp.outcome((select id from whole)), 'recorded', 'what is there whole is recorded');
update public.recordings set stop_requested_at = finished_at - interval '42 seconds' where id = (select id from whole);
select isnt((select stop_to_recorded_ms from recorder.outcomes), null, 'with the time that it took');

create temporary table called as select pg_temp.new_channel() as call_id;
select tests.wish((select call_id from called), 'starting');
create temporary table taken_back as select (tests.recording_of((select call_id from called))).id;
select is(pg_temp.outcome((select id from taken_back)), null, 'one that is under way has none');
select is(pg_temp.gauge('starting', ''), 1::numeric, 'and counts without one');
select tests.wish((select call_id from called), 'stopping');
select is(pg_temp.outcome((select id from taken_back)), 'cancelled stopped_before_start', 'a wish that was taken back is nobody''s failure');

create temporary table silent as select tests.failed_recording(pg_temp.new_channel(), repeat('1', 32), 'files.empty') as id;
select is(pg_temp.outcome((select id from silent)), 'empty nothing_recorded', 'nor is a call in which nobody sent anything');
create temporary table lost as select tests.failed_recording(pg_temp.new_channel(), repeat('2', 32)) as id;
select is(pg_temp.outcome((select id from lost)), 'failed files_missing', 'files that never came are');

select results_eq('select * from recorder.success_rate()', $$ values (1::bigint, 2::bigint, 50.0) $$, 'half of what somebody wanted is there');

-- Tried again, it is undecided; then it is there after all.
select recorder.retry_recording((select id from lost));
select is(pg_temp.outcome((select id from lost)), null, 'one that is tried again has none');
select is(pg_temp.gauge('failed', 'failed'), 0::numeric, 'and is no failure any more');
select recorder_api.publish((select id from lost),
  '[{"kind": "playlist", "attempt": 1, "object_key": "recordings/y/a1/x.m3u8", "content_type": "application/vnd.apple.mpegurl", "size_bytes": 1000, "duration_ms": 60000, "segment_count": 4}]',
  '{"duration_ms": 60000, "size_bytes": 1000, "stored_bytes": 1200, "is_partial": true, "gaps": []}');
select is(pg_temp.outcome((select id from lost)), 'partial', 'a recording with gaps is partial');
select results_eq('select percent from recorder.success_rate()', $$ values (100.0) $$, 'which is a success');

-- Files go, the outcome stays.
select recorder.apply((select id from whole), 'recording.expired', 'system');
select is(pg_temp.outcome((select id from whole)), 'recorded', 'what expired was recorded');
select is(pg_temp.gauge('expired', 'recorded'), 1::numeric, 'and counts so');
update recorder.outcomes set decided_at = now() - interval '25 hours';
select is((select percent from recorder.success_rate()), null, 'the rate forgets what is older than a day');

select results_eq(
  $$ select r.status || '/' || coalesce(o.outcome, ''), count(*)::numeric from public.recordings r left join recorder.outcomes o on o.recording_id = r.id group by 1 order by 1 $$,
  $$ select labels ->> 'status' || '/' || (labels ->> 'outcome'), value from recorder.tallied() where metric = 'recordings' and value <> 0 order by 1 $$,
  'the totals are what a count of all rows would give');
select is((select count(*) from recorder.outcomes)::integer, 4, 'one row for each that is over');
select * from finish();
rollback;
