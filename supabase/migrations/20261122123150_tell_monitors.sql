-- What a monitor reads: numbers, those that are counted where they stand and those that were counted when they happened; and whether
-- all is well.

create function recorder.measure_jobs() returns table (metric text, labels jsonb, value numeric)
  language plpgsql stable set search_path = ''
as $$
begin
  return query
    select 'queue_age_seconds', jsonb_build_object('lane', l.lane), coalesce((
      select greatest(0, extract(epoch from clock_timestamp() - min(recorder.next_due(l.lane, k.kind, k.engine_account))))
      from recorder.claimable_kinds(l.lane) k), 0)
    from recorder.lanes l
    union all
    select 'jobs', jsonb_build_object('kind', k.kind, 'state', s.state), coalesce(c.count, 0)
    from recorder.job_kinds k
    cross join unnest(array['queued', 'running', 'dead']) s (state)
    left join (
      select j.kind, j.state, count(*)::numeric as count from recorder.jobs j where j.state = 'queued' group by 1, 2
      union all
      select j.kind, j.state, count(*) from recorder.jobs j where j.state = 'running' group by 1, 2
      union all
      select j.kind, j.state, count(*) from recorder.jobs j where j.state = 'dead' group by 1, 2) c
      on c.kind = k.kind and c.state = s.state
    union all
    select 'engine_recorders', jsonb_build_object('engine_account', a.engine_account), (
      select count(*)::numeric from recorder.engine_tasks t where t.engine_account = a.engine_account and t.state in ('requested', 'running'))
    from recorder.engine_accounts a
    union all
    select 'engine_recorder_limit', jsonb_build_object('engine_account', a.engine_account),
      coalesce(a.concurrent_tasks, recorder.setting('concurrent_tasks'))
    from recorder.engine_accounts a
    union all
    select 'success_ratio', '{}', r.percent / 100 from recorder.success_rate() r where r.percent is not null;
end
$$;
comment on function recorder.measure_jobs() is
  'What is counted where it stands: the age of each lane''s queue, jobs by kind and state (finished ones are counted as runs), recorders at the engine beside the limit, the success rate. Every count has an index of its own. For recorder_api.read_metrics.';

create function recorder.measure_alerts() returns table (metric text, labels jsonb, value numeric)
  language plpgsql stable set search_path = ''
as $$
begin
  return query
    select 'alerts_firing', jsonb_build_object('rule', r.rule, 'severity', r.severity),
      case when exists (select from recorder.alerts a where a.rule = r.rule and a.state = 'firing') then 1 else 0 end::numeric
    from recorder.alert_rules r where r.is_enabled;
end
$$;
comment on function recorder.measure_alerts() is
  'For each rule that is switched on, whether its alert fires. For recorder_api.read_metrics.';

create function recorder.tallied() returns table (metric text, labels jsonb, value numeric)
  language plpgsql stable set search_path = ''
as $$
begin
  return query
    select a.metric, a.labels, sum(a.amount)
    from (
      select t.metric, t.labels, t.total as amount from recorder.tallies t
      union all
      select s.metric, s.labels, s.amount from recorder.tally_steps s) a
    group by 1, 2;
end
$$;
comment on function recorder.tallied() is 'All totals, with the steps that are not folded yet. For recorder_api.read_metrics.';

create function recorder_api.read_metrics() returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_result jsonb;
begin
  -- While nobody sweeps, whoever reads keeps the steps few.
  perform recorder.fold_tallies();
  with counted as materialized (select * from recorder.tallied())
  select jsonb_build_object(
    'samples', (
      select jsonb_agg(jsonb_build_object('metric', m.metric, 'labels', m.labels, 'value', m.value) order by m.metric, m.labels)
      from (
        select * from recorder.measure_jobs()
        union all
        select * from recorder.measure_alerts()
        union all
        select * from counted c where c.metric in ('recordings', 'recording_outcomes', 'job_runs', 'engine_slots', 'webhook_verdicts', 'transfer_bytes')
        union all
        -- A counter is there from the beginning: a rate needs its zero.
        select 'transfer_bytes', '{}', 0 where not exists (select from counted c where c.metric = 'transfer_bytes')) m),
    'histograms', (
      select jsonb_agg(jsonb_build_object(
        'metric', h.histogram,
        'buckets', (
          select jsonb_agg(jsonb_build_object('le', b.upper_bound, 'count', coalesce((
            select sum(c.value) from counted c where c.metric = h.histogram and (c.labels ->> 'le')::numeric <= b.upper_bound), 0))
            order by b.upper_bound)
          from recorder.histogram_buckets b where b.histogram = h.histogram),
        'count', coalesce((select sum(c.value) from counted c where c.metric = h.histogram), 0),
        'sum', coalesce((select sum(c.value) from counted c where c.metric = h.histogram || '_sum'), 0)))
      from (select distinct b.histogram from recorder.histogram_buckets b) h))
  into v_result;
  return v_result;
end
$$;
comment on function recorder_api.read_metrics() is
  'All numbers for a monitor: {samples: [{metric, labels, value}], histograms: [{metric, buckets: [{le, count}], count, sum}]}, buckets cumulative. Bounded by totals and indexes, whatever the age of the system. Called by the function health, with its secret only. Refuses nothing.';

create function recorder_api.read_health() returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_checks jsonb;
begin
  select jsonb_agg(to_jsonb(c)) into v_checks from recorder.check_health() c;
  return jsonb_build_object(
    'is_ok', not exists (select from jsonb_array_elements(v_checks) c where (c -> 'is_ok') is distinct from 'true'),
    'checks', v_checks, 'lanes_to_wake', coalesce(recorder.lanes_without_wake_up(), '[]'));
end
$$;
comment on function recorder_api.read_health() is
  'recorder.health for the outside, {is_ok, checks: [{name, is_ok, value, unit, threshold, explanation}]}, and lanes_to_wake: those that Postgres does not wake, for whoever asks to wake. Called by the function health, which shows the checks to who knows its secret. Refuses nothing; shows no secret.';

do $$
declare
  v_name text;
begin
  foreach v_name in array array[
    'recorder.measure_jobs()', 'recorder.measure_alerts()', 'recorder.tallied()', 'recorder_api.read_metrics()', 'recorder_api.read_health()']
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_name);
    -- What lives in recorder_api stays with postgres, as its other functions do.
    if v_name like 'recorder_api.%' then
      execute format('grant execute on function %s to service_role', v_name);
    else
      execute format('alter function %s owner to recorder_owner', v_name);
    end if;
  end loop;
end
$$;
