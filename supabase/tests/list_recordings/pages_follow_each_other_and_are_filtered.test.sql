-- A page of a mentorship's recordings: newest first, the next goes on where the last ended, also among rows of one moment.
begin;
select plan(23);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
insert into public.recordings (
  call_id, mentorship_id, instructor_id, mentee_id, channel, status, quality, layout, requested_by, created_at, finished_at, error, stopped_at,
  duration_ms, size_bytes, stored_bytes, is_partial)
select call_id, tests.mentorship(), '11000000-0000-4000-8000-000000000001', '22000000-0000-4000-8000-000000000001', 'c' || n,
  case when n % 5 = 0 then 'failed' else 'recorded' end, case when n % 2 = 0 then '720p' else '1080p' end, 'best_fit',
  tests.person(case when n % 3 = 0 then 'mentee' else 'mentor' end),
  -- Three at a time at the same moment.
  timestamptz '2026-01-01 22:30Z' + (n / 3) * interval '1 day', '2026-03-01', case when n % 5 = 0 then recorder.error_of('files_missing') end, '2026-03-01',
  1000, 1000, 1000, n = 7
from it cross join generate_series(0, 29) n;

create function pg_temp.list(p_before jsonb default null, p_newest integer default 4) returns jsonb language sql as $$
  select public.list_recordings(tests.mentorship(), (p_before ->> 'at')::timestamptz, (p_before ->> 'id')::uuid, p_newest) $$;
create function pg_temp.walk() returns table (page integer, id uuid, at timestamptz) language plpgsql as $$
declare v_next jsonb; v_list jsonb; v_page integer := 0;
begin
  loop
    v_list := pg_temp.list(v_next); v_next := v_list -> 'next'; v_page := v_page + 1;
    return query select v_page, (c ->> 'id')::uuid, (c ->> 'created_at')::timestamptz from jsonb_array_elements(v_list -> 'recordings') c;
    exit when v_next is null or v_next = 'null' or v_page > 20;
  end loop;
end $$;

select tests.act_as('mentee');
select is((select count(distinct id)::integer from pg_temp.walk()), 30, 'walking from page to page meets every recording');
select is((select count(*)::integer from pg_temp.walk()), 30, 'and none twice');
select is((select max(page) from pg_temp.walk()), 8, 'thirty in fours are eight pages');
select results_eq('select at from pg_temp.walk()', 'select at from pg_temp.walk() order by at desc', 'the newest first');
select is(pg_temp.list() ->> 'total', '30', 'the first page says how many there are');
select is(pg_temp.list(pg_temp.list() -> 'next') ->> 'total', null, 'the next one does not count again');
select is(pg_temp.list(null, 30) -> 'next', 'null', 'a full page that is the last has no next');
select is(jsonb_array_length(pg_temp.list(null, 0) -> 'recordings'), 1, 'fewer than one is one');

create function pg_temp.total(p_arguments text) returns integer language plpgsql as $$
declare v_list jsonb;
begin
  execute format('select public.list_recordings(tests.mentorship(), %s)', p_arguments) into v_list;
  return (v_list ->> 'total')::integer;
end $$;
select is(pg_temp.total($$statuses => '{failed}'$$), 6, 'by status');
select is(pg_temp.total($$qualities => '{720p}'$$), 15, 'by quality');
select is(pg_temp.total($$since => '2026-01-03', until => '2026-01-05'$$), 6, 'by days');
select is(pg_temp.total($$is_partial => true$$), 1, 'those with gaps');
select is(pg_temp.total($$search => 'chidi'$$), 10, 'a search finds who pressed record');
select is(pg_temp.total($$search => '  CHIDI   failed '$$), 2, 'every word has to be found');
select is(pg_temp.total($$search => '2026-01-01 thursday', time_zone => 'Europe/Berlin'$$), 3, 'a day is the asker''s day: 23:30 in Berlin');
select is(pg_temp.total($$search => '2026-01-01', time_zone => 'Asia/Tokyo'$$), 0, 'which is another one in Tokyo');
select is(pg_temp.total($$search => 'c_idi'$$), 0, 'what is a wildcard to Postgres is a letter to people');
select is(pg_temp.total($$search => '   '$$), 30, 'blanks search for nothing');
select throws_ok($$select public.list_recordings(tests.mentorship(), time_zone => 'Moon/Base')$$, 'RC502', null, 'a time zone nobody knows is refused');
select throws_ok(format('select public.list_recordings(tests.mentorship(), search => %L)', repeat('x', 201)), 'RC502', null, 'so is an endless search');

select tests.act_as('stranger');
select is(public.list_recordings(tests.mentorship()), public.list_recordings(gen_random_uuid()), 'to a stranger a mentorship looks as if it were not there');
select is(public.list_recordings(tests.mentorship()) -> 'recordings', '[]', 'and shows nothing');
select tests.act_as_administrator();
select ok(tests.plan_of('mentee', $$select * from public.recordings r where r.mentorship_id = tests.mentorship() order by created_at desc, id desc limit 5$$)::text
  like '%recordings_page_of_mentorship%', 'a page is read from its index');
select * from finish();
rollback;
