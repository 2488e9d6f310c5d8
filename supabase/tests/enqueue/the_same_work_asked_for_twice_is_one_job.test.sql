begin;
select plan(13);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
create temporary table r as select (tests.recording_of((select call_id from it))).id;

select recorder.enqueue('start', (select id from r));
select is((select count(*) from recorder.jobs)::integer, 1, 'asked for twice while it waits: one job');
update recorder.jobs set run_at = '2100-01-01';
select recorder.enqueue('start', (select id from r), null, '2099-01-01');
select is((select run_at from recorder.jobs), '2099-01-01'::timestamptz, 'due at the earlier of both times');
select recorder.enqueue('start', (select id from r), null, '2100-01-01');
select is((select run_at from recorder.jobs), '2099-01-01'::timestamptz, 'a later time postpones nothing');

update recorder.jobs set run_at = now();
create temporary table claimed as select tests.claim() as jobs;
select recorder.enqueue('start', (select id from r));
select results_eq(
  'select state from recorder.jobs order by id', $$ values ('running'), ('queued') $$, 'asked for while it is being done: once more');
select is(jsonb_array_length(tests.claim()), 0, 'but not at the same time');
select is(tests.finish(jobs -> 0, 'done'), null, 'the first is done') from claimed;
select is(jsonb_array_length(tests.claim()), 1, 'then the second');
select is((select count(distinct engine_account) from recorder.jobs where kind = 'start')::integer, 1, 'for the same account');

select throws_ok($$ select recorder.enqueue('dream', (select id from r)) $$, 'RC501', null, 'an unknown kind');
select throws_ok($$ select recorder.enqueue(null, (select id from r)) $$, 'RC501', null, 'no kind');
select throws_ok($$ select recorder.enqueue('start', null) $$, 'RC011', null, 'no recording');
select throws_ok($$ select recorder.enqueue('start', (select id from r), null, null) $$, 'RC011', null, 'no time');
select throws_ok($$ select recorder.enqueue('start', gen_random_uuid()) $$, '23503', null, 'an unknown recording');
select * from finish();
rollback;
