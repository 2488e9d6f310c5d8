begin;
select plan(12);
select tests.people();
-- Two people of the old portal: a row each, one channel.
create temporary table a as select gen_random_uuid() as id;
create temporary table b as select gen_random_uuid() as id;
insert into public.video_calls (id, mentorship_id) select id, tests.mentorship() from a union all select id, tests.mentorship() from b;
create function pg_temp.shown(p_call uuid) returns text language sql as $$ select recording_status from public.video_calls where id = p_call $$;

select is(tests.wish((select id from a), 'starting'), 'starting', 'one presses');
select is(pg_temp.shown((select id from b)), 'starting', 'the other sees it');
select is(tests.wish((select id from b), 'starting', 'mentee'), 'starting', 'presses too');
select is((select count(*) from public.recordings)::integer, 1, 'and it is one recording');
create temporary table task as select tests.start_engine((select id from public.recordings)) as id;
select tests.confirm_engine((select id from task));
select is(tests.wish((select id from b), 'stopping', 'mentee'), 'stopping', 'the other may stop it');
select is(pg_temp.shown((select id from a)), 'stopping', 'and the first one sees it');
select throws_ok($$ select tests.wish((select id from a), 'starting') $$, 'RC004', null, 'start while stopping is refused');
select recorder_api.report((select id from task), 'task.gone');
select is(tests.wish((select id from b), 'starting'), 'starting', 'while the last one is processing a new one begins');
select is((select count(*) from public.recordings)::integer, 2, 'a recording of its own');
select is(pg_temp.shown((select id from a)), 'starting', 'which both see');
select results_eq(
  $$ select requested_by, quality, instructor_id is not null, mentee_id is not null from public.recordings where status = 'starting' $$,
  $$ select tests.person('mentor'), '720p', true, true $$, 'it knows who wished, what, and who takes part');
select is((select deadline_at - requested_at from public.recordings where status = 'starting'), interval '5 minutes', 'and how long it may wait');
select * from finish();
rollback;
