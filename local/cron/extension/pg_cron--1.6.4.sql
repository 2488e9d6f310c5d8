\echo Use "CREATE EXTENSION pg_cron" to load this file. \quit

-- Stand-in for pg_cron 1.6.4: the same tables, functions, refusals and grants, in plain SQL. The jobs are run by the
-- process in local/cron/scheduler.ts.

create schema cron;

create sequence cron.jobid_seq;
create table cron.job (
  jobid bigint primary key default nextval('cron.jobid_seq'),
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport integer not null default inet_server_port(),
  database text not null default current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);
alter table cron.job enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);

create sequence cron.runid_seq;
create table cron.job_run_details (
  jobid bigint,
  runid bigint primary key default nextval('cron.runid_seq'),
  job_pid integer,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);
alter table cron.job_run_details enable row level security;
create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);

select pg_catalog.pg_extension_config_dump('cron.job', '');
select pg_catalog.pg_extension_config_dump('cron.jobid_seq', '');
select pg_catalog.pg_extension_config_dump('cron.job_run_details', '');
select pg_catalog.pg_extension_config_dump('cron.runid_seq', '');

create function cron.job_cache_invalidate() returns trigger
language plpgsql
as $$
begin
  perform pg_catalog.pg_notify('pg_cron', 'jobs');
  return null;
end
$$;

create trigger cron_job_cache_invalidate
  after insert or update or delete or truncate on cron.job
  for each statement execute function cron.job_cache_invalidate();

-- One field of a crontab line: ranges with steps, and names where there are any. A step needs a range or a star.
create function cron._is_field(field text, low integer, high integer, names text[]) returns boolean
language plpgsql
immutable
as $$
declare
  piece text;
  parts text[];
  word text;
  number integer;
begin
  foreach piece in array pg_catalog.string_to_array(pg_catalog.lower(field), ',') loop
    parts := pg_catalog.regexp_match(piece, '^(?:[*]|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/([0-9]{1,9}))?$');
    if parts is null or parts[3]::integer = 0 or (parts[3] is not null and parts[1] is not null and parts[2] is null) then
      return false;
    end if;
    foreach word in array pg_catalog.array_remove(parts[1:2], null) loop
      continue when word = any (names);
      if word !~ '^[0-9]{1,9}$' then
        return false;
      end if;
      number := word::integer;
      if number < low or number > high then
        return false;
      end if;
    end loop;
  end loop;
  return field <> '';
end
$$;

create function cron._is_schedule(schedule text) returns boolean
language plpgsql
immutable
as $$
declare
  seconds text[];
  fields text[];
begin
  seconds := pg_catalog.regexp_match(pg_catalog.lower(schedule), '^\s*([0-9]{1,9})\s*second(?:s\s*)?$');
  if seconds is not null then
    return seconds[1]::integer between 1 and 59;
  end if;
  if schedule ~ '^[ \t]*@(yearly|annually|monthly|weekly|daily|midnight|hourly|reboot|restart)[ \t]*$' then
    return true;
  end if;
  fields := pg_catalog.regexp_split_to_array(pg_catalog.btrim(schedule, E' \t'), '[ \t]+');
  return pg_catalog.length(schedule) < 1000
    and pg_catalog.array_length(fields, 1) = 5
    and cron._is_field(fields[1], 0, 59, '{}')
    and cron._is_field(fields[2], 0, 23, '{}')
    and (fields[3] = '$' or cron._is_field(fields[3], 1, 31, '{}'))
    and cron._is_field(fields[4], 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}')
    and cron._is_field(fields[5], 0, 7, '{sun,mon,tue,wed,thu,fri,sat}');
end
$$;

create function cron._check_schedule(schedule text) returns void
language plpgsql
immutable
as $$
begin
  if not cron._is_schedule(schedule) then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = pg_catalog.format('invalid schedule: %s', schedule),
      hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
  end if;
end
$$;

-- The C functions of the real one know who calls them and write as the owner of the extension. In SQL one function can
-- only do one of the two. So the public functions, which run as the caller, insert into this view, and two triggers
-- follow: the first, still the caller, writes down who that is; the second, as the owner, does it. Nobody can pass
-- for somebody else, and nobody needs a right on cron.job.
create view cron._asked as
  select null::text as what, null::bigint as jobid, null::text as jobname, null::text as schedule, null::text as command,
    null::text as database, null::text as username, null::boolean as active, null::text as caller
  where false;

create function cron._a_note_caller() returns trigger
language plpgsql
as $$
begin
  new.caller := current_user;
  return new;
end
$$;

-- Whose job it becomes. A username given by hand needs a superuser, and must be able to log in.
create function cron._job_owner(asked cron._asked, refusal text) returns text
language plpgsql
set search_path = ''
as $$
declare
  can_login boolean;
begin
  if asked.username is null then
    return asked.caller;
  end if;
  if not (select rolsuper from pg_catalog.pg_roles where rolname = asked.caller) then
    raise exception using errcode = 'internal_error', message = refusal;
  end if;
  select rolcanlogin into can_login from pg_catalog.pg_roles where rolname = asked.username;
  if can_login is null then
    raise exception using
      errcode = 'internal_error', message = pg_catalog.format('role "%s" does not exist', asked.username);
  elsif not can_login then
    raise exception using
      errcode = 'internal_error',
      message = pg_catalog.format('role "%s" can not log in', asked.username),
      detail = 'Jobs may only be run by roles that have the LOGIN attribute.';
  end if;
  return asked.username;
end
$$;

create function cron._check_connect(username text, database text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if not pg_catalog.has_database_privilege(username, database, 'CONNECT') then
    raise exception using
      errcode = 'internal_error',
      message = pg_catalog.format('User %s does not have CONNECT privilege on %s', username, database);
  end if;
end
$$;

create function cron._schedule(asked cron._asked) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  owner text;
  in_database text := coalesce(asked.database, pg_catalog.current_database());
  scheduled_id bigint;
begin
  perform cron._check_schedule(asked.schedule);
  owner := cron._job_owner(asked, 'must be superuser to create a job for another role');
  perform cron._check_connect(owner, in_database);
  insert into cron.job (schedule, command, nodename, nodeport, database, username, active, jobname)
  values (
    asked.schedule, asked.command, 'localhost', pg_catalog.current_setting('port')::integer, in_database, owner,
    asked.active, asked.jobname
  )
  on conflict on constraint jobname_username_uniq do update
    set schedule = excluded.schedule, command = excluded.command, database = excluded.database
  returning jobid into scheduled_id;
  return scheduled_id;
end
$$;

create function cron._unschedule(asked cron._asked) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  found_job cron.job;
begin
  if asked.what = 'unschedule by name' then
    select * into found_job from cron.job where jobname = asked.jobname and username = asked.caller;
  else
    select * into found_job from cron.job where jobid = asked.jobid;
  end if;
  if not found then
    raise exception using
      errcode = 'internal_error',
      message = pg_catalog.format('could not find valid entry for job %s',
        case when asked.what = 'unschedule by name' then '''' || asked.jobname || '''' else asked.jobid::text end);
  end if;
  if pg_catalog.lower(found_job.username) <> pg_catalog.lower(asked.caller)
    and not pg_catalog.has_table_privilege(asked.caller, 'cron.job', 'DELETE')
  then
    raise exception using errcode = 'insufficient_privilege', message = 'permission denied for table job';
  end if;
  delete from cron.job where jobid = found_job.jobid;
  return found_job.jobid;
end
$$;

create function cron._alter(asked cron._asked) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  owner text := cron._job_owner(asked, 'must be superuser to alter username');
begin
  if asked.database is not null then
    perform cron._check_connect(owner, asked.database);
  end if;
  if asked.schedule is not null then
    perform cron._check_schedule(asked.schedule);
  end if;
  if (asked.schedule, asked.command, asked.database, asked.username, asked.active) is null then
    raise exception using
      errcode = 'internal_error',
      message = 'no updates specified',
      hint = 'You must specify at least one job attribute to change when calling alter_job';
  end if;
  update cron.job as job
  set schedule = coalesce(asked.schedule, job.schedule),
    command = coalesce(asked.command, job.command),
    database = coalesce(asked.database, job.database),
    username = coalesce(asked.username, job.username),
    active = coalesce(asked.active, job.active)
  where job.jobid = asked.jobid
    and (job.username = asked.caller or (select rolsuper from pg_catalog.pg_roles where rolname = asked.caller));
  if not found then
    raise exception using
      errcode = 'internal_error',
      message = pg_catalog.format('Job %s does not exist or you don''t own it', asked.jobid);
  end if;
  return asked.jobid;
end
$$;

create function cron._b_do_it() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  new.jobid := case
    when new.what = 'schedule' then cron._schedule(new)
    when new.what = 'alter' then cron._alter(new)
    else cron._unschedule(new)
  end;
  return new;
end
$$;

-- Triggers fire in the order of their names.
create trigger a_note_caller instead of insert on cron._asked for each row execute function cron._a_note_caller();
create trigger b_do_it instead of insert on cron._asked for each row execute function cron._b_do_it();

create function cron._refuse_null(name text, value anyelement) returns void
language plpgsql
immutable
as $$
begin
  if value is null then
    raise exception using errcode = 'internal_error', message = pg_catalog.format('%s can not be NULL', name);
  end if;
end
$$;

create function cron.schedule(schedule text, command text) returns bigint
language plpgsql
as $$
declare
  scheduled_id bigint;
begin
  perform cron._refuse_null('schedule', schedule), cron._refuse_null('command', command);
  insert into cron._asked (what, schedule, command, active) values ('schedule', $1, $2, true)
  returning jobid into scheduled_id;
  return scheduled_id;
end
$$;
comment on function cron.schedule(text, text) is 'schedule a pg_cron job';

create function cron.schedule_in_database(
  job_name text,
  schedule text,
  command text,
  database text,
  username text default null,
  active boolean default true
) returns bigint
language plpgsql
as $$
declare
  scheduled_id bigint;
begin
  perform cron._refuse_null('job_name', job_name), cron._refuse_null('schedule', schedule),
    cron._refuse_null('command', command);
  insert into cron._asked (what, jobname, schedule, command, database, username, active)
  values ('schedule', $1, $2, $3, $4, $5, coalesce($6, true))
  returning jobid into scheduled_id;
  return scheduled_id;
end
$$;
comment on function cron.schedule_in_database(text, text, text, text, text, boolean) is 'schedule a pg_cron job';

create function cron.schedule(job_name text, schedule text, command text) returns bigint
language plpgsql
as $$
declare
  scheduled_id bigint;
begin
  perform cron._refuse_null('job_name', job_name), cron._refuse_null('schedule', schedule),
    cron._refuse_null('command', command);
  insert into cron._asked (what, jobname, schedule, command, active) values ('schedule', $1, $2, $3, true)
  returning jobid into scheduled_id;
  return scheduled_id;
end
$$;
comment on function cron.schedule(text, text, text) is 'schedule a pg_cron job';

create function cron.unschedule(job_id bigint) returns boolean
language plpgsql
strict
as $$
begin
  insert into cron._asked (what, jobid) values ('unschedule', job_id);
  return true;
end
$$;
comment on function cron.unschedule(bigint) is 'unschedule a pg_cron job';

create function cron.unschedule(job_name text) returns boolean
language plpgsql
as $$
begin
  perform cron._refuse_null('job_name', job_name);
  insert into cron._asked (what, jobname) values ('unschedule by name', job_name);
  return true;
end
$$;
comment on function cron.unschedule(text) is 'unschedule a pg_cron job';

create function cron.alter_job(
  job_id bigint,
  schedule text default null,
  command text default null,
  database text default null,
  username text default null,
  active boolean default null
) returns void
language plpgsql
as $$
begin
  perform cron._refuse_null('job_id', job_id);
  insert into cron._asked (what, jobid, schedule, command, database, username, active)
  values ('alter', $1, $2, $3, $4, $5, $6);
end
$$;
comment on function cron.alter_job(bigint, text, text, text, text, boolean) is
  'Alter the job identified by job_id. Any option left as NULL will not be modified.';

grant select on cron.job, cron.job_run_details to public;
grant select, insert on cron._asked to public;
revoke execute on function cron.alter_job(bigint, text, text, text, text, boolean) from public;
revoke execute on function cron.schedule_in_database(text, text, text, text, text, boolean) from public;
revoke execute on function cron._schedule(cron._asked), cron._unschedule(cron._asked), cron._alter(cron._asked) from public;

-- What hosted does after CREATE EXTENSION, as of July 2026: postgres uses the functions, reads the jobs, may delete
-- run details, and makes no triggers.
do $$
begin
  if exists (select from pg_catalog.pg_roles where rolname = 'postgres') then
    grant usage on schema cron to postgres with grant option;
    grant all on all functions in schema cron to postgres with grant option;
    grant select on cron.job to postgres with grant option;
    grant all on cron.job_run_details to postgres with grant option;
    revoke trigger on cron.job_run_details from postgres;
  end if;
end
$$;
