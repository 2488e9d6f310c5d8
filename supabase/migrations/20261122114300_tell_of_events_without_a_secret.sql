-- Before the secret of the engine's notifications is set, nothing of them can be believed and nothing is stored. That they come all the
-- same is worth a red row: without it a recording would look merely slow.

create table recorder.unverified_events (
  is_only_row boolean primary key default true check (is_only_row),
  last_at timestamptz not null default '-infinity'
);
comment on table recorder.unverified_events is
  'One row: when an event last came that could not be verified because no secret is set. Written by recorder_api.note_unverified_event, shown by recorder.health.';
insert into recorder.unverified_events default values;

insert into recorder.settings (name, value, unit, reason) values
  ('health_unverified_window', 3600, 'seconds', 'The console checks its address once when it is set up: long enough to see it, short enough to turn green after the secret was set.');

create function recorder_api.note_unverified_event() returns boolean
  language plpgsql security definer set search_path = ''
as $$
begin
  -- Anybody can send such a thing: it costs one write in ten seconds at most, and waits for nobody.
  perform from recorder.unverified_events u where u.last_at < clock_timestamp() - interval '10 seconds' for update skip locked;
  if found then
    update recorder.unverified_events set last_at = clock_timestamp();
  end if;
  return found;
end
$$;
comment on function recorder_api.note_unverified_event() is
  'Notes that an event of the engine came and no secret is set to verify it with. False when that was noted within the last ten seconds. Called by agora-events.';

create function recorder.check_webhook_secret() returns recorder.health_check
  language plpgsql stable set search_path = ''
as $$
declare
  v_limit numeric := recorder.setting('health_unverified_window');
  v_last_at timestamptz := (select u.last_at from recorder.unverified_events u);
  v_seconds numeric := recorder.seconds_since(v_last_at);
begin
  return recorder.checked('webhook_secret', coalesce(v_seconds > v_limit, true), v_seconds, 'seconds', v_limit,
    case when coalesce(v_seconds > v_limit, true) then 'No event came that had to be passed over for want of a secret.'
      else format('Events of the engine come and are passed over (the last %s): AGORA_WEBHOOK_SECRET is not set. Copy it from the console''s page of notifications.',
        recorder.ago(v_last_at)) end);
end
$$;
comment on function recorder.check_webhook_secret() is
  'Whether the engine''s events are passed over because nobody set their secret. value: seconds since the last such event. For recorder.check_health.';

alter table recorder.unverified_events owner to recorder_owner;
alter table recorder.unverified_events enable row level security;
alter function recorder.check_webhook_secret() owner to recorder_owner;
revoke all on recorder.unverified_events from public, anon, authenticated, service_role;
revoke all on function recorder_api.note_unverified_event(), recorder.check_webhook_secret() from public, anon, authenticated, service_role;
grant execute on function recorder_api.note_unverified_event() to service_role;
