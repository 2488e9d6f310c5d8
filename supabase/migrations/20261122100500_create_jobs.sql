-- Work to be done. A job is written in the transaction that makes it necessary and is done at least once.

create table recorder.lanes (
  lane text primary key,
  function_name text not null,
  batch integer not null check (batch between 1 and 100),
  last_wake_at timestamptz not null default '-infinity',
  -- The transaction that sent it: one transaction wakes a lane once, however long its commit takes.
  last_wake_xact xid8,
  -- pg_net's id of that wake-up: recorder.health looks up how the function answered it.
  last_wake_request_id bigint,
  -- When somebody was last told to wake this lane in the place of Postgres.
  last_direct_wake_at timestamptz not null default '-infinity'
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
  -- Lower goes first: stop > start (one under way before a new one) > confirm > repair > heartbeat.
  priority integer not null,
  engine_requests integer not null check (engine_requests >= 0),
  max_attempts integer not null check (max_attempts > 0)
);
comment on table recorder.job_kinds is 'What kinds of work there are. engine_requests: how many of the engine''s rate slots one run takes.';
insert into recorder.job_kinds (kind, lane, priority, engine_requests, max_attempts) values
  ('stop', 'control', 1, 1, 10000),
  ('apply_events', 'control', 1, 0, 20),
  -- The same start once more, for a task whose first answer stayed open. It needs no room under the ceiling: it has its place.
  ('start_again', 'control', 2, 1, 20),
  ('start', 'control', 3, 2, 20),
  ('confirm', 'control', 4, 1, 200),
  -- Stops recorders that nobody wants; a stop that somebody wished goes first.
  ('repair', 'control', 5, 1, 10000),
  -- Asks for a recorder that has been silent; may use heartbeat_share of the rate.
  ('heartbeat', 'control', 6, 1, 200),
  ('collect', 'storage', 1, 0, 10000);

create table recorder.jobs (
  id bigint generated always as identity primary key,
  kind text not null references recorder.job_kinds (kind),
  lane text not null references recorder.lanes (lane),
  priority integer not null,
  -- Null for the kinds that concern no recording (jobs_only_these_have_no_recording).
  recording_id uuid references public.recordings (id),
  engine_task_id uuid,
  -- Whose request slots it takes; empty for work that asks nothing of the engine.
  engine_account text not null default '',
  dedupe_key text not null,
  state text not null default 'queued' check (state in ('queued', 'running', 'done', 'dead')),
  attempts integer not null default 0,
  max_attempts integer not null,
  run_at timestamptz not null default now(),
  -- The other side asked for a pause until then: nobody who asks for the same work shortens it.
  not_before timestamptz,
  lease_token uuid,
  leased_until timestamptz,
  last_error jsonb,
  -- What its kind needs beside the recording.
  payload jsonb,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint jobs_running_has_a_lease check ((state = 'running') = (lease_token is not null and leased_until is not null)),
  constraint jobs_only_these_have_no_recording check (recording_id is not null or kind in ('audit', 'notify')),
  constraint jobs_finished_has_an_end check ((state in ('done', 'dead')) = (finished_at is not null)),
  constraint jobs_dead_has_a_reason check (state <> 'dead' or last_error is not null)
);
comment on table recorder.jobs is 'The queue. State changes and the job that follows from them are one transaction.';
-- A claim takes one kind after the other, in order of priority: each is one probe of this index.
create index jobs_due on recorder.jobs (lane, kind, engine_account, run_at) where state = 'queued';
create unique index jobs_one_queued_per_key on recorder.jobs (dedupe_key) where state = 'queued';
create unique index jobs_one_running_per_key on recorder.jobs (dedupe_key) where state = 'running';
-- The second condition says nothing new; it keeps the claim's look for a running twin on the index by key.
create index jobs_expired_lease on recorder.jobs (leased_until) where state = 'running' and lease_token is not null;
create index jobs_of_recording on recorder.jobs (recording_id);
create index jobs_finished on recorder.jobs (finished_at) where state in ('done', 'dead');

create table recorder.engine_accounts (
  engine_account text primary key check (engine_account <> ''),
  -- Null: as the settings requests_per_second and concurrent_tasks say.
  requests_per_second numeric check (requests_per_second > 0),
  concurrent_tasks integer check (concurrent_tasks >= 0),
  next_slot_at timestamptz not null default '-infinity',
  next_heartbeat_at timestamptz not null default '-infinity',
  queue_numbered_at timestamptz not null default '-infinity'
);
comment on table recorder.engine_accounts is
  'One row per App ID at the engine, with its own limits where it has any; next_slot_at is when its next request may be sent. Locked by every claim that reserves slots.';
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
  -- A start was sent whose answer nobody knows: the task may run, whatever later answers say.
  is_unanswered boolean not null default false,
  started_at timestamptz,
  confirmed_at timestamptz,
  last_seen_at timestamptz,
  suspect_since timestamptz,
  stop_sent_at timestamptz,
  gone_at timestamptz,
  left_at timestamptz,
  -- What the engine itself reported as the end of this task, {code, blame, retry, message}.
  error jsonb,
  failed_at timestamptz,
  token_expires_at timestamptz,
  files jsonb,
  is_empty boolean not null default false,
  superseded boolean not null default false,
  created_at timestamptz not null default now(),
  unique (recording_id, attempt),
  constraint engine_tasks_gone_has_an_end check ((state = 'gone') = (gone_at is not null)),
  constraint engine_tasks_running_has_an_id check (state <> 'running' or sid is not null),
  constraint engine_tasks_error_has_a_moment check ((error is null) = (failed_at is null)),
  constraint engine_tasks_error_has_its_four_members check (error ?& array['code', 'blame', 'retry', 'message'])
);
comment on table recorder.engine_tasks is
  'One row per try to start the engine. Written before the call that may be lost; facts are always saved, whoever brings them.';
create index engine_tasks_of_recording on recorder.engine_tasks (recording_id, attempt desc);
create index engine_tasks_of_channel on recorder.engine_tasks (channel, uid);
create index engine_tasks_alive on recorder.engine_tasks (engine_account, last_seen_at) where state in ('requested', 'running');
create index engine_tasks_without_sid on recorder.engine_tasks (start_sent_at) where state = 'requested' and sid is null;
create index engine_tasks_preparing on recorder.engine_tasks (created_at) where state = 'preparing';

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
-- What came before its task was known waits under its sid.
create index inbox_of_nobody on recorder.inbox (sid) where engine_task_id is null;

-- Channels --------------------------------------------------------------------------------------------------------------

create table recorder.channels (
  channel text primary key,
  -- Calls that somebody else held when they should have been brought up to date: the next sweep does it.
  owed_call_ids uuid[] not null default '{}'
);
comment on table recorder.channels is
  'One row per channel, locked by whoever moves a recording of it or writes one of its calls: all that happens on a channel happens one after the other.';
create index channels_owing on recorder.channels (channel) where owed_call_ids <> '{}';

create function recorder.lock_channel(p_channel text) returns void
  language plpgsql set search_path = ''
as $$
begin
  loop
    -- A row and no advisory lock: one transaction may touch more channels than the shared table of locks has room for.
    perform from recorder.channels c where c.channel = p_channel for no key update;
    exit when found;
    insert into recorder.channels (channel) values (p_channel) on conflict (channel) do nothing;
  end loop;
end
$$;
comment on function recorder.lock_channel(text) is
  'Waits until nobody else is at work on a channel and keeps it until the end of the transaction. Who holds it waits for no call any more. Called by the guard and by what moves recordings.';

create function recorder.try_lock_channel(p_channel text) returns boolean
  language plpgsql set search_path = ''
as $$
begin
  insert into recorder.channels (channel) values (p_channel) on conflict (channel) do nothing;
  perform from recorder.channels c where c.channel = p_channel for no key update skip locked;
  return found;
end
$$;
comment on function recorder.try_lock_channel(text) is
  'Takes a channel if nobody is at work on it. For the sweep, which waits for nobody.';

-- Enqueue -----------------------------------------------------------------------------------------------------------

create function recorder.account_for(p_recording_id uuid, p_engine_task_id uuid) returns text
  language plpgsql stable set search_path = ''
as $$
begin
  return coalesce(
    (select t.engine_account from recorder.engine_tasks t where t.id = p_engine_task_id),
    (select t.engine_account from recorder.engine_tasks t where t.recording_id = p_recording_id order by t.attempt desc limit 1),
    (select a.engine_account from recorder.engine_accounts a
     order by (
       select count(*) from recorder.engine_tasks t
       where t.engine_account = a.engine_account and t.state in ('requested', 'running')), a.engine_account
     limit 1));
end
$$;
comment on function recorder.account_for(uuid, uuid) is
  'The account at the engine that a piece of work belongs to: that of its task, else of its recording, else the one with the fewest recorders. Called by recorder.enqueue.';

create function recorder.enqueue(
  p_kind text, p_recording_id uuid, p_engine_task_id uuid default null, p_run_at timestamptz default now()
) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_kind recorder.job_kinds;
begin
  if p_recording_id is null or p_run_at is null then
    perform recorder.refuse('argument_missing');
  end if;
  select * into v_kind from recorder.job_kinds k where k.kind = p_kind;
  if not found then
    perform recorder.refuse('job_kind_unknown', p_kind);
  end if;
  insert into recorder.jobs as j (
    kind, lane, priority, recording_id, engine_task_id, engine_account, dedupe_key, max_attempts, run_at)
  values (
    p_kind, v_kind.lane, v_kind.priority, p_recording_id, p_engine_task_id,
    case when v_kind.engine_requests > 0 then recorder.account_for(p_recording_id, p_engine_task_id) else '' end,
    p_kind || ':' || coalesce(p_engine_task_id, p_recording_id)::text, v_kind.max_attempts, p_run_at)
  on conflict (dedupe_key) where state = 'queued'
  do update set run_at = greatest(excluded.run_at, j.not_before)
  where greatest(excluded.run_at, j.not_before) < j.run_at;
end
$$;
comment on function recorder.enqueue(text, uuid, uuid, timestamptz) is
  'Asks for one piece of work. The same work asked for twice while it waits is one job, due at the earlier of both times, but not within a pause that the other side asked for; asked for while it is being done, it is done once more. Refuses with argument_missing, job_kind_unknown. Called by recorder functions that hold the channel of the recording.';

-- Wake-up -----------------------------------------------------------------------------------------------------------

create function recorder.secret(p_name text) returns text
  language sql stable security definer set search_path = ''
as $$ select s.decrypted_secret from vault.decrypted_secrets s where s.name = p_name $$;
comment on function recorder.secret(text) is 'A secret out of Vault by name; null if it is not there. For functions of this schema only.';

create function recorder.wake_lane(p_lane text, p_ignore_rest boolean default false) returns boolean
  language plpgsql security definer set search_path = '' set lock_timeout = '500ms'
as $$
declare
  v_lane recorder.lanes;
  v_url text;
  v_secret text;
  v_id text := 'wake_' || replace(gen_random_uuid()::text, '-', '');
  v_sent_at bigint := extract(epoch from clock_timestamp())::bigint;
  v_body jsonb;
  v_signature text;
  v_request_id bigint;
begin
  select * into v_lane from recorder.lanes l
  where l.lane = p_lane
    and (p_ignore_rest or l.last_wake_at < clock_timestamp() - make_interval(secs => recorder.setting('wake_up_rest')::double precision / 1000))
  for update skip locked;
  if not found then
    return false;
  end if;
  begin
    v_url := recorder.secret('functions_url');
    v_secret := recorder.secret('wake_up_secret');
    if v_url is null or v_secret is null then
      raise exception 'the Vault secrets functions_url and wake_up_secret are needed';
    end if;
    v_body := jsonb_build_object('lane', p_lane, 'sent_at', v_sent_at);
    -- Standard Webhooks: the signature covers id, time and the exact bytes, so nothing that pg_net stores is a secret.
    v_signature := 'v1,' || encode(extensions.hmac(
      convert_to(v_id || '.' || v_sent_at || '.' || v_body::text, 'UTF8'),
      decode(substr(v_secret, length('whsec_') + 1), 'base64'), 'sha256'), 'base64');
    v_request_id := net.http_post(
      url => v_url || '/' || v_lane.function_name,
      body => v_body,
      headers => jsonb_build_object(
        'Content-Type', 'application/json', 'webhook-id', v_id, 'webhook-timestamp', v_sent_at::text,
        'webhook-signature', v_signature),
      timeout_milliseconds => recorder.setting('wake_up_timeout')::integer);
  exception when others then
    -- A broken Vault or pg_net costs speed, never the user's write: the sweep makes good for it.
    raise warning 'recorder: could not wake lane %: %', p_lane, sqlerrm;
    v_request_id := null;
  end;
  -- What failed rests as well: a commit of a thousand jobs must not ask a broken Vault a thousand times.
  update recorder.lanes l set
    last_wake_at = clock_timestamp(), last_wake_xact = pg_current_xact_id(),
    last_wake_request_id = coalesce(v_request_id, l.last_wake_request_id)
  where l.lane = p_lane;
  return v_request_id is not null;
end
$$;
comment on function recorder.wake_lane(text, boolean) is
  'Sends one signed wake-up to the function of a lane, at most one per wake_up_rest unless told to ignore it. True if one was queued; a broken Vault or pg_net is a warning, never an error.';

create function recorder.wake_lane_of_job() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  if new.run_at <= clock_timestamp() and exists (
    select from recorder.lanes l
    where l.lane = new.lane and l.last_wake_xact is distinct from pg_current_xact_id())
  then
    perform recorder.wake_lane(new.lane);
  end if;
  return null;
end
$$;
comment on function recorder.wake_lane_of_job() is
  'Deferred trigger of recorder.jobs: runs during commit, so that the lane''s row is locked only for a moment, and sends at most one wake-up per lane and transaction.';
create constraint trigger jobs_wake_their_lane after insert or update of run_at on recorder.jobs
  deferrable initially deferred for each row when (new.state = 'queued') execute function recorder.wake_lane_of_job();

alter table recorder.lanes owner to recorder_owner;
alter table recorder.drains owner to recorder_owner;
alter table recorder.job_kinds owner to recorder_owner;
alter table recorder.jobs owner to recorder_owner;
alter table recorder.engine_accounts owner to recorder_owner;
alter table recorder.engine_tasks owner to recorder_owner;
alter table recorder.inbox owner to recorder_owner;
alter table recorder.channels owner to recorder_owner;
alter table recorder.lanes enable row level security;
alter table recorder.drains enable row level security;
alter table recorder.job_kinds enable row level security;
alter table recorder.jobs enable row level security;
alter table recorder.engine_accounts enable row level security;
alter table recorder.engine_tasks enable row level security;
alter table recorder.inbox enable row level security;
alter table recorder.channels enable row level security;
alter function recorder.lock_channel(text) owner to recorder_owner;
alter function recorder.try_lock_channel(text) owner to recorder_owner;
alter function recorder.account_for(uuid, uuid) owner to recorder_owner;
alter function recorder.enqueue(text, uuid, uuid, timestamptz) owner to recorder_owner;
revoke all on function recorder.lock_channel(text), recorder.try_lock_channel(text), recorder.account_for(uuid, uuid),
  recorder.enqueue(text, uuid, uuid, timestamptz), recorder.secret(text),
  recorder.wake_lane(text, boolean), recorder.wake_lane_of_job() from public, anon, authenticated, service_role;
-- recorder_owner reaches the functions that touch Vault and pg_net only through these two.
grant execute on function recorder.wake_lane(text, boolean) to recorder_owner;
grant execute on function recorder.lock_channel(text), recorder.try_lock_channel(text),
  recorder.enqueue(text, uuid, uuid, timestamptz) to postgres;
