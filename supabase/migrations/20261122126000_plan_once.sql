-- Statements on the way from a wish to the engine are planned once in a session. Postgres would plan each of them five times more, with
-- the values of the call, before it believes that one plan fits all; they look by keys and by indexes made for them, so it does. A
-- pool of ten connections has a long first hour otherwise.

do $$
declare
  v_function text;
begin
  foreach v_function in array array[
    -- What a client or a worker calls: what is called within keeps it.
    'recorder.guard_call()', 'recorder_api.work(text, uuid, jsonb, integer)', 'recorder_api.leave(text, uuid, jsonb)',
    'recorder_api.begin_attempt(uuid, timestamptz)', 'recorder_api.report(uuid, text, jsonb)',
    'recorder_api.receive_event(text, integer, text, text, text, boolean, jsonb)',
    -- Triggers that run after the statement of a client, or at its commit.
    'recorder.push_call()', 'recorder.wake_lane_of_job()']
  loop
    execute format('alter function %s set plan_cache_mode = force_generic_plan', v_function);
  end loop;
end
$$;
-- A sweep takes what is oldest of everything, whoever called for it: how much that is is worth a look at the values.
alter function recorder.sweep() set plan_cache_mode = auto;
