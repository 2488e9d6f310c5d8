-- Recordings: one row per press of record. Rows are facts: recorder_owner owns them and only recorder.apply writes them.

create sequence recorder.versions;
comment on sequence recorder.versions is
  'One global order of all visible changes. Taken under the row lock of the recording, so that a client may drop what is older.';

create table public.recordings (
  id uuid primary key default gen_random_uuid(),
  -- The recording outlives its call: it keeps its own copy of who took part.
  -- Deferred: a start wish may arrive in the very INSERT of the call.
  call_id uuid references public.video_calls (id) on delete set null deferrable initially deferred,
  mentorship_id uuid references public.mentorships (id) on delete set null,
  instructor_id uuid references public.instructors (id) on delete set null,
  mentee_id uuid references public.mentees (id) on delete set null,
  channel text not null,
  status text not null,
  phase text,
  queue_place integer,
  quality text not null,
  layout text not null,
  attempt integer not null default 0,
  requested_by uuid,
  requested_at timestamptz not null default now(),
  started_at timestamptz,
  stop_requested_at timestamptz,
  stop_reason text,
  stopped_at timestamptz,
  finished_at timestamptz,
  expires_at timestamptz,
  deletion_began_at timestamptz,
  deadline_at timestamptz,
  error jsonb,
  is_partial boolean not null default false,
  gaps jsonb not null default '[]',
  duration_ms bigint,
  size_bytes bigint,
  stored_bytes bigint,
  progress jsonb,
  version bigint not null default nextval('recorder.versions'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint recordings_status_check check (
    status in ('starting', 'recording', 'stopping', 'processing', 'recorded', 'failed', 'expired')),
  constraint recordings_quality_check check (quality in ('audio', '480p', '720p', '1080p')),
  constraint recordings_layout_check check (layout in ('best_fit', 'floating', 'vertical')),
  constraint recordings_stop_reason_check check (
    stop_reason in ('user', 'call_ended', 'call_deleted', 'idle', 'limit', 'administrator')),
  constraint recordings_phase_fits_the_status check (
    case status
      when 'starting' then phase is not null and phase in ('queued', 'requested')
      when 'processing' then phase is not null and phase in ('waiting_for_upload', 'transferring')
      else phase is null end),
  constraint recordings_progress_only_while_processing check (progress is null or status = 'processing'),
  constraint recordings_progress_has_its_members check (
    progress is null or progress ?& array['bytes', 'total_bytes', 'percent', 'estimated_end_at', 'measured_at']),
  constraint recordings_only_the_queue_has_places check (queue_place is null or (phase = 'queued') is true and queue_place >= 1),
  constraint recordings_recording_has_started check (status <> 'recording' or started_at is not null),
  constraint recordings_stopping_has_a_wish check (status <> 'stopping' or stop_requested_at is not null),
  constraint recordings_stop_reason_with_wish check ((stop_requested_at is null) = (stop_reason is null)),
  constraint recordings_processing_has_stopped check (
    status not in ('processing', 'recorded', 'expired') or stopped_at is not null),
  constraint recordings_final_has_finished check (
    (status in ('recorded', 'failed', 'expired')) = (finished_at is not null)),
  constraint recordings_open_has_a_deadline check (
    (status in ('recorded', 'failed', 'expired')) = (deadline_at is null)),
  constraint recordings_failed_has_an_error check (status <> 'failed' or error is not null),
  constraint recordings_error_has_its_four_members check (
    error is null or error ?& array['code', 'blame', 'retry', 'message']),
  constraint recordings_only_what_is_over_is_deleted check (
    deletion_began_at is null or status in ('recorded', 'failed', 'expired')),
  constraint recordings_recorded_is_measured check (
    status <> 'recorded' or (duration_ms is not null and size_bytes is not null and stored_bytes is not null))
);
comment on table public.recordings is
  'One row per press of record, never deleted. Written only by recorder.apply; read by the two people of the mentorship.';
comment on column public.recordings.deadline_at is 'When recorder.sweep() acts if nothing else happened; null if and only if the status is final.';
comment on column public.recordings.deletion_began_at is
  'From here on nothing of it is played any more and nobody can keep it: its files are being deleted, and then it is expired.';
comment on column public.recordings.queue_place is
  'How many recordings, this one included, wait for a recorder to become free; null while nobody has to wait for one.';
comment on column public.recordings.error is '{code, blame, retry, message} for people; docs/errors.md lists the codes.';
comment on column public.recordings.phase is
  'starting: queued or requested. processing: waiting_for_upload (files are awaited) or transferring (files are copied from the source store).';
comment on column public.recordings.gaps is
  'What is missing: [{from_ms, to_ms, missing_ms}]; from_ms = to_ms is the place in playing time where the picture jumps, missing_ms how long what is missing was, null where nobody knows.';
comment on column public.recordings.progress is
  'While files are copied: {bytes, total_bytes, percent, estimated_end_at, measured_at}, at most once a second; estimated_end_at is null while nothing moves.';
comment on column public.recordings.size_bytes is 'Size of the playable primary file; stored_bytes counts everything kept in the bucket.';

-- One live recording per channel, whoever presses.
create unique index recordings_one_live_per_channel on public.recordings (channel)
  where status in ('starting', 'recording', 'stopping');
create index recordings_newest_of_mentorship on public.recordings (mentorship_id, created_at desc);
create index recordings_newest_of_call on public.recordings (call_id, created_at desc);
create index recordings_deadline on public.recordings (deadline_at) where deadline_at is not null;
create index recordings_instructor on public.recordings (instructor_id);
create index recordings_mentee on public.recordings (mentee_id);

create table public.recording_files (
  id uuid primary key default gen_random_uuid(),
  recording_id uuid not null references public.recordings (id),
  kind text not null,
  attempt integer not null,
  object_key text not null,
  content_type text not null,
  size_bytes bigint not null,
  duration_ms bigint,
  segment_count integer,
  verified_at timestamptz not null,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  constraint recording_files_kind_check check (kind in ('playlist', 'mp4', 'thumbnail')),
  constraint recording_files_size_check check (size_bytes >= 0),
  unique (recording_id, object_key)
);
comment on table public.recording_files is
  'One row per asset of a recording that was seen in the bucket with its size. size_bytes of a playlist counts its segments. Stays when the file is gone, with deleted_at.';

create table public.recording_events (
  id bigint generated always as identity primary key,
  recording_id uuid not null references public.recordings (id),
  happened_at timestamptz not null default clock_timestamp(),
  actor text not null,
  event text not null,
  from_status text,
  to_status text,
  detail jsonb not null default '{}',
  constraint recording_events_actor_check check (
    actor in ('user', 'service', 'administrator', 'engine', 'storage', 'system'))
);
comment on table public.recording_events is
  'The story of a recording as its two people may read it: who wished what, what the engine said, what failed, what was tried again. Never cleaned.';
create index recording_events_of_recording on public.recording_events (recording_id, id);

alter table public.video_calls add constraint video_calls_recording_id_fkey
  foreign key (recording_id) references public.recordings (id);
create index video_calls_recording_id_idx on public.video_calls (recording_id);

alter table public.recordings enable row level security;
alter table public.recording_files enable row level security;
alter table public.recording_events enable row level security;

-- A project from before October 2026 gives everybody everything on a new table by default.
revoke all on public.recordings, public.recording_files, public.recording_events from public, anon, authenticated, service_role;
revoke all on sequence public.recording_events_id_seq from public, anon, authenticated, service_role;
grant select on public.recordings to authenticated, service_role;
-- Object keys carry the engine's ids: they stay with the functions.
grant select (id, recording_id, kind, attempt, content_type, size_bytes, duration_ms, segment_count, verified_at, deleted_at, created_at)
  on public.recording_files to authenticated;
grant select on public.recording_files, public.recording_events to service_role;
grant select on public.recording_events to authenticated;

create policy "recordings of my mentorships" on public.recordings for select to authenticated
  using (mentorship_id = any (array(select access.my_mentorship_ids())));

-- The policy of recordings itself narrows what these two see.
create policy "files of my recordings" on public.recording_files for select to authenticated
  using (recording_id = any (array(select r.id from public.recordings r)));
create policy "events of my recordings" on public.recording_events for select to authenticated
  using (recording_id = any (array(select r.id from public.recordings r)));

alter table public.recordings owner to recorder_owner;
alter table public.recording_files owner to recorder_owner;
alter table public.recording_events owner to recorder_owner;
alter sequence recorder.versions owner to recorder_owner;
-- The foreign keys of recordings point at tables of others; their actions run as the table's owner.
grant select, references on public.mentorships, public.instructors, public.mentees to recorder_owner;
