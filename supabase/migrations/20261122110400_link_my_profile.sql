-- What a signed-in person may do about themselves and about how long a recording of theirs is kept.

create function access.link_my_profile() returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_user uuid := auth.uid();
  v_discord_ids text[];
  v_instructors uuid[];
  v_mentees uuid[];
begin
  if v_user is null then
    perform recorder.refuse('sign_in_required');
  end if;
  -- provider_id is what Discord itself said at sign-in. Metadata is the user's to edit, and so is no proof.
  select array_agg(n.provider_id) into v_discord_ids from auth.identities n
  where n.user_id = v_user and n.provider = 'discord' and n.provider_id <> '';
  if v_discord_ids is null then
    perform recorder.refuse('discord_missing');
  end if;

  -- Locked by id: two sign-ins for one person cannot both find it free.
  select array_agg(i.id) into v_instructors from (
    select p.id from public.instructors p where p.discord_id = any (v_discord_ids) order by p.id for update) i;
  select array_agg(e.id) into v_mentees from (
    select p.id from public.mentees p where p.discord_id = any (v_discord_ids) order by p.id for update) e;
  if v_instructors is null and v_mentees is null then
    perform recorder.refuse('profile_not_found');
  end if;
  if cardinality(v_instructors) > 1 or cardinality(v_mentees) > 1 then
    perform recorder.refuse('profile_ambiguous');
  end if;
  if exists (select from public.instructors i where i.id = any (v_instructors) and i.user_id <> v_user)
    or exists (select from public.mentees e where e.id = any (v_mentees) and e.user_id <> v_user)
  then
    perform recorder.refuse('profile_taken');
  end if;
  -- Somebody linked this user to another profile by hand: a second one would not be theirs to add.
  if v_instructors is not null and exists (select from public.instructors i where i.user_id = v_user and i.id <> all (v_instructors))
    or v_mentees is not null and exists (select from public.mentees e where e.user_id = v_user and e.id <> all (v_mentees))
  then
    perform recorder.refuse('profile_ambiguous');
  end if;

  update public.instructors i set user_id = v_user where i.id = any (v_instructors) and i.user_id is null;
  update public.mentees e set user_id = v_user where e.id = any (v_mentees) and e.user_id is null;
  return jsonb_build_object('instructor_id', v_instructors[1], 'mentee_id', v_mentees[1]);
end
$$;
comment on function access.link_my_profile() is
  'Ties the signed-in user to the mentor and the mentee with the Discord account they signed in with; gives {instructor_id, mentee_id}, null for what they are not. The same again changes nothing. Refuses with sign_in_required, discord_missing, profile_not_found, profile_taken, profile_ambiguous.';

create function access.keep_recording_longer(p_recording_id uuid, p_keep_until timestamptz) returns public.recordings
  language plpgsql security definer set search_path = ''
as $$
begin
  if auth.uid() is null then
    perform recorder.refuse('sign_in_required');
  end if;
  -- What belongs to an ended mentorship can be looked back on, not prolonged.
  perform from public.recordings r
  where r.id = p_recording_id and r.mentorship_id = any (array(select access.my_active_mentorship_ids()));
  if not found then
    perform recorder.refuse('recording_not_found');
  end if;
  return recorder.keep_longer(p_recording_id, p_keep_until, 'user');
end
$$;
comment on function access.keep_recording_longer(uuid, timestamptz) is
  'Keeps a recording of an active mentorship of the signed-in user until a later moment, by default as long as the policy allows. Refuses with sign_in_required, recording_not_found and what recorder.keep_longer refuses.';

create function public.link_my_profile() returns jsonb
  language sql volatile set search_path = ''
as $$ select access.link_my_profile() $$;
comment on function public.link_my_profile() is 'RPC: ties my sign-in to the mentor or mentee with my Discord account. See access.link_my_profile.';

create function public.keep_recording_longer(recording_id uuid, keep_until timestamptz default null) returns public.recordings
  language sql volatile set search_path = ''
as $$ select access.keep_recording_longer(recording_id, keep_until) $$;
comment on function public.keep_recording_longer(uuid, timestamptz) is
  'RPC: keeps a recording of mine until a later moment, by default as long as the policy allows. See access.keep_recording_longer.';

revoke all on function access.link_my_profile(), access.keep_recording_longer(uuid, timestamptz),
  public.link_my_profile(), public.keep_recording_longer(uuid, timestamptz) from public, anon, authenticated, service_role;
grant execute on function access.link_my_profile(), access.keep_recording_longer(uuid, timestamptz),
  public.link_my_profile(), public.keep_recording_longer(uuid, timestamptz) to authenticated;
