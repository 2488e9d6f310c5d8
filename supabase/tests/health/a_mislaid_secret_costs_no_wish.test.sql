begin;
select plan(9);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
grant select on it to recorder_admin;
set local client_min_messages = error;
create function pg_temp.vault() returns text language sql as $$ select is_ok || ': ' || explanation from recorder.health where name = 'vault' $$;

-- Nothing was put into Vault yet.
select is(tests.wish((select call_id from it), 'starting'), 'starting', 'without any secret a wish is taken');
set constraints all immediate;
select is((select count(*) from recorder.jobs where kind = 'start' and state = 'queued')::integer, 1, 'and its work is queued');
set constraints all deferred;
select is(pg_temp.vault(), 'false: functions_url is missing; wake_up_secret is missing: no wake-up can be sent. See Secrets in docs/operations.md.',
  'health says what is missing');

select vault.create_secret('http://127.0.0.1:9/functions/v1', 'functions_url');
select vault.create_secret('whsec_' || encode('01234567890123456789012345678901', 'base64'), 'wake_up_secret');
select is(pg_temp.vault(), 'true: Both secrets are there and can be read.', 'with both it is green');
select vault.update_secret(id, new_name => 'mislaid') from vault.secrets where name = 'wake_up_secret';
select is(tests.wish((select call_id from it), 'stopping'), 'failed', 'with one renamed a wish is taken');
set constraints all immediate;
set constraints all deferred;
select is(pg_temp.vault(), 'false: wake_up_secret is missing: no wake-up can be sent. See Secrets in docs/operations.md.', 'and health names it');

select vault.update_secret(id, new_name => 'wake_up_secret', new_secret => 'no base64: ~~~') from vault.secrets where name = 'mislaid';
select is(tests.wish((select call_id from it), 'starting'), 'starting', 'with one that cannot be used a wish is taken');
set constraints all immediate;
select is(pg_temp.vault(), 'false: wake_up_secret is not whsec_ and base64: no wake-up can be sent. See Secrets in docs/operations.md.',
  'and health names it without showing it');
select is((select count(*) from net.http_request_queue)::integer, 0, 'nothing was sent meanwhile');
select * from finish();
rollback;
