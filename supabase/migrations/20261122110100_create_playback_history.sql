-- Where a person stopped watching, and what happened while they watched. Written by the person, for recordings they may see.

create table public.playback_positions (
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  recording_id uuid not null references public.recordings (id),
  position_ms bigint not null,
  updated_at timestamptz not null default now(),
  primary key (user_id, recording_id),
  -- A week: far beyond the longest recording, near enough to catch nonsense.
  constraint playback_positions_position_check check (position_ms between 0 and 604800000)
);
comment on table public.playback_positions is 'Where a person resumes a recording: one row per person and recording, seen and written by that person only.';
comment on column public.playback_positions.updated_at is 'By the database''s clock, set at every write.';
create index playback_positions_of_recording on public.playback_positions (recording_id);

create table public.playback_events (
  id bigint generated always as identity primary key,
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  recording_id uuid not null references public.recordings (id),
  viewing_id uuid,
  kind text not null,
  position_ms bigint not null default 0,
  detail jsonb not null default '{}',
  happened_at timestamptz not null default now(),
  constraint playback_events_kind_check check (
    kind in ('started', 'paused', 'resumed', 'sought', 'stalled', 'rate_changed', 'ended', 'failed', 'downloaded')),
  constraint playback_events_position_check check (position_ms between 0 and 604800000),
  constraint playback_events_detail_is_small check (jsonb_typeof(detail) = 'object' and octet_length(detail::text) <= 2000)
);
comment on table public.playback_events is 'What a person''s player reported, appended by that person only and never changed. Claims of a client: for statistics, not evidence.';
comment on column public.playback_events.viewing_id is 'Chosen by the player: what belongs to one sitting.';
create index playback_events_of_user on public.playback_events (user_id, recording_id, id);
create index playback_events_of_recording on public.playback_events (recording_id, id);

create function public.touch_playback_position() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end
$$;
comment on function public.touch_playback_position() is 'Trigger of playback_positions: the time of a write is the database''s.';
revoke all on function public.touch_playback_position() from public, anon, authenticated, service_role;
create trigger touch_playback_position before insert or update on public.playback_positions
  for each row execute function public.touch_playback_position();

alter table public.playback_positions enable row level security;
alter table public.playback_events enable row level security;
-- Projects from before October 2026 give every new table of public away by default.
revoke all on public.playback_positions, public.playback_events from public, anon, authenticated, service_role;
revoke all on sequence public.playback_events_id_seq from public, anon, authenticated, service_role;
grant select on public.playback_positions, public.playback_events to authenticated, service_role;
-- An upsert of the ordinary client writes the key columns too; the policy keeps them where they belong.
grant insert (user_id, recording_id, position_ms), update (user_id, recording_id, position_ms)
  on public.playback_positions to authenticated;
grant insert (recording_id, viewing_id, kind, position_ms, detail) on public.playback_events to authenticated;

create policy "my positions" on public.playback_positions for select to authenticated
  using (user_id = (select auth.uid()));
create policy "my position in a recording I may see" on public.playback_positions for insert to authenticated
  with check (user_id = (select auth.uid()) and exists (select from public.recordings r where r.id = recording_id));
create policy "my new position in a recording I may see" on public.playback_positions for update to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()) and exists (select from public.recordings r where r.id = recording_id));
create policy "my viewings" on public.playback_events for select to authenticated
  using (user_id = (select auth.uid()));
create policy "my viewing of a recording I may see" on public.playback_events for insert to authenticated
  with check (user_id = (select auth.uid()) and exists (select from public.recordings r where r.id = recording_id));
