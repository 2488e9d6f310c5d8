-- Who may do what, complete. Every table and view of the four schemas × verb × person or role, and every function × the
-- same, each really tried. What has no row here fails the test: decide who may, then write it down.
begin;
select no_plan();
select tests.people();

-- One finished recording of the mentor and the mentee; they have watched it.
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.finished_recording(call_id) as id from it;
grant select on it, r to anon, authenticated, service_role, recorder_admin;
insert into public.playback_positions (user_id, recording_id, position_ms)
select tests.person(n), id, 1 from r cross join (values ('mentor'), ('mentee')) p (n);
insert into public.playback_events (user_id, recording_id, kind)
select tests.person(n), id, 'started' from r cross join (values ('mentor'), ('mentee')) p (n);

-- rows: it finds or writes some; none: it is allowed and finds none; else the SQLSTATE of the refusal (42501: no right).
create temporary table tables (
  subject text, verbs text,
  mentor text, mentee text, other_mentor text, stranger text, anon text, service_role text, recorder_admin text);
insert into tables values
  -- subject                    verbs     mentor   mentee   other    stranger anon     service  admin
  ('public.instructors',        'select', 'rows',  'rows',  'none',  'none',  '42501', 'rows',  '42501'),
  ('public.instructors',        'insert', '42501', '42501', '42501', '42501', '42501', 'rows',  '42501'),
  ('public.instructors',        'update', '42501', '42501', '42501', '42501', '42501', 'rows',  '42501'),
  -- A mentor with mentorships cannot be deleted.
  ('public.instructors',        'delete', '42501', '42501', '42501', '42501', '42501', '23503', '42501'),
  ('public.mentees',            'select', 'rows',  'rows',  'none',  'none',  '42501', 'rows',  '42501'),
  ('public.mentees',            'insert', '42501', '42501', '42501', '42501', '42501', 'rows',  '42501'),
  ('public.mentees',            'update', '42501', '42501', '42501', '42501', '42501', 'rows',  '42501'),
  ('public.mentees',            'delete', '42501', '42501', '42501', '42501', '42501', '23503', '42501'),
  ('public.mentorships',        'select', 'rows',  'rows',  'none',  'none',  '42501', 'rows',  '42501'),
  ('public.mentorships',        'insert', '42501', '42501', '42501', '42501', '42501', 'rows',  '42501'),
  ('public.mentorships',        'update', '42501', '42501', '42501', '42501', '42501', 'rows',  '42501'),
  ('public.mentorships',        'delete', '42501', '42501', '42501', '42501', '42501', 'rows',  '42501'),
  ('public.video_calls',        'select', 'rows',  'rows',  'none',  'none',  '42501', 'rows',  '42501'),
  ('public.video_calls',        'insert', '42501', '42501', '42501', '42501', '42501', 'rows',  '42501'),
  ('public.video_calls',        'update', 'rows',  'rows',  'none',  'none',  '42501', 'rows',  '42501'),
  ('public.video_calls',        'delete', '42501', '42501', '42501', '42501', '42501', 'rows',  '42501'),
  ('public.recordings',         'select', 'rows',  'rows',  'none',  'none',  '42501', 'rows',  '42501'),
  ('public.recordings',         'write',  '42501', '42501', '42501', '42501', '42501', '42501', '42501'),
  ('public.recording_files',    'select', 'rows',  'rows',  'none',  'none',  '42501', 'rows',  '42501'),
  ('public.recording_files',    'write',  '42501', '42501', '42501', '42501', '42501', '42501', '42501'),
  ('public.recording_events',   'select', 'rows',  'rows',  'none',  'none',  '42501', 'rows',  '42501'),
  ('public.recording_events',   'write',  '42501', '42501', '42501', '42501', '42501', '42501', '42501'),
  ('public.notifications',      'select', 'rows',  'rows',  'none',  'none',  '42501', 'rows',  '42501'),
  ('public.notifications',      'insert', '42501', '42501', '42501', '42501', '42501', '42501', '42501'),
  ('public.notifications',      'update', 'rows',  'rows',  'none',  'none',  '42501', '42501', '42501'),
  ('public.notifications',      'delete', '42501', '42501', '42501', '42501', '42501', '42501', '42501'),
  ('public.playback_positions', 'select', 'rows',  'rows',  'none',  'none',  '42501', 'rows',  '42501'),
  ('public.playback_positions', 'insert', 'rows',  'rows',  '42501', '42501', '42501', '42501', '42501'),
  ('public.playback_positions', 'update', 'rows',  'rows',  'none',  'none',  '42501', '42501', '42501'),
  ('public.playback_positions', 'delete', '42501', '42501', '42501', '42501', '42501', '42501', '42501'),
  ('public.playback_events',    'select', 'rows',  'rows',  'none',  'none',  '42501', 'rows',  '42501'),
  ('public.playback_events',    'insert', 'rows',  'rows',  '42501', '42501', '42501', '42501', '42501'),
  ('public.playback_events',    'update', '42501', '42501', '42501', '42501', '42501', '42501', '42501'),
  ('public.playback_events',    'delete', '42501', '42501', '42501', '42501', '42501', '42501', '42501'),

  ('recorder.settings',           'select', '42501', '42501', '42501', '42501', '42501', '42501', 'rows'),
  ('recorder.errors',             'select', '42501', '42501', '42501', '42501', '42501', '42501', 'rows'),
  ('recorder.presets',            'select', '42501', '42501', '42501', '42501', '42501', '42501', 'rows'),
  ('recorder.layouts',            'select', '42501', '42501', '42501', '42501', '42501', '42501', 'rows'),
  ('recorder.retention_policies', 'select', '42501', '42501', '42501', '42501', '42501', '42501', 'rows'),
  ('recorder.audits',             'select', '42501', '42501', '42501', '42501', '42501', '42501', 'rows'),
  ('recorder.audit_findings',     'select', '42501', '42501', '42501', '42501', '42501', '42501', 'none'),
  ('recorder.alert_rules',        'select', '42501', '42501', '42501', '42501', '42501', '42501', 'rows'),
  ('recorder.alerts',             'select', '42501', '42501', '42501', '42501', '42501', '42501', 'none'),
  ('recorder.secret_dates',       'select', '42501', '42501', '42501', '42501', '42501', '42501', 'none'),
  ('recorder.event_meanings',     'select', '42501', '42501', '42501', '42501', '42501', '42501', 'rows'),
  ('recorder.outcomes',           'select', '42501', '42501', '42501', '42501', '42501', '42501', 'rows'),
  ('recorder.deletions',          'select', '42501', '42501', '42501', '42501', '42501', '42501', 'none'),
  ('recorder.transfers',          'select', '42501', '42501', '42501', '42501', '42501', '42501', 'none'),
  ('recorder.transfer_parts',     'select', '42501', '42501', '42501', '42501', '42501', '42501', 'none'),
  ('recorder.health',             'select', '42501', '42501', '42501', '42501', '42501', '42501', 'rows'),
  ('recorder.stuck',              'select', '42501', '42501', '42501', '42501', '42501', '42501', 'none'),
  ('recorder.dead_jobs',          'select', '42501', '42501', '42501', '42501', '42501', '42501', 'none');

-- What else administrators want to know they ask through the views.
insert into tables
select 'recorder.' || t, 'select', '42501', '42501', '42501', '42501', '42501', '42501', '42501'
from unnest(array[
  'caller_uids', 'channels', 'drains', 'engine_accounts', 'engine_tasks', 'forgotten_people', 'inbox', 'job_kinds', 'jobs', 'lanes', 'old_claims', 'sweeps', 'unverified_events',
  'transitions', 'tallies', 'tally_steps', 'histogram_buckets', 'webhook_verdicts', 'storage_caps']) t;
-- Who sees alerts is nobody's business.
insert into tables
select 'access.portal_administrators', verb, '42501', '42501', '42501', '42501', '42501', '42501', '42501' from unnest(array['select', 'write']) verb;
-- And nobody writes into the engine room; these views could not be written anyway, which Postgres says first (55000).
insert into tables
select subject, 'write', '42501', '42501', '42501', '42501', '42501', '42501',
  case when subject in ('recorder.health', 'recorder.stuck', 'recorder.dead_jobs') then '55000' else '42501' end
from tables where subject like 'recorder.%';

-- Rights to some columns only; a right not listed here is to the whole table or to nothing.
create temporary table columns (subject text, role text, verb text, columns text);
insert into columns values
  ('public.instructors', 'authenticated', 'select', 'id name'),
  ('public.mentees', 'authenticated', 'select', 'display_name id'),
  ('public.mentorships', 'authenticated', 'select', 'ended_at id instructor_id last_session_date mentee_id status'),
  ('public.video_calls', 'authenticated', 'update', 'recording_layout recording_quality recording_status'),
  ('public.recording_files', 'authenticated', 'select',
   'attempt content_type created_at deleted_at duration_ms id kind recording_id segment_count size_bytes verified_at'),
  ('public.notifications', 'authenticated', 'update', 'read_at'),
  ('public.playback_positions', 'authenticated', 'insert', 'position_ms recording_id user_id'),
  ('public.playback_positions', 'authenticated', 'update', 'position_ms recording_id user_id'),
  ('public.playback_events', 'authenticated', 'insert', 'detail kind position_ms recording_id viewing_id');

-- What is inserted where somebody may; elsewhere the refusal comes before any value is looked at.
create temporary table inserts (subject text, statement text);
insert into inserts values
  ('public.instructors', 'insert into public.instructors (name) values (''New'')'),
  ('public.mentees', 'insert into public.mentees (display_name) values (''New'')'),
  ('public.mentorships', 'insert into public.mentorships (instructor_id) values (''11000000-0000-4000-8000-000000000001'')'),
  ('public.video_calls', 'insert into public.video_calls (mentorship_id) values (tests.mentorship())'),
  ('public.playback_positions', 'insert into public.playback_positions (recording_id, position_ms) select id, 2 from r on conflict (user_id, recording_id) do update set position_ms = excluded.position_ms'),
  ('public.playback_events', 'insert into public.playback_events (recording_id, kind) select id, ''ended'' from r');
-- Strangers name a recording they cannot see; what they may not see they cannot even select.

-- Functions: the call, and what each gets for it. "runs": it may, whatever comes of it (here: of nothing but nulls).
create temporary table functions (
  subject text, call text,
  mentor text, mentee text, other_mentor text, stranger text, anon text, service_role text, recorder_admin text);
insert into functions values
  -- subject                              call                                                           mentor   mentee   other    stranger anon     service  admin
  ('public.join_call(uuid)',              'select public.join_call(tests.mentorship())',                 'rows',  'rows',  'RC006', 'RC006', '42501', '42501', '42501'),
  ('public.end_call(uuid)',               'select public.end_call(call_id) from it',                     'rows',  'rows',  'RC007', 'RC007', '42501', '42501', '42501'),
  ('public.link_my_profile()',            'select public.link_my_profile()',                             'RC201', 'RC201', 'RC201', 'RC201', '42501', '42501', '42501'),
  ('public.keep_recording_longer(uuid,timestamp with time zone)',
                                          'select public.keep_recording_longer(id) from r',              'rows',  'rows',  'RC012', 'RC012', '42501', '42501', '42501'),
  ('public.delete_recording(uuid)',       'select public.delete_recording(id) from r',                   'rows',  'rows',  'RC012', 'RC012', '42501', '42501', '42501'),
  ('public.retry_recording(uuid)',        'select public.retry_recording(id) from r',                    'RC303', 'RC303', 'RC012', 'RC012', '42501', '42501', '42501'),
  ('public.my_profile()',                 'select public.my_profile()',                                  'rows',  'rows',  'rows',  'rows',  '42501', '42501', '42501'),
  ('public.list_my_recordings(integer,timestamp with time zone)',
                                          'select public.list_my_recordings()',                          'rows',  'rows',  'none',  'none',  '42501', '42501', '42501'),
  ('public.list_recordings(uuid,timestamp with time zone,uuid,integer,text[],text[],timestamp with time zone,timestamp with time zone,boolean,text,text)',
                                          'select from public.list_recordings(tests.mentorship()) l where (l ->> ''is_visible'')::boolean',
                                                                                                         'rows',  'rows',  'none',  'none',  '42501', '42501', '42501'),
  ('access.list_recordings(uuid,timestamp with time zone,uuid,integer,text[],text[],timestamp with time zone,timestamp with time zone,boolean,text,text)',
                                          'select from access.list_recordings(tests.mentorship(), null, null, null, null, null, null, null, null, null, null) l where (l ->> ''is_visible'')::boolean',
                                                                                                         'rows',  'rows',  'none',  'none',  '42501', '42501', '42501'),
  ('public.show_recording(uuid)',         'select from r where public.show_recording(id) is not null',   'rows',  'rows',  'none',  'none',  '42501', '42501', '42501'),
  ('access.show_recording(uuid)',         'select from r where access.show_recording(id) is not null',   'rows',  'rows',  'none',  'none',  '42501', '42501', '42501'),
  ('access.join_call(uuid)',              'select access.join_call(tests.mentorship())',                 'rows',  'rows',  'RC006', 'RC006', '42501', '42501', '42501'),
  ('access.end_call(uuid)',               'select access.end_call(call_id) from it',                     'rows',  'rows',  'RC007', 'RC007', '42501', '42501', '42501'),
  ('access.my_profile()',                 'select access.my_profile()',                                  'rows',  'rows',  'rows',  'rows',  '42501', '42501', '42501'),
  ('access.link_my_profile()',            'select access.link_my_profile()',                             'RC201', 'RC201', 'RC201', 'RC201', '42501', '42501', '42501'),
  ('access.keep_recording_longer(uuid,timestamp with time zone)',
                                          'select access.keep_recording_longer(id, null) from r',        'rows',  'rows',  'RC012', 'RC012', '42501', '42501', '42501'),
  ('access.delete_recording(uuid)',       'select access.delete_recording(id) from r',                   'rows',  'rows',  'RC012', 'RC012', '42501', '42501', '42501'),
  ('access.retry_recording(uuid)',        'select access.retry_recording(id) from r',                    'RC303', 'RC303', 'RC012', 'RC012', '42501', '42501', '42501'),
  ('public.is_portal_administrator()',    'select public.is_portal_administrator()',                     'rows',  'rows',  'rows',  'rows',  '42501', '42501', '42501'),
  ('public.list_alerts()',                'select public.list_alerts()',                                 'none',  'none',  'none',  'none',  '42501', '42501', '42501'),
  ('access.is_portal_administrator()',    'select access.is_portal_administrator()',                     'rows',  'rows',  'rows',  'rows',  '42501', '42501', '42501'),
  ('access.list_alerts()',                'select access.list_alerts()',                                 'none',  'none',  'none',  'none',  '42501', '42501', '42501'),
  ('access.my_mentorship_ids()',          'select access.my_mentorship_ids()',                           'rows',  'rows',  'none',  'none',  '42501', '42501', '42501'),
  ('access.my_active_mentorship_ids()',   'select access.my_active_mentorship_ids()',                    'rows',  'rows',  'none',  'none',  '42501', '42501', '42501'),
  ('access.my_partner_ids()',             'select access.my_partner_ids()',                              'rows',  'rows',  'none',  'none',  '42501', '42501', '42501'),
  ('access.may_read_topic(text)',         'select from it where access.may_read_topic(''call:'' || call_id)',
                                                                                                         'rows',  'rows',  'none',  'none',  '42501', '42501', '42501');
-- For functions of ours only: they tell about anybody.
insert into functions
select f, null, '42501', '42501', '42501', '42501', '42501', '42501', '42501'
from unnest(array[
  'access.caller_id()', 'access.mentorship_ids_of(uuid)', 'access.recording_card(uuid,boolean)', 'access.role_in_recording(uuid)',
  'access.words_of_recording(uuid,text)', 'public.touch_playback_position()',
  'public.update_video_calls_updated_at()']) f;
-- For the Edge Functions.
insert into functions
select 'recorder_api.' || f, null, '42501', '42501', '42501', '42501', '42501', 'runs', '42501'
from unnest(array[
  'admit_caller(uuid,uuid)', 'audit_facts(uuid,uuid,uuid[],integer)', 'begin_audit()', 'finish_audit(uuid)', 'mark_repaired(uuid)',
  'repair_recording(uuid,text)', 'save_audit(uuid,jsonb,text,uuid,jsonb)', 'await_files(uuid,jsonb,jsonb)', 'begin_attempt(uuid,timestamp with time zone)', 'begin_deletion(uuid,bigint,bigint,bigint,bigint)',
  'begin_upload(uuid,text)',
  'complete_transfers(uuid,jsonb)', 'fail_transfer(uuid,jsonb)', 'next_transfers(uuid,integer)', 'note_sources_deleted(uuid[])',
  'open_uploads()', 'plan_transfers(uuid,text,jsonb)', 'record_parts(uuid,text,jsonb)', 'restart_transfer(uuid,text,jsonb)',
  'sources_to_delete(uuid)', 'verify_transfers(uuid,jsonb)', 'finish_deletion(uuid,bigint,bigint)', 'files_failed(uuid,text,jsonb)', 'lanes_to_wake()', 'leave(text,uuid,jsonb)', 'mark_applied(text[])',
  'note_unverified_event()', 'count_webhook_verdicts(jsonb)', 'read_health()', 'read_metrics()', 'playback_of(uuid,uuid)', 'publish(uuid,jsonb,jsonb)',
  'receive_event(text,integer,text,text,text,boolean,jsonb)', 'report(uuid,text,jsonb)', 'work(text,uuid,jsonb,integer)']) f;
-- For administrators.
insert into functions
select 'recorder.' || f, null, '42501', '42501', '42501', '42501', '42501', '42501', 'runs'
from unnest(array[
  'check_health()', 'forget_user(uuid)', 'hold_recording(uuid,text)', 'name_portal_administrator(uuid,boolean)', 'set_secret_expiry(text,timestamp with time zone)', 'story(uuid)', 'release_recording(uuid)', 'request_audit()', 'retry_job(bigint)',
  'retry_recording(uuid)', 'set_retention(uuid,integer,integer,text)', 'stop_recording(uuid)']) f;
-- Every other function of the engine room: nobody.
insert into functions
select p.oid::regprocedure::text, null, '42501', '42501', '42501', '42501', '42501', '42501', '42501'
from pg_proc p where p.pronamespace = 'recorder'::regnamespace
  and not exists (select from functions f where f.subject = p.oid::regprocedure::text);

-- Complete? ------------------------------------------------------------------------------------------------------------

create temporary view schemas as
  select n.oid, n.nspname as name from pg_namespace n where n.nspname in ('public', 'recorder', 'recorder_api', 'access');
create temporary view roles as select unnest(array['anon', 'authenticated', 'service_role', 'recorder_admin']) as role;
create temporary view relations as
  select c.oid, format('%s.%s', s.name, c.relname) as subject, c.relkind, c.relrowsecurity
  from pg_class c join schemas s on s.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'f');
create temporary view our_functions as
  select p.oid, format('%s.%s', s.name, regexp_replace(p.oid::regprocedure::text, '^\w+\.(?=\w+\()', '')) as subject, p.prorettype
  from pg_proc p join schemas s on s.oid = p.pronamespace;
create temporary table asked as
  select t.*, v.verb from tables t
  cross join lateral unnest(case t.verbs when 'write' then array['insert', 'update', 'delete'] else array[t.verbs] end) v (verb);

select bag_eq(
  $$ select subject, verb from relations cross join unnest(array['select', 'insert', 'update', 'delete']) verb $$,
  $$ select subject, verb from asked $$,
  'every table and view of ours has its rows, and every row its table');
select bag_eq(
  $$ select subject from our_functions $$, $$ select subject from functions $$,
  'every function of ours has its row, and every row its function');
select is_empty($$ select subject from relations where relkind in ('r', 'p') and not relrowsecurity $$, 'row level security is on everywhere');
select is_empty($$ select subject from relations where relkind in ('m', 'f') $$, 'there is nothing that row level security does not reach');

-- By privilege ---------------------------------------------------------------------------------------------------------

create temporary table rights as
  select x.subject, x.role, x.verb, case
      when has_table_privilege(x.role, x.oid, x.verb) then '*'
      when x.verb <> 'delete' then (
        select string_agg(a.attname, ' ' order by a.attname) from pg_attribute a
        where a.attrelid = x.oid and a.attnum > 0 and not a.attisdropped and has_column_privilege(x.role, x.oid, a.attnum, x.verb))
    end as columns
  from (select * from relations cross join roles cross join unnest(array['select', 'insert', 'update', 'delete']) verb) x;
select bag_eq(
  $$ select subject, role, verb, columns from rights where columns <> '*' $$,
  $$ select subject, role, verb, columns from columns $$,
  'a right to some columns is a right to exactly these');
-- A person's answer of 42501 in every line means: the role has no right at all. (A right without rows shows below.)
select is_empty(
  $$ select r.subject, r.role, r.verb, r.columns from rights r
     join asked a on (a.subject, a.verb) = (r.subject, r.verb)
     where (r.columns is not null) <> case r.role
       when 'anon' then a.anon <> '42501' when 'service_role' then a.service_role <> '42501'
       when 'recorder_admin' then a.recorder_admin not in ('42501', '55000')
       else num_nonnulls(nullif(a.mentor, '42501'), nullif(a.mentee, '42501'), nullif(a.other_mentor, '42501'), nullif(a.stranger, '42501')) > 0 end $$,
  'a role has a right if and only if the matrix gives it one');
select is_empty(
  $$ select subject, role, right_to from relations cross join roles cross join unnest(array['truncate', 'references', 'trigger', 'maintain']) right_to
     where has_table_privilege(role, oid, right_to) $$,
  'nobody has any other right to a table');
select is_empty(
  $$ select c.oid::regclass, role from pg_class c join schemas s on s.oid = c.relnamespace cross join roles
     where c.relkind = 'S' and has_sequence_privilege(role, c.oid, 'usage, select, update') $$,
  'nor to a sequence');
select bag_eq(
  $$ select s.name::text, string_agg(role, ' ' order by role) from schemas s cross join roles
     where has_schema_privilege(role, s.oid, 'usage') group by 1 $$,
  $$ values ('access', 'authenticated service_role'), ('public', 'anon authenticated recorder_admin service_role'),
       ('recorder', 'recorder_admin'), ('recorder_api', 'service_role') $$,
  'each role enters its schemas only');
select is_empty(
  $$ select s.name, role from schemas s cross join roles where has_schema_privilege(role, s.oid, 'create') $$, 'and makes nothing there');
select is_empty(
  $$ select f.subject, role from our_functions p join functions f on f.subject = p.subject cross join roles
     where has_function_privilege(role, p.oid, 'execute') <> case role
       when 'anon' then f.anon <> '42501' when 'service_role' then f.service_role <> '42501'
       when 'recorder_admin' then f.recorder_admin <> '42501'
       else num_nonnulls(nullif(f.mentor, '42501'), nullif(f.mentee, '42501'), nullif(f.other_mentor, '42501'), nullif(f.stranger, '42501')) > 0 end $$,
  'a role may execute a function if and only if the matrix lets it');
select is_empty(
  $$ select tablename, policyname, roles from pg_policies
     where schemaname in ('public', 'recorder', 'recorder_api', 'access') and (
       permissive <> 'PERMISSIVE'
       or roles <> array['authenticated']::name[] and not (schemaname = 'recorder' and roles = array['recorder_admin']::name[] and cmd = 'SELECT')) $$,
  'policies are for those signed in, and for administrators who read the engine room');

-- By trying ------------------------------------------------------------------------------------------------------------

create temporary table people (column_name text, who text);
insert into people values
  ('mentor', 'mentor'), ('mentee', 'mentee'), ('other_mentor', 'other mentor'), ('stranger', 'stranger'), ('anon', 'anon'),
  ('service_role', 'service_role'), ('recorder_admin', 'recorder_admin');

-- An update writes a column that may be written, where there is one, with what it holds.
create function pg_temp.statement_of(p_subject text, p_verb text) returns text language sql as $$
  select case p_verb
    when 'select' then format('select from %s', p_subject)
    when 'insert' then coalesce((select i.statement from inserts i where i.subject = p_subject), format('insert into %s default values', p_subject))
    when 'delete' then format('delete from %s', p_subject)
    else format('update %s set %2$I = %2$I', p_subject, coalesce(
      (select split_part(c.columns, ' ', 1) from columns c where c.subject = p_subject and c.verb = 'update'),
      (select a.attname::text from pg_attribute a join relations x on x.oid = a.attrelid
       where x.subject = p_subject and a.attnum > 0 and not a.attisdropped and a.attidentity = '' order by a.attnum limit 1)))
  end
$$;
select is(
  tests.answer(p.who, pg_temp.statement_of(a.subject, a.verb)), to_jsonb(a) ->> p.column_name,
  format('%s of %s by %s', a.verb, a.subject, p.who))
from asked a cross join people p order by a.subject, a.verb, p.column_name;

create function pg_temp.call_of(p_subject text) returns text language sql as $$
  select coalesce(f.call, format('select %s(%s)', split_part(p.oid::regproc::text, '(', 1), (
    select string_agg(format('null::%s', format_type(t.type, null)), ', ' order by t.place)
    from unnest(p.proargtypes) with ordinality t (type, place))))
  from functions f join our_functions o on o.subject = f.subject join pg_proc p on p.oid = o.oid where f.subject = p_subject
$$;
select case to_jsonb(f) ->> p.column_name
    when 'runs' then isnt(tests.answer(p.who, pg_temp.call_of(f.subject)), '42501', format('%s by %s', f.subject, p.who))
    else is(tests.answer(p.who, pg_temp.call_of(f.subject)), to_jsonb(f) ->> p.column_name, format('%s by %s', f.subject, p.who))
  end
from functions f cross join people p order by f.subject, p.column_name;

-- The check sees what it looks for.
create table public.forgotten (id uuid primary key);
create function public.forgotten() returns integer language sql as $$ select 1 $$;
select isnt_empty($$ select from relations where relkind = 'r' and not relrowsecurity $$, 'a table without row level security is found');
select isnt_empty(
  $$ select subject from relations except select subject from asked $$, 'a table without its rows is found');
select isnt_empty(
  $$ select subject from our_functions except select subject from functions $$, 'a function without its row is found');
select * from finish();
rollback;
