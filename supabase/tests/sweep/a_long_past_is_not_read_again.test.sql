-- Neither a claim nor a sweep reads what has been over for long: what they cost is the same in the first week and after years.
begin;
select plan(8);
select tests.people();

-- Rows as they are after years, without the work that making them took.
alter table public.recordings disable trigger user;
insert into public.recordings (
  id, channel, status, quality, layout, requested_at, created_at, stopped_at, finished_at, expires_at, duration_ms, size_bytes, stored_bytes)
select md5('r' || n)::uuid, md5('r' || n), 'recorded', '720p', 'best_fit', o.at, o.at, o.at, o.at, now() + interval '60 days', 1, 1, 1
from generate_series(1, 3000) n cross join (select now() - interval '30 days') o (at);
insert into recorder.outcomes (recording_id, outcome, decided_at)
select r.id, case when n % 2 = 0 then 'recorded' else 'failed' end, r.finished_at from public.recordings r cross join lateral (select hashtext(r.id::text) as n) h;
insert into recorder.engine_tasks (recording_id, attempt, channel, uid, state, resource_id, sid, start_sent_at, gone_at)
select r.id, 1, r.channel, '4000000001', 'gone', 'resource of ' || r.id, 'sid of ' || r.id, r.created_at, r.created_at from public.recordings r;
insert into recorder.alerts (rule, state, explanation, fired_at, resolved_at)
select 'dead_job', 'resolved', 'It was so.', now() - interval '30 days', now() - interval '30 days' from generate_series(1, 3000);
analyze public.recordings, recorder.outcomes, recorder.engine_tasks, recorder.alerts;

create function pg_temp.rows_read() returns bigint language sql as $$
  select coalesce(sum(s.seq_tup_read + s.idx_tup_fetch), 0)::bigint from pg_stat_xact_user_tables s
  where s.schemaname in ('public', 'recorder') and s.relname in ('recordings', 'outcomes', 'engine_tasks', 'alerts')
$$;
create function pg_temp.rows_read_by(p_statement text) returns bigint language plpgsql as $$
declare
  v_before bigint := pg_temp.rows_read();
begin
  execute p_statement;
  return pg_temp.rows_read() - v_before;
end
$$;
select cmp_ok(pg_temp.rows_read_by('select count(resolved_at) from recorder.alerts'), '>=', 3000::bigint, 'what reads them all is seen');
select cmp_ok(pg_temp.rows_read_by(s.statement), '<', 100::bigint, s.statement) from (values
  ($$ select recorder.free_tasks('default') $$), ($$ select recorder.next_free_task_at('default') $$),
  ('select recorder.check_success_rate()'), ('select recorder.check_deletions()'), ('select recorder.sweep_expiry(500)'),
  ('select recorder.evaluate_alerts()')) s (statement);

-- And whole: a press on record, the claim that takes it.
select tests.wish(tests.new_call(), 'starting');
select cmp_ok(pg_temp.rows_read_by('select tests.claim()'), '<', 100::bigint, 'a claim of a start');
select * from finish();
rollback;
