begin;
select plan(27);
select tests.people();
do $$
begin
  if not exists (select from vault.secrets where name = 'functions_url') then perform vault.create_secret('http://127.0.0.1:9/functions/v1', 'functions_url'); end if;
  if not exists (select from vault.secrets where name = 'wake_up_secret') then
    perform vault.create_secret('whsec_' || encode('01234567890123456789012345678901', 'base64'), 'wake_up_secret'); end if;
end
$$;
create temporary table it as select tests.new_call() as call_id;
create function pg_temp.r() returns public.recordings language sql as $$ select (tests.recording_of((select call_id from it))) $$;
create function pg_temp.sweep(p_key text) returns integer language sql as $$ select (recorder.sweep() ->> p_key)::integer $$;
create function pg_temp.all_done() returns void language sql as $$
  update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now() where state in ('queued', 'running') $$;

-- Wake-ups: the queue of pg_net does not survive a crash.
select tests.wish((select call_id from it), 'starting');
set constraints all immediate;
delete from net.http_request_queue;
update recorder.lanes set last_wake_at = now() - interval '10 seconds';
select is(pg_temp.sweep('woken_lanes'), 1, 'a lost wake-up is sent again');
update recorder.jobs set run_at = now() + interval '1 minute';
update recorder.lanes set last_wake_at = now() - interval '10 seconds';
select is(pg_temp.sweep('woken_lanes'), 0, 'but none for what is not due');

-- Leases.
update recorder.jobs set run_at = now();
select tests.claim();
select recorder.enqueue('start', (pg_temp.r()).id);
update recorder.jobs set leased_until = now() - interval '1 second' where state = 'running';
select is(pg_temp.sweep('expired_leases'), 1, 'a worker died');
select results_eq('select state, attempts from recorder.jobs order by id', $$ values ('done', 1), ('queued', 1) $$, 'the twin that waits goes on in its place, with its count');
update recorder.jobs set attempts = max_attempts - 1 where state = 'queued';
select tests.claim();
update recorder.jobs set leased_until = now() - interval '1 second' where state = 'running';
select pg_temp.sweep('expired_leases');
select results_eq($$ select (pg_temp.r()).status, (pg_temp.r()).error ->> 'code' $$, $$ values ('failed', 'unexpected_error') $$, 'a start whose worker died every time fails its recording');
select is((select last_error ->> 'detail' from recorder.jobs where state = 'dead'), 'the lease expired: the worker died or was too slow', 'and says why');

-- Jobs that their state needs.
select tests.wish((select call_id from it), 'starting');
select pg_temp.all_done();
select is(pg_temp.sweep('forgotten_jobs'), 1, 'a recording that waits without a start');
select is((select count(*) from recorder.jobs where kind = 'start' and state = 'queued')::integer, 1, 'gets one');
create temporary table task as select tests.start_engine((pg_temp.r()).id) as id;
select tests.confirm_engine((select id from task));
select tests.wish((select call_id from it), 'stopping');
select pg_temp.all_done();
select is(pg_temp.sweep('orphan_tasks'), 1, 'a recorder that should stop without a job');
select is((select count(*) from recorder.jobs where kind = 'stop' and state = 'queued')::integer, 1, 'gets one');
select is(pg_temp.sweep('orphan_tasks'), 0, 'one');

-- Never beside work that is being done.
update public.recordings set deadline_at = now() - interval '1 second' where status = 'stopping';
select tests.claim();
select is(pg_temp.sweep('passed_deadlines'), 0, 'a deadline waits while a job holds its lease');
select pg_temp.all_done();
select is(pg_temp.sweep('passed_deadlines'), 1, 'then it acts');
select is((pg_temp.r()).status, 'processing', 'as it should');
select pg_temp.all_done();
select is(pg_temp.sweep('forgotten_jobs'), 1, 'files that nobody looks for');
select is((select count(*) from recorder.jobs where kind = 'collect' and state = 'queued')::integer, 1, 'are looked for');
select recorder_api.files_failed((pg_temp.r()).id, 'files.empty');

-- A stop whose recorders are all gone, unnoticed.
select tests.wish((select call_id from it), 'starting');
create temporary table task2 as select tests.start_engine((pg_temp.r()).id, repeat('b', 32)) as id;
select tests.wish((select call_id from it), 'stopping');
update recorder.engine_tasks set state = 'gone', gone_at = now() where id = (select id from task2);
select is(pg_temp.sweep('forgotten_jobs'), 1, 'nobody drew the conclusion');
select is((pg_temp.r()).status, 'processing', 'the sweep does');

-- Calls that somebody held when their recording moved.
update recorder.channels set owed_call_ids = array[(select call_id from it), gen_random_uuid()]
where channel = (select channel from public.video_calls where id = (select call_id from it));
grant select on it to recorder_owner;
set local role recorder_owner;
update public.video_calls set recording_status = 'recording', recording_version = 1 where id = (select call_id from it);
set local role postgres;
select is(pg_temp.sweep('mirrored_calls'), 1, 'a call that could not follow');
select is((select recording_status from public.video_calls where id = (select call_id from it)), 'processing', 'follows now');
select is((select count(*) from recorder.channels where owed_call_ids <> '{}')::integer, 0, 'and nothing is owed any more, least of all to a call that is gone');

-- Cleaning, in limited batches, and never the story.
select pg_temp.all_done();
update recorder.jobs set finished_at = now() - interval '8 days' where state = 'done';
insert into recorder.inbox (notice_id, event_type, event, received_at) select 'old ' || n, 1, '{}', now() - interval '8 days' from generate_series(1, 7) n;
update public.recording_events set happened_at = now() - interval '10 years';
create temporary table story as select count(*) from public.recording_events;
update recorder.settings set value = 3 where name = 'sweep_batch';
create temporary table cleaned as select recorder.sweep() as s;
select results_eq($$ select s -> 'cleaned_jobs', s -> 'cleaned_events' from cleaned $$, $$ values ('3'::jsonb, '3'::jsonb) $$, 'no more than a batch at a time');
update recorder.settings set value = 500 where name = 'sweep_batch';
select recorder.sweep();
select is((select count(*) from recorder.inbox)::integer, 0, 'in the end all that is old');
select is((select count(*) from recorder.jobs where state = 'done' and finished_at < now() - interval '7 days')::integer, 0, 'finished jobs too');
select is((select count(*) from recorder.jobs where state = 'dead')::integer, 1, 'a dead job stays, with its reason');
select results_eq('select count(*) from public.recording_events', 'select count from story', 'the story is never cleaned');

-- Places of a lane.
update recorder.settings set value = 3 where name = 'drains_per_lane';
select recorder.sweep();
select is((select count(*) from recorder.drains where lane = 'control')::integer, 3, 'a raised number of drains takes effect');
select * from finish();
rollback;
