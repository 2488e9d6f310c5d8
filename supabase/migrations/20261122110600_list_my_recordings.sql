-- The newest recordings of everybody I meet. One index look-up per mentorship: a plain select would read and sort all
-- recordings of all my mentorships to show twenty.

create function public.list_my_recordings(newest integer default 20, before timestamptz default null)
  returns setof public.recordings
  language sql stable set search_path = ''
as $$
  select r.*
  from unnest(array(select access.my_mentorship_ids())) as m (mentorship_id)
  cross join lateral (
    select * from public.recordings r
    where r.mentorship_id = m.mentorship_id and (before is null or r.created_at < before)
    order by r.created_at desc
    limit least(greatest(newest, 0), 100)
  ) r
  order by r.created_at desc
  limit least(greatest(newest, 0), 100)
$$;
comment on function public.list_my_recordings(integer, timestamptz) is
  'RPC: the newest recordings that the signed-in user may see, at most 100, older than `before` where it is given (for the next page). Under the caller''s own rights; nothing for a stranger.';
revoke all on function public.list_my_recordings(integer, timestamptz) from public, anon, authenticated, service_role;
grant execute on function public.list_my_recordings(integer, timestamptz) to authenticated;
