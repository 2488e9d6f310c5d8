-- People and the pairs they form. The old portal's database has these tables already (without user_id), so everything
-- here is "if missing" and nothing is re-created or loosened.

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
  status text default 'active' constraint mentorships_status_check check (status in ('active', 'ended', 'cancelled')),
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

create function access.my_mentorship_ids() returns setof uuid
  language sql stable security definer rows 10 set search_path = ''
as $$
  select m.id
  from public.mentorships m
  join public.instructors i on i.id = m.instructor_id
  where i.user_id = (select auth.uid())
  union
  select m.id
  from public.mentorships m
  join public.mentees e on e.id = m.mentee_id
  where e.user_id = (select auth.uid())
$$;
comment on function access.my_mentorship_ids() is
  'Ids of all mentorships of the signed-in user, ended ones too: what was recorded before stays readable. Called by policies.';

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

revoke all on function access.my_active_mentorship_ids(), access.my_mentorship_ids(), access.my_partner_ids()
  from public, anon, authenticated, service_role;
grant execute on function access.my_active_mentorship_ids(), access.my_mentorship_ids(), access.my_partner_ids() to authenticated;

revoke all on public.instructors, public.mentees, public.mentorships from anon, authenticated;
alter table public.instructors enable row level security;
alter table public.mentees enable row level security;
alter table public.mentorships enable row level security;

grant select (id, name) on public.instructors to authenticated;
grant select (id, display_name) on public.mentees to authenticated;
grant select on public.mentorships to authenticated;
grant select, insert, update, delete on public.instructors, public.mentees, public.mentorships to service_role;

create policy "people of my mentorships" on public.instructors for select to authenticated
  using (id = any (array(select access.my_partner_ids())));
create policy "people of my mentorships" on public.mentees for select to authenticated
  using (id = any (array(select access.my_partner_ids())));
create policy "my mentorships" on public.mentorships for select to authenticated
  using (id = any (array(select access.my_mentorship_ids())));
