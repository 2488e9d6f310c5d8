begin;
select plan(6);

select results_eq(
  $$ select c.oid::regclass::text collate "C" from pg_class c
     where c.relnamespace in ('recorder'::regnamespace, 'recorder_api'::regnamespace, 'access'::regnamespace)
       and c.relkind in ('r', 'v', 'm', 'p', 'f') and has_table_privilege('recorder_admin', c.oid, 'select') order by 1 $$,
  $$ values ('recorder.alert_rules' collate "C"), ('recorder.alerts'), ('recorder.audit_findings'), ('recorder.audits'), ('recorder.dead_jobs' collate "C"), ('recorder.deletions'), ('recorder.errors'), ('recorder.event_meanings'), ('recorder.health'), ('recorder.layouts'), ('recorder.outcomes'), ('recorder.presets'),
       ('recorder.retention_policies'), ('recorder.secret_dates'), ('recorder.settings'), ('recorder.stuck'), ('recorder.transfer_parts'),
       ('recorder.transfers') $$,
  'recorder_admin reads these and nothing else of the engine room');
select is_empty(
  $$ select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('public', 'recorder', 'recorder_api', 'access', 'auth', 'vault', 'realtime')
       and c.relkind in ('r', 'v', 'm', 'p', 'f')
       and (has_table_privilege('recorder_admin', c.oid, 'insert, update, delete, truncate')
         or has_any_column_privilege('recorder_admin', c.oid, 'insert, update')
         or n.nspname in ('public', 'auth', 'vault') and has_any_column_privilege('recorder_admin', c.oid, 'select'))
       and not (n.nspname = 'auth' and not has_schema_privilege('recorder_admin', n.oid, 'usage')) $$,
  'it writes no table, and reads no row of the clients, of Auth or of Vault');
select results_eq(
  $$ select p.oid::regprocedure::text collate "C" from pg_proc p
     where p.pronamespace in ('recorder'::regnamespace, 'recorder_api'::regnamespace, 'access'::regnamespace, 'public'::regnamespace)
       and p.prokind = 'f' and has_function_privilege('recorder_admin', p.oid, 'execute') order by 1 $$,
  $$ values ('recorder.check_health()' collate "C"), ('recorder.forget_user(uuid)'), ('recorder.hold_recording(uuid,text)'), ('recorder.name_portal_administrator(uuid,boolean)'),
       ('recorder.release_recording(uuid)'), ('recorder.request_audit()'), ('recorder.retry_job(bigint)'), ('recorder.retry_recording(uuid)'),
       ('recorder.set_retention(uuid,integer,integer,text)'), ('recorder.set_secret_expiry(text,timestamp with time zone)'), ('recorder.stop_recording(uuid)'), ('recorder.story(uuid)') $$,
  'it may call these functions and no other');
select is_empty(
  $$ select r.rolname, v.name from unnest(array['anon', 'authenticated', 'service_role', 'authenticator']) r (rolname)
     cross join (values ('recorder.health'), ('recorder.stuck'), ('recorder.dead_jobs')) v (name)
     where has_table_privilege(r.rolname, v.name, 'select') $$,
  'nobody of the API sees the views');
select is_empty(
  $$ select m.member::regrole from pg_auth_members m where m.roleid = 'recorder_admin'::regrole and m.member <> 'postgres'::regrole
       and m.member::regrole::text not like 'supabase%' $$,
  'only postgres is given the role');
select is((select rolcanlogin or rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = 'recorder_admin'), false,
  'the role cannot sign in and has no power of its own');
select * from finish();
rollback;
