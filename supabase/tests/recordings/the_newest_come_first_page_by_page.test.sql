begin;
select plan(6);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create function pg_temp.recording(p_at timestamptz) returns uuid language sql as $$
  insert into public.recordings (call_id, mentorship_id, channel, status, quality, layout, created_at, finished_at, error)
  select call_id, tests.mentorship(), md5(p_at::text), 'failed', '720p', 'best_fit', p_at, p_at, recorder.error_of('stopped_before_start') from it
  returning id $$;
select pg_temp.recording(timestamptz '2026-01-01' + n * interval '1 day') from generate_series(1, 30) n;

select tests.act_as('mentee');
select is((select count(*) from public.list_my_recordings())::integer, 20, 'twenty by default');
select results_eq(
  'select created_at from public.list_my_recordings(2)',
  $$ values (timestamptz '2026-01-31'), (timestamptz '2026-01-30') $$, 'the newest first');
select results_eq(
  $$ select created_at from public.list_my_recordings(2, timestamptz '2026-01-30') $$,
  $$ values (timestamptz '2026-01-29'), (timestamptz '2026-01-28') $$, 'the next page goes on where the last one ended');
select is((select count(*) from public.list_my_recordings(-1))::integer, 0, 'a nonsense number is none');
select is((select count(*) from public.list_my_recordings(1000000))::integer, 30, 'and a huge one is bounded');
select tests.act_as('stranger');
select is((select count(*) from public.list_my_recordings())::integer, 0, 'a stranger sees nothing');
select * from finish();
rollback;
