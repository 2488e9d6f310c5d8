-- The later script, which not every installation ran.
alter table public.video_calls
  add column recording_status text,
  add column recording_url text,
  add column recording_key text,
  add column recording_size bigint,
  add column recording_duration_seconds integer,
  add column recording_metadata jsonb;
create index idx_video_calls_recording_status on public.video_calls (recording_status);
