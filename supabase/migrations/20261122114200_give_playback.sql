-- What a viewer may play, and what their player needs to know.

create function recorder_api.playback_of(p_recording_id uuid, p_user_id uuid) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_recording public.recordings;
  v_is_playable boolean;
begin
  select * into v_recording from public.recordings r
  where r.id = p_recording_id and r.mentorship_id in (select access.mentorship_ids_of(p_user_id));
  if not found then
    return null;
  end if;
  if v_recording.held_at is not null then
    -- While it is held no day ends it.
    v_recording.expires_at := null;
  end if;
  if v_recording.deletion_began_at is not null then
    -- For a viewer it is gone from the moment its deletion begins.
    v_recording.status := 'expired';
  end if;
  -- While the rest is awaited, what is there is played. What is past its end is not, also before it is deleted.
  v_is_playable := v_recording.status in ('processing', 'recorded')
    and (v_recording.expires_at is null or v_recording.expires_at > clock_timestamp());
  return jsonb_build_object(
    'recording_id', v_recording.id, 'status', v_recording.status, 'quality', v_recording.quality,
    'duration_ms', v_recording.duration_ms, 'size_bytes', v_recording.size_bytes, 'is_partial', v_recording.is_partial,
    'gaps', v_recording.gaps, 'started_at', v_recording.started_at, 'expires_at', v_recording.expires_at,
    'people', to_jsonb(array_remove(array[
      (select i.name from public.instructors i where i.id = v_recording.instructor_id),
      (select e.display_name from public.mentees e where e.id = v_recording.mentee_id)], null)),
    'position_ms', (
      select p.position_ms from public.playback_positions p where p.user_id = p_user_id and p.recording_id = v_recording.id),
    'files', case when v_is_playable then coalesce((
      select jsonb_agg(jsonb_build_object(
        'kind', f.kind, 'object_key', f.object_key, 'content_type', f.content_type, 'size_bytes', f.size_bytes,
        'duration_ms', f.duration_ms) order by f.attempt, f.object_key)
      from public.recording_files f where f.recording_id = v_recording.id and f.deleted_at is null), '[]') else '[]' end);
end
$$;
comment on function recorder_api.playback_of(uuid, uuid) is
  'What there is to play of a recording for one of its two people, and where this person stopped; null for everybody else. files is empty as long as, or as soon as, nothing may be played. Asked again at each playlist, by the function play-recording.';

revoke all on function recorder_api.playback_of(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function recorder_api.playback_of(uuid, uuid) to service_role;
