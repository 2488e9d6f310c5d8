-- Work to be done. A job is written in the transaction that makes it necessary and is done at least once.

create table recorder.lanes (
  lane text primary key,
  function_name text not null,
  batch integer not null check (batch between 1 and 100),
  last_wake_at timestamptz not null default '-infinity'
);
comment on table recorder.lanes is 'One row per lane of work, each served by one Edge Function. last_wake_at limits its wake-ups.';
insert into recorder.lanes (lane, function_name, batch) values ('control', 'run-control', 10), ('storage', 'run-storage', 4);

create table recorder.drains (
  lane text not null references recorder.lanes (lane),
  place integer not null,
  token uuid,
  leased_until timestamptz not null default '-infinity',
  primary key (lane, place)
);
comment on table recorder.drains is 'The places of a lane: a function that drains it holds one, under a lease that it renews.';
insert into recorder.drains (lane, place)
select l.lane, p.place
from recorder.lanes l
cross join generate_series(1, recorder.setting('drains_per_lane')::integer) as p (place);

create table recorder.job_kinds (
  kind text primary key,
  lane text not null references recorder.lanes (lane),
  -- Lower goes first: stop > start > confirm > repair.
  priority integer not null,
  engine_requests integer not null check (engine_requests >= 0),
  max_attempts integer not null check (max_attempts > 0)
);
comment on table recorder.job_kinds is 'What kinds of work there are. engine_requests: how many of the engine''s rate slots one run takes.';
insert into recorder.job_kinds (kind, lane, priority, engine_requests, max_attempts) values
  ('stop', 'control', 1, 1, 10000),
  ('start', 'control', 2, 2, 20),
  ('apply_events', 'control', 2, 0, 20),
  ('confirm', 'control', 3, 1, 200),
  ('collect', 'storage', 1, 0, 10000);

create table recorder.jobs (
  id bigint generated always as identity primary key,
  kind text not null references recorder.job_kinds (kind),
  lane text not null references recorder.lanes (lane),
  priority integer not null,
  recording_id uuid not null references public.recordings (id),
  engine_task_id uuid,
  dedupe_key text not null,
  state text not null default 'queued' check (state in ('queued', 'running', 'done', 'dead')),
  attempts integer not null default 0,
  max_attempts integer not null,
  run_at timestamptz not null default now(),
  lease_token uuid,
  leased_until timestamptz,
  last_error jsonb,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint jobs_running_has_a_lease check ((state = 'running') = (lease_token is not null and leased_until is not null)),
  constraint jobs_finished_has_an_end check ((state in ('done', 'dead')) = (finished_at is not null)),
  constraint jobs_dead_has_a_reason check (state <> 'dead' or last_error is not null)
);
comment on table recorder.jobs is 'The queue. State changes and the job that follows from them are one transaction.';
create index jobs_due on recorder.jobs (lane, priority, run_at) where state = 'queued';
create unique index jobs_one_queued_per_key on recorder.jobs (dedupe_key) where state = 'queued';
create unique index jobs_one_running_per_key on recorder.jobs (dedupe_key) where state = 'running';
create index jobs_expired_lease on recorder.jobs (leased_until) where state = 'running';
create index jobs_of_recording on recorder.jobs (recording_id);
create index jobs_finished on recorder.jobs (finished_at) where state in ('done', 'dead');

create table recorder.engine_accounts (
  engine_account text primary key,
  next_slot_at timestamptz not null default '-infinity'
);
comment on table recorder.engine_accounts is 'One row per App ID at the engine; next_slot_at is when its next request may be sent.';
insert into recorder.engine_accounts (engine_account) values ('default');

create table recorder.engine_tasks (
  id uuid primary key default gen_random_uuid(),
  recording_id uuid not null references public.recordings (id),
  engine_account text not null default 'default' references recorder.engine_accounts (engine_account),
  attempt integer not null,
  channel text not null,
  uid text not null,
  state text not null default 'preparing' check (state in ('preparing', 'requested', 'running', 'gone')),
  resource_id text unique,
  sid text unique,
  request jsonb,
  start_sent_at timestamptz,
  started_at timestamptz,
  confirmed_at timestamptz,
  last_seen_at timestamptz,
  suspect_since timestamptz,
  stop_sent_at timestamptz,
  gone_at timestamptz,
  left_at timestamptz,
  token_expires_at timestamptz,
  files jsonb,
  is_empty boolean not null default false,
  superseded boolean not null default false,
  created_at timestamptz not null default now(),
  unique (recording_id, attempt),
  constraint engine_tasks_gone_has_an_end check ((state = 'gone') = (gone_at is not null)),
  constraint engine_tasks_running_has_an_id check (state <> 'running' or sid is not null)
);
comment on table recorder.engine_tasks is
  'One row per try to start the engine. Written before the call that may be lost; facts are always saved, whoever brings them.';
create index engine_tasks_of_recording on recorder.engine_tasks (recording_id, attempt desc);
create index engine_tasks_of_channel on recorder.engine_tasks (channel, uid);
create index engine_tasks_alive on recorder.engine_tasks (last_seen_at) where state in ('requested', 'running');

alter table recorder.jobs add constraint jobs_engine_task_id_fkey
  foreign key (engine_task_id) references recorder.engine_tasks (id);

create table recorder.inbox (
  notice_id text primary key,
  engine_task_id uuid references recorder.engine_tasks (id),
  received_at timestamptz not null default clock_timestamp(),
  event_type integer not null,
  sid text,
  event jsonb not null,
  applied_at timestamptz
);
comment on table recorder.inbox is 'Every verified event of the engine, stored once under its own id before anything is done with it.';
create index inbox_open on recorder.inbox (engine_task_id) where applied_at is null;
create index inbox_received on recorder.inbox (received_at);

-- Enqueue -----------------------------------------------------------------------------------------------------------

create function recorder.enqueue(
  p_kind text, p_recording_id uuid, p_engine_task_id uuid default null, p_run_at timestamptz default now()
) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_kind recorder.job_kinds;
begin
  select * into strict v_kind from recorder.job_kinds k where k.kind = p_kind;
  insert into recorder.jobs (kind, lane, priority, recording_id, engine_task_id, dedupe_key, max_attempts, run_at)
  values (
    p_kind, v_kind.lane, v_kind.priority, p_recording_id, p_engine_task_id,
    p_kind || ':' || coalesce(p_engine_task_id, p_recording_id)::text, v_kind.max_attempts, p_run_at)
  on conflict (dedupe_key) where state = 'queued'
  do update set run_at = least(jobs.run_at, excluded.run_at);
end
$$;
comment on function recorder.enqueue(text, uuid, uuid, timestamptz) is
  'Asks for one piece of work. The same work asked for twice while it waits is one job, due at the earlier of both times. Called by recorder functions.';

-- Wake-up -----------------------------------------------------------------------------------------------------------

create function recorder.secret(p_name text) returns text
  language sql stable security definer set search_path = ''
as $$ select s.decrypted_secret from vault.decrypted_secrets s where s.name = p_name $$;
comment on function recorder.secret(text) is 'A secret out of Vault by name; null if it is not there. For functions of this schema only.';

create function recorder.wake_lane(p_lane text, p_ignore_rest boolean default false) returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_lane recorder.lanes;
  v_url text;
  v_secret text;
  v_id text := 'wake_' || replace(gen_random_uuid()::text, '-', '');
  v_sent_at bigint := extract(epoch from clock_timestamp())::bigint;
  v_body jsonb;
  v_signature text;
begin
  select * into v_lane from recorder.lanes l
  where l.lane = p_lane
    and (p_ignore_rest or l.last_wake_at < clock_timestamp() - make_interval(secs => recorder.setting('wake_up_rest')::double precision / 1000))
  for update skip locked;
  if not found then
    return false;
  end if;
  v_url := recorder.secret('functions_url');
  v_secret := recorder.secret('wake_up_secret');
  if v_url is null or v_secret is null then
    raise warning 'recorder: the Vault secrets functions_url and wake_up_secret are needed to wake lane %', p_lane;
    return false;
  end if;
  v_body := jsonb_build_object('lane', p_lane, 'sent_at', v_sent_at);
  -- Standard Webhooks: the signature covers id, time and the exact bytes, so nothing that pg_net stores is a secret.
  v_signature := 'v1,' || encode(extensions.hmac(
    convert_to(v_id || '.' || v_sent_at || '.' || v_body::text, 'UTF8'),
    decode(substr(v_secret, length('whsec_') + 1), 'base64'), 'sha256'), 'base64');
  perform net.http_post(
    url => v_url || '/' || v_lane.function_name,
    body => v_body,
    headers => jsonb_build_object(
      'Content-Type', 'application/json', 'webhook-id', v_id, 'webhook-timestamp', v_sent_at::text,
      'webhook-signature', v_signature),
    timeout_milliseconds => recorder.setting('wake_up_timeout')::integer);
  update recorder.lanes set last_wake_at = clock_timestamp() where lane = p_lane;
  return true;
exception when others then
  -- A broken Vault or pg_net costs speed, never the user's write: the sweep makes good for it.
  raise warning 'recorder: could not wake lane %: %', p_lane, sqlerrm;
  return false;
end
$$;
comment on function recorder.wake_lane(text, boolean) is
  'Sends one signed wake-up to the function of a lane, at most one per wake_up_rest unless told to ignore it. True if one was queued; never raises.';

create function recorder.wake_lane_of_job() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  if new.state = 'queued' and new.run_at <= clock_timestamp() then
    perform recorder.wake_lane(new.lane);
  end if;
  return null;
end
$$;
comment on function recorder.wake_lane_of_job() is 'Deferred trigger of recorder.jobs: runs during commit, so that the lane''s row is locked only for a moment.';
create constraint trigger jobs_wake_their_lane after insert or update of run_at on recorder.jobs
  deferrable initially deferred for each row execute function recorder.wake_lane_of_job();

alter table recorder.lanes owner to recorder_owner;
alter table recorder.drains owner to recorder_owner;
alter table recorder.job_kinds owner to recorder_owner;
alter table recorder.jobs owner to recorder_owner;
alter table recorder.engine_accounts owner to recorder_owner;
alter table recorder.engine_tasks owner to recorder_owner;
alter table recorder.inbox owner to recorder_owner;
alter table recorder.lanes enable row level security;
alter table recorder.drains enable row level security;
alter table recorder.job_kinds enable row level security;
alter table recorder.jobs enable row level security;
alter table recorder.engine_accounts enable row level security;
alter table recorder.engine_tasks enable row level security;
alter table recorder.inbox enable row level security;
alter function recorder.enqueue(text, uuid, uuid, timestamptz) owner to recorder_owner;
revoke all on function recorder.enqueue(text, uuid, uuid, timestamptz), recorder.secret(text),
  recorder.wake_lane(text, boolean), recorder.wake_lane_of_job() from public, anon, authenticated, service_role;
-- recorder_owner reaches the functions that touch Vault and pg_net only through these two.
grant execute on function recorder.wake_lane(text, boolean) to recorder_owner;
grant execute on function recorder.enqueue(text, uuid, uuid, timestamptz) to postgres;
