begin;
select plan(19);
select tests.people();
create temporary table counted (at integer, name text, value numeric);
grant all on counted to service_role;
create function pg_temp.look(p_at integer) returns bigint language plpgsql as $$
declare
  v_metrics jsonb;
  v_count bigint;
begin
  perform tests.act_as('service_role');
  v_metrics := recorder_api.read_metrics();
  perform tests.act_as_administrator();
  insert into counted
  select p_at, s.metric || s.labels::text, s.value from jsonb_to_recordset(v_metrics -> 'samples') s (metric text, labels jsonb, value numeric)
  where s.metric in ('job_runs', 'recording_outcomes', 'engine_slots', 'webhook_verdicts', 'transfer_bytes')
  union all
  select p_at, h.metric || ' le ' || (b ->> 'le'), (b ->> 'count')::numeric
  from jsonb_to_recordset(v_metrics -> 'histograms') h (metric text, buckets jsonb), jsonb_array_elements(h.buckets) b
  union all
  select p_at, h.metric || x.name, x.value from jsonb_to_recordset(v_metrics -> 'histograms') h (metric text, count numeric, sum numeric)
  cross join lateral (values (' count', h.count), (' sum', h.sum)) x (name, value);
  get diagnostics v_count = row_count;
  return v_count;
end $$;
create function pg_temp.value(p_at integer, p_like text) returns numeric language sql
  as $$ select sum(value) from counted where at = p_at and name like p_like $$;
create function pg_temp.went_down(p_from integer, p_to integer) returns text language sql as $$
  select coalesce(string_agg(b.name, ', '), '') from counted b left join counted a on a.name = b.name and a.at = p_to
  where b.at = p_from and (a.value >= b.value) is not true $$;

select ok(pg_temp.look(0) > 0, 'there are counters from the beginning');
select is((select string_agg(name || value, ' ') from counted where name like 'transfer%'), 'transfer_bytes{}0', 'with their zero');

-- A job is tried twice, waits, and is done; another one is given up.
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
select tests.finish(tests.claim() -> 0, 'retry', '{"after_ms": 0}');
select tests.finish(tests.claim() -> 0, 'snooze', '{"after_ms": 0}');
create temporary table task as select tests.start_engine((tests.recording_of((select call_id from it))).id) as id;
select tests.finish(tests.claim() -> 0, 'done');
select pg_temp.look(1);
select is(pg_temp.value(1, 'job_runs%"start"%"retry"%'), 1::numeric, 'a retry is counted');
select is(pg_temp.value(1, 'job_runs%"start"%"snooze"%'), 1::numeric, 'waiting is something else');
select is(pg_temp.value(1, 'job_runs%"start"%"done"%'), 1::numeric, 'and so is the end');
select is(pg_temp.value(1, 'engine_slots%"start"%'), 6::numeric, 'each of these runs took two slots of the rate');

select tests.confirm_engine((select id from task));
select tests.wish((select call_id from it), 'stopping');
update public.recordings set stop_requested_at = clock_timestamp() - interval '42 seconds';
select recorder_api.report((select id from task), 'task.gone', '{"files": []}');
select recorder_api.publish((tests.recording_of((select call_id from it))).id,
  '[{"kind": "playlist", "attempt": 1, "object_key": "recordings/x/a1/x.m3u8", "content_type": "application/vnd.apple.mpegurl", "size_bytes": 1000, "duration_ms": 60000, "segment_count": 4}]',
  '{"duration_ms": 60000, "size_bytes": 1000, "stored_bytes": 1200}');
set local role service_role;
select is(recorder_api.count_webhook_verdicts('{"stored": 3, "refused": 2}'), 2, 'the function tells what became of events');
reset role;
select pg_temp.look(2);
select is(pg_temp.value(2, 'webhook_verdicts%refused%'), 2::numeric, 'which is counted');
select is(pg_temp.value(2, 'stop_to_recorded_seconds le 30'), 0::numeric, 'it took longer than 30 s');
select is(pg_temp.value(2, 'stop_to_recorded_seconds le 60'), 1::numeric, 'less than 60');
select is(pg_temp.value(2, 'stop_to_recorded_seconds le 259200'), 1::numeric, 'and less than everything above');
select ok(pg_temp.value(2, 'stop_to_recorded_seconds sum') between 42 and 60, 'the sum is in seconds');

-- What cleans up cleans no counter: the sweep folds and deletes, failed ones are tried again, files expire, bounds change.
update recorder.jobs set finished_at = now() - interval '8 days' where state = 'done';
select recorder.sweep();
select is((select count(*) from recorder.tally_steps)::integer, 0, 'the sweep folds what was counted');
select recorder.apply((tests.recording_of((select call_id from it))).id, 'recording.expired', 'system');
select recorder.retry_recording(tests.failed_recording(tests.new_call(), repeat('3', 32)));
delete from recorder.histogram_buckets where upper_bound = 60;
insert into recorder.histogram_buckets values ('stop_to_recorded_seconds', 45, 'Somebody wants to know.');
delete from counted where name like '% le 60';
select pg_temp.look(3);
select is(pg_temp.went_down(0, 1) || pg_temp.went_down(1, 2) || pg_temp.went_down(2, 3), '', 'nothing has ever gone down');
select is(pg_temp.value(3, 'stop_to_recorded_seconds le 300'), 1::numeric, 'what a bound had counted is counted with the next');

-- The test can fail.
update recorder.tallies set total = total - 1 where metric = 'webhook_verdicts' and labels = '{"verdict": "stored"}';
select pg_temp.look(4);
select is(pg_temp.went_down(3, 4), 'webhook_verdicts{"verdict": "stored"}', 'one that does is found');

set local role service_role;
select throws_ok($$ select recorder_api.count_webhook_verdicts('{"forged": 1}') $$, 'RC502', null, 'a verdict that nobody knows is refused');
select throws_ok($$ select recorder_api.count_webhook_verdicts('{"stored": -1}') $$, 'RC502', null, 'and so is less than nothing');
select throws_ok($$ select recorder_api.count_webhook_verdicts(null) $$, 'RC011', null, 'and nothing at all');
reset role;
select * from finish();
rollback;
