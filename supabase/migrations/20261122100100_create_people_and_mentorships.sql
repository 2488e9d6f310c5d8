-- People and the pairs they form. The old portal's database has these tables already (without user_id), so everything
-- here is "if missing" and nothing is re-created or loosened.

-- The old portal checked access in its own code and let its service key through everything. What its tables were open to
-- besides must not meet signed-in people. A policy adds to ours, and nobody but its author knows what it is for.
do $$
declare
  v_policy record;
begin
  select p.polname, p.polrelid::regclass as on_table into v_policy
  from pg_catalog.pg_policy p
  where p.polpermissive
    and p.polrelid in (
      to_regclass('public.instructors'), to_regclass('public.mentees'), to_regclass('public.mentorships'),
      to_regclass('public.video_calls'))
    and not p.polroles <@ array['service_role'::regrole::oid, 'postgres'::regrole::oid]
  order by p.polrelid::regclass::text, p.polname limit 1;
  if found then
    raise exception 'policy_unknown: the policy "%" on % may let people see or write more than the recording system allows',
        v_policy.polname, v_policy.on_table
      using errcode = 'RC405',
        hint = format('If nothing needs it: drop policy %I on %s; then push again.', v_policy.polname, v_policy.on_table);
  end if;
end
$$;

-- A view reads with its owner's rights, so row level security on the tables under it would not hold anybody back.
do $$
declare
  v_view regclass;
begin
  for v_view in
    with recursive readers as (
      select t.oid
      from unnest(array['public.instructors', 'public.mentees', 'public.mentorships', 'public.video_calls']) n
      cross join lateral (select to_regclass(n)::oid as oid) t
      where t.oid is not null
      union
      select c.oid
      from readers r
      join pg_catalog.pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = r.oid
        and d.classid = 'pg_rewrite'::regclass
      join pg_catalog.pg_rewrite w on w.oid = d.objid
      join pg_catalog.pg_class c on c.oid = w.ev_class
    )
    select c.oid::regclass from readers r join pg_catalog.pg_class c on c.oid = r.oid where c.relkind in ('v', 'm')
  loop
    execute format('revoke all on %s from public, anon, authenticated', v_view);
  end loop;
end
$$;

create table if not exists public.instructors (
  id uuid primary key default gen_random_uuid(),
  discord_id text,
  name text
);
alter table public.instructors add column if not exists user_id uuid unique references auth.users (id) on delete set null;
comment on table public.instructors is 'Mentors. user_id ties one to a Supabase Auth user; null until linked.';

create table if not exists public.mentees (
  id uuid primary key default gen_random_uuid(),
  discord_id text,
  email text,
  discord_username text,
  display_name text
);
alter table public.mentees add column if not exists user_id uuid unique references auth.users (id) on delete set null;
comment on table public.mentees is 'Mentees. user_id ties one to a Supabase Auth user; null until linked.';

create table if not exists public.mentorships (
  id uuid primary key default gen_random_uuid(),
  instructor_id uuid references public.instructors (id),
  mentee_id uuid references public.mentees (id),
  status text default 'active' constraint mentorship_status_check check (status in ('active', 'ended', 'cancelled')),
  ended_at timestamptz,
  end_reason text,
  last_session_date timestamptz
);
comment on table public.mentorships is 'One mentor with one mentee. Only an active mentorship can hold calls.';
create index if not exists mentorships_instructor_idx on public.mentorships (instructor_id);
create index if not exists mentorships_mentee_idx on public.mentorships (mentee_id);

-- Answers come from an indexed definer function so that a policy can use them as an index condition:
-- "= any (array(select access.my_mentorship_ids()))" is evaluated once per query, never per row.
create function access.my_active_mentorship_ids() returns setof uuid
  language sql stable security definer rows 10 set search_path = ''
as $$
  select m.id
  from public.mentorships m
  join public.instructors i on i.id = m.instructor_id
  where i.user_id = (select auth.uid()) and m.status = 'active'
  union
  select m.id
  from public.mentorships m
  join public.mentees e on e.id = m.mentee_id
  where e.user_id = (select auth.uid()) and m.status = 'active'
$$;
comment on function access.my_active_mentorship_ids() is
  'Ids of the active mentorships of the signed-in user. Called by policies that let somebody write. Empty for everybody else.';

create function access.mentorship_ids_of(p_user_id uuid) returns setof uuid
  -- plpgsql, because recorder.setting is made later.
  language plpgsql stable security definer rows 10 set search_path = ''
as $$
declare
  v_over_too boolean := recorder.setting('ended_mentorship_readable') = 1;
begin
  return query
    select m.id
    from public.mentorships m
    join public.instructors i on i.id = m.instructor_id
    where i.user_id = p_user_id and (v_over_too or m.status = 'active')
    union
    select m.id
    from public.mentorships m
    join public.mentees e on e.id = m.mentee_id
    where e.user_id = p_user_id and (v_over_too or m.status = 'active');
end
$$;
comment on function access.mentorship_ids_of(uuid) is
  'Ids of the mentorships a user may read: the active ones, and while the setting ended_mentorship_readable is 1 those that are over. Empty for an unknown user. Called by access.my_mentorship_ids and recorder_api.playback_of.';

create function access.my_mentorship_ids() returns setof uuid
  language sql stable security definer rows 10 set search_path = ''
as $$ select access.mentorship_ids_of((select auth.uid())) $$;
comment on function access.my_mentorship_ids() is
  'Ids of the mentorships the signed-in user may read, see access.mentorship_ids_of. Called by policies. Empty for everybody else.';

create function access.my_partner_ids() returns setof uuid
  language sql stable security definer rows 20 set search_path = ''
as $$
  select unnest(array[m.instructor_id, m.mentee_id])
  from public.mentorships m
  where m.id = any (array(select access.my_mentorship_ids()))
$$;
comment on function access.my_partner_ids() is
  'Ids (instructors and mentees) of the people the signed-in user has a mentorship with, own id included. Called by policies.';

create function access.caller_id() returns uuid
  language sql stable security definer set search_path = ''
as $$ select auth.uid() $$;
comment on function access.caller_id() is
  'Id of the signed-in user, null for everybody else. For functions of recorder_owner, which has no way into schema auth.';
revoke all on function access.caller_id() from public, anon, authenticated, service_role;
grant execute on function access.caller_id() to recorder_owner;

revoke all on function access.my_active_mentorship_ids(), access.mentorship_ids_of(uuid), access.my_mentorship_ids(), access.my_partner_ids()
  from public, anon, authenticated, service_role;
grant execute on function access.my_active_mentorship_ids(), access.my_mentorship_ids(), access.my_partner_ids() to authenticated;

revoke all on public.instructors, public.mentees, public.mentorships from public, anon, authenticated;
alter table public.instructors enable row level security;
alter table public.mentees enable row level security;
alter table public.mentorships enable row level security;

grant select (id, name) on public.instructors to authenticated;
grant select (id, display_name) on public.mentees to authenticated;
-- Columns by name: the old table also has notes of the administrators, and why a mentorship ended is theirs too.
grant select (id, instructor_id, mentee_id, status, ended_at, last_session_date) on public.mentorships to authenticated;
grant select, insert, update, delete on public.instructors, public.mentees, public.mentorships to service_role;

create policy "people of my mentorships" on public.instructors for select to authenticated
  using (id = any (array(select access.my_partner_ids())));
create policy "people of my mentorships" on public.mentees for select to authenticated
  using (id = any (array(select access.my_partner_ids())));
create policy "my mentorships" on public.mentorships for select to authenticated
  using (id = any (array(select access.my_mentorship_ids())));
