-- What a recording may look like and how long it is kept: data, so that neither needs a migration.

create table recorder.presets (
  quality text primary key,
  width integer,
  height integer,
  fps integer,
  bitrate_kbps integer,
  is_audio_only boolean not null default false,
  reason text not null,
  constraint presets_quality_check check (quality ~ '^[a-z0-9]{1,16}$'),
  constraint presets_sound_has_no_picture check (num_nonnulls(width, height, fps, bitrate_kbps) = case when is_audio_only then 0 else 4 end),
  -- The engine's limits: it refuses a larger picture or rate, and takes another frame rate silently for 15.
  constraint presets_size_check check (
    width between 1 and 1920 and height between 1 and 1920 and width * height <= 2073600),
  constraint presets_fps_check check (fps in (1, 7, 10, 15, 24, 30, 60)),
  constraint presets_bitrate_check check (bitrate_kbps between 1 and 6500)
);
comment on table recorder.presets is
  'The qualities a recording may have: size of the picture, frames a second, kilobits a second; only sound has none of them. video_calls.recording_quality names one.';
insert into recorder.presets (quality, width, height, fps, bitrate_kbps, is_audio_only, reason) values
  ('audio', null, null, null, null, true, 'For those who need the words only.'),
  ('480p', 848, 480, 15, 1220, false, 'Twice the engine''s base rate of 610, as it advises for live channels.'),
  ('720p', 1280, 720, 15, 2260, false, 'Twice the engine''s base rate of 1130, as it advises for live channels.'),
  ('1080p', 1920, 1080, 15, 4160, false, 'Twice the engine''s base rate of 2080, as it advises for live channels.');

create table recorder.layouts (
  layout text primary key,
  reason text not null,
  constraint layouts_layout_check check (layout ~ '^[a-z][a-z_]{0,31}$')
);
comment on table recorder.layouts is 'How the pictures of a call are put together. video_calls.recording_layout names one.';
insert into recorder.layouts (layout, reason) values
  ('best_fit', 'Everybody has the same size.'),
  ('floating', 'One large picture, the others small over it.'),
  ('vertical', 'One large picture, the others in a column beside it.');

-- The lists of qualities and layouts become these tables.
alter table public.video_calls
  drop constraint video_calls_recording_quality_check,
  drop constraint video_calls_recording_layout_check,
  add constraint video_calls_recording_quality_fkey foreign key (recording_quality) references recorder.presets (quality),
  add constraint video_calls_recording_layout_fkey foreign key (recording_layout) references recorder.layouts (layout);
alter table public.recordings
  drop constraint recordings_quality_check,
  drop constraint recordings_layout_check,
  add constraint recordings_quality_fkey foreign key (quality) references recorder.presets (quality),
  add constraint recordings_layout_fkey foreign key (layout) references recorder.layouts (layout);

-- How long. Order of rights: hold > forget > retention.

create table recorder.retention_policies (
  id uuid primary key default gen_random_uuid(),
  mentorship_id uuid references public.mentorships (id) on delete cascade,
  keep_days integer,
  longest_keep_days integer,
  reason text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint retention_policies_one_per_mentorship unique nulls not distinct (mentorship_id),
  constraint retention_policies_days_check check (
    keep_days between 1 and 36500 and longest_keep_days between 1 and 36500),
  -- Null is for ever: nothing is longer.
  constraint retention_policies_longest_is_longest check (
    longest_keep_days is null or (keep_days is not null and longest_keep_days >= keep_days))
);
comment on table recorder.retention_policies is
  'How long recordings are kept: the row without a mentorship is the default, a mentorship may have its own. Read when a recording becomes recorded.';
comment on column recorder.retention_policies.keep_days is 'Days from the moment a recording is there to its expiry; null: for ever.';
comment on column recorder.retention_policies.longest_keep_days is 'Days up to which its people may keep it; null: as long as they like.';
insert into recorder.retention_policies (mentorship_id, keep_days, longest_keep_days, reason) values
  (null, 365, 1095, 'A year of mentoring to look back on; its people may make it three.');

alter table public.recordings
  add column held_at timestamptz,
  add column hold_reason text,
  add constraint recordings_hold_has_a_reason check ((held_at is null) = (hold_reason is null));
comment on column public.recordings.held_at is 'While set, nothing deletes this recording: neither its expiry nor a wish to be forgotten (hold > forget > retention).';
comment on column public.recordings.hold_reason is 'Why an administrator holds it; for its two people to read.';
comment on column public.recordings.expires_at is 'When its files are deleted, unless it is held; null: never. Set by the policy when it becomes recorded.';
create index recordings_to_expire on public.recordings (expires_at) where status in ('recorded', 'failed') and held_at is null;

create function recorder.retention_of(p_mentorship_id uuid) returns recorder.retention_policies
  language sql stable set search_path = ''
as $$
  select p from recorder.retention_policies p
  where p.mentorship_id = p_mentorship_id or p.mentorship_id is null
  order by p.mentorship_id nulls last limit 1
$$;
comment on function recorder.retention_of(uuid) is
  'The retention policy of a mentorship: its own, else the default. All null where neither exists, which keeps for ever. Called by the engine room.';

create function recorder.expiry_of(p_mentorship_id uuid, p_from timestamptz) returns timestamptz
  language sql stable set search_path = ''
as $$ select p_from + make_interval(days => (recorder.retention_of(p_mentorship_id)).keep_days) $$;
comment on function recorder.expiry_of(uuid, timestamptz) is
  'When a recording of a mentorship that is there from p_from expires; null: never. Called by recorder.move.';

create function recorder.may_have_files(p_recording_id uuid) returns boolean
  language plpgsql stable set search_path = ''
as $$
begin
  return exists (
    select from recorder.engine_tasks t where t.recording_id = p_recording_id and t.start_sent_at is not null);
end
$$;
comment on function recorder.may_have_files(uuid) is
  'Whether something of a recording can be in the bucket: a recorder was asked to start, whatever it answered. Such a failed recording expires too. Called by recorder.move.';

create function recorder.keep_longer(p_recording_id uuid, p_keep_until timestamptz, p_actor text) returns public.recordings
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings;
  v_longest_days integer;
  v_longest timestamptz;
  v_until timestamptz;
begin
  -- Locks in the order call, recording, as everywhere.
  perform recorder.lock_calls(p_recording_id);
  select * into v_recording from public.recordings r where r.id = p_recording_id for update;
  if not found then
    perform recorder.refuse('recording_not_found');
  end if;
  if v_recording.status <> 'recorded' then
    perform recorder.refuse('recording_not_there', v_recording.status);
  end if;
  if v_recording.deletion_began_at is not null then
    perform recorder.refuse('deletion_under_way');
  end if;
  -- What is kept for ever is kept longest already.
  if v_recording.expires_at is null then
    return v_recording;
  end if;
  v_longest_days := (recorder.retention_of(v_recording.mentorship_id)).longest_keep_days;
  v_longest := v_recording.finished_at + make_interval(days => v_longest_days);
  v_until := coalesce(nullif(p_keep_until, 'infinity'), v_longest);
  if v_until > v_longest then
    perform recorder.refuse('kept_longest', to_char(v_longest at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));
  end if;
  -- Only ever longer: an earlier date, or the same one again, changes nothing.
  if v_until <= v_recording.expires_at then
    return v_recording;
  end if;
  update public.recordings r set
    expires_at = v_until, version = nextval('recorder.versions'), updated_at = clock_timestamp()
  where r.id = p_recording_id returning * into v_recording;
  -- Who keeps it takes back anybody's wish to delete it.
  delete from recorder.deletions d where d.recording_id = p_recording_id;
  perform recorder.note(p_recording_id, p_actor, 'recording.kept_longer', jsonb_build_object('expires_at', v_until));
  perform recorder.mirror_calls(p_recording_id);
  return v_recording;
end
$$;
comment on function recorder.keep_longer(uuid, timestamptz, text) is
  'Moves the expiry of a recording to a later moment, by default as late as its policy allows (null there: for ever). Never earlier; the same twice changes nothing. Refuses with recording_not_found, recording_not_there, deletion_under_way, kept_longest (the hint is the longest). Called by access.keep_recording_longer.';

alter table recorder.presets enable row level security;
alter table recorder.layouts enable row level security;
alter table recorder.retention_policies enable row level security;
alter table recorder.presets owner to recorder_owner;
alter table recorder.layouts owner to recorder_owner;
alter table recorder.retention_policies owner to recorder_owner;
alter function recorder.may_have_files(uuid) owner to recorder_owner;
alter function recorder.retention_of(uuid) owner to recorder_owner;
alter function recorder.expiry_of(uuid, timestamptz) owner to recorder_owner;
alter function recorder.keep_longer(uuid, timestamptz, text) owner to recorder_owner;
revoke all on function recorder.may_have_files(uuid), recorder.retention_of(uuid), recorder.expiry_of(uuid, timestamptz), recorder.keep_longer(uuid, timestamptz, text)
  from public, anon, authenticated, service_role;
grant select on recorder.presets, recorder.layouts, recorder.retention_policies to recorder_admin;
create policy "administrators read" on recorder.presets for select to recorder_admin using (true);
create policy "administrators read" on recorder.layouts for select to recorder_admin using (true);
create policy "administrators read" on recorder.retention_policies for select to recorder_admin using (true);
