-- What the two people of a recording may do about it themselves: delete it (it expires now) and try it again.

insert into recorder.errors (code, sqlstate, http_status, blame, retry, message) values
  ('recording_held', 'RC803', 409, 'user', 'never', 'This recording is held and cannot be deleted.'),
  ('recording_not_over', 'RC804', 409, 'user', 'later', 'This recording is still under way.'),
  ('deletion_not_allowed', 'RC805', 403, 'user', 'never', 'The people of this mentorship may not delete its recordings.');

alter table recorder.retention_policies add column may_people_delete boolean not null default true;
comment on column recorder.retention_policies.may_people_delete is
  'Whether each of the two people may delete a recording alone, at any time: it is their picture and voice. False where somebody must keep records.';

create function recorder.request_deletion(p_recording_id uuid, p_by text) returns public.recordings
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings := recorder.lock_recording(p_recording_id);
begin
  if v_recording.status = 'expired' or v_recording.deletion_began_at is not null then
    return v_recording;
  end if;
  if v_recording.status not in ('recorded', 'failed') then
    perform recorder.refuse('recording_not_over', 'It is ' || v_recording.status || '.');
  end if;
  if v_recording.held_at is not null then
    perform recorder.refuse('recording_held', v_recording.hold_reason);
  end if;
  if not coalesce((recorder.retention_of(v_recording.mentorship_id)).may_people_delete, true) then
    perform recorder.refuse('deletion_not_allowed');
  end if;
  -- Wished already, or nothing there that could be deleted.
  if v_recording.expires_at <= clock_timestamp() or v_recording.status = 'failed' and not recorder.may_have_files(p_recording_id) then
    return v_recording;
  end if;
  update public.recordings r set
    expires_at = clock_timestamp(), version = nextval('recorder.versions'), updated_at = clock_timestamp()
  where r.id = p_recording_id returning * into v_recording;
  insert into recorder.deletions (recording_id, reason) values (p_recording_id, 'request')
  on conflict (recording_id) do update set reason = excluded.reason, requested_at = clock_timestamp();
  perform recorder.note(p_recording_id, 'user', 'recording.deletion_requested', jsonb_build_object('by', p_by));
  perform recorder.mirror_calls(p_recording_id);
  perform recorder.enqueue('expire', p_recording_id);
  return v_recording;
end
$$;
comment on function recorder.request_deletion(uuid, text) is
  'Lets a recording expire now because one of its people (mentor or mentee) wishes so; the same wish twice changes nothing. Until the deletion begins the other one can still keep it longer, and a hold still stops it. Gives the recording. Refuses with argument_missing, recording_not_found, recording_not_over, recording_held, deletion_not_allowed. Called by access.delete_recording.';

create function access.role_in_recording(p_recording_id uuid) returns text
  language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select case when i.id is not null then 'mentor' else 'mentee' end
    from public.recordings r
    join public.mentorships m on m.id = r.mentorship_id
    left join public.instructors i on i.id = m.instructor_id and i.user_id = auth.uid()
    where r.id = p_recording_id and r.mentorship_id = any (array(select access.my_active_mentorship_ids())));
end
$$;
comment on function access.role_in_recording(uuid) is
  'What the signed-in user is in a recording of an active mentorship: mentor or mentee; null for everybody else. Called by access.delete_recording and access.retry_recording.';

create function access.delete_recording(p_recording_id uuid) returns public.recordings
  language plpgsql security definer set search_path = ''
as $$
declare
  v_role text;
begin
  if auth.uid() is null then
    perform recorder.refuse('sign_in_required');
  end if;
  v_role := access.role_in_recording(p_recording_id);
  if v_role is null then
    perform recorder.refuse('recording_not_found');
  end if;
  return recorder.request_deletion(p_recording_id, v_role);
end
$$;
comment on function access.delete_recording(uuid) is
  'Deletes the files of a recording of an active mentorship of the signed-in user: expires now. Refuses with sign_in_required, recording_not_found and what recorder.request_deletion refuses.';

create function access.retry_recording(p_recording_id uuid) returns text
  language plpgsql security definer set search_path = ''
as $$
begin
  if auth.uid() is null then
    perform recorder.refuse('sign_in_required');
  end if;
  if access.role_in_recording(p_recording_id) is null then
    perform recorder.refuse('recording_not_found');
  end if;
  return recorder.retry_as(p_recording_id, 'user');
end
$$;
comment on function access.retry_recording(uuid) is
  'Looks for the files of a failed recording of an active mentorship of the signed-in user again, where its error says now or later. Gives the new status, processing. Refuses with sign_in_required, recording_not_found and what recorder.retry_as refuses.';

create function public.delete_recording(recording_id uuid) returns public.recordings
  language sql volatile set search_path = ''
as $$ select access.delete_recording(recording_id) $$;
comment on function public.delete_recording(uuid) is 'RPC: deletes the files of a recording of mine; the row and its story stay. See access.delete_recording.';

create function public.retry_recording(recording_id uuid) returns text
  language sql volatile set search_path = ''
as $$ select access.retry_recording(recording_id) $$;
comment on function public.retry_recording(uuid) is 'RPC: looks for the files of a failed recording of mine again. See access.retry_recording.';

revoke all on function recorder.request_deletion(uuid, text), access.role_in_recording(uuid), access.delete_recording(uuid),
  access.retry_recording(uuid), public.delete_recording(uuid), public.retry_recording(uuid)
  from public, anon, authenticated, service_role;
alter function recorder.request_deletion(uuid, text) owner to recorder_owner;
grant execute on function access.delete_recording(uuid), access.retry_recording(uuid),
  public.delete_recording(uuid), public.retry_recording(uuid) to authenticated;
