-- Every visible change is pushed: by broadcast from the database to private topics, and through the publication.

create function access.may_read_topic(p_topic text) returns boolean
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_id uuid;
begin
  if p_topic !~ '^(call|mentorship):[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
    return false;
  end if;
  v_id := split_part(p_topic, ':', 2)::uuid;
  if p_topic like 'call:%' then
    select c.mentorship_id into v_id from public.video_calls c where c.id = v_id;
  end if;
  return v_id = any (array(select access.my_mentorship_ids()));
end
$$;
comment on function access.may_read_topic(text) is
  'Whether the signed-in user may listen on call:<id> or mentorship:<id>. A topic that is not well formed denies. Called by the policy on realtime.messages.';
revoke all on function access.may_read_topic(text) from public, anon, authenticated, service_role;
grant execute on function access.may_read_topic(text) to authenticated;

-- Messages are written by the database only. All that a client may write is its own presence where it may listen; what
-- it says there is its claim.
create policy "participants listen" on realtime.messages for select to authenticated
  using (extension in ('broadcast', 'presence') and (select access.may_read_topic((select realtime.topic()))));
create policy "participants show their presence" on realtime.messages for insert to authenticated
  with check (extension = 'presence' and (select access.may_read_topic((select realtime.topic()))));

create function recorder.push_call() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  perform realtime.send(
    jsonb_build_object(
      'call_id', new.id, 'mentorship_id', new.mentorship_id, 'call_status', new.status,
      'recording_id', new.recording_id, 'recording_status', new.recording_status, 'recording_phase', new.recording_phase,
      'recording_queue_place', new.recording_queue_place,
      'recording_error', new.recording_error, 'recording_url', new.recording_url,
      'recording_progress', new.recording_progress, 'recording_size', new.recording_size, 'recording_duration_seconds', new.recording_duration_seconds,
      'version', new.recording_version),
    'call.changed', 'call:' || new.id, true);
  return null;
end
$$;
comment on function recorder.push_call() is 'Tells the watchers of a call what changed: listed fields, never the row.';
create trigger push_call after insert or update on public.video_calls
  for each row execute function recorder.push_call();

create function recorder.push_recording() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  perform realtime.send(
    jsonb_build_object(
      'recording_id', new.id, 'call_id', new.call_id, 'mentorship_id', new.mentorship_id, 'status', new.status,
      'phase', new.phase, 'queue_place', new.queue_place, 'attempt', new.attempt, 'error', new.error, 'requested_at', new.requested_at,
      'started_at', new.started_at, 'stop_requested_at', new.stop_requested_at, 'stopped_at', new.stopped_at,
      'finished_at', new.finished_at, 'expires_at', new.expires_at, 'duration_ms', new.duration_ms, 'size_bytes', new.size_bytes,
      'is_partial', new.is_partial, 'progress', new.progress, 'version', new.version),
    'recording.changed', 'mentorship:' || new.mentorship_id, true);
  return null;
end
$$;
comment on function recorder.push_recording() is 'Tells the watchers of a mentorship what changed about a recording.';
create trigger push_recording after insert or update on public.recordings
  for each row when (new.mentorship_id is not null) execute function recorder.push_recording();

revoke all on function recorder.push_call(), recorder.push_recording() from public, anon, authenticated, service_role;

alter publication supabase_realtime add table public.video_calls;
alter publication supabase_realtime add table public.recordings;
