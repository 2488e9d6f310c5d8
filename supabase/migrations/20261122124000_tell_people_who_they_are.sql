-- Which mentor and which mentee a signed-in person is: without it, nobody can tell which of the two of a mentorship they are, for
-- user_id is nobody else's to read.

create function access.my_profile() returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_user uuid := auth.uid();
begin
  if v_user is null then
    perform recorder.refuse('sign_in_required');
  end if;
  return jsonb_build_object(
    'instructor_id', (select i.id from public.instructors i where i.user_id = v_user),
    'mentee_id', (select e.id from public.mentees e where e.user_id = v_user));
end
$$;
comment on function access.my_profile() is
  'The mentor and the mentee that the signed-in user is: {instructor_id, mentee_id}, null for what they are not. Called by public.my_profile. Refuses with sign_in_required.';

create function public.my_profile() returns jsonb
  language sql stable set search_path = ''
as $$ select access.my_profile() $$;
comment on function public.my_profile() is 'RPC: which mentor and which mentee I am. See access.my_profile.';

revoke all on function access.my_profile(), public.my_profile() from public, anon, authenticated, service_role;
grant execute on function access.my_profile(), public.my_profile() to authenticated;
