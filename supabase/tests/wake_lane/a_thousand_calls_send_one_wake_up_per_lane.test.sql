begin;
select plan(8);
select tests.people();
do $$
begin
  if not exists (select from vault.secrets where name = 'functions_url') then perform vault.create_secret('http://127.0.0.1:9/functions/v1', 'functions_url'); end if;
  if not exists (select from vault.secrets where name = 'wake_up_secret') then
    perform vault.create_secret('whsec_' || encode('01234567890123456789012345678901', 'base64'), 'wake_up_secret'); end if;
end
$$;
-- Even a commit that takes longer than the rest between two wake-ups.
update recorder.settings set value = 0 where name = 'wake_up_rest';
insert into public.video_calls (id, mentorship_id, channel)
select md5(n::text)::uuid, tests.mentorship(), md5(n::text) from generate_series(1, 1000) n;
update public.video_calls set recording_status = 'starting';
select recorder.enqueue('collect', id) from public.recordings;
select is((select count(*) from recorder.jobs)::integer, 2000, 'a thousand wishes, two lanes');
set constraints all immediate;
select results_eq(
  'select url, count(*) from net.http_request_queue group by url order by url',
  $$ values ('http://127.0.0.1:9/functions/v1/run-control', 1::bigint), ('http://127.0.0.1:9/functions/v1/run-storage', 1) $$,
  'one wake-up per lane and transaction');

-- In another transaction: here played by forgetting which one it was.
update recorder.lanes set last_wake_xact = null;
-- An hour instead of half a second: a busy machine may take that long for a statement.
update recorder.settings set value = 3600000 where name = 'wake_up_rest';
select recorder.enqueue('confirm', id) from public.recordings limit 1;
select is((select count(*) from net.http_request_queue)::integer, 2, 'within the rest nothing more is sent');
update recorder.lanes set last_wake_at = clock_timestamp() - interval '3601 s';
select recorder.enqueue('repair', id) from public.recordings limit 1;
select is((select count(*) from net.http_request_queue)::integer, 3, 'after it, one');
update recorder.lanes set last_wake_at = '-infinity', last_wake_xact = null;
select recorder.enqueue('heartbeat', id, null, now() + interval '1 minute') from public.recordings limit 1;
select is((select count(*) from net.http_request_queue)::integer, 3, 'work for later wakes nobody');

-- A wake-up that cannot be sent rests, too: it is tried once, not once per job.
select vault.update_secret(id, new_name => 'mislaid') from vault.secrets where name = 'wake_up_secret';
select lives_ok($$ select recorder.enqueue('stop', id) from public.recordings limit 10 $$, 'without its secret the work is written all the same');
select ok((select last_wake_at > clock_timestamp() - interval '1 minute' from recorder.lanes where lane = 'control'), 'and the failure is not repeated at once');
select is(recorder.wake_lane('dreams'), false, 'an unknown lane wakes nobody');
select * from finish();
rollback;
