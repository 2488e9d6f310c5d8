-- The old portal's database as its own scripts leave it, run in the SQL editor of a project from before October 2026.

-- What such a project gave everybody on everything that `postgres` makes.
alter default privileges in schema public grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to postgres, anon, authenticated, service_role;

create table public.instructors (
  id uuid primary key default extensions.uuid_generate_v4(),
  discord_id text,
  name text
);

create table public.mentees (
  id uuid primary key default extensions.uuid_generate_v4(),
  discord_id text,
  email text,
  discord_username text,
  display_name text
);

create table public.mentorships (
  id uuid primary key default extensions.uuid_generate_v4(),
  instructor_id uuid references public.instructors (id),
  mentee_id uuid references public.mentees (id),
  total_sessions integer,
  sessions_remaining integer,
  status text default 'active',
  ended_at timestamptz,
  end_reason text,
  last_session_date timestamptz,
  admin_notes text,
  constraint mentorship_status_check check (status in ('active', 'ended', 'cancelled'))
);
create index idx_mentorships_status on public.mentorships (status);

-- Reads with the rights of its owner, and everybody may read it.
create view public.alumni_export as
select e.email, i.name as instructor_name, m.end_reason, m.admin_notes
from public.mentorships m
join public.mentees e on e.id = m.mentee_id
join public.instructors i on i.id = m.instructor_id
where m.status = 'ended';
create view public.alumni_emails as select email from public.alumni_export;

create table public.video_calls (
  id uuid primary key default extensions.uuid_generate_v4(),
  mentorship_id uuid not null references public.mentorships (id) on delete cascade,
  instructor_id uuid references public.instructors (id),
  mentee_id uuid references public.mentees (id),
  start_time timestamptz not null default now(),
  end_time timestamptz,
  duration_seconds integer,
  status text not null default 'active',
  participants jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index idx_video_calls_mentorship on public.video_calls (mentorship_id);
create index idx_video_calls_start_time on public.video_calls (start_time desc);
create index idx_video_calls_status on public.video_calls (status);
create index idx_video_calls_instructor on public.video_calls (instructor_id);
create index idx_video_calls_mentee on public.video_calls (mentee_id);

create function public.update_video_calls_updated_at() returns trigger
  language plpgsql
as $$
begin
  new.updated_at = now();
  return new;
end
$$;
create trigger trigger_update_video_calls_updated_at before update on public.video_calls
  for each row execute function public.update_video_calls_updated_at();
