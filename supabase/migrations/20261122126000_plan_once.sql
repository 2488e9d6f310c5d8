-- Statements on the way from a wish to the engine are planned once in a session. Functions in SQL that cannot be inlined are planned at
-- each call: those that policies ask for each query of a client are plpgsql from here on. And Postgres plans each statement of plpgsql
-- five times more, with the values of the call, before it believes that one plan fits all; these look by keys and by indexes made
-- for them, so it does.

create or replace function access.my_active_mentorship_ids() returns setof uuid
  language plpgsql stable security definer rows 10 set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  v_user uuid := auth.uid();
begin
  return query
    select m.id
    from public.mentorships m
    join public.instructors i on i.id = m.instructor_id
    where i.user_id = v_user and m.status = 'active'
    union
    select m.id
    from public.mentorships m
    join public.mentees e on e.id = m.mentee_id
    where e.user_id = v_user and m.status = 'active';
end
$$;

create or replace function access.my_mentorship_ids() returns setof uuid
  language plpgsql stable security definer rows 10 set search_path = '' set plan_cache_mode = force_generic_plan
as $$
begin
  return query select * from access.mentorship_ids_of(auth.uid());
end
$$;

create or replace function access.my_partner_ids() returns setof uuid
  language plpgsql stable security definer rows 20 set search_path = '' set plan_cache_mode = force_generic_plan
as $$
begin
  return query
    select unnest(array[m.instructor_id, m.mentee_id])
    from public.mentorships m
    where m.id = any (array(select access.my_mentorship_ids()));
end
$$;

create or replace function access.caller_id() returns uuid
  language plpgsql stable security definer set search_path = ''
as $$
begin
  return auth.uid();
end
$$;

create or replace function recorder.secret(p_name text) returns text
  language plpgsql stable security definer set search_path = ''
as $$
begin
  return (select s.decrypted_secret from vault.decrypted_secrets s where s.name = p_name);
end
$$;

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
