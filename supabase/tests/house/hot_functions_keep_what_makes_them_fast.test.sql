-- Whoever replaces a function loses what was set for it, and nothing but time would tell.
begin;
select plan(5);

create temporary view functions as
  select p.oid, p.oid::regprocedure::text as name, l.lanname, p.provolatile, p.proconfig
  from pg_proc p join pg_language l on l.oid = p.prolang
  where p.pronamespace in ('access'::regnamespace, 'recorder'::regnamespace, 'recorder_api'::regnamespace);

select is_empty($$
  select n.name from unnest(array[
    'recorder.guard_call()', 'recorder_api.work(text,uuid,jsonb,integer)', 'recorder_api.leave(text,uuid,jsonb)',
    'recorder_api.begin_attempt(uuid,timestamp with time zone)', 'recorder_api.report(uuid,text,jsonb)',
    'recorder_api.receive_event(text,integer,text,text,text,boolean,jsonb)', 'recorder.push_call()', 'recorder.wake_lane_of_job()']) n (name)
  where not exists (select from functions f where f.name = n.name and 'plan_cache_mode=force_generic_plan' = any (f.proconfig)) $$,
  'what lies between a wish and the engine keeps its first plan');
select isnt_empty($$ select from functions where name = 'recorder.sweep()' and 'plan_cache_mode=auto' = any (proconfig) $$,
  'a sweep looks at the values, whoever called for it');

create temporary view asked_by_policies as
  select distinct f.name, f.lanname from functions f
  join pg_policies p on concat_ws(' ', p.qual, p.with_check) ~ ('\m' || regexp_replace(f.name, '\(.*$', '') || '\(')
  where p.schemaname in ('public', 'realtime');
select cmp_ok((select count(*) from asked_by_policies), '>=', 4::bigint, 'policies ask functions');
select is_empty('select name from asked_by_policies where lanname = ''sql''', 'none of which is planned anew for each query');

select is((select provolatile from functions where name = 'recorder.job_context(recorder.jobs)'), 'v',
  'what goes out with a claim is read after the job was locked');
select * from finish();
rollback;
