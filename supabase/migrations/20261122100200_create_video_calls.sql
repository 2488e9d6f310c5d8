-- Calls. The table, its indexes and its trigger keep the old portal's names and types; a newcomer gets the same shape.

create table if not exists public.video_calls (
  id uuid primary key default gen_random_uuid(),
  mentorship_id uuid not null references public.mentorships (id) on delete cascade,
  instructor_id uuid references public.instructors (id),
  mentee_id uuid references public.mentees (id),
  start_time timestamptz not null default now(),
  end_time timestamptz,
  duration_seconds integer,
  status text not null default 'active' constraint video_calls_status_check check (status in ('active', 'ended', 'failed')),
  participants jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

alter table public.video_calls add column if not exists recording_status text;
alter table public.video_calls add column if not exists recording_url text;
alter table public.video_calls add column if not exists recording_key text;
alter table public.video_calls add column if not exists recording_size bigint;
alter table public.video_calls add column if not exists recording_duration_seconds integer;
alter table public.video_calls add column if not exists recording_metadata jsonb;
alter table public.video_calls add column if not exists recording_quality text not null default '720p';
alter table public.video_calls add column if not exists recording_layout text not null default 'best_fit';
alter table public.video_calls add column if not exists recording_id uuid;
alter table public.video_calls add column if not exists recording_phase text;
alter table public.video_calls add column if not exists recording_queue_place integer;
alter table public.video_calls add column if not exists recording_error jsonb;
alter table public.video_calls add column if not exists recording_progress jsonb;
alter table public.video_calls add column if not exists recording_version bigint not null default 0;
-- Old clients meet in a channel named after the mentorship. Filled in as a generated column, because an UPDATE would fire
-- the table's triggers and overwrite every row's updated_at.
alter table public.video_calls
  add column if not exists channel text not null generated always as (mentorship_id::text) stored;
alter table public.video_calls alter column channel drop expression if exists;

-- The check of recording_status comes last, when the old portal's words have been taken over: …_take_over_old_recordings.
alter table public.video_calls
  add constraint video_calls_recording_quality_check check (recording_quality in ('audio', '480p', '720p', '1080p')),
  add constraint video_calls_recording_layout_check check (recording_layout in ('best_fit', 'floating', 'vertical')),
  add constraint video_calls_channel_check check (channel ~ '^[0-9a-f-]{1,63}$');

create index if not exists idx_video_calls_mentorship on public.video_calls (mentorship_id);
create index if not exists idx_video_calls_start_time on public.video_calls (start_time desc);
create index if not exists video_calls_newest_of_mentorship on public.video_calls (mentorship_id, start_time desc);
create index if not exists idx_video_calls_status on public.video_calls (status);
create index if not exists idx_video_calls_instructor on public.video_calls (instructor_id);
create index if not exists idx_video_calls_mentee on public.video_calls (mentee_id);
create index if not exists idx_video_calls_recording_status on public.video_calls (recording_status);
create index if not exists video_calls_active_channel_idx on public.video_calls (channel) where status = 'active';

do $$
begin
  if to_regprocedure('public.update_video_calls_updated_at()') is null then
    create function public.update_video_calls_updated_at() returns trigger
      language plpgsql set search_path = ''
    as $body$
    begin
      new.updated_at := now();
      return new;
    end
    $body$;
  elsif exists (
    select from pg_catalog.pg_proc p
    where p.oid = 'public.update_video_calls_updated_at()'::regprocedure and p.proconfig is null)
  then
    -- Pinned to what it has always seen: an open search_path can be turned against a function.
    alter function public.update_video_calls_updated_at() set search_path = pg_catalog, public, extensions;
  end if;
  if not exists (
    select from pg_catalog.pg_trigger t
    where t.tgrelid = 'public.video_calls'::regclass and t.tgname = 'trigger_update_video_calls_updated_at')
  then
    create trigger trigger_update_video_calls_updated_at before update on public.video_calls
      for each row execute function public.update_video_calls_updated_at();
  end if;
end
$$;
comment on function public.update_video_calls_updated_at() is 'Trigger of video_calls: stamps every update. Cannot be called.';
revoke all on function public.update_video_calls_updated_at() from public, anon, authenticated, service_role;

comment on table public.video_calls is
  'One call of one mentorship. recording_status is written as a wish and stored as a fact; every other recording_* column but quality and layout is a fact.';
comment on column public.video_calls.recording_status is
  'Write starting or stopping to wish; read the true status of the newest recording of this call. Null: never recorded.';
comment on column public.video_calls.recording_url is 'Stable address of the recording in the portal; null until there is something to play.';
comment on column public.video_calls.recording_size is 'Size of the playable primary file, bytes.';
comment on column public.video_calls.recording_progress is
  'While files are copied: {bytes, total_bytes, percent, estimated_end_at, measured_at}, as on the recording; else null.';
comment on column public.video_calls.recording_metadata is
  'Always {recording_id, quality, layout, started_at, stopped_at, stored_bytes, is_partial, gaps}, as on the recording; no id of the engine.';
comment on column public.video_calls.recording_queue_place is
  'Which one in the queue for a recorder this is, from 1; null while nobody has to wait for one.';
comment on column public.video_calls.recording_version is 'Global version of the last change of the recording: a client drops what is older.';
comment on column public.video_calls.channel is 'Channel of the call at the engine: the id as 32 hex digits (join_call) or the mentorship id (old clients).';

-- Privileges are dealt anew: what the table had is taken away before single columns are granted.
revoke all on public.video_calls from public, anon, authenticated;
alter table public.video_calls enable row level security;
grant select on public.video_calls to authenticated;
grant update (recording_status, recording_quality, recording_layout) on public.video_calls to authenticated;
grant select, insert, update, delete on public.video_calls to service_role;
grant select, update on public.video_calls to recorder_owner;

create policy "calls of my mentorships" on public.video_calls for select to authenticated
  using (mentorship_id = any (array(select access.my_mentorship_ids())));
create policy "wishes in my active mentorships" on public.video_calls for update to authenticated
  using (mentorship_id = any (array(select access.my_active_mentorship_ids())))
  with check (mentorship_id = any (array(select access.my_active_mentorship_ids())));
