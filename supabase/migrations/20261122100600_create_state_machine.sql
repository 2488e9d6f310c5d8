-- The one way a recording moves: an event, looked up in the transition table, applied under the row lock.

create table recorder.transitions (
  event text not null,
  from_status text not null,
  to_status text not null,
  meaning text not null,
  primary key (event, from_status)
);
comment on table recorder.transitions is 'Every allowed move. An event that finds no row for the current status changes nothing: late, repeated and reordered events are harmless.';
insert into recorder.transitions (event, from_status, to_status, meaning) values
  ('engine.requested', 'starting', 'starting', 'A recorder was asked to start; the attempt has its deadline.'),
  ('engine.attempt_lost', 'starting', 'starting', 'This recorder did not come; a fresh one is tried.'),
  ('engine.confirmed', 'starting', 'recording', 'The engine is in the channel.'),
  ('engine.start_failed', 'starting', 'failed', 'No attempt succeeded.'),
  ('recording.queue_timed_out', 'starting', 'failed', 'No recorder was free in time.'),
  ('recording.cancelled', 'starting', 'failed', 'Stopped while still waiting for a recorder.'),
  ('recording.stop_requested', 'starting', 'stopping', 'Stop is wanted while the start is under way.'),
  ('recording.stop_requested', 'recording', 'stopping', 'Stop is wanted.'),
  ('engine.never_started', 'stopping', 'failed', 'Stop was wanted before any recorder came.'),
  ('engine.gone', 'recording', 'processing', 'The engine left by itself.'),
  ('engine.gone', 'stopping', 'processing', 'The engine confirms that it is gone.'),
  ('files.awaited', 'processing', 'processing', 'Files of the engine are on their way; what is there may be played.'),
  ('files.transferring', 'processing', 'processing', 'Files are copied from the source store.'),
  ('files.published', 'processing', 'recorded', 'Everything is in the bucket and verified.'),
  ('files.empty', 'processing', 'failed', 'The engine was there and nobody sent anything.'),
  ('files.missing', 'processing', 'failed', 'The files never came.'),
  ('files.announced', 'failed', 'processing', 'The engine names files after all: they are looked for again.'),
  ('recording.expired', 'recorded', 'expired', 'Files deleted by policy or request.'),
  ('recording.expired', 'failed', 'expired', 'What a failed recording had left in the bucket is deleted too.');

create function recorder.deadline_of(p_recording public.recordings) returns timestamptz
  language plpgsql stable set search_path = ''
as $$
begin
  return case
    when p_recording.status = 'starting' and p_recording.phase = 'queued'
      then p_recording.requested_at + recorder.seconds('queued_deadline')
    when p_recording.status = 'starting' then clock_timestamp() + recorder.seconds('attempt_deadline')
    when p_recording.status = 'recording' then p_recording.started_at + recorder.seconds('longest_recording')
    when p_recording.status = 'stopping' then recorder.seconds('stopping_slack') + coalesce(
      (select max(t.token_expires_at) from recorder.engine_tasks t
       where t.recording_id = p_recording.id and t.state <> 'gone'), clock_timestamp())
    when p_recording.status = 'processing' then clock_timestamp() + recorder.seconds('processing_deadline')
  end;
end
$$;
comment on function recorder.deadline_of(public.recordings) is 'When the sweep has to act on a recording in this state; null for a final one.';

create function recorder.note(
  p_recording_id uuid, p_actor text, p_event text, p_detail jsonb default '{}',
  p_from_status text default null, p_to_status text default null
) returns void
  language plpgsql set search_path = ''
as $$
begin
  insert into public.recording_events (recording_id, actor, event, from_status, to_status, detail)
  values (p_recording_id, p_actor, p_event, p_from_status, p_to_status, coalesce(p_detail, '{}'));
end
$$;
comment on function recorder.note(uuid, text, text, jsonb, text, text) is 'Writes one line of the story of a recording that its two people can read.';

create function recorder.public_error(p_error jsonb, p_default_code text) returns jsonb
  language sql stable set search_path = ''
as $$
  select case when jsonb_typeof(p_error -> 'code') = 'string' then jsonb_build_object(
      'code', p_error ->> 'code', 'blame', coalesce(p_error ->> 'blame', d.error ->> 'blame'),
      'retry', coalesce(p_error ->> 'retry', d.error ->> 'retry'),
      'message', coalesce(p_error ->> 'message', d.error ->> 'message'))
    else d.error end
  from (select coalesce(recorder.error_of(p_default_code), recorder.error_of('unexpected_error')) as error) d
$$;
comment on function recorder.public_error(jsonb, text) is
  'The four members of an error that people may read, without its detail; those of the default code where something is missing. Called by recorder.move.';

create function recorder.enqueue_stops(p_recording_id uuid) returns void
  language plpgsql set search_path = ''
as $$
begin
  -- One job per task: each stop is one request, with a slot of its own, and waits for nobody else's uploads.
  perform recorder.enqueue('stop', p_recording_id, t.id)
  from recorder.engine_tasks t
  where t.recording_id = p_recording_id and t.state <> 'gone';
  if not found then
    perform recorder.enqueue('stop', p_recording_id);
  end if;
end
$$;
comment on function recorder.enqueue_stops(uuid) is
  'Asks for the end of every task of a recording that is not gone. Called by recorder.move.';

create function recorder.move(
  p_recording_id uuid, p_event text, p_actor text, p_facts jsonb, out applied boolean, out recording public.recordings
)
  language plpgsql set search_path = ''
as $$
declare
  v_to text;
  v_from text;
  v_error text;
  v_told jsonb;
begin
  if p_recording_id is null or p_event is null or p_actor is null then
    perform recorder.refuse('argument_missing');
  end if;
  if not exists (select from recorder.transitions t where t.event = p_event) then
    perform recorder.refuse('event_unknown', p_event);
  end if;
  -- Not "for update": rows that refer to the recording are written beside it, and their foreign keys must not wait.
  select * into recording from public.recordings r where r.id = p_recording_id for no key update;
  if not found then
    perform recorder.refuse('recording_not_found');
  end if;
  v_from := recording.status;
  select t.to_status into v_to from recorder.transitions t where t.event = p_event and t.from_status = v_from;
  -- What is being deleted does not come back, whoever names files now.
  applied := found and (v_to <> 'processing' or recording.deletion_began_at is null);
  if not applied then
    return;
  end if;

  v_error := case p_event
    when 'recording.cancelled' then 'stopped_before_start'
    when 'engine.never_started' then 'stopped_before_start'
    when 'recording.queue_timed_out' then 'no_recorder_available'
    when 'engine.start_failed' then 'engine_start_failed'
    when 'files.empty' then 'nothing_recorded'
    when 'files.missing' then 'files_missing'
  end;
  if p_event in ('files.empty', 'files.missing') then
    -- The engine's own words about its end say more than that nothing is there.
    v_told := (select t.error from recorder.engine_tasks t
      where t.recording_id = p_recording_id and t.sid is not null order by t.attempt desc limit 1);
    if recording.started_at is null and recording.stop_requested_at is not null then
      -- It never came into the channel: then nobody could have sent anything.
      v_error := 'stopped_before_start';
    end if;
  end if;

  recording.status := v_to;
  recording.phase := case v_to
    when 'starting' then case when p_event = 'engine.requested' then 'requested' else 'queued' end
    when 'processing' then case when p_event = 'files.transferring' then 'transferring' else 'waiting_for_upload' end end;
  recording.progress := case when v_from = v_to then recording.progress end;
  recording.queue_place := case when recording.phase = 'queued' then recording.queue_place end;
  recording.attempt := coalesce((p_facts ->> 'attempt')::integer, recording.attempt);
  if p_event = 'engine.confirmed' then
    recording.started_at := coalesce((p_facts ->> 'started_at')::timestamptz, clock_timestamp());
  end if;
  if v_to in ('stopping', 'failed') and (p_event like 'recording.stop%' or p_event = 'recording.cancelled') then
    recording.stop_requested_at := coalesce(recording.stop_requested_at, clock_timestamp());
    recording.stop_reason := coalesce(recording.stop_reason, p_facts ->> 'reason', 'user');
  end if;
  if v_to = 'processing' then
    recording.stopped_at := coalesce((p_facts ->> 'stopped_at')::timestamptz, recording.stopped_at, clock_timestamp());
  end if;
  if v_to = 'expired' then
    -- What failed without ever being stopped was over when it failed.
    recording.stopped_at := coalesce(recording.stopped_at, recording.finished_at);
  end if;
  -- What is there while the rest is awaited is measured too.
  if p_event = 'files.published' or p_event in ('files.awaited', 'files.transferring') and p_facts ->> 'stored_bytes' is not null then
    recording.duration_ms := (p_facts ->> 'duration_ms')::bigint;
    recording.size_bytes := (p_facts ->> 'size_bytes')::bigint;
    recording.stored_bytes := (p_facts ->> 'stored_bytes')::bigint;
    recording.is_partial := coalesce((p_facts ->> 'is_partial')::boolean, false);
    recording.gaps := coalesce(p_facts -> 'gaps', '[]');
  end if;
  -- An error belongs to a failed recording only: one that is tried again has none until it fails again.
  recording.error := case when v_to = 'failed'
    then recorder.public_error(coalesce(nullif(p_facts -> 'error', 'null'), v_told), v_error) end;
  -- A recording was finished when it was there, not when it is deleted.
  recording.finished_at := case
    when v_to = 'expired' then recording.finished_at
    when v_to in ('recorded', 'failed') then clock_timestamp() end;
  if v_to = 'processing' then
    -- Tried again: how long it is kept is counted from when it is there.
    recording.expires_at := null;
  end if;
  if v_to = 'recorded' or v_to = 'failed' and recorder.may_have_files(p_recording_id) then
    recording.expires_at := coalesce(recording.expires_at, recorder.expiry_of(recording.mentorship_id, recording.finished_at));
  end if;
  -- Waiting on does not begin the waiting anew.
  if not (v_from = 'processing' and v_to = 'processing') then
    recording.deadline_at := recorder.deadline_of(recording);
  end if;
  recording.version := nextval('recorder.versions');
  recording.updated_at := clock_timestamp();

  update public.recordings r set
    status = recording.status, phase = recording.phase, queue_place = recording.queue_place, attempt = recording.attempt,
    started_at = recording.started_at, stop_requested_at = recording.stop_requested_at,
    stop_reason = recording.stop_reason, stopped_at = recording.stopped_at, finished_at = recording.finished_at,
    expires_at = recording.expires_at,
    deadline_at = recording.deadline_at, error = recording.error, is_partial = recording.is_partial,
    gaps = recording.gaps, duration_ms = recording.duration_ms, size_bytes = recording.size_bytes,
    stored_bytes = recording.stored_bytes, progress = recording.progress, version = recording.version, updated_at = recording.updated_at
  where r.id = p_recording_id;

  perform recorder.note(
    p_recording_id, p_actor, p_event,
    jsonb_strip_nulls(jsonb_build_object(
      'attempt', nullif(recording.attempt, 0), 'reason', p_facts -> 'reason',
      'error', coalesce(recording.error ->> 'code', p_facts #>> '{error,code}'))),
    v_from, v_to);

  if p_event = 'recording.stop_requested' then
    perform recorder.enqueue_stops(p_recording_id);
  elsif p_event = 'engine.attempt_lost' then
    -- In the order of the wishes: who has lost a recorder does not queue up again behind those who came later.
    perform recorder.enqueue('start', p_recording_id, null, least(now(), recording.requested_at));
  elsif v_to = 'processing' and v_from <> 'processing' then
    perform recorder.enqueue('collect', p_recording_id);
  end if;
end
$$;
comment on function recorder.move(uuid, text, text, jsonb) is
  'Locks a recording, applies one event to it, writes its story and the jobs that follow. applied is false when the event no longer fits. Refuses with argument_missing, event_unknown, recording_not_found. The caller has locked the channel first.';

create function recorder.recording_of_call(
  p_call_id uuid, p_channel text, p_is_active boolean, p_followed_id uuid default null
) returns public.recordings
  language plpgsql stable set search_path = ''
as $$
declare
  v_recording public.recordings;
  v_followed public.recordings;
begin
  if p_is_active then
    select * into v_recording from public.recordings r
    where r.channel = p_channel and r.status in ('starting', 'recording', 'stopping');
    if found then
      return v_recording;
    end if;
  end if;
  select * into v_recording from public.recordings r where r.call_id = p_call_id order by r.created_at desc, r.id limit 1;
  if p_followed_id is distinct from v_recording.id then
    select * into v_followed from public.recordings r where r.id = p_followed_id;
    if v_recording.id is null or (v_followed.created_at, v_recording.id) > (v_recording.created_at, v_followed.id) then
      return v_followed;
    end if;
  end if;
  return v_recording;
end
$$;
comment on function recorder.recording_of_call(uuid, text, boolean, uuid) is
  'The recording a call mirrors: the live one of its channel while the call is active, else the newer of its own newest and the one it has followed so far; null if there is none.';

create function recorder.mirrored(p_call public.video_calls) returns public.video_calls
  language plpgsql stable set search_path = ''
as $$
declare
  -- What a call has begun to mirror it follows to its end, also when it began on another call of the channel.
  v_recording public.recordings := recorder.recording_of_call(
    p_call.id, p_call.channel, p_call.status = 'active' and p_call.end_time is null, p_call.recording_id);
  v_is_playable boolean;
begin
  if v_recording.id is null then
    return p_call;
  end if;
  p_call.recording_id := v_recording.id;
  p_call.recording_status := v_recording.status;
  p_call.recording_phase := v_recording.phase;
  p_call.recording_queue_place := v_recording.queue_place;
  p_call.recording_error := v_recording.error;
  p_call.recording_version := v_recording.version;
  p_call.recording_progress := v_recording.progress;
  -- What is there while the rest is awaited can be played already.
  v_is_playable := v_recording.status = 'recorded' and v_recording.deletion_began_at is null
    or v_recording.status = 'processing' and v_recording.size_bytes is not null;
  p_call.recording_url := case when v_is_playable then '/recordings/' || v_recording.id end;
  p_call.recording_key := case when v_is_playable
    then 'recordings/' || replace(v_recording.id::text, '-', '') || '/manifest.json' end;
  p_call.recording_size := v_recording.size_bytes;
  p_call.recording_duration_seconds := round(v_recording.duration_ms / 1000.0);
  p_call.recording_metadata := jsonb_build_object(
    'recording_id', v_recording.id, 'quality', v_recording.quality, 'layout', v_recording.layout,
    'started_at', v_recording.started_at, 'stopped_at', v_recording.stopped_at,
    'stored_bytes', v_recording.stored_bytes, 'is_partial', v_recording.is_partial, 'gaps', v_recording.gaps);
  return p_call;
end
$$;
comment on function recorder.mirrored(public.video_calls) is 'A call with its recording_* facts as its recording has them now. Changes no table.';

create function recorder.calls_of(p_recording_id uuid) returns setof uuid
  language plpgsql stable rows 2 set search_path = ''
as $$
declare
  v_recording public.recordings;
begin
  select * into v_recording from public.recordings r where r.id = p_recording_id;
  return query
    select c.id from public.video_calls c
    where c.id = v_recording.call_id or c.recording_id = v_recording.id
      or (c.channel = v_recording.channel and c.status = 'active')
    order by c.id;
end
$$;
comment on function recorder.calls_of(uuid) is
  'Ids of the calls a recording concerns, in the order of locking: the one it began on, those that follow it, the active ones of its channel.';

create function recorder.lock_calls(p_recording_id uuid) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_channel text;
begin
  select r.channel into v_channel from public.recordings r where r.id = p_recording_id;
  if found then
    perform recorder.lock_channel(v_channel);
  end if;
end
$$;
comment on function recorder.lock_calls(uuid) is
  'Locks what a recording shares with its calls: their channel. Locks are taken in the order channel, recording, engine task, job, everywhere: to be called before the recording is locked.';

create function recorder.mirror_call(p_call public.video_calls) returns void
  language plpgsql set search_path = ''
as $$
begin
  p_call := recorder.mirrored(p_call);
  update public.video_calls c set
    recording_id = p_call.recording_id, recording_status = p_call.recording_status,
    recording_phase = p_call.recording_phase, recording_queue_place = p_call.recording_queue_place, recording_error = p_call.recording_error,
    recording_progress = p_call.recording_progress, recording_version = p_call.recording_version, recording_url = p_call.recording_url,
    recording_key = p_call.recording_key, recording_size = p_call.recording_size,
    recording_duration_seconds = p_call.recording_duration_seconds, recording_metadata = p_call.recording_metadata
  where c.id = p_call.id and c.recording_version is distinct from p_call.recording_version;
end
$$;
comment on function recorder.mirror_call(public.video_calls) is 'Writes the facts of its recording to a call that the caller has locked.';

create function recorder.mirror_calls(p_recording_id uuid, p_except uuid default null) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_call public.video_calls;
  v_done uuid[] := array[p_except];
  v_owed uuid[];
begin
  if p_recording_id is null then
    return;
  end if;
  -- Nobody is waited for: who holds a call of this channel is about to ask for the channel, and then mirrors it anew.
  for v_call in
    select c.* from public.video_calls c
    where c.id in (select recorder.calls_of(p_recording_id)) and c.id is distinct from p_except
    order by c.id for no key update skip locked
  loop
    v_done := v_done || v_call.id;
    perform recorder.mirror_call(v_call);
  end loop;
  v_owed := array(select f.id from recorder.calls_of(p_recording_id) as f (id) where f.id is not null and (f.id = any (v_done)) is not true);
  if cardinality(v_owed) > 0 then
    -- Who holds it may have no wish and no intention to write it: then the sweep makes good.
    update recorder.channels c set owed_call_ids = array(select distinct o.id from unnest(c.owed_call_ids || v_owed) as o (id))
    where c.channel = (select r.channel from public.recordings r where r.id = p_recording_id);
  end if;
end
$$;
comment on function recorder.mirror_calls(uuid, uuid) is
  'Writes the facts of a recording to the calls it concerns, but p_except (the row a trigger is about to write itself). Calls that somebody else holds are left to them and to the sweep. The caller has locked the channel.';

create function recorder.pay_owed_mirrors(p_channel text) returns integer
  language plpgsql security definer set search_path = ''
as $$
declare
  v_ids uuid[];
  v_call public.video_calls;
  v_done uuid[] := '{}';
begin
  if not recorder.try_lock_channel(p_channel) then
    return 0;
  end if;
  select c.owed_call_ids into v_ids from recorder.channels c where c.channel = p_channel;
  for v_call in
    select c.* from public.video_calls c where c.id = any (v_ids) order by c.id for no key update skip locked
  loop
    v_done := v_done || v_call.id;
    perform recorder.mirror_call(v_call);
  end loop;
  -- What is still held is owed on; a deleted call is owed nothing.
  update recorder.channels c set owed_call_ids = array(
    select o.id from unnest(v_ids) as o (id)
    where not o.id = any (v_done) and exists (select from public.video_calls v where v.id = o.id))
  where c.channel = p_channel;
  return cardinality(v_done);
end
$$;
comment on function recorder.pay_owed_mirrors(text) is
  'Brings the calls of a channel up to date that somebody held when its recording moved. Gives how many. For the sweep; waits for nobody.';

create function recorder.apply(p_recording_id uuid, p_event text, p_actor text, p_facts jsonb default '{}') returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_applied boolean;
begin
  perform recorder.lock_calls(p_recording_id);
  select m.applied into v_applied from recorder.move(p_recording_id, p_event, p_actor, coalesce(p_facts, '{}')) m;
  if v_applied then
    perform recorder.mirror_calls(p_recording_id);
  end if;
  return v_applied;
end
$$;
comment on function recorder.apply(uuid, text, text, jsonb) is
  'Moves a recording by one event and lets its calls follow. False when the event does not fit the status any more. Refuses as recorder.move does. Called by the engine room only.';

create function recorder.request_start(p_call public.video_calls, p_requested_by uuid, p_actor text) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_live public.recordings;
  v_id uuid;
begin
  perform recorder.lock_channel(p_call.channel);
  select * into v_live from public.recordings r
  where r.channel = p_call.channel and r.status in ('starting', 'recording', 'stopping') for no key update;
  if found then
    if v_live.status = 'stopping' then
      perform recorder.refuse('still_stopping');
    end if;
    return;
  end if;
  -- By the clock, not by the transaction: the newest recording of a call is the one that was asked for last.
  insert into public.recordings (
    call_id, mentorship_id, instructor_id, mentee_id, channel, status, phase, quality, layout, requested_by, requested_at,
    created_at, deadline_at)
  select p_call.id, p_call.mentorship_id, coalesce(p_call.instructor_id, m.instructor_id),
    coalesce(p_call.mentee_id, m.mentee_id), p_call.channel, 'starting', 'queued', p_call.recording_quality,
    p_call.recording_layout, p_requested_by, n.at, n.at, n.at + recorder.seconds('queued_deadline')
  from public.mentorships m cross join (select clock_timestamp()) as n (at)
  where m.id = p_call.mentorship_id
  returning id into strict v_id;
  perform recorder.note(v_id, p_actor, 'recording.requested', '{}', null, 'starting');
  perform recorder.enqueue('start', v_id);
end
$$;
comment on function recorder.request_start(public.video_calls, uuid, text) is
  'A wish to record on a channel. Does nothing while one is starting or recording; refuses with still_stopping while one is stopping.';

create function recorder.request_stop(p_recording_id uuid, p_reason text, p_actor text) returns boolean
  language plpgsql set search_path = ''
as $$
declare
  v_recording public.recordings;
  v_event text := 'recording.stop_requested';
begin
  if p_recording_id is null or p_reason is null or p_actor is null then
    perform recorder.refuse('argument_missing');
  end if;
  perform recorder.lock_calls(p_recording_id);
  select * into v_recording from public.recordings r where r.id = p_recording_id for no key update;
  if not found then
    perform recorder.refuse('recording_not_found');
  end if;
  if v_recording.phase = 'queued' and not exists (
    select from recorder.engine_tasks t where t.recording_id = p_recording_id and t.state <> 'gone' and t.start_sent_at is not null)
  then
    v_event := 'recording.cancelled';
  end if;
  return (select m.applied from recorder.move(p_recording_id, v_event, p_actor, jsonb_build_object('reason', p_reason)) m);
end
$$;
comment on function recorder.request_stop(uuid, text, text) is
  'A wish to stop. Ends a recording that still waits in the queue at once; stamps the wish on one that starts or records; does nothing otherwise (false). Refuses with argument_missing, recording_not_found. The caller lets the calls follow.';

create function recorder.guard_call() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  -- Inside a definer function the setting role still tells who asked.
  v_role text := coalesce(nullif(current_setting('role', true), 'none'), session_user::text);
  v_user uuid := access.caller_id();
  v_actor text;
  v_word text;
  v_is_wish boolean := false;
  v_facts_changed boolean := false;
  v_is_claim boolean := false;
  v_was_active boolean;
  v_is_active boolean := new.status = 'active' and new.end_time is null;
  v_live public.recordings;
begin
  v_actor := case when v_user is not null then 'user' when v_role = 'service_role' then 'service' else 'administrator' end;

  if tg_op = 'DELETE' then
    perform recorder.lock_channel(old.channel);
    select * into v_live from public.recordings r
    where r.call_id = old.id and r.status in ('starting', 'recording', 'stopping');
    if found then
      perform recorder.request_stop(v_live.id, 'call_deleted', v_actor);
    end if;
    return old;
  end if;

  if tg_op = 'INSERT' then
    v_word := new.recording_status;
    v_is_wish := v_word is not null;
    v_facts_changed := num_nonnulls(new.recording_url, new.recording_key, new.recording_size, new.recording_duration_seconds,
        new.recording_metadata, new.recording_id, new.recording_phase, new.recording_queue_place, new.recording_error,
        new.recording_progress) > 0
      or new.recording_version <> 0
      or coalesce(new.channel, new.mentorship_id::text) not in (new.mentorship_id::text, replace(new.id::text, '-', ''));
    if v_facts_changed and v_role = 'service_role' and v_word in ('recording', 'recorded', 'failed', 'not_recorded') then
      v_facts_changed := false;
      new.recording_url := null;
      new.recording_key := null;
      new.recording_size := null;
      new.recording_duration_seconds := null;
      new.recording_metadata := null;
    end if;
    new.channel := coalesce(new.channel, new.mentorship_id::text);
    new.recording_status := null;
    v_was_active := v_is_active;
  else
    v_word := new.recording_status;
    v_is_wish := new.recording_status is distinct from old.recording_status;
    v_was_active := old.status = 'active' and old.end_time is null;
    v_facts_changed := (new.recording_url, new.recording_key, new.recording_size, new.recording_duration_seconds,
        new.recording_metadata, new.recording_id, new.recording_phase, new.recording_queue_place, new.recording_error, new.recording_progress,
        new.recording_version, new.channel)
      is distinct from (old.recording_url, old.recording_key, old.recording_size, old.recording_duration_seconds,
        old.recording_metadata, old.recording_id, old.recording_phase, old.recording_queue_place, old.recording_error, old.recording_progress,
        old.recording_version, old.channel);
    if v_facts_changed and v_is_wish and v_role = 'service_role'
      and v_word in ('recording', 'recorded', 'failed', 'not_recorded')
    then
      -- The old portal writes made-up keys and addresses beside its words: they are put back and noted.
      v_facts_changed := false;
      v_is_claim := old.recording_id is not null;
    end if;
    if not v_facts_changed then
      new.recording_url := old.recording_url;
      new.recording_key := old.recording_key;
      new.recording_size := old.recording_size;
      new.recording_duration_seconds := old.recording_duration_seconds;
      new.recording_metadata := old.recording_metadata;
    end if;
    new.recording_status := old.recording_status;
  end if;

  if v_facts_changed then
    perform recorder.refuse('fact_column_read_only');
  end if;
  if v_is_wish then
    if v_word in ('processing', 'expired') then
      perform recorder.refuse('status_not_a_wish', v_word);
    elsif v_word is null or v_word not in ('starting', 'stopping', 'recording', 'recorded', 'failed', 'not_recorded') then
      perform recorder.refuse('status_unknown', v_word);
    end if;
  end if;

  -- From here on nobody else moves a recording of this channel, nor writes one of its calls.
  perform recorder.lock_channel(new.channel);
  if v_is_claim then
    perform recorder.note(old.recording_id, v_actor, 'recording.claim_ignored', jsonb_build_object('word', v_word));
  end if;
  if v_is_wish and v_word in ('stopping', 'recorded', 'failed', 'not_recorded') then
    -- A word about the recording that the call shows, or the live one where all calls of the channel meet.
    v_live := recorder.recording_of_call(new.id, new.channel, v_was_active, new.recording_id);
    if v_live.status in ('starting', 'recording', 'stopping') then
      perform recorder.request_stop(v_live.id, case v_actor when 'administrator' then 'administrator' else 'user' end, v_actor);
    end if;
  elsif v_was_active and not v_is_active then
    select * into v_live from public.recordings r
    where r.call_id = new.id and r.status in ('starting', 'recording', 'stopping');
    if found then
      perform recorder.request_stop(v_live.id, 'call_ended', v_actor);
    end if;
  elsif v_is_wish then
    if not v_is_active then
      perform recorder.refuse('call_ended');
    end if;
    perform recorder.request_start(new, v_user, v_actor);
  end if;

  new := recorder.mirrored(new);
  if tg_op = 'UPDATE' and new.recording_version is distinct from old.recording_version
    or tg_op = 'INSERT' and new.recording_id is not null
  then
    perform recorder.mirror_calls(new.recording_id, new.id);
  end if;
  if v_live.id is distinct from new.recording_id then
    perform recorder.mirror_calls(v_live.id, new.id);
  end if;
  return new;
end
$$;
comment on function recorder.guard_call() is
  'Makes every direct write of recording_status a wish and keeps fact columns read-only, for clients, the service key and administrators alike. Refuses with status_unknown, status_not_a_wish, fact_column_read_only, still_stopping, call_ended.';

create function recorder.put_back_claims() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  if new.recording_status in ('recording', 'recorded', 'failed', 'not_recorded') then
    if new.recording_id is not null and
      (new.recording_url, new.recording_key, new.recording_size, new.recording_duration_seconds, new.recording_metadata)
      is distinct from
      (old.recording_url, old.recording_key, old.recording_size, old.recording_duration_seconds, old.recording_metadata)
    then
      perform recorder.lock_channel(old.channel);
      perform recorder.note(old.recording_id, 'service', 'recording.claim_ignored', jsonb_build_object('word', new.recording_status));
    end if;
    new.recording_url := old.recording_url;
    new.recording_key := old.recording_key;
    new.recording_size := old.recording_size;
    new.recording_duration_seconds := old.recording_duration_seconds;
    new.recording_metadata := old.recording_metadata;
  end if;
  return new;
end
$$;
comment on function recorder.put_back_claims() is
  'The old portal repeats its words, with made-up keys and addresses beside them. A repeated word is no change and no wish; this sees that it was written and puts the stored facts back before the guard would refuse them.';

-- The name sorts before every other trigger, so that nothing sees a wish as a fact. current_user cannot be faked by a setting.
create trigger "00_a_word_comes_without_claims" before update of recording_status on public.video_calls
  for each row when (current_user = 'service_role' and new.recording_status is not distinct from old.recording_status)
  execute function recorder.put_back_claims();
create trigger "00_wishes_become_facts" before insert or update on public.video_calls
  for each row when (current_user <> 'recorder_owner') execute function recorder.guard_call();
create trigger "00_a_deleted_call_stops_its_recording" before delete on public.video_calls
  for each row when (current_user <> 'recorder_owner') execute function recorder.guard_call();

create function recorder.mirror_deleted_call() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  perform recorder.mirror_calls(old.recording_id);
  return null;
end
$$;
comment on function recorder.mirror_deleted_call() is
  'Lets the calls that stay follow the recording of one that was deleted. After the statement, which may be deleting them too (a mentorship and all its calls): a row that a BEFORE trigger updates cannot be deleted any more.';
create trigger "00_calls_follow_after_a_deletion" after delete on public.video_calls
  for each row when (old.recording_id is not null) execute function recorder.mirror_deleted_call();

alter table public.recordings
  -- Nothing may start or record once somebody wished to stop.
  add constraint recordings_stop_wish_is_kept check (stop_requested_at is null or status not in ('starting', 'recording')),
  add constraint recordings_only_failed_has_an_error check (error is null or status = 'failed'),
  add constraint recordings_attempts_are_counted check (attempt >= 0),
  add constraint recordings_gaps_are_a_list check (jsonb_typeof(gaps) = 'array'),
  add constraint recordings_measures_agree check (duration_ms >= 0 and size_bytes >= 0 and stored_bytes >= size_bytes);

-- What the sweep looks for, without reading what is long over.
create index recordings_queued on public.recordings (requested_at, id) where phase = 'queued';
create index recordings_stopping on public.recordings (stop_requested_at) where status = 'stopping';
create index recordings_processing on public.recordings (stopped_at) where status = 'processing';

alter table recorder.transitions owner to recorder_owner;
alter table recorder.transitions enable row level security;
do $$
declare
  v_function text;
begin
  foreach v_function in array array[
    'recorder.deadline_of(public.recordings)', 'recorder.note(uuid, text, text, jsonb, text, text)',
    'recorder.enqueue_stops(uuid)', 'recorder.move(uuid, text, text, jsonb)', 'recorder.recording_of_call(uuid, text, boolean, uuid)',
    'recorder.mirrored(public.video_calls)', 'recorder.calls_of(uuid)', 'recorder.lock_calls(uuid)',
    'recorder.public_error(jsonb, text)', 'recorder.mirror_call(public.video_calls)', 'recorder.mirror_calls(uuid, uuid)', 'recorder.pay_owed_mirrors(text)',
    'recorder.put_back_claims()',
    'recorder.apply(uuid, text, text, jsonb)', 'recorder.request_start(public.video_calls, uuid, text)',
    'recorder.request_stop(uuid, text, text)', 'recorder.guard_call()', 'recorder.mirror_deleted_call()']
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
    execute format('alter function %s owner to recorder_owner', v_function);
  end loop;
end
$$;
