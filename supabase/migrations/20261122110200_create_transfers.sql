-- Copies from a source store into ours (staged mode), so that a worker that dies costs at most one part.
-- Lease, attempts and the time of the next try are those of the job that works on it; a row here keeps what the copy knows.

create table recorder.transfers (
  id uuid primary key default gen_random_uuid(),
  recording_id uuid not null references public.recordings (id),
  attempt integer not null,
  -- A store by its configured name, never an address: nothing from outside is fetched.
  source_store text not null,
  source_key text not null,
  -- Every read of the source is bound to this version of it.
  source_etag text not null,
  source_modified_at timestamptz,
  total_bytes bigint not null,
  destination_key text not null,
  content_type text not null,
  -- Slices first, then their playlist, so that its existence means that all of them are there; then what is large.
  copy_order smallint not null default 0,
  part_bytes bigint,
  state text not null default 'created',
  upload_id text,
  version_id text,
  etag text,
  etag_agrees boolean,
  ended_because text,
  error jsonb,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  verified_at timestamptz,
  source_deleted_at timestamptz,
  finished_at timestamptz,
  constraint transfers_state_check check (
    state in ('created', 'uploading', 'completing', 'verifying', 'done', 'failed', 'aborted')),
  constraint transfers_source_store_check check (source_store ~ '^[a-z][a-z0-9_]{0,31}$'),
  constraint transfers_total_check check (total_bytes >= 0),
  -- The stores' common ground: parts of 5 MiB to 5 GB, at most 10,000 of them; what has no part size goes in one piece of at most 5 GB.
  constraint transfers_part_check check (
    case when part_bytes is null then total_bytes <= 5000000000
      else part_bytes between 5242880 and 5000000000 and total_bytes <= 10000 * part_bytes end),
  constraint transfers_created_has_not_begun check ((state = 'created') <= (num_nonnulls(started_at, upload_id, version_id) = 0)),
  constraint transfers_begun_has_a_start check (
    state not in ('uploading', 'completing', 'verifying', 'done') or started_at is not null),
  constraint transfers_parts_have_an_upload check (
    part_bytes is null or state not in ('uploading', 'completing') or upload_id is not null),
  constraint transfers_one_piece_has_no_upload check (part_bytes is not null or (upload_id is null and state <> 'completing')),
  constraint transfers_completed_has_a_version check (
    (state in ('verifying', 'done')) <= (completed_at is not null and version_id is not null)),
  constraint transfers_done_is_verified check (state <> 'done' or verified_at is not null),
  constraint transfers_source_goes_last check (source_deleted_at is null or state = 'done'),
  constraint transfers_final_has_finished check ((state in ('done', 'failed', 'aborted')) = (finished_at is not null)),
  constraint transfers_ended_because_check check (
    (ended_because is null or state = 'aborted')
    and ended_because in ('source_changed', 'source_missing', 'upload_lost', 'copy_differs', 'given_up')),
  constraint transfers_failed_has_an_error check (
    (state = 'failed') = (error is not null) and (error is null or error ?& array['code', 'blame', 'retry', 'message']))
);
comment on table recorder.transfers is
  'One row per object that is copied from a source store into ours; states created → uploading → completing → verifying → done, or failed, aborted. Written by the storage lane through recorder_api.';
comment on column recorder.transfers.part_bytes is 'Size of every part but the last, bytes; null: small enough to be put in one piece.';
comment on column recorder.transfers.upload_id is 'Saved in the step that created it: one that is not known here is aborted by the nightly sweep.';
comment on column recorder.transfers.etag is 'What the store calls the copy; stores differ in how they make it, so only sizes are believed.';
comment on column recorder.transfers.etag_agrees is 'Whether that is also what the source is called: a proof where it is true, nothing where it is not.';
create unique index transfers_one_per_destination on recorder.transfers (destination_key) where finished_at is null;
create unique index transfers_upload_id on recorder.transfers (upload_id) where upload_id is not null;
create index transfers_of_recording on recorder.transfers (recording_id, id);
create index transfers_open on recorder.transfers (created_at) where finished_at is null;
create index transfers_sources on recorder.transfers (recording_id) where state = 'done' and source_deleted_at is null;

create table recorder.transfer_parts (
  transfer_id uuid not null references recorder.transfers (id) on delete cascade,
  part_number integer not null,
  offset_bytes bigint not null,
  size_bytes bigint not null,
  etag text not null,
  done_at timestamptz not null default now(),
  primary key (transfer_id, part_number),
  constraint transfer_parts_number_check check (part_number between 1 and 10000),
  constraint transfer_parts_range_check check (offset_bytes >= 0 and size_bytes between 1 and 5000000000)
);
comment on table recorder.transfer_parts is
  'One row per part that arrived, with the store''s proof (etag). What has no row is sent again, which overwrites: always safe.';

alter table recorder.transfers enable row level security;
alter table recorder.transfer_parts enable row level security;
alter table recorder.transfers owner to recorder_owner;
alter table recorder.transfer_parts owner to recorder_owner;
grant select on recorder.transfers, recorder.transfer_parts to recorder_admin;
create policy "administrators read" on recorder.transfers for select to recorder_admin using (true);
create policy "administrators read" on recorder.transfer_parts for select to recorder_admin using (true);
