-- The rooms of the system and who owns what in them.
--   public        what clients see, under row level security
--   recorder      the engine room: never exposed over the API
--   recorder_api  thin entry points for the Edge Functions, service_role only, exposed
--   access        definer helpers that policies and public RPCs call, never exposed

create extension if not exists pgcrypto with schema extensions;
create extension if not exists pg_net with schema extensions;
create extension if not exists pg_cron with schema pg_catalog;
create extension if not exists supabase_vault with schema vault;

-- Roles are cluster-wide and outlive a reset of the database, so they are created only if missing and never altered.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'recorder_owner') then
    create role recorder_owner nologin bypassrls;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'recorder_admin') then
    create role recorder_admin nologin;
  end if;
end
$$;

grant recorder_owner to postgres with set true, inherit true;
grant recorder_admin to postgres with set true, inherit true;

create schema if not exists recorder;
create schema if not exists recorder_api;
create schema if not exists access;

comment on schema recorder is 'Engine room of the recording system: jobs, engine tasks, settings. Not exposed over the API.';
comment on schema recorder_api is 'What the Edge Functions may call, as service_role. Exposed over the API.';
comment on schema access is 'Definer helpers for policies and public RPCs. Not exposed over the API.';

-- recorder_owner owns the facts (recordings and what moves them) and must be able to create in their schemas.
grant usage, create on schema recorder, public to recorder_owner;
grant usage on schema access to recorder_owner;
grant usage on schema recorder_api to service_role;
grant usage on schema access to authenticated, service_role;
grant usage on schema recorder to recorder_admin;
