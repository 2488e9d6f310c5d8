-- Every policy on our tables, asked through the query that it serves, on tables with rows enough to choose from.
begin;
select no_plan();
select tests.people();

insert into public.mentees (id, display_name)
select ('22000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 'Mentee ' || n from generate_series(1, 400) n;
insert into public.instructors (id, name)
select ('11000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 'Mentor ' || n from generate_series(1, 400) n;
insert into public.mentorships (id, instructor_id, mentee_id)
select ('33000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid,
  -- Ten of them are the mentor's.
  case when n % 40 = 0 then '11000000-0000-4000-8000-000000000001' else ('11000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid end,
  ('22000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid
from generate_series(1, 400) n;

-- Rows as they are after years, without the work that making them took.
alter table public.video_calls disable trigger user;
alter table public.recordings disable trigger user;
insert into public.video_calls (id, mentorship_id, status, end_time, channel)
select ('44000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid,
  ('33000000-0000-4000-9000-' || lpad((1 + n % 400)::text, 12, '0'))::uuid, 'ended', now(), lpad(to_hex(n), 32, '0')
from generate_series(1, 2000) n;
insert into public.recordings (
  id, call_id, mentorship_id, channel, status, quality, layout, stopped_at, finished_at, duration_ms, size_bytes, stored_bytes, created_at)
select ('55000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, ('44000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid,
  ('33000000-0000-4000-9000-' || lpad((1 + n % 400)::text, 12, '0'))::uuid, lpad(to_hex(n), 32, '0'), 'recorded', '720p', 'best_fit',
  now(), now(), 1000, 1000, 1000, now() - make_interval(hours => n)
from generate_series(1, 2000) n;
insert into public.recording_files (recording_id, kind, attempt, object_key, content_type, size_bytes, verified_at)
select r.id, 'playlist', 1, 'k' || f, 'x', 1, now() from public.recordings r cross join generate_series(1, 3) f;
insert into public.recording_events (recording_id, actor, event)
select r.id, 'system', 'test' from public.recordings r cross join generate_series(1, 5) e;
insert into auth.users (instance_id, id, aud, role, email)
select '00000000-0000-0000-0000-000000000000', ('c0000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 'authenticated', 'authenticated', n || '@example.com'
from generate_series(1, 100) n;
create temporary view of_users as
  select u.id as user_id, r.id as recording_id from public.recordings r
  cross join lateral (select ('c0000000-0000-4000-9000-' || lpad((1 + abs(hashtext(r.id::text)) % 100)::text, 12, '0'))::uuid) u (id);
insert into public.notifications (user_id, recording_id, kind) select user_id, recording_id, 'recording_ready' from of_users;
insert into public.playback_positions (user_id, recording_id, position_ms) select user_id, recording_id, 1 from of_users;
insert into public.playback_events (user_id, recording_id, kind) select user_id, recording_id, 'started' from of_users;
analyze public.mentees, public.instructors, public.mentorships, public.video_calls, public.recordings, public.recording_files,
  public.recording_events, public.notifications, public.playback_positions, public.playback_events;

create temporary table asked (on_table text, verb text, query text, is_one_row boolean default false);
insert into asked values
  ('instructors', 'SELECT', 'select name from public.instructors'),
  ('mentees', 'SELECT', 'select display_name from public.mentees'),
  ('mentorships', 'SELECT', 'select id, status from public.mentorships'),
  ('video_calls', 'SELECT', 'select * from public.video_calls'),
  ('video_calls', 'SELECT', $$ select * from public.video_calls where mentorship_id = '33000000-0000-4000-9000-000000000040' order by start_time desc limit 20 $$),
  ('video_calls', 'UPDATE', $$ update public.video_calls set recording_status = 'starting' where id = '44000000-0000-4000-9000-000000000040' $$),
  ('video_calls', 'UPDATE', $$ update public.video_calls set recording_status = 'stopping' $$),
  ('recordings', 'SELECT', 'select * from public.recordings'),
  ('recordings', 'SELECT', 'select * from public.recordings order by created_at desc limit 20'),
  ('recordings', 'SELECT', $$ select * from public.recordings where mentorship_id = '33000000-0000-4000-9000-000000000040' order by created_at desc limit 20 $$),
  ('recordings', 'SELECT', $$ select * from public.recordings where id = '55000000-0000-4000-9000-000000000039' $$),
  ('recording_files', 'SELECT', 'select kind from public.recording_files'),
  ('recording_files', 'SELECT', $$ select kind from public.recording_files where recording_id = '55000000-0000-4000-9000-000000000039' $$),
  ('recording_events', 'SELECT', 'select * from public.recording_events'),
  ('recording_events', 'SELECT', $$ select * from public.recording_events where recording_id = '55000000-0000-4000-9000-000000000039' order by id $$),
  ('notifications', 'SELECT', 'select * from public.notifications order by created_at desc limit 20'),
  ('notifications', 'UPDATE', 'update public.notifications set read_at = now() where read_at is null'),
  ('playback_positions', 'SELECT', 'select * from public.playback_positions'),
  ('playback_positions', 'INSERT', $$ insert into public.playback_positions (recording_id, position_ms) values ('55000000-0000-4000-9000-000000000039', 1) $$),
  ('playback_positions', 'UPDATE', $$ update public.playback_positions set position_ms = 1 where recording_id = '55000000-0000-4000-9000-000000000039' $$),
  ('playback_events', 'SELECT', 'select * from public.playback_events'),
  ('playback_events', 'INSERT', $$ insert into public.playback_events (recording_id, kind) values ('55000000-0000-4000-9000-000000000039', 'started') $$);

-- Administrators look at few rows through views; what is asked here is what clients ask.
select bag_eq(
  $$ select distinct tablename::text, cmd from pg_policies where schemaname = 'public' $$,
  $$ select distinct on_table, verb from asked $$,
  'every policy is asked');

create temporary view plans as
  select row_number() over () as number, a.*, tests.plan_of('mentor', a.query) as plan from asked a;
create temporary table found as select * from plans;

create function pg_temp.said(p_plan jsonb, p_members text[], p_pattern text) returns text language sql as $$
  select string_agg(f #>> '{}', '; ')
  from unnest(p_members) m, jsonb_path_query(p_plan, format('$.**."%s"', m)::jsonpath) f where f #>> '{}' ~ p_pattern
$$;
select is(pg_temp.said(plan, array['Filter', 'Join Filter', 'Recheck Cond'], '[a-z0-9_]\('), null, format('no function for each row: %s', trim(query)))
from found order by number;
select is(pg_temp.said(plan, array['One-Time Filter', 'Index Cond', 'Hash Cond', 'Merge Cond'], '(access|auth|realtime)\.'), null, format('nor in another place: %s', trim(query)))
from found order by number;
select is_empty(
  format($$ select * from jsonb_path_query(%L::jsonb, '$.** ? (@."Node Type" == "Seq Scan")') $$, plan),
  format('by an index: %s', trim(query))) from found where verb <> 'INSERT' order by number;
-- The policy's array or id is looked up in the index, not compared with row after row.
select ok(
  exists (select from jsonb_path_query(plan, '$.**."Index Cond"') c where c #>> '{}' ~ 'InitPlan|= ''(33|55)'),
  format('the policy is an index condition: %s', trim(query))) from found
  where verb <> 'INSERT' and query !~ 'where id = ' order by number;

-- And who has none looks at none.
select is(
  (select count(*) from jsonb_path_query(tests.plan_of('stranger', 'select * from public.recordings order by created_at desc limit 20'), '$.** ? (@."Node Type" == "Seq Scan")'))::integer,
  0, 'a stranger does not make the database look at all recordings');

-- Writing a position asks for one recording, by its key.
select ok(
  exists (select from jsonb_path_query(plan, '$.** ? (@."Index Name" == "recordings_pkey")')) or plan::text !~ 'recordings'
  , format('checked by key: %s', trim(query))) from found where verb = 'INSERT';

select set_config('realtime.topic', 'mentorship:' || tests.mentorship(), true);
select is(
  pg_temp.said(tests.plan_of('mentor', $$ select * from realtime.messages where topic = 'x' $$), array['Filter'], '[a-z0-9_]\('),
  null, 'a topic is judged once, not for each message');

-- The check sees what it looks for.
alter policy "recordings of my mentorships" on public.recordings using (access.may_read_topic('mentorship:' || mentorship_id));
select matches(
  pg_temp.said(tests.plan_of('mentor', 'select * from public.recordings'), array['Filter'], '[a-z0-9_]\('),
  'may_read_topic', 'a policy that calls a function for each row is found');
select * from finish();
rollback;
