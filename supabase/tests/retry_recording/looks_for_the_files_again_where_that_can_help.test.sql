begin;
select plan(20);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table rec as select tests.failed_recording((select call_id from it)) as id;
-- The 72 h were over long ago.
update public.recordings set stopped_at = now() - interval '10 days', requested_at = now() - interval '10 days';
create temporary table events as select count(*) as n from public.recording_events;
grant select on it, rec, events to recorder_admin;

select tests.act_as_recorder_admin();
select is(recorder.retry_recording((select id from rec)), 'processing', 'a failed recording goes back to processing');
select is(recorder.retry_recording((select id from rec)), 'processing', 'asked twice it is the same');
select tests.act_as_administrator();
select results_eq(
  $$ select status, error is null, finished_at is null, stopped_at < now() - interval '9 days', deadline_at > now() + interval '71 hours'
     from public.recordings $$,
  $$ values ('processing', true, true, true, true) $$,
  'without an error, with the time it really stopped, and with all the time that files have');
select results_eq(
  $$ select recording_status, recording_error is null from public.video_calls $$, $$ values ('processing', true) $$, 'the call follows');
select is((select count(*) from recorder.jobs where kind = 'collect' and state = 'queued')::integer, 1, 'one collect job looks for the files');
select is((select count(*) from public.recording_events)::integer, (select n::integer + 1 from events), 'one line in the story');
select results_eq(
  $$ select actor, event, from_status, to_status from public.recording_events order by id desc limit 1 $$,
  $$ values ('administrator', 'recording.retried', 'failed', 'processing') $$, 'which says who did it');
select recorder.sweep();
select is((select status from public.recordings), 'processing', 'the sweep does not end it at once');
select tests.publish((select id from rec));
select is((select status from public.recordings), 'recorded', 'late files make it recorded');

-- Refusals change nothing.
create temporary table before as select r.status, r.version from public.recordings r;
select tests.act_as_recorder_admin();
select throws_ok($$ select recorder.retry_recording(null) $$, 'RC011', null, 'null is refused');
select throws_ok($$ select recorder.retry_recording(gen_random_uuid()) $$, 'RC012', null, 'an unknown id is refused');
select throws_ok($$ select recorder.retry_recording((select id from rec)) $$, 'RC303', null, 'a recorded one is refused');
select tests.act_as_administrator();
select results_eq('select status, version from public.recordings', 'select status, version from before', 'and nothing has changed');

create temporary table second as select tests.failed_recording((select call_id from it), repeat('2', 32), 'files.empty') as id;
create temporary table third as select tests.failed_recording((select call_id from it), repeat('3', 32), 'files.missing',
  '{"code": "store_access_denied", "blame": "configuration", "retry": "never", "message": "The storage key may not do this."}') as id;
select tests.wish((select call_id from it), 'starting');
select tests.wish((select call_id from it), 'stopping');
create temporary table fourth as select (tests.recording_of((select call_id from it))).id;
select tests.wish((select call_id from it), 'starting');
create temporary table fifth as select (tests.recording_of((select call_id from it))).id;
grant select on second, third, fourth, fifth to recorder_admin;
select tests.act_as_recorder_admin();
select throws_ok($$ select recorder.retry_recording((select id from second)) $$, 'RC301', null, 'where nothing was sent, nothing can be found');
select is(recorder.retry_recording((select id from third)), 'processing', 'a storage that an administrator has mended may be tried again');
select throws_ok($$ select recorder.retry_recording((select id from fourth)) $$, 'RC302', null, 'a recording that never began cannot be revived');
select throws_ok($$ select recorder.retry_recording((select id from fifth)) $$, 'RC303', null, 'a live one is refused');
select tests.act_as_administrator();
select results_eq(
  $$ select r.status from public.recordings r join (
       select 1 as rank, id from second union all select 2, id from fourth union all select 3, id from fifth) s using (id) order by s.rank $$,
  $$ values ('failed'), ('failed'), ('starting') $$, 'refused ones stay as they are');
select tests.act_as('service_role');
select throws_ok($$ select recorder.retry_recording('33000000-0000-4000-8000-000000000001') $$, '42501', null, 'the service key may not');
select tests.act_as('mentor');
select throws_ok($$ select recorder.retry_recording('33000000-0000-4000-8000-000000000001') $$, '42501', null, 'neither may a person');
select * from finish();
rollback;
