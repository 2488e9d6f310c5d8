begin;
select plan(8);
create temporary view our_schemas as
  select n.oid, n.nspname from pg_namespace n where n.nspname in ('public', 'recorder', 'recorder_api', 'access');

select is((select count(*) from our_schemas)::integer, 4, 'there are four rooms');
select is_empty(
  $$ select c.oid::regclass from pg_class c join our_schemas s on s.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'f') and coalesce(obj_description(c.oid, 'pg_class'), '') = '' $$,
  'every table and view has a comment');
select is_empty(
  $$ select p.oid::regprocedure from pg_proc p join our_schemas s on s.oid = p.pronamespace
     where coalesce(obj_description(p.oid, 'pg_proc'), '') = '' $$,
  'every function has a comment');
select is_empty(
  $$ select p.oid::regprocedure from pg_proc p join our_schemas s on s.oid = p.pronamespace
     where not coalesce('search_path=""' = any (p.proconfig), false) $$,
  'every function has an empty search_path');

create temporary view our_columns as
  select c.oid::regclass as on_table, a.attname::text as name, format_type(a.atttypid, null) as type
  from pg_attribute a join pg_class c on c.oid = a.attrelid join our_schemas s on s.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0 and not a.attisdropped;
select is_empty(
  $$ select on_table, name, type from our_columns
     where name ~ '_(ms|bytes|seconds|days|count|kbps)$|^(attempts?|version|width|height|fps)$' and type not in ('smallint', 'integer', 'bigint') $$,
  'what is counted or measured is a whole number in the unit of its name');
select is_empty(
  $$ select on_table, name, type from our_columns
     where (name ~ '_(at|until|since)$' or name in ('start_time', 'end_time')) and type <> 'timestamp with time zone' $$,
  'a moment has its time zone');
select is_empty(
  $$ select on_table, name, type from our_columns where name ~ '^(is|has|may)_' and type <> 'boolean' $$,
  'a question is answered by yes or no');
select is_empty(
  $$ select on_table, name, type from our_columns
     where name ~ '(recording|call|mentorship|instructor|mentee|user|engine_task|transfer)_id$' and type <> 'uuid' $$,
  'what points at a row of ours is a uuid');
select * from finish();
rollback;
