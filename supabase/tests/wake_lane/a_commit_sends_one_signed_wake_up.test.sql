begin;
select plan(7);
select tests.people();
-- What rests for half a second rests for minutes here, so that a busy machine changes nothing.
update recorder.settings set value = 1000 * value where name = 'wake_up_rest';
do $$
begin
  perform vault.update_secret(id, 'http://127.0.0.1:9/functions/v1') from vault.secrets where name = 'functions_url';
  if not found then perform vault.create_secret('http://127.0.0.1:9/functions/v1', 'functions_url'); end if;
  perform vault.update_secret(id, 'whsec_' || encode('01234567890123456789012345678901', 'base64')) from vault.secrets where name = 'wake_up_secret';
  if not found then perform vault.create_secret('whsec_' || encode('01234567890123456789012345678901', 'base64'), 'wake_up_secret'); end if;
end
$$;
create temporary table it as select tests.new_call() as call_id;
select tests.wish((select call_id from it), 'starting');
select is((select count(*) from net.http_request_queue)::integer, 0, 'nothing is sent before the commit');
set constraints all immediate;
select is((select count(*) from net.http_request_queue)::integer, 1, 'then one wake-up');
select is((select url from net.http_request_queue), 'http://127.0.0.1:9/functions/v1/run-control', 'to the function of the lane');
select is(
  (select headers ->> 'webhook-signature' from net.http_request_queue),
  (select 'v1,' || encode(extensions.hmac(
     convert_to((headers ->> 'webhook-id') || '.' || (headers ->> 'webhook-timestamp') || '.', 'UTF8') || body,
     '01234567890123456789012345678901', 'sha256'), 'base64') from net.http_request_queue),
  'signed over the exact bytes that are sent');
select is(recorder.wake_lane('control'), false, 'a second one within the rest is not sent');
select is(recorder.wake_lane('control', true), true, 'unless the rest is to be ignored');
select vault.update_secret(id, new_name => 'mislaid') from vault.secrets where name = 'wake_up_secret';
select is(recorder.wake_lane('storage'), false, 'without its secret nothing is sent and nothing fails');
select * from finish();
rollback;
