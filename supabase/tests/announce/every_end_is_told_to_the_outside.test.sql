-- The outbox: one job per event, written in the transaction of the change.
begin;
select plan(17);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.finished_recording(call_id) as id from it;
create temporary view told as
  select j.id, j.payload ->> 'type' as type, j.payload, j.dedupe_key, j.state from recorder.jobs j where j.kind = 'notify' order by j.id;

select results_eq('select type, state from told', $$ values ('recording.recorded', 'queued') $$, 'a recording that is there is told');
select results_eq(
  $$ select payload -> 'data' from told $$,
  $$ select jsonb_build_object('recording_id', id, 'call_id', call_id, 'mentorship_id', mentorship_id, 'status', status,
       'error_code', null, 'expires_at', expires_at, 'version', version) from public.recordings $$,
  'with ids, status and version, and nothing about people');
select ok((select (payload ->> 'occurred_at')::timestamptz <= clock_timestamp() from told), 'and its time');
select matches((select payload ->> 'id' from told), '^evt_[0-9a-f]{32}$', 'under an id that the receiver can remember');
select results_eq($$ select lane, function_name from recorder.lanes where lane = 'notify' $$, $$ values ('notify', 'run-notify') $$, 'in a lane of its own');

select recorder.enqueue('collect', (select id from r));
select recorder.apply((select id from r), 'engine.gone', 'engine');
select is((select count(*)::integer from told), 1, 'what changes nothing is not told');

update public.recordings set expires_at = clock_timestamp() + interval '1 day';
select recorder.sweep();
select is((select max(type) from told where type like '%expire'), 'recording.about_to_expire', 'that it will go is told');
update public.recordings set expires_at = clock_timestamp() - interval '1 second';
select recorder_api.begin_deletion((select id from r), 1, 1, 0, 1);
select is((select count(*)::integer from told), 2, 'that it is being deleted is not: it is not gone yet');
select recorder_api.finish_deletion((select id from r), 1, 1);
select is((select type from told order by id desc limit 1), 'recording.expired', 'that it is gone is');
select is((select count(distinct payload ->> 'id')::integer from told), 3, 'each under an id of its own');

select tests.failed_recording(call_id) from it;
select results_eq($$ select type, payload #>> '{data,error_code}' from told order by id desc limit 1 $$,
  $$ values ('recording.failed', 'files_missing') $$, 'a failure is told with its code');

-- A claim brings the event, and what cannot be delivered is no line in anybody's story.
update recorder.jobs set state = 'done', finished_at = now() where kind <> 'notify' and state = 'queued';
update recorder.jobs set state = 'queued', finished_at = null, lease_token = null, leased_until = null where kind = 'notify';
create temporary table claimed as select j from jsonb_array_elements(tests.claim('notify', 1)) j;
select is((select j #>> '{payload,type}' from claimed), 'recording.recorded', 'the claim brings what is to be sent');
select is((select (j ->> 'max_attempts')::integer from claimed), 10, 'with ten tries');
create temporary table lines as select count(*) as n from public.recording_events;
select is(tests.finish((select j from claimed), 'give_up', '{"error": {"code": "receiver_gone", "blame": "configuration", "retry": "never", "message": "m"}}'), null, 'it may be given up');
select is((select count(*) from public.recording_events), (select n from lines), 'which the people of the recording need not read');
select is((select code from recorder.dead_jobs where kind = 'notify'), 'receiver_gone', 'but an administrator does');
select is(recorder.retry_job((select job_id from recorder.dead_jobs where kind = 'notify')), 'queued', 'and can have it sent again');
select * from finish();
rollback;
