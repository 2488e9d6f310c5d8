-- What the old portal said about its calls, turned into recordings that claim no more than is known. On a database without
-- its rows nothing happens here but the table and the check. docs/architecture.md, "Upgrading the old portal's database".

create table recorder.old_claims (
  -- No foreign key: what was claimed outlives the call.
  call_id uuid primary key,
  recording_id uuid references public.recordings (id),
  call_status text,
  recording_status text,
  recording_url text,
  recording_key text,
  recording_size bigint,
  recording_duration_seconds integer,
  recording_metadata jsonb,
  taken_over_at timestamptz not null default now()
);
comment on table recorder.old_claims is
  'What the rows of the old portal said before the take-over, word for word: its recorder never worked, so its urls, keys and lengths are claims without a file. Written once, by a migration; read by administrators.';
create index old_claims_recording on recorder.old_claims (recording_id);
alter table recorder.old_claims owner to recorder_owner;
alter table recorder.old_claims enable row level security;

-- The rows keep their updated_at, nobody is told, and the guard does not take history for wishes. By name: triggers of
-- others are not ours to silence. The lock that this takes keeps writers out until the end.
alter table public.video_calls
  disable trigger "00_wishes_become_facts",
  disable trigger trigger_update_video_calls_updated_at,
  disable trigger push_call;
alter table public.recordings disable trigger user;

-- A row with a recording of ours has been written through the guard; every other one was written by the old portal.
insert into recorder.old_claims (
  call_id, call_status, recording_status, recording_url, recording_key, recording_size, recording_duration_seconds,
  recording_metadata)
select c.id, c.status, c.recording_status, c.recording_url, c.recording_key, c.recording_size, c.recording_duration_seconds,
  c.recording_metadata
from public.video_calls c
where c.recording_id is null and (
  c.recording_status <> 'not_recorded'
  or num_nonnulls(
    c.recording_url, c.recording_key, c.recording_size, c.recording_duration_seconds, c.recording_metadata) > 0
  -- A closed tab left its row active for ever: it would be found as the call to join, and mirror every new recording.
  -- Four times the longest recording: whoever is still talking while this runs is left alone.
  or c.status = 'active' and c.end_time is null and c.start_time < now() - interval '24 hours');

-- When somebody pressed record is not known: not before the call began. Nobody asked our recorder, so there is no more.
with claims as (
  select o.*, c.mentorship_id, c.instructor_id, c.mentee_id, c.channel, c.recording_quality, c.recording_layout, c.start_time
  from recorder.old_claims o join public.video_calls c on c.id = o.call_id
  where o.recording_status <> 'not_recorded'
), made as (
  insert into public.recordings (
    call_id, mentorship_id, instructor_id, mentee_id, channel, status, quality, layout, requested_at, finished_at, created_at,
    error)
  select k.call_id, k.mentorship_id, coalesce(k.instructor_id, m.instructor_id), coalesce(k.mentee_id, m.mentee_id), k.channel,
    'failed', k.recording_quality, k.recording_layout, k.start_time, now(), k.start_time,
    recorder.error_of(case k.recording_status
      when 'recorded' then 'never_recorded'
      when 'recording' then 'never_finished'
      when 'failed' then 'failed_in_old_portal'
      else 'old_status_unknown'
    end)
  from claims k left join public.mentorships m on m.id = k.mentorship_id
  returning id, call_id
)
update recorder.old_claims o set recording_id = made.id from made where made.call_id = o.call_id;

insert into public.recording_events (recording_id, actor, event, to_status, detail)
select r.id, 'system', 'recording.taken_over', r.status, jsonb_build_object(
  'error', r.error ->> 'code',
  -- Anybody signed in to the old portal could write any text here: only its own words are repeated to people.
  'old_status', case when o.recording_status in ('recording', 'recorded', 'failed') then o.recording_status else 'unknown' end)
from recorder.old_claims o join public.recordings r on r.id = o.recording_id
order by r.created_at, r.id;

update public.video_calls c set
  recording_url = null, recording_key = null, recording_size = null, recording_duration_seconds = null,
  recording_metadata = null,
  -- When it ended is not known, so end_time stays empty.
  status = case when c.status = 'active' and c.end_time is null and c.start_time < now() - interval '24 hours'
    then 'ended' else c.status end
from recorder.old_claims o where o.call_id = c.id;

update public.video_calls c set (
  recording_id, recording_status, recording_phase, recording_error, recording_version, recording_metadata) = (
  select m.recording_id, m.recording_status, m.recording_phase, m.recording_error, m.recording_version, m.recording_metadata
  from recorder.mirrored(c) m)
from recorder.old_claims o where o.call_id = c.id and o.recording_id is not null;

-- The tables cannot be altered while their deferred checks are open.
set constraints all immediate;
alter table public.recordings enable trigger user;
alter table public.video_calls
  enable trigger "00_wishes_become_facts",
  enable trigger trigger_update_video_calls_updated_at,
  enable trigger push_call;

alter table public.video_calls add constraint video_calls_recording_status_check check (
  recording_status is null or recording_status in
  ('not_recorded', 'starting', 'recording', 'stopping', 'processing', 'recorded', 'failed', 'expired'));

-- The old portal's metadata can name people (Discord ids): whoever is forgotten is forgotten there too.
create function recorder.forget_old_claims() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  update recorder.old_claims o set recording_metadata = null
  where o.recording_metadata is not null and (
    -- By the recording too: the call may be deleted by now.
    exists (select from public.video_calls c
      where c.id = o.call_id and new.person_id in (c.instructor_id, c.mentee_id))
    or exists (select from public.recordings r
      where r.id = o.recording_id and new.person_id in (r.instructor_id, r.mentee_id)));
  return null;
end
$$;
comment on function recorder.forget_old_claims() is
  'Trigger of recorder.forgotten_people: drops what the old portal noted about the calls of a person who is forgotten.';
alter function recorder.forget_old_claims() owner to recorder_owner;
revoke all on function recorder.forget_old_claims() from public, anon, authenticated, service_role;
create trigger forget_old_claims after insert on recorder.forgotten_people
  for each row execute function recorder.forget_old_claims();
