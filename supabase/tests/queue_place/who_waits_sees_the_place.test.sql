-- At the ceiling everybody who waits is told the place in the queue, by the order of the wishes.
begin;
select plan(25);
select tests.people();
update recorder.settings set value = 2 where name = 'concurrent_tasks';
update recorder.engine_accounts set requests_per_second = 1000;

-- Six mentorships of the two, and a call of each: six channels.
create temporary table it (n integer primary key, call_id uuid, recording_id uuid);
insert into public.mentorships (id, instructor_id, mentee_id)
select ('33000000-0000-4000-8000-00000000001' || n)::uuid, m.instructor_id, m.mentee_id
from generate_series(1, 6) n cross join public.mentorships m where m.id = tests.mentorship();
insert into it
select n, c.id from generate_series(1, 6) n
cross join lateral (select ('44000000-0000-4000-8000-00000000001' || n)::uuid as id) c;
insert into public.video_calls (id, mentorship_id) select call_id, ('33000000-0000-4000-8000-00000000001' || n)::uuid from it;
create function pg_temp.wish(p_n integer, p_word text) returns text language sql as $$
  select tests.wish((select call_id from it where n = p_n), p_word) $$;
create function pg_temp.start(p_n integer) returns void language plpgsql as $$
begin
  perform pg_temp.wish(p_n, 'starting');
  update it set recording_id = (tests.recording_of(call_id)).id where n = p_n;
  update public.recordings set requested_at = now() - interval '1 minute' + make_interval(secs => p_n), deadline_at = now() + interval '5 minutes'
  where id = (select recording_id from it where n = p_n);
  update recorder.jobs set run_at = now() - interval '1 minute' + make_interval(secs => p_n) where recording_id = (select recording_id from it where n = p_n);
end $$;
-- What happens a second later; that second is a quarter of an hour here, so that a busy machine changes nothing.
update recorder.settings set value = 1000 * value where name = 'queue_place_rest';
create function pg_temp.look(p_limit integer default 10) returns setof text language plpgsql as $$
begin
  update recorder.engine_accounts set queue_numbered_at = '-infinity';
  return query
    select i.n::text from jsonb_array_elements(tests.claim('control', p_limit)) j join it i on i.recording_id = (j ->> 'recording_id')::uuid
    where j ->> 'kind' = 'start';
end $$;
create function pg_temp.places() returns text language sql as $$
  select string_agg(i.n || ':' || r.queue_place, ' ' order by r.queue_place) from it i join public.recordings r on r.id = i.recording_id
  where r.queue_place is not null $$;
create function pg_temp.engine(p_n integer) returns void language plpgsql as $$
begin
  perform tests.start_engine((select recording_id from it where n = p_n), md5('sid ' || p_n));
  update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now()
  where kind = 'start' and state = 'running' and recording_id = (select recording_id from it where n = p_n);
end $$;

select pg_temp.start(n) from generate_series(1, 5) n;
select is(pg_temp.places(), null, 'a wish alone is no queue: nobody knows yet that somebody has to wait');
select results_eq('select pg_temp.look()', $$ values ('1'), ('2') $$, 'two recorders may run: the first two wishes are started');
select is(pg_temp.places(), '3:1 4:2 5:3', 'the others have their places, in the order of the wishes');
select pg_temp.engine(n) from generate_series(1, 2) n;
select is(pg_temp.places(), '3:1 4:2 5:3', 'which they keep');
select results_eq('select recording_queue_place from it join public.video_calls c on c.id = it.call_id where n < 6 order by n',
  'values (null::integer), (null), (1), (2), (3)', 'the calls show them');

-- What is told, and how often.
select is(
  (select m.payload ->> 'recording_queue_place' from realtime.messages m
   where m.event = 'call.changed' and m.payload ->> 'call_id' = (select call_id::text from it where n = 5)
   order by (m.payload ->> 'version')::bigint desc limit 1), '3', 'and their watchers are told');
select is(
  (select m.payload ->> 'queue_place' from realtime.messages m
   where m.event = 'recording.changed' and m.payload ->> 'recording_id' = (select recording_id::text from it where n = 5)
   order by (m.payload ->> 'version')::bigint desc limit 1), '3', 'as are those of the mentorship');
create temporary table version as select max(version) as last from public.recordings;
select is_empty('select pg_temp.look()', 'nobody is free');
select is((select max(version) from public.recordings), (select last from version), 'as long as no place changes, nothing is written');
select is((select count(*) from public.recordings r join public.video_calls c on c.recording_id = r.id
  where r.version <> c.recording_version)::integer, 0, 'call and recording have one version');

-- Somebody leaves the queue.
select is(pg_temp.wish(4, 'stopping'), 'failed', 'who stops while waiting is out');
select results_eq('select queue_place from public.recordings where id = (select recording_id from it where n = 4)', 'values (null::integer)', 'and has no place any more');
update recorder.engine_accounts set queue_numbered_at = clock_timestamp();
select tests.claim();
select is(pg_temp.places(), '3:1 5:3', 'places are not numbered twice in a second');
select pg_temp.look();
select is(pg_temp.places(), '3:1 5:2', 'then the others move up');

-- A place comes free.
select tests.confirm_engine(t.id) from recorder.engine_tasks t where t.recording_id = (select recording_id from it where n = 1);
select recorder_api.report(t.id, 'task.gone') from recorder.engine_tasks t where t.recording_id = (select recording_id from it where n = 1);
update recorder.engine_tasks set gone_at = gone_at - recorder.seconds('place_rest') where state = 'gone';
select pg_temp.start(6);
select results_eq('select pg_temp.look()', $$ values ('3') $$, 'a recorder ends: the first in the queue is started');
select is(pg_temp.places(), '5:1 6:2', 'the others move up, the newcomer is last');
select pg_temp.engine(3);
select is((select phase from public.recordings where id = (select recording_id from it where n = 3)), 'requested', 'who is served');
select is((select recording_queue_place from public.video_calls where id = (select call_id from it where n = 3)), null, 'has no place');

-- Who has lost a recorder does not queue up behind those who came later.
select recorder_api.report(t.id, 'task.lost', '{"is_certain": true}') from recorder.engine_tasks t where t.recording_id = (select recording_id from it where n = 3);
update recorder.engine_tasks set gone_at = gone_at - recorder.seconds('place_rest') where state = 'gone';
select results_eq('select pg_temp.look()', $$ values ('3') $$, 'an attempt is lost: the same wish is served first');

-- The sweep does it where no drain looks.
update public.recordings set requested_at = requested_at - interval '1 hour' where id = (select recording_id from it where n = 6);
update recorder.engine_accounts set queue_numbered_at = '-infinity';
select recorder.sweep();
select is(pg_temp.places(), '6:1 5:2', 'the sweep numbers the queue too');
select is((select recording_queue_place from public.video_calls where id = (select call_id from it where n = 6)), 1, 'and its calls follow');

-- Waiting ends.
update public.recordings set deadline_at = now() - interval '1 second' where phase = 'queued';
select recorder.sweep();
select results_eq($$ select error ->> 'code', error ->> 'blame' from public.recordings where status = 'failed' and stop_requested_at is null $$,
  $$ values ('no_recorder_available', 'engine'), ('no_recorder_available', 'engine') $$, 'after 300 s they are told that no recorder came');
select is(pg_temp.places(), null, 'and wait no longer');
select is(recorder.setting('queued_deadline')::integer, 300, 'five minutes after the wish');

-- It is a fact: nobody writes it.
grant select on it to service_role;
select tests.act_as('service_role');
select throws_ok($$ update public.video_calls set recording_queue_place = 1 where id = (select call_id from it where n = 1) $$,
  'RC003', null, 'nobody gives oneself a place');
select * from finish();
rollback;
