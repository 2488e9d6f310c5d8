-- What happens is counted. Counting must cost a transaction one insert and make nobody wait, so it is written as steps that the sweep
-- folds into totals; the sum of both never goes down for a counter.

insert into recorder.settings (name, value, unit, reason) values
  ('tally_batch', 20000, 'count', 'Steps that one sweep folds into totals: more than ten seconds of the busiest system write.'),
  ('success_window', 86400, 'seconds', 'The success rate looks back a day: long enough for a number, short enough to notice.'),
  ('success_least', 90, 'percent', 'Below this the success rate is red: one recording in ten that people wanted is lost.'),
  ('success_sample', 10, 'count', 'With fewer outcomes than this a rate says nothing.');

create table recorder.tallies (
  metric text not null,
  labels jsonb not null,
  total numeric not null,
  primary key (metric, labels)
);
comment on table recorder.tallies is 'Totals of what was counted, by metric and labels. Written by recorder.fold_tallies; what is not folded yet stands in recorder.tally_steps.';
create table recorder.tally_steps (
  id bigint generated always as identity primary key,
  metric text not null,
  labels jsonb not null,
  amount numeric not null
);
comment on table recorder.tally_steps is 'One row per thing that was counted, until the sweep adds it to recorder.tallies. An insert meets nobody: counting serialises no transactions.';

create function recorder.tally(p_metric text, p_labels jsonb, p_amount numeric default 1) returns void
  language plpgsql set search_path = ''
as $$
begin
  insert into recorder.tally_steps (metric, labels, amount) values (p_metric, p_labels, p_amount);
end
$$;
comment on function recorder.tally(text, jsonb, numeric) is
  'Counts something in the transaction in which it happens. For triggers of the engine room; cannot fail but for a null.';

create function recorder.fold_tallies() returns integer
  language plpgsql set search_path = ''
as $$
declare
  v_count integer;
begin
  with gone as (
    delete from recorder.tally_steps s where s.id = any (array(
      select f.id from recorder.tally_steps f order by f.id limit recorder.setting('tally_batch')::bigint for update skip locked))
    returning s.metric, s.labels, s.amount
  ), added as (
    insert into recorder.tallies as t (metric, labels, total)
    -- In one order everywhere: two that fold at once meet in no circle.
    select g.metric, g.labels, sum(g.amount) from gone g group by 1, 2 order by 1, 2
    on conflict (metric, labels) do update set total = t.total + excluded.total
  )
  select count(*) into v_count from gone;
  return v_count;
end
$$;
comment on function recorder.fold_tallies() is
  'Adds steps to their totals, tally_batch at a time, in one statement, so that a reader sees the same sum before and after. Gives how many. For the sweep and recorder_api.read_metrics.';

-- One terminal outcome per recording ------------------------------------------------------------------------------------

create table recorder.outcomes (
  recording_id uuid primary key references public.recordings (id),
  outcome text not null check (outcome in ('recorded', 'partial', 'failed', 'cancelled', 'empty', 'taken_over')),
  error_code text,
  decided_at timestamptz not null,
  stop_to_recorded_ms bigint check (stop_to_recorded_ms >= 0),
  constraint outcomes_only_what_is_there_took_time check (stop_to_recorded_ms is null or outcome in ('recorded', 'partial'))
);
comment on table recorder.outcomes is
  'How each recording that is over came out, one row each: recorded, partial, failed; cancelled (stopped before it began) and empty (nobody sent anything), which are nobody''s failure; taken_over from the old portal. Stays when the files expire, is replaced when a failed one is tried again. Written by a trigger of recordings. For recorder_admin.';
create index outcomes_newest on recorder.outcomes (decided_at);

create table recorder.histogram_buckets (
  histogram text not null,
  upper_bound numeric not null check (upper_bound > 0),
  reason text not null,
  primary key (histogram, upper_bound)
);
comment on table recorder.histogram_buckets is
  'Upper bounds of the histograms, in the unit of the metric''s name. A bound that comes later counts from then on; one that goes is counted with the next higher one.';
insert into recorder.histogram_buckets (histogram, upper_bound, reason) values
  ('stop_to_recorded_seconds', 5, 'The engine had uploaded everything when it left.'),
  ('stop_to_recorded_seconds', 10, 'The usual case in direct mode.'),
  ('stop_to_recorded_seconds', 30, 'The last slices were late.'),
  ('stop_to_recorded_seconds', 60, 'What people still wait for.'),
  ('stop_to_recorded_seconds', 300, 'A long call, copied from a staging store.'),
  ('stop_to_recorded_seconds', 1200, 'The engine''s own ceiling for uploads is 20 minutes.'),
  ('stop_to_recorded_seconds', 86400, 'The backup cloud of the engine.'),
  ('stop_to_recorded_seconds', 259200, 'The final decision after 72 h.');

create function recorder.outcome_of(p_recording public.recordings) returns text
  language plpgsql immutable set search_path = ''
as $$
begin
  return case
    when p_recording.status = 'recorded' then case when p_recording.is_partial then 'partial' else 'recorded' end
    when p_recording.status = 'failed' then case
      when p_recording.error ->> 'code' = 'stopped_before_start' then 'cancelled'
      when p_recording.error ->> 'code' = 'nothing_recorded' then 'empty'
      when p_recording.error ->> 'code' in ('never_recorded', 'never_finished', 'failed_in_old_portal', 'old_status_unknown') then 'taken_over'
      else 'failed' end
  end;
end
$$;
comment on function recorder.outcome_of(public.recordings) is
  'The outcome that a status tells: null while a recording is open, and for an expired one, which keeps the one it had. For recorder.tally_recording.';

create function recorder.tally_recording() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  v_before text;
  v_after text := recorder.outcome_of(new);
  v_took_ms bigint;
begin
  select o.outcome into v_before from recorder.outcomes o where o.recording_id = new.id;
  if new.status = 'expired' then
    v_after := coalesce(v_before, 'recorded');
  end if;
  if tg_op = 'UPDATE' then
    perform recorder.tally('recordings', jsonb_build_object('status', old.status, 'outcome', coalesce(v_before, '')), -1);
  end if;
  perform recorder.tally('recordings', jsonb_build_object('status', new.status, 'outcome', coalesce(v_after, '')));
  if v_after is not distinct from v_before then
    return null;
  end if;
  if v_after is null then
    -- A failed one that is tried again: it has no outcome until it is over once more.
    delete from recorder.outcomes o where o.recording_id = new.id;
    return null;
  end if;
  if tg_op = 'UPDATE' and v_after in ('recorded', 'partial') then
    -- From the wish, where there was one: that is what somebody waits from.
    v_took_ms := greatest(0, extract(epoch from new.finished_at - coalesce(new.stop_requested_at, new.stopped_at)) * 1000)::bigint;
    perform recorder.tally('stop_to_recorded_seconds', jsonb_build_object('le', (
      select min(b.upper_bound) from recorder.histogram_buckets b
      where b.histogram = 'stop_to_recorded_seconds' and b.upper_bound >= v_took_ms / 1000.0)));
    perform recorder.tally('stop_to_recorded_seconds_sum', '{}', v_took_ms / 1000.0);
  end if;
  perform recorder.tally('recording_outcomes', jsonb_build_object('outcome', v_after));
  insert into recorder.outcomes as o (recording_id, outcome, error_code, decided_at, stop_to_recorded_ms)
  values (new.id, v_after, new.error ->> 'code', coalesce(new.finished_at, clock_timestamp()), v_took_ms)
  on conflict (recording_id) do update set outcome = excluded.outcome, error_code = excluded.error_code,
    decided_at = excluded.decided_at, stop_to_recorded_ms = excluded.stop_to_recorded_ms;
  return null;
end
$$;
comment on function recorder.tally_recording() is
  'Trigger of recordings: counts them by status and outcome, keeps the one outcome of each, and how long it took from the wish to stop to the recording.';

-- What was there before this file. Decided in the past: a histogram of what nobody measured would be an invention.
insert into recorder.outcomes (recording_id, outcome, error_code, decided_at)
select r.id, coalesce(recorder.outcome_of(r), 'recorded'), r.error ->> 'code', coalesce(r.finished_at, r.updated_at)
from public.recordings r where r.status in ('recorded', 'failed', 'expired');
insert into recorder.tallies (metric, labels, total)
select 'recordings', jsonb_build_object('status', r.status, 'outcome', coalesce(o.outcome, '')), count(*)
from public.recordings r left join recorder.outcomes o on o.recording_id = r.id group by 1, 2;
insert into recorder.tallies (metric, labels, total)
select 'recording_outcomes', jsonb_build_object('outcome', o.outcome), count(*) from recorder.outcomes o group by 1, 2;

create trigger tally_new_recording after insert on public.recordings
  for each row execute function recorder.tally_recording();
create trigger tally_recording after update of status on public.recordings
  for each row when (new.status is distinct from old.status) execute function recorder.tally_recording();

create function recorder.success_rate(out succeeded bigint, out counted bigint, out percent numeric)
  language plpgsql stable set search_path = ''
as $$
declare
  -- As a value: compared with a volatile expression, every outcome there ever was would be read.
  v_since timestamptz := clock_timestamp() - recorder.seconds('success_window');
begin
  select count(*) filter (where o.outcome <> 'failed'), count(*) into succeeded, counted
  from recorder.outcomes o
  where o.decided_at > v_since and o.outcome in ('recorded', 'partial', 'failed');
  percent := round(100.0 * succeeded / nullif(counted, 0), 1);
end
$$;
comment on function recorder.success_rate() is
  'Of the recordings that came out within success_window and that somebody wanted (not cancelled, not empty): how many are there, of how many. percent is null where there were none.';

-- Jobs, transfers, events -------------------------------------------------------------------------------------------------

-- Dead jobs stay until somebody acts: counting them must not read a week of finished ones.
create index jobs_dead on recorder.jobs (kind) where state = 'dead';

create function recorder.tally_job() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  v_requests integer;
begin
  perform recorder.tally('job_runs', jsonb_build_object('kind', new.kind, 'outcome', case
    when new.state = 'dead' then 'give_up' when new.state = 'done' then 'done'
    -- A snooze takes its attempt back.
    when new.attempts < old.attempts then 'snooze' else 'retry' end));
  if new.engine_account <> '' then
    select k.engine_requests into v_requests from recorder.job_kinds k where k.kind = new.kind;
    perform recorder.tally('engine_slots', jsonb_build_object('engine_account', new.engine_account, 'kind', new.kind), v_requests);
  end if;
  return null;
end
$$;
comment on function recorder.tally_job() is
  'Trigger of recorder.jobs: counts every run by kind and what came of it, and the slots of the engine''s rate that it took.';
create trigger tally_job after update on recorder.jobs
  for each row when (old.state = 'running' and new.state <> 'running') execute function recorder.tally_job();

create function recorder.tally_transfer() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  perform recorder.tally('transfer_bytes', '{}', case tg_table_name when 'transfer_parts'
    then (to_jsonb(new) ->> 'size_bytes')::numeric else (to_jsonb(new) ->> 'total_bytes')::numeric end);
  return null;
end
$$;
comment on function recorder.tally_transfer() is
  'Trigger of transfers and their parts: counts bytes that arrived in our store; what is copied again is counted again.';
create trigger tally_part after insert on recorder.transfer_parts for each row execute function recorder.tally_transfer();
create trigger tally_transfer after update of state on recorder.transfers
  for each row when (new.state = 'verifying' and old.state <> 'verifying' and new.part_bytes is null)
  execute function recorder.tally_transfer();

create table recorder.webhook_verdicts (
  verdict text primary key,
  -- Signed by the engine: somebody who forges cannot make the alarm about silence fall silent.
  is_genuine boolean not null,
  meaning text not null,
  last_at timestamptz not null default '-infinity'
);
comment on table recorder.webhook_verdicts is
  'What can become of an event that comes to agora-events, and when that last happened. Written by recorder_api.count_webhook_verdicts.';
insert into recorder.webhook_verdicts (verdict, is_genuine, meaning) values
  ('stored', true, 'Genuine, and stored.'),
  ('not_kept', true, 'Genuine: a sign of life, or told before.'),
  ('stale', true, 'Signed, but too old: a replay.'),
  ('not_stored', true, 'Genuine, but the database did not take it: the engine sends it again.'),
  ('malformed', true, 'Signed, but no event.'),
  ('refused', false, 'Not signed by the engine.'),
  ('unverified', false, 'No secret is set to verify it with.');

create function recorder_api.count_webhook_verdicts(p_counts jsonb) returns integer
  language plpgsql security definer set search_path = ''
as $$
declare
  v_count integer;
begin
  if p_counts is null then
    perform recorder.refuse('argument_missing');
  end if;
  if jsonb_typeof(p_counts) <> 'object' or exists (
    select from jsonb_each(p_counts) c
    where not exists (select from recorder.webhook_verdicts v where v.verdict = c.key)
      or jsonb_typeof(c.value) <> 'number' or c.value::numeric not between 1 and 1000000000 or c.value::numeric % 1 <> 0)
  then
    perform recorder.refuse('argument_invalid', 'p_counts');
  end if;
  perform recorder.tally('webhook_verdicts', jsonb_build_object('verdict', c.key), c.value::numeric) from jsonb_each(p_counts) c;
  get diagnostics v_count = row_count;
  -- Whoever holds one of these rows is writing the same moment.
  update recorder.webhook_verdicts v set last_at = clock_timestamp()
  where v.verdict = any (array(
    select w.verdict from recorder.webhook_verdicts w where p_counts ? w.verdict order by 1 for update skip locked));
  return v_count;
end
$$;
comment on function recorder_api.count_webhook_verdicts(jsonb) is
  'Counts what became of events, {verdict: how many}, as agora-events has gathered it for some seconds. Gives how many verdicts. Refuses with argument_missing, argument_invalid. Counts of a function that dies are lost: this is for graphs, nothing follows from it but an alarm about silence.';

create function recorder.count_after_sweep() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  perform recorder.fold_tallies();
  return null;
end
$$;
comment on function recorder.count_after_sweep() is 'Trigger of recorder.sweeps: what was counted since the last sweep becomes totals.';
create trigger count_after_sweep after update of last_result on recorder.sweeps
  for each row execute function recorder.count_after_sweep();

-- Who may what ------------------------------------------------------------------------------------------------------------

do $$
declare
  v_name text;
begin
  foreach v_name in array array['tallies', 'tally_steps', 'outcomes', 'histogram_buckets', 'webhook_verdicts'] loop
    execute format('alter table recorder.%I owner to recorder_owner', v_name);
    execute format('alter table recorder.%I enable row level security', v_name);
    execute format('revoke all on recorder.%I from public, anon, authenticated, service_role', v_name);
  end loop;
  foreach v_name in array array[
    'recorder.tally(text, jsonb, numeric)', 'recorder.fold_tallies()', 'recorder.outcome_of(public.recordings)',
    'recorder.tally_recording()', 'recorder.success_rate()', 'recorder.tally_job()', 'recorder.tally_transfer()',
    'recorder.count_after_sweep()', 'recorder_api.count_webhook_verdicts(jsonb)']
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
grant select on recorder.outcomes to recorder_admin;
create policy "administrators read" on recorder.outcomes for select to recorder_admin using (true);
