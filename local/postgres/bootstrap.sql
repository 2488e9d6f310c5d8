-- A hosted Supabase project as a migration finds it (since October 2026): roles, schemas, grants, publication and the
-- extensions that are always there. Run by supabase_admin, in one transaction, at every start: every statement may
-- be repeated. Passwords are no matter of this file.
--
-- Sources: the platform's public documentation on roles and API grants, and the regression tests that its database
-- image publishes (role attributes, memberships, schema owners, Vault privileges).
-- The objects inside auth and realtime are made by the gateway and the Realtime server; those inside net and cron by
-- their extensions. All of them belong to supabase_admin, as `supabase db reset --remote` expects.

-- Roles. They are cluster-wide: another database of this server may have made them already.
do $roles$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('anon',                     'nologin inherit'),
      ('authenticated',            'nologin inherit'),
      ('service_role',             'nologin inherit bypassrls'),
      ('authenticator',            'login noinherit'),
      ('postgres',                 'login inherit createdb createrole replication bypassrls'),
      ('supabase_auth_admin',      'login noinherit'),
      ('supabase_storage_admin',   'login noinherit createrole'),
      ('supabase_realtime_admin',  'login noinherit createrole replication'),
      ('supabase_functions_admin', 'login noinherit createrole'),
      ('dashboard_user',           'nologin inherit createdb createrole replication'),
      ('pgbouncer',                'login inherit')
    ) as roles(name, attributes)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I', wanted.name);
    end if;
    execute format('alter role %I with %s', wanted.name, wanted.attributes);
  end loop;
end
$roles$;

grant anon, authenticated, service_role to authenticator, supabase_realtime_admin;
grant authenticator to supabase_storage_admin;
-- The admin option is what lets `postgres` grant these on to the project's own roles.
grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres with admin option;
grant pg_create_subscription to postgres;

-- The REST server applies a role's own settings when it switches to it; a plain SET ROLE does not.
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role postgres set search_path = "$user", public, extensions;
alter role supabase_admin set search_path = "$user", public, auth, extensions;
-- The stack's own parts keep sessions open and know how long they want to wait.
alter role supabase_admin set statement_timeout = 0;
alter role supabase_auth_admin set search_path = auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout = 60000;
alter role supabase_storage_admin set search_path = storage;
alter role supabase_realtime_admin set search_path = realtime;

-- As the database's owner, `postgres` may create schemas, publications and trusted extensions, and owns `public`
-- (through pg_database_owner).
do $owner$
begin
  execute format('alter database %I owner to postgres', current_database());
end
$owner$;

revoke create on schema public from public;
grant usage on schema public to postgres, anon, authenticated, service_role;
-- Deliberately no default privileges in `public` for anon, authenticated and service_role: gone from hosted projects
-- on 30 October 2026. A migration that forgets a GRANT must fail here too.

create schema if not exists extensions authorization postgres;
grant usage on schema extensions to anon, authenticated, service_role, dashboard_user, supabase_realtime_admin;

-- `postgres` may use these and pass that on, but has no CREATE in them.
create schema if not exists auth authorization supabase_admin;
grant all on schema auth to supabase_auth_admin;
grant usage on schema auth
  to postgres, anon, authenticated, service_role, dashboard_user, supabase_realtime_admin;
-- Foreign keys to auth.users and seeds need this; granted as each table is made, whoever of the two makes it.
alter default privileges for role supabase_admin, supabase_auth_admin in schema auth
  grant all on tables to postgres, dashboard_user;
alter default privileges for role supabase_admin, supabase_auth_admin in schema auth
  grant all on sequences to postgres, dashboard_user;

create schema if not exists storage authorization supabase_admin;
grant all on schema storage to supabase_storage_admin with grant option;
grant usage on schema storage to postgres with grant option;
grant usage on schema storage to anon, authenticated, service_role, dashboard_user;

create schema if not exists realtime authorization supabase_admin;
grant all on schema realtime to supabase_realtime_admin with grant option;
grant usage on schema realtime to postgres with grant option;
grant usage on schema realtime to anon, authenticated, service_role, dashboard_user;

create schema if not exists graphql_public authorization supabase_admin;
grant usage on schema graphql_public to postgres, anon, authenticated, service_role;

create schema if not exists supabase_functions authorization supabase_admin;
grant all on schema supabase_functions to supabase_functions_admin;
grant usage on schema supabase_functions to postgres, anon, authenticated, service_role;

-- The CLI's own bookkeeping, made by `db push`, which signs in as postgres.
create schema if not exists supabase_migrations authorization postgres;

create extension if not exists pgcrypto with schema extensions;
create extension if not exists "uuid-ossp" with schema extensions;
create schema if not exists vault authorization supabase_admin;
create extension if not exists supabase_vault with schema vault;

-- Empty at first; migrations add their own tables, for which they must own the publication and the table.
do $publication$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
    alter publication supabase_realtime owner to postgres;
  end if;
end
$publication$;

-- Hosted, `postgres` may create policies on realtime.messages without owning it (supautils), and nothing else there.
-- Plain Postgres asks for ownership, so the Realtime stand-in gives it the table, and this guard refuses the rest.
create or replace function extensions.refuse_other_changes_of_realtime() returns event_trigger
language plpgsql
set search_path = ''
as $guard$
declare
  changed text;
begin
  if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    return;
  end if;
  if tg_event = 'sql_drop' then
    select object_identity into changed from pg_catalog.pg_event_trigger_dropped_objects()
    where original and schema_name = 'realtime' and object_type <> 'policy' limit 1;
  else
    select object_identity into changed from pg_catalog.pg_event_trigger_ddl_commands()
    where schema_name = 'realtime' and command_tag not in ('CREATE POLICY', 'ALTER POLICY', 'COMMENT') limit 1;
  end if;
  if changed is not null then
    raise exception 'must be owner of %', changed using errcode = 'insufficient_privilege';
  end if;
end
$guard$;

do $guard$
begin
  if not exists (select from pg_event_trigger where evtname = 'refuse_changes_of_realtime') then
    create event trigger refuse_changes_of_realtime on ddl_command_end
      execute function extensions.refuse_other_changes_of_realtime();
    create event trigger refuse_drops_of_realtime on sql_drop
      execute function extensions.refuse_other_changes_of_realtime();
  end if;
end
$guard$;
