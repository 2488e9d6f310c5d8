begin;
select plan(10);
select tests.people();
do $$
begin
  if not exists (select from vault.secrets where name = 'functions_url') then perform vault.create_secret('http://127.0.0.1:9/functions/v1', 'functions_url'); end if;
  if not exists (select from vault.secrets where name = 'wake_up_secret') then
    perform vault.create_secret('whsec_' || encode('01234567890123456789012345678901', 'base64'), 'wake_up_secret'); end if;
end
$$;
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
set constraints all immediate;
create temporary table job as select tests.claim() -> 0 as j;
select is(recorder_api.leave('control', 'd0000000-0000-4000-8000-00000000000d'), false, 'nothing is left: nobody is woken');
select is((select count(*) from recorder.drains where token is not null)::integer, 0, 'the place is free');
select is((select count(*) from net.http_request_queue)::integer, 1, 'one wake-up so far');
select is(
  recorder_api.leave('control', gen_random_uuid(), jsonb_build_array(j || '{"outcome": "retry", "after_ms": 0}')), true,
  'the last result leaves work: the lane is woken, though it was a moment ago') from job;
select is((select count(*) from net.http_request_queue)::integer, 2, 'exempt from the rest');
update recorder.settings set value = 0 where name = 'concurrent_tasks';
select is(recorder_api.leave('control', gen_random_uuid()), false, 'work that waits for a recorder to end wakes nobody');
select throws_ok($$ select recorder_api.leave('dreams', gen_random_uuid()) $$, 'RC010', null, 'an unknown lane');
select throws_ok($$ select recorder_api.leave(null, gen_random_uuid()) $$, 'RC011', null, 'no lane');
select throws_ok($$ select recorder_api.leave('control', null) $$, 'RC011', null, 'no drain');
select throws_ok($$ select recorder_api.leave('control', gen_random_uuid(), '7') $$, 'RC502', null, 'results that are no list');
select * from finish();
rollback;
