-- What somebody must hear of: rules are rows, evaluated after every sweep, whoever sweeps. An alert is told once when it fires and
-- once when it is over: to a webhook by the notify lane, and to administrators in the portal.

insert into recorder.settings (name, value, unit, reason) values
  ('alert_calm', 60, 'seconds', 'An alert is over when its reason has been gone for this long: what flickers is told once.'),
  ('alert_retention', 7776000, 'seconds', 'Alerts that are over are kept 90 days: long enough to see what comes back.'),
  ('alert_webhook_silence', 3600, 'seconds', 'While something records the engine reports at least every few minutes: an hour without a word is an outage of its notifications.'),
  ('alert_cap_window', 900, 'seconds', 'Work that meets a cap is tried again every minute or so: a quarter of an hour without meeting it means that it is gone.'),
  ('alert_secret_notice', 1209600, 'seconds', 'Two weeks to replace a secret, holidays included.');

create table recorder.alert_rules (
  rule text primary key check (rule ~ '^[a-z][a-z0-9_]*$'),
  severity text not null check (severity in ('critical', 'warning')),
  -- Either a row of recorder.health, or a function of schema recorder that gives such a row.
  health_check text,
  condition text check (condition ~ '^check_[a-z_]+$'),
  for_seconds integer not null check (for_seconds >= 0),
  message text not null,
  runbook text not null check (runbook ~ '^#[a-z0-9_-]+$'),
  is_enabled boolean not null default true,
  constraint alert_rules_one_source check (num_nonnulls(health_check, condition) = 1)
);
comment on table recorder.alert_rules is
  'What is worth an alert: red for for_seconds in recorder.health (health_check) or by a function recorder.<condition>(). message says it in one sentence, runbook is a heading of docs/operations.md. For recorder_admin to read; rows are changed by postgres.';
insert into recorder.alert_rules (rule, severity, health_check, condition, for_seconds, message, runbook) values
  ('stuck_recording', 'critical', 'stuck_recordings', null, 60, 'A recording does not go on by itself.', '#alert-stuck_recording'),
  ('old_open_recording', 'warning', 'oldest_open_recording', null, 0, 'A recording has been under way for longer than a day.', '#alert-old_open_recording'),
  ('dead_job', 'warning', 'dead_jobs', null, 0, 'Work was given up.', '#alert-dead_job'),
  ('orphan_task', 'critical', 'orphan_tasks', null, 0, 'A recorder runs, and costs money, without a live recording.', '#alert-orphan_task'),
  ('webhooks_never_came', 'critical', 'last_webhook', null, 60, 'A live recording has never had an event of the engine.', '#alert-webhooks_never_came'),
  ('webhooks_silent', 'critical', null, 'check_webhook_silence', 0, 'Something records, and for an hour the engine has sent no event.', '#alert-webhooks_silent'),
  ('webhooks_unverified', 'critical', 'webhook_secret', null, 0, 'Events of the engine are passed over: nobody set their secret.', '#alert-webhooks_unverified'),
  ('success_rate_low', 'critical', null, 'check_success_rate', 300, 'Too many recordings fail.', '#alert-success_rate_low'),
  ('storage_cap_reached', 'critical', null, 'check_storage_cap', 0, 'The storage refuses work because a cap is used up.', '#alert-storage_cap_reached'),
  ('secret_expiring', 'warning', null, 'check_secret_dates', 0, 'A secret expires soon.', '#alert-secret_expiring'),
  ('scheduler_dead', 'critical', 'cron', null, 60, 'The scheduler does not sweep; workers do it in its place.', '#alert-scheduler_dead'),
  ('pg_net_dead', 'critical', 'pg_net', null, 60, 'No wake-up leaves the database.', '#alert-pg_net_dead'),
  ('vault_broken', 'critical', 'vault', null, 60, 'A secret that wake-ups need cannot be read.', '#alert-vault_broken'),
  ('control_lane_stands', 'critical', 'control_worker', null, 60, 'Nobody works in the lane that starts and stops recordings.', '#alert-lane_stands'),
  ('storage_lane_stands', 'critical', 'storage_worker', null, 120, 'Nobody works in the lane that collects files.', '#alert-lane_stands'),
  ('notify_lane_stands', 'warning', 'notify_worker', null, 120, 'Nobody works in the lane that tells others.', '#alert-lane_stands'),
  ('deletion_late', 'warning', 'deletions', null, 0, 'Files that should be gone are still there.', '#alert-deletion_late'),
  ('audit_late', 'warning', 'audit', null, 0, 'Rows and bucket have not been compared for too long.', '#alert-audit'),
  ('audit_found', 'warning', 'audit_findings', null, 0, 'Rows and bucket do not agree.', '#alert-audit');

create table recorder.alerts (
  id uuid primary key default gen_random_uuid(),
  rule text not null references recorder.alert_rules (rule),
  state text not null default 'pending' check (state in ('pending', 'firing', 'resolved')),
  explanation text not null,
  value numeric,
  unit text,
  threshold numeric,
  pending_at timestamptz not null default clock_timestamp(),
  fired_at timestamptz,
  -- Since when its reason is gone.
  calm_at timestamptz,
  resolved_at timestamptz,
  constraint alerts_fired_once check ((state = 'pending') = (fired_at is null)),
  constraint alerts_resolved_has_an_end check ((state = 'resolved') = (resolved_at is not null))
);
comment on table recorder.alerts is
  'What was red: pending until it has been so for for_seconds of its rule, then firing, resolved when it was green for alert_calm. At most one that is not resolved per rule; a pending one that turns green leaves nothing. Written by recorder.evaluate_alerts. For recorder_admin.';
create unique index alerts_one_open_per_rule on recorder.alerts (rule) where state <> 'resolved';
create index alerts_newest on recorder.alerts (fired_at desc) where fired_at is not null;
create index alerts_resolved on recorder.alerts (resolved_at) where resolved_at is not null;

-- Conditions that recorder.health has no row for ---------------------------------------------------------------------------

create function recorder.check_webhook_silence() returns recorder.health_check
  language plpgsql stable set search_path = ''
as $$
declare
  v_limit numeric := recorder.setting('alert_webhook_silence');
  v_since timestamptz;
  v_count bigint;
  v_heard_at timestamptz;
  v_silent numeric;
begin
  select min(r.started_at), count(*) into v_since, v_count from public.recordings r
  where r.status = 'recording' and r.deadline_at is not null;
  select greatest(
    (select max(i.received_at) from recorder.inbox i),
    (select max(v.last_at) from recorder.webhook_verdicts v where v.is_genuine)) into v_heard_at;
  -- Before anything recorded there was nothing to report.
  v_silent := case when v_count > 0 then recorder.seconds_since(greatest(v_heard_at, v_since)) else 0 end;
  return recorder.checked('webhook_silence', v_silent <= v_limit, v_silent, 'seconds', v_limit,
    format('%s recording(s) live; last event of the engine: %s.', v_count, recorder.ago(v_heard_at)));
end
$$;
comment on function recorder.check_webhook_silence() is
  'Whether the engine has said anything within alert_webhook_silence while something records: a stored event, or a sign of life that agora-events counted. For recorder.alert_rules.';

create function recorder.check_success_rate() returns recorder.health_check
  language plpgsql stable set search_path = ''
as $$
declare
  v_least numeric := recorder.setting('success_least');
  v_since timestamptz := clock_timestamp() - recorder.seconds('success_window');
  v_rate record;
begin
  select * into v_rate from recorder.success_rate();
  return recorder.checked('success_rate', coalesce(v_rate.counted < recorder.setting('success_sample') or v_rate.percent >= v_least, true),
    v_rate.percent, 'percent', v_least,
    format('%s of %s recordings of the last %s h are there.', v_rate.succeeded, v_rate.counted, round(recorder.setting('success_window') / 3600))
    || coalesce((
      select ' Most failed with ' || o.error_code || '.' from recorder.outcomes o
      where o.outcome = 'failed' and o.decided_at > v_since
      group by o.error_code order by count(*) desc, o.error_code limit 1), ''));
end
$$;
comment on function recorder.check_success_rate() is
  'Whether success_least percent of the recordings of success_window are there; green while there were fewer than success_sample. For recorder.alert_rules.';

create table recorder.storage_caps (
  is_only_row boolean primary key default true check (is_only_row),
  last_at timestamptz not null default '-infinity',
  error_code text
);
comment on table recorder.storage_caps is 'One row: when work last met a cap of the storage. Written by a trigger of recorder.jobs.';
insert into recorder.storage_caps default values;

create function recorder.note_storage_cap() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  -- A whole lane meets it at once: one of them writes, the others do not wait.
  perform from recorder.storage_caps c where c.last_at < clock_timestamp() - interval '10 seconds' for update skip locked;
  if found then
    update recorder.storage_caps set last_at = clock_timestamp(), error_code = new.last_error ->> 'code';
  end if;
  return null;
end
$$;
comment on function recorder.note_storage_cap() is 'Trigger of recorder.jobs: notes that work was tried again or given up because of a cap of the storage.';
create trigger note_storage_cap after update on recorder.jobs
  for each row when (
    old.state = 'running' and (new.state = 'dead' or new.state = 'queued' and new.attempts = old.attempts)
    and new.last_error ->> 'code' in ('store_daily_cap_exceeded', 'store_full'))
  execute function recorder.note_storage_cap();

create function recorder.check_storage_cap() returns recorder.health_check
  language plpgsql stable set search_path = ''
as $$
declare
  v_limit numeric := recorder.setting('alert_cap_window');
  v_cap recorder.storage_caps;
begin
  select * into v_cap from recorder.storage_caps;
  return recorder.checked('storage_cap', coalesce(recorder.seconds_since(v_cap.last_at) > v_limit, true),
    recorder.seconds_since(v_cap.last_at), 'seconds', v_limit,
    case when v_cap.error_code is null then 'No work has met a cap.'
      else format('Work last met a cap (%s): %s.', v_cap.error_code, recorder.ago(v_cap.last_at)) end);
end
$$;
comment on function recorder.check_storage_cap() is
  'Whether work met a cap of the storage within alert_cap_window. value: seconds since. For recorder.alert_rules.';

create table recorder.secret_dates (
  name text primary key check (name ~ '^[A-Za-z][A-Za-z0-9_]{1,62}$'),
  expires_at timestamptz not null
);
comment on table recorder.secret_dates is
  'When secrets end, as far as somebody said so: only names and dates, never a value. Written by recorder.set_secret_expiry. For recorder_admin.';

create function recorder.set_secret_expiry(p_name text, p_expires_at timestamptz) returns timestamptz
  language plpgsql security definer set search_path = ''
as $$
begin
  if p_name is null then
    perform recorder.refuse('argument_missing');
  end if;
  -- Somebody may paste the secret itself.
  if p_name !~ '^[A-Za-z][A-Za-z0-9_]{1,62}$' then
    perform recorder.refuse('argument_invalid', 'The name of a setting, as in .env.example.');
  end if;
  if p_expires_at is null then
    delete from recorder.secret_dates d where d.name = p_name;
  else
    insert into recorder.secret_dates as d (name, expires_at) values (p_name, p_expires_at)
    on conflict (name) do update set expires_at = excluded.expires_at;
  end if;
  return p_expires_at;
end
$$;
comment on function recorder.set_secret_expiry(text, timestamptz) is
  'Notes when a secret ends (null: nobody needs to be warned any more); two weeks before an alert tells so. Refuses with argument_missing, argument_invalid. For recorder_admin.';

create function recorder.check_secret_dates() returns recorder.health_check
  language plpgsql stable set search_path = ''
as $$
declare
  v_notice numeric := round(recorder.setting('alert_secret_notice') / 86400, 1);
  v_first timestamptz := (select min(d.expires_at) from recorder.secret_dates d);
  v_days numeric := round(extract(epoch from v_first - clock_timestamp()) / 86400, 1);
begin
  return recorder.checked('secret_dates', coalesce(v_days > v_notice, true), v_days, 'days', v_notice, coalesce((
    select string_agg(format('%s %s %s', d.name, case when d.expires_at > clock_timestamp() then 'ends' else 'has ended' end,
      to_char(d.expires_at at time zone 'utc', 'YYYY-MM-DD')), '; ' order by d.expires_at)
    from recorder.secret_dates d where d.expires_at <= clock_timestamp() + recorder.seconds('alert_secret_notice')) || '.',
    'No secret that somebody dated ends soon.'));
end
$$;
comment on function recorder.check_secret_dates() is
  'Whether a dated secret ends within alert_secret_notice, or has. value: days until the first one. For recorder.alert_rules.';

-- Evaluation ----------------------------------------------------------------------------------------------------------------

create function recorder.check_rule(p_rule recorder.alert_rules, p_health recorder.health_check[]) returns recorder.health_check
  language plpgsql stable set search_path = ''
as $$
declare
  v_check recorder.health_check;
begin
  if p_rule.condition is not null then
    execute format('select (c).* from (select recorder.%I() as c offset 0) x', p_rule.condition) into v_check;
  else
    select * into v_check from unnest(p_health) h where h.name = p_rule.health_check;
    if not found then
      raise exception 'recorder.health has no row %', p_rule.health_check;
    end if;
  end if;
  return v_check;
exception when others then
  -- What cannot be asked is not well.
  return recorder.checked(p_rule.rule, false, null, null, null, format('This cannot be checked: %s.', sqlerrm));
end
$$;
comment on function recorder.check_rule(recorder.alert_rules, recorder.health_check[]) is
  'What a rule finds: its row of recorder.health, or what its condition says. Never raises: a condition that fails is red. For recorder.evaluate_alerts.';

create function recorder.send_alert(p_alert recorder.alerts) returns void
  language plpgsql set search_path = ''
as $$
begin
  -- One key for firing and recovery: they are told one after the other, and what was never told as firing is told once, with its end.
  insert into recorder.jobs as j (kind, lane, priority, dedupe_key, max_attempts, payload)
  select k.kind, k.lane, k.priority, 'alert:' || p_alert.id, k.max_attempts, jsonb_build_object(
    'id', p_alert.id, 'rule', r.rule, 'severity', r.severity, 'state', p_alert.state, 'message', r.message,
    'explanation', p_alert.explanation, 'runbook', r.runbook, 'fired_at', p_alert.fired_at, 'resolved_at', p_alert.resolved_at)
  from recorder.job_kinds k, recorder.alert_rules r where k.kind = 'alert' and r.rule = p_alert.rule
  on conflict (dedupe_key) where state = 'queued' do update set payload = excluded.payload;
end
$$;
comment on function recorder.send_alert(recorder.alerts) is
  'Writes the job that tells of an alert as it is now, in the transaction that changed it. Called by recorder.evaluate_alerts.';

create function recorder.evaluate_alerts() returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_health recorder.health_check[] := array(select h from recorder.check_health() h);
  v_rule recorder.alert_rules;
  v_check recorder.health_check;
  v_alert recorder.alerts;
  v_now timestamptz;
  v_kept_since timestamptz := clock_timestamp() - recorder.seconds('alert_retention');
  v_fired integer := 0;
  v_resolved integer := 0;
begin
  for v_rule in select * from recorder.alert_rules r order by r.rule loop
    v_check := recorder.check_rule(v_rule, v_health);
    v_now := clock_timestamp();
    select * into v_alert from recorder.alerts a where a.rule = v_rule.rule and a.state <> 'resolved' for update;
    if v_rule.is_enabled and v_check.is_ok is not true then
      if v_alert.id is null then
        insert into recorder.alerts (rule, explanation, value, unit, threshold, pending_at)
        values (v_rule.rule, v_check.explanation, v_check.value, v_check.unit, v_check.threshold, v_now)
        on conflict (rule) where state <> 'resolved' do nothing
        returning * into v_alert;
      end if;
      if v_alert.state = 'pending' and v_alert.pending_at <= v_now - make_interval(secs => v_rule.for_seconds) then
        update recorder.alerts a set state = 'firing', fired_at = v_now, explanation = v_check.explanation, value = v_check.value,
          unit = v_check.unit, threshold = v_check.threshold
        where a.id = v_alert.id returning * into v_alert;
        perform recorder.send_alert(v_alert);
        v_fired := v_fired + 1;
      elsif v_alert.calm_at is not null then
        update recorder.alerts a set calm_at = null where a.id = v_alert.id;
      end if;
    elsif v_alert.state = 'pending' then
      delete from recorder.alerts a where a.id = v_alert.id;
    elsif v_alert.state = 'firing' and v_alert.calm_at is null then
      update recorder.alerts a set calm_at = v_now where a.id = v_alert.id;
    elsif v_alert.state = 'firing' and v_alert.calm_at <= v_now - recorder.seconds('alert_calm') then
      update recorder.alerts a set state = 'resolved', resolved_at = v_now where a.id = v_alert.id returning * into v_alert;
      perform recorder.send_alert(v_alert);
      v_resolved := v_resolved + 1;
    end if;
  end loop;
  delete from recorder.alerts a where a.resolved_at < v_kept_since;
  return jsonb_build_object('fired', v_fired, 'resolved', v_resolved);
end
$$;
comment on function recorder.evaluate_alerts() is
  'Asks every rule and moves its alert: pending, firing after for_seconds, resolved after alert_calm of green; a rule that was switched off is green. Each step that people hear of writes its job in the same transaction. Gives how many fired and how many ended. Called after every sweep, by whoever sweeps.';

create function recorder.raise_alerts_after_sweep() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  perform recorder.evaluate_alerts();
  return null;
exception when others then
  -- What mends must not fail because what tells of it does.
  raise warning 'recorder: alerts could not be evaluated: %', sqlerrm;
  return null;
end
$$;
comment on function recorder.raise_alerts_after_sweep() is
  'Trigger of recorder.sweeps: the rules of alerts are asked. A failure is a warning of the sweep. By its name it runs after count_after_sweep.';
create trigger raise_alerts_after_sweep after update of last_result on recorder.sweeps
  for each row execute function recorder.raise_alerts_after_sweep();

-- Delivery ------------------------------------------------------------------------------------------------------------------

insert into recorder.job_kinds (kind, lane, priority, engine_requests, max_attempts) values ('alert', 'notify', 0, 0, 10);
alter table recorder.jobs
  drop constraint jobs_only_these_have_no_recording,
  add constraint jobs_only_these_have_no_recording check (recording_id is not null or kind in ('audit', 'notify', 'alert'));

-- An alert has no recording whose story could tell that it was given up.
create or replace function recorder.give_up(p_job recorder.jobs, p_error jsonb) returns void
  language plpgsql set search_path = ''
as $$
begin
  update recorder.jobs set
    state = 'dead', lease_token = null, leased_until = null, last_error = p_error, finished_at = clock_timestamp()
  where id = p_job.id;
  if p_job.kind = 'start' then
    perform recorder.lock_calls(p_job.recording_id);
    if recorder.apply(p_job.recording_id, 'engine.start_failed', 'engine', jsonb_build_object('error', p_error)) then
      -- Whether one of them still comes up is unknown: it is stopped as soon as it shows itself.
      update recorder.engine_tasks t set superseded = true where t.recording_id = p_job.recording_id and t.state <> 'gone';
      perform recorder.enqueue('repair', p_job.recording_id, t.id)
      from recorder.engine_tasks t
      where t.recording_id = p_job.recording_id and t.state in ('requested', 'running');
    else
      perform recorder.conclude(p_job.recording_id);
    end if;
  elsif p_job.kind = 'collect' then
    perform recorder.apply(p_job.recording_id, 'files.missing', 'storage', jsonb_build_object('error', p_error));
  elsif p_job.kind not in ('notify', 'audit', 'alert') then
    perform recorder.note(p_job.recording_id, 'system', 'job.died',
      jsonb_build_object('kind', p_job.kind, 'error', recorder.public_error(p_error, 'unexpected_error') -> 'code'));
  end if;
end
$$;
comment on function recorder.give_up(recorder.jobs, jsonb) is
  'Ends a job for good and puts the reason on its recording: a start or a collection ends in failed, a stop is begun anew by the sweep after stop_again_after, of the others the story tells, but for those that are no part of it (notify, audit, alert: an alert that nobody took stands in recorder.alerts all the same). The caller has locked the channel.';

-- Administrators in the portal ------------------------------------------------------------------------------------------------

create table access.portal_administrators (
  user_id uuid primary key references auth.users (id) on delete cascade,
  named_at timestamptz not null default now()
);
comment on table access.portal_administrators is
  'Who sees alerts in the portal. Gives no other right: what administrators do they do as recorder_admin, in SQL. Written by recorder.name_portal_administrator.';
alter table access.portal_administrators enable row level security;
revoke all on access.portal_administrators from public, anon, authenticated, service_role;

create function recorder.name_portal_administrator(p_user_id uuid, p_is_one boolean default true) returns boolean
  language plpgsql security definer set search_path = ''
as $$
begin
  if p_user_id is null or p_is_one is null then
    perform recorder.refuse('argument_missing');
  end if;
  if not exists (select from auth.users u where u.id = p_user_id) then
    perform recorder.refuse('user_not_found');
  end if;
  if p_is_one then
    insert into access.portal_administrators (user_id) values (p_user_id) on conflict do nothing;
  else
    delete from access.portal_administrators a where a.user_id = p_user_id;
  end if;
  return found;
end
$$;
comment on function recorder.name_portal_administrator(uuid, boolean) is
  'Lets a person see alerts in the portal, or no longer. True if that was news. Refuses with argument_missing, user_not_found. For recorder_admin.';

create function access.is_portal_administrator() returns boolean
  language plpgsql stable security definer set search_path = ''
as $$
begin
  return exists (select from access.portal_administrators a where a.user_id = access.caller_id());
end
$$;
comment on function access.is_portal_administrator() is 'Whether the signed-in person sees alerts in the portal. Refuses nothing.';

create function access.list_alerts() returns table (
  id uuid, rule text, severity text, state text, message text, explanation text, runbook text, fired_at timestamptz, resolved_at timestamptz
)
  language plpgsql stable security definer set search_path = ''
as $$
begin
  -- Nobody else learns that there are alerts at all.
  if not access.is_portal_administrator() then
    return;
  end if;
  return query
    select a.id, a.rule, r.severity, a.state, r.message, a.explanation, r.runbook, a.fired_at, a.resolved_at
    from recorder.alerts a join recorder.alert_rules r on r.rule = a.rule
    where a.fired_at is not null
    order by a.resolved_at is not null, a.fired_at desc, a.id limit 100;
end
$$;
comment on function access.list_alerts() is
  'The alerts that fire, newest first, then those that are over, a hundred at most; for administrators of the portal, nothing for everybody else.';

create function public.is_portal_administrator() returns boolean
  language sql stable set search_path = ''
as $$ select access.is_portal_administrator() $$;
comment on function public.is_portal_administrator() is 'RPC: whether I see alerts. See access.is_portal_administrator.';
create function public.list_alerts() returns table (
  id uuid, rule text, severity text, state text, message text, explanation text, runbook text, fired_at timestamptz, resolved_at timestamptz
)
  language sql stable set search_path = ''
as $$ select * from access.list_alerts() $$;
comment on function public.list_alerts() is 'RPC: what administrators of the portal must hear of; nothing for everybody else. See access.list_alerts.';

-- Who may what ----------------------------------------------------------------------------------------------------------------

do $$
declare
  v_name text;
begin
  foreach v_name in array array['alert_rules', 'alerts', 'storage_caps', 'secret_dates'] loop
    execute format('alter table recorder.%I owner to recorder_owner', v_name);
    execute format('alter table recorder.%I enable row level security', v_name);
    execute format('revoke all on recorder.%I from public, anon, authenticated, service_role', v_name);
  end loop;
  foreach v_name in array array['alert_rules', 'alerts', 'secret_dates'] loop
    execute format('grant select on recorder.%I to recorder_admin', v_name);
    execute format('create policy "administrators read" on recorder.%I for select to recorder_admin using (true)', v_name);
  end loop;
  foreach v_name in array array[
    'recorder.check_webhook_silence()', 'recorder.check_success_rate()', 'recorder.note_storage_cap()', 'recorder.check_storage_cap()',
    'recorder.set_secret_expiry(text, timestamptz)', 'recorder.check_secret_dates()',
    'recorder.check_rule(recorder.alert_rules, recorder.health_check[])', 'recorder.send_alert(recorder.alerts)',
    'recorder.evaluate_alerts()', 'recorder.raise_alerts_after_sweep()', 'recorder.name_portal_administrator(uuid, boolean)',
    'access.is_portal_administrator()', 'access.list_alerts()', 'public.is_portal_administrator()', 'public.list_alerts()']
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_name);
    -- What touches Auth stays with postgres.
    if v_name like 'recorder.%' and v_name not like '%portal_administrator%' then
      execute format('alter function %s owner to recorder_owner', v_name);
    end if;
  end loop;
end
$$;
grant execute on function access.is_portal_administrator(), access.list_alerts(), public.is_portal_administrator(), public.list_alerts()
  to authenticated;
grant execute on function recorder.set_secret_expiry(text, timestamptz), recorder.name_portal_administrator(uuid, boolean) to recorder_admin;
