-- Who may join the channel of a call, and as whom.

create function recorder_api.admit_caller(p_call_id uuid, p_user_id uuid) returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_call public.video_calls;
begin
  if p_call_id is null or p_user_id is null then
    perform recorder.refuse('argument_missing');
  end if;
  select c.* into v_call
  from public.video_calls c
  join public.mentorships m on m.id = c.mentorship_id
  left join public.instructors i on i.id = m.instructor_id
  left join public.mentees e on e.id = m.mentee_id
  where c.id = p_call_id and m.status = 'active' and p_user_id in (i.user_id, e.user_id);
  if not found then
    return null;
  end if;
  if v_call.status is distinct from 'active' or v_call.end_time is not null then
    perform recorder.refuse('call_ended');
  end if;
  return jsonb_build_object(
    'channel', v_call.channel, 'uid', recorder.caller_uid(p_user_id), 'channel_type', recorder.setting('channel_type'),
    'token_lifetime_seconds', recorder.setting('caller_token_lifetime'));
end
$$;
comment on function recorder_api.admit_caller(uuid, uuid) is
  'What one of the two people of an active mentorship needs to join its call: {channel, uid, channel_type, token_lifetime_seconds}; null for everybody else, whether the call exists or not. Refuses with argument_missing, call_ended, user_not_found. Called by the function call-token.';

revoke all on function recorder_api.admit_caller(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function recorder_api.admit_caller(uuid, uuid) to service_role;
