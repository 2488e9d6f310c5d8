begin;
select plan(3);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
select set_config('request.method', 'PATCH', true);
create function pg_temp.refusal() returns jsonb language plpgsql as $$
declare
  v_message text;
  v_detail text;
  v_state text;
begin
  perform tests.wish((select call_id from it), 'dancing');
  return null;
exception when others then
  get stacked diagnostics v_message = message_text, v_detail = pg_exception_detail, v_state = returned_sqlstate;
  perform tests.act_as_administrator();
  return jsonb_build_object('state', v_state, 'message', v_message::jsonb, 'detail', v_detail::jsonb);
end
$$;
create temporary table refusal as select pg_temp.refusal() as r;
select is((select r ->> 'state' from refusal), 'PGRST', 'PostgREST is told to answer exactly this');
select is((select r #>> '{message,code}' from refusal), 'status_unknown', 'with our code');
select is((select r #>> '{detail,status}' from refusal), '422', 'and its HTTP status');
select * from finish();
rollback;
