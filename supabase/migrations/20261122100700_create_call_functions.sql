-- What a signed-in person calls. In public: security-invoker one-liners; the rights are in schema access.

create function access.join_call(p_mentorship_id uuid) returns public.video_calls
  language plpgsql security definer set search_path = ''
as $$
declare
  v_call public.video_calls;
  v_mentorship public.mentorships;
  v_id uuid := gen_random_uuid();
begin
  if auth.uid() is null then
    perform recorder.refuse('sign_in_required');
  end if;
  select * into v_mentorship from public.mentorships m
  where m.id = p_mentorship_id and m.id = any (array(select access.my_active_mentorship_ids()));
  if not found then
    perform recorder.refuse('mentorship_not_found');
  end if;
  -- Two people join at once: one makes the call, the other finds it.
  perform pg_advisory_xact_lock(hashtextextended('join_call:' || p_mentorship_id::text, 0));
  select * into v_call from public.video_calls c
  where c.mentorship_id = p_mentorship_id and c.status = 'active' and c.end_time is null
  order by c.start_time desc limit 1;
  if found then
    return v_call;
  end if;
  insert into public.video_calls (id, mentorship_id, instructor_id, mentee_id, channel)
  values (v_id, v_mentorship.id, v_mentorship.instructor_id, v_mentorship.mentee_id, replace(v_id::text, '-', ''))
  returning * into v_call;
  return v_call;
end
$$;
comment on function access.join_call(uuid) is
  'The active call of a mentorship of the signed-in user; makes one if there is none. Refuses with sign_in_required, mentorship_not_found.';

create function access.end_call(p_call_id uuid) returns public.video_calls
  language plpgsql security definer set search_path = ''
as $$
declare
  v_call public.video_calls;
begin
  if auth.uid() is null then
    perform recorder.refuse('sign_in_required');
  end if;
  update public.video_calls c set
    status = 'ended', end_time = now(),
    duration_seconds = round(extract(epoch from now() - c.start_time))
  where c.id = p_call_id and c.status = 'active' and c.end_time is null
    and c.mentorship_id = any (array(select access.my_active_mentorship_ids()))
  returning * into v_call;
  if not found then
    -- Both people leave: the second one finds it ended already.
    select * into v_call from public.video_calls c
    where c.id = p_call_id and c.mentorship_id = any (array(select access.my_active_mentorship_ids()));
    if not found then
      perform recorder.refuse('call_not_found');
    end if;
  end if;
  return v_call;
end
$$;
comment on function access.end_call(uuid) is
  'Ends a call of the signed-in user, which is a wish to stop its recording; an ended one is given back as it is. Refuses with sign_in_required, call_not_found.';

create function public.join_call(mentorship_id uuid) returns public.video_calls
  language sql volatile set search_path = ''
as $$ select access.join_call(mentorship_id) $$;
comment on function public.join_call(uuid) is 'RPC: the active call of a mentorship of mine, made if there is none. See access.join_call.';

create function public.end_call(call_id uuid) returns public.video_calls
  language sql volatile set search_path = ''
as $$ select access.end_call(call_id) $$;
comment on function public.end_call(uuid) is 'RPC: ends a call of mine and with it its recording. See access.end_call.';

revoke all on function access.join_call(uuid), access.end_call(uuid), public.join_call(uuid), public.end_call(uuid)
  from public, anon, authenticated, service_role;
grant execute on function access.join_call(uuid), access.end_call(uuid), public.join_call(uuid), public.end_call(uuid) to authenticated;
