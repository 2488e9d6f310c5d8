begin;
select plan(43);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.finished_recording(call_id) as id from it;
grant select on r to recorder_admin;
update recorder.jobs set state = 'done', finished_at = now();
create temporary table audit (id uuid);
create function pg_temp.begin() returns uuid language plpgsql as $$
declare v uuid := (recorder_api.begin_audit() ->> 'audit_id')::uuid;
begin delete from audit; insert into audit values (v); return v; end $$;
create function pg_temp.save(p_findings jsonb) returns jsonb language sql as $$
  select recorder_api.save_audit((select id from audit), p_findings, 'recordings/k', tests.mentorship(), '{"recordings": 2, "versions": 10, "bytes": 1000}') $$;
create function pg_temp.finding(p_kind text, p_key text) returns jsonb language sql as $$
  select jsonb_build_array(jsonb_build_object('kind', p_kind, 'key', p_key, 'recording_id', (select id from r), 'detail', '{"bytes": 1}'::jsonb)) $$;
create function pg_temp.red() returns boolean language sql as $$ select not is_ok from recorder.health where name = 'audit_findings' $$;

-- Asked for by night and by hand, done one at a time.
select is((select schedule from cron.job where jobname = 'recorder-audit'), '23 2 * * *', 'it runs every night');
select tests.act_as_recorder_admin();
select is(recorder.request_audit(), true, 'an administrator may ask for one');
select is(recorder.request_audit(), false, 'twice is once');
select tests.act_as_administrator();
select results_eq($$ select kind, lane, recording_id from recorder.jobs where state = 'queued' $$, $$ values ('audit', 'storage', null::uuid) $$, 'it is a job without a recording');
create temporary table claimed as select j from jsonb_array_elements(tests.claim('storage')) j;
select is((select j ->> 'kind' from claimed), 'audit', 'which the storage lane claims');
select is(recorder.request_audit(), false, 'while it runs no other is asked for');

select ok(pg_temp.begin() is not null, 'it begins');
select is((select recorder_api.begin_audit() ->> 'audit_id')::uuid, (select id from audit), 'and goes on where it was');
select is((select recorder_api.begin_audit() ->> 'after_key'), null, 'from the beginning');

-- Findings.
create temporary table saved as select pg_temp.save(pg_temp.finding('old_versions', 'k1') || pg_temp.finding('file_missing', 'k2')) as s;
select is((select jsonb_array_length(s) from saved), 2, 'what it finds has an id each');
select is((select recorder_api.begin_audit() ->> 'after_key'), 'recordings/k', 'how far it came is saved with it');
select is((select recorder_api.begin_audit() ->> 'after_id')::uuid, tests.mentorship(), 'on both sides');
select is(pg_temp.red(), true, 'a missing file is red');
select matches((select explanation from recorder.health where name = 'audit_findings'), '^1 × file_missing, 1 × old_versions\. See', 'and named');
create temporary table first as select id, found_at from recorder.audit_findings where key = 'k2';
select pg_temp.save(pg_temp.finding('file_missing', 'k2'));
select results_eq($$ select id, found_at from recorder.audit_findings where key = 'k2' $$, 'select id, found_at from first', 'seen again it is the same');
select is(recorder_api.mark_repaired((select id from recorder.audit_findings where key = 'k1')), true, 'what is mended is marked');
select is(recorder_api.finish_audit((select id from audit)), 0, 'it ends');
select matches((select explanation from recorder.health where name = 'audit'), '^Last audit: 4 recordings, \d+ s ago', 'and health says so');
select throws_ok($$ select pg_temp.save('[]') $$, 'RC806', null, 'what is over takes no findings');
select throws_ok($$ select recorder_api.finish_audit((select id from audit)) $$, 'RC806', null, 'nor another end');

-- The next one.
select isnt(pg_temp.begin(), (select audit_id from recorder.audit_findings limit 1), 'the next one is another');
select pg_temp.save(pg_temp.finding('expired_left', 'k3'));
select is(recorder_api.finish_audit((select id from audit)), 2, 'what it did not see is resolved');
select results_eq($$ select key, resolved_at is not null from recorder.audit_findings order by key $$,
  $$ values ('k1', true), ('k2', true), ('k3', false) $$, 'and only that');
select is(recorder_api.mark_repaired((select id from recorder.audit_findings where key = 'k1')), false, 'what is resolved is not mended any more');
select pg_temp.begin();
select pg_temp.save(pg_temp.finding('file_missing', 'k2') || pg_temp.finding('unknown_object', 'k4'));
select is((select count(*)::integer from recorder.audit_findings where key = 'k2'), 2, 'what comes back is a new finding');
select recorder_api.finish_audit((select id from audit));
select pg_temp.begin();
select pg_temp.save(pg_temp.finding('unknown_object', 'k4'));
select recorder_api.finish_audit((select id from audit));
select is(pg_temp.red(), false, 'a stray is named and is not red');
select pg_temp.begin();
select throws_ok($$ select pg_temp.save('[{"kind": "gossip", "key": "k"}]') $$, 'RC502', null, 'a kind that nobody knows is refused');
select throws_ok($$ select pg_temp.save(null) $$, 'RC011', null, 'and null');

-- What the rows say.
select is(jsonb_array_length(recorder_api.audit_facts(null, 'ffffffff-ffff-ffff-ffff-ffffffffffff', '{}', 10)), 1, 'what should have files is compared, met or not');
select is(recorder_api.audit_facts(null, null, '{}', 10), '[]', 'of those that are asked for only, without a range');
select is(recorder_api.audit_facts((select id from r), 'ffffffff-ffff-ffff-ffff-ffffffffffff', '{}', 10), '[]', 'those before the range are past');
select results_eq(
  $$ select f ->> 'status', jsonb_array_length(f -> 'files'), f #> '{tasks,0,has_recorded}', f -> 'is_held' from jsonb_array_elements(recorder_api.audit_facts(null, null, array[(select id from r)], 10)) f $$,
  $$ values ('recorded', 1, 'true'::jsonb, 'false'::jsonb) $$, 'with files and engine tasks');

-- Repairs go through the ordinary jobs.
select is(recorder_api.repair_recording((select id from r), 'expired_left'), false, 'what is not expired has no leftovers');
select is(recorder_api.repair_recording((select id from r), 'late_files'), false, 'what is there is not late');
select is(recorder_api.repair_recording((select id from r), 'source_left'), true, 'sources of what is recorded');
select is((select count(*)::integer from recorder.jobs where kind = 'transfer' and state = 'queued'), 1, 'are deleted by the job that copied them');
update public.recordings set expires_at = now() - interval '1 day';
select recorder_api.begin_deletion((select id from r), 1, 1, 0, 1), recorder_api.finish_deletion((select id from r), 1, 1);
select is(recorder_api.repair_recording((select id from r), 'expired_left'), true, 'what is left of an expired one');
select is((select count(*)::integer from recorder.jobs where kind = 'expire' and state = 'queued'), 1, 'is deleted by its own job');
select is(recorder_api.repair_recording((select id from r), 'source_left'), false, 'which deletes its sources too');
create temporary table f as select tests.failed_recording(call_id) as id from it;
select is(recorder_api.repair_recording((select id from f), 'late_files'), true, 'what failed for want of files');
select is((select status from public.recordings where id = (select id from f)), 'processing', 'is collected again');
select throws_ok($$ select recorder_api.repair_recording((select id from f), 'wish') $$, 'RC502', null, 'other repairs are not known');

update recorder.audits set finished_at = now() - interval '37 hours';
select is((select is_ok from recorder.health where name = 'audit'), false, 'a night may fail, two may not');
select * from finish();
rollback;
