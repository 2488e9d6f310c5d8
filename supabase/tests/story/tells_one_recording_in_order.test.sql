begin;
select plan(20);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
create temporary table r as select (tests.recording_of(call_id)).* from it;
grant select on r to recorder_admin;

-- One number from the wish to the work.
select isnt((select correlation_id from r), null, 'a wish makes a number');
select is((select correlation_id from recorder.jobs where kind = 'start'), (select correlation_id from r), 'its job carries it');
select is((tests.claim() -> 0 ->> 'correlation_id')::uuid, (select correlation_id from r), 'and brings it to the function');
create temporary table task as select tests.start_engine((select id from r)) as id;
select tests.confirm_engine((select id from task));
insert into recorder.inbox (notice_id, engine_task_id, event_type, event) select 'n1', id, 40, '{}' from task;
select tests.wish((select call_id from it), 'stopping', 'mentee');
select recorder_api.report((select id from task), 'task.gone', '{"files": []}');
select tests.publish((select id from r));
select is((select count(distinct correlation_id) from recorder.jobs where recording_id = (select id from r))::integer, 1, 'all its work has the same one');
insert into recorder.jobs (kind, lane, priority, dedupe_key, max_attempts) values ('audit', 'storage', 9, 'audit', 1);
select isnt((select correlation_id from recorder.jobs where kind = 'audit'), (select correlation_id from r), 'other work has another');

-- The story.
update recorder.jobs set state = 'dead', finished_at = clock_timestamp(), attempts = 3, last_error = recorder.error_of('files_missing'), lease_token = null, leased_until = null
where kind = 'collect';
select tests.act_as_recorder_admin();
create temporary table story as select row_number() over () as n, s.* from recorder.story((select id from r)) s;
create function pg_temp.says(p_source text, p_event text) returns text language sql as
  $$ select sentence from story where source = p_source and event = p_event order by n limit 1 $$;
select is(pg_temp.says('event', 'recording.requested'), 'Somebody wished to record. nothing → starting. By user.', 'who wished what');
select is(pg_temp.says('event', 'recording.stop_requested'), 'Stop is wanted. recording → stopping. By user. Reason: user.', 'and when to stop');
select is(pg_temp.says('event', 'files.published'), 'Everything is in the bucket and verified. processing → recorded. By storage.', 'what became of it');
select matches(pg_temp.says('attempt', 'task.prepared'), '^Attempt 1: a recorder with uid \d+ is prepared\.$', 'which recorder was tried');
select is(pg_temp.says('attempt', 'task.confirmed'), 'Attempt 1: the engine confirmed that it is in the channel.', 'what it did');
select is(pg_temp.says('engine', 'engine_event.40'), 'The engine sent event 40, not applied yet.', 'what the engine sent');
select matches(pg_temp.says('job', 'job.queued'), '^Job \d+ \(start\) is at work, try 1\.$', 'what work there is');
select matches(pg_temp.says('job', 'job.dead'), '^Job \d+ \(collect\) was given up, try 3: files_missing\.$', 'and was, with its end');
select matches(pg_temp.says('file', 'file.verified'), '^A file \(playlist, 0\.0 MB, 60 s\) was seen in the bucket\.$', 'what files came');
select matches(pg_temp.says('outcome', 'recording.recorded'), '^Outcome: recorded, \d+ s after the wish to stop\.$', 'and the outcome');
select is_empty('select * from (select at, lag(at) over (order by n) as before from story) s where before > at', 'all in the order of time');
select throws_ok('select * from recorder.story(gen_random_uuid())', 'RC012', null, 'of a recording that is not there nobody tells');
select throws_ok('select * from recorder.story(null)', 'RC011', null, 'nor of none');
select tests.act_as_administrator();

-- Every event that a function writes has words.
create temporary table written as
  select distinct m[1] as event from pg_proc p, regexp_matches(p.prosrc, 'recorder\.note\(\s*[^,]+,\s*[^,]+,\s*''([a-z_.]+)''', 'g') m
  where p.pronamespace in ('recorder'::regnamespace, 'recorder_api'::regnamespace);
select cmp_ok((select count(*) from written), '>', 12::bigint, 'functions write events');
select is_empty(
  $$ select w.event from written w
     where not exists (select from recorder.event_meanings e where e.event = w.event)
       and not exists (select from recorder.transitions t where t.event = w.event) $$,
  'every event of a story has a meaning');
select * from finish();
rollback;
