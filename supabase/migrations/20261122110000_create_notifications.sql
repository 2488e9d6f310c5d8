-- What a person is told in the portal. The row is written in the transaction of the change it tells about, so none is lost.

create table public.notifications (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  recording_id uuid not null references public.recordings (id),
  kind text not null,
  payload jsonb not null default '{}',
  created_at timestamptz not null default now(),
  read_at timestamptz,
  constraint notifications_kind_check check (kind in ('recording_ready', 'recording_failed', 'recording_expiring')),
  constraint notifications_payload_has_listed_members check (
    jsonb_typeof(payload) = 'object'
    and payload - array['mentorship_id', 'call_id', 'code', 'duration_ms', 'expires_at'] = '{}'),
  constraint notifications_one_per_kind unique (user_id, recording_id, kind)
);
comment on table public.notifications is
  'What a person is told about a recording; one row per person, recording and kind. Written by recorder.notify; the person reads it and sets read_at.';
comment on column public.notifications.payload is 'Nothing but mentorship_id, call_id, code (of the error), duration_ms, expires_at.';
comment on column public.notifications.read_at is 'Written by the person; null again when the same thing happens anew.';
create index notifications_newest_of_user on public.notifications (user_id, created_at desc);
create index notifications_of_recording on public.notifications (recording_id);

alter table public.notifications enable row level security;
-- Projects from before October 2026 give every new table of public away by default.
revoke all on public.notifications from public, anon, authenticated, service_role;
grant select on public.notifications to authenticated, service_role;
grant update (read_at) on public.notifications to authenticated;
create policy "my notifications" on public.notifications for select to authenticated
  using (user_id = (select auth.uid()));
create policy "I have read my notification" on public.notifications for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));

create function recorder.notify(p_recording_id uuid, p_kind text) returns integer
  language plpgsql set search_path = ''
as $$
declare
  v_count integer;
begin
  insert into public.notifications (user_id, recording_id, kind, payload)
  select p.user_id, r.id, p_kind, jsonb_strip_nulls(jsonb_build_object(
    'mentorship_id', r.mentorship_id, 'call_id', r.call_id,
    'code', case when p_kind = 'recording_failed' then r.error ->> 'code' end,
    'duration_ms', case when p_kind = 'recording_ready' then r.duration_ms end,
    'expires_at', case when p_kind <> 'recording_failed' then r.expires_at end))
  from public.recordings r
  cross join lateral (
    select i.user_id from public.instructors i where i.id = r.instructor_id
    union
    select e.user_id from public.mentees e where e.id = r.mentee_id) p
  where r.id = p_recording_id and p.user_id is not null
  on conflict (user_id, recording_id, kind)
  do update set payload = excluded.payload, created_at = excluded.created_at, read_at = null;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function recorder.notify(uuid, text) is
  'Tells both people of a recording, as far as they have signed in, and gives how many that were. Told again, it is unread again. An unknown recording tells nobody; an unknown kind violates notifications_kind_check. Called by the engine room.';

create function recorder.notify_of_end() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  -- Whoever takes back a wish knows it already.
  if new.error ->> 'code' is distinct from 'stopped_before_start' then
    perform recorder.notify(new.id, case new.status when 'recorded' then 'recording_ready' else 'recording_failed' end);
  end if;
  return null;
end
$$;
comment on function recorder.notify_of_end() is 'Trigger of recordings: tells both people that a recording is there, or why there is none.';
create trigger notify_of_end after update of status on public.recordings
  for each row when (new.status is distinct from old.status and new.status in ('recorded', 'failed'))
  execute function recorder.notify_of_end();

alter table public.notifications owner to recorder_owner;
alter function recorder.notify(uuid, text) owner to recorder_owner;
alter function recorder.notify_of_end() owner to recorder_owner;
revoke all on function recorder.notify(uuid, text), recorder.notify_of_end() from public, anon, authenticated, service_role;

alter publication supabase_realtime add table public.notifications;
