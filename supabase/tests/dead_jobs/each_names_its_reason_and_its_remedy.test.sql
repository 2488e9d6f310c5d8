begin;
select plan(7);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table rec as select tests.failed_recording((select call_id from it)) as id;
select is_empty('select * from recorder.dead_jobs', 'finished jobs are not dead');

update recorder.jobs set state = 'dead', finished_at = now(), last_error = recorder.error_of('files_missing') || '{"detail": "listing answered 503"}'
where kind in ('collect', 'start', 'stop');
grant select on it, rec to recorder_admin;
select tests.act_as_recorder_admin();
select results_eq(
  $$ select kind, recording_id = (select id from rec), recording_status, code, reason, detail from recorder.dead_jobs where kind = 'collect' $$,
  $$ values ('collect', true, 'failed', 'files_missing', 'The files of the recording did not arrive.', 'listing answered 503') $$,
  'a dead job says why it was given up and what it belongs to');
select is((select how_to_retry from recorder.dead_jobs where kind = 'collect'),
  format('select recorder.retry_recording(%L);', (select id from rec)), 'files are tried again through the recording');
select matches((select how_to_retry from recorder.dead_jobs where kind = 'start'), '^Cannot be retried', 'a start cannot be made good');
select is((select how_to_retry from recorder.dead_jobs where kind = 'stop'),
  format('select recorder.retry_job(%s);', (select job_id from recorder.dead_jobs where kind = 'stop')), 'other work through the job');

select recorder.retry_recording((select id from rec));
select is_empty($$ select * from recorder.dead_jobs where kind = 'collect' $$, 'what was asked for again since is dead no longer');
select recorder.retry_job((select job_id from recorder.dead_jobs where kind = 'stop'));
select is_empty($$ select * from recorder.dead_jobs where kind = 'stop' $$, 'neither is a job that was queued again');
select * from finish();
rollback;
