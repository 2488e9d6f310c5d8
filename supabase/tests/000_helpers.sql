-- Words for the tests, loaded once into the template database: people by nickname, and the steps of a recording's life.
create schema if not exists tests;

create function tests.person(p_nickname text) returns uuid
  language sql immutable
as $$
  select case p_nickname
    when 'mentor' then 'a0000000-0000-4000-8000-000000000001'::uuid
    when 'other mentor' then 'a0000000-0000-4000-8000-000000000002'
    when 'mentee' then 'b0000000-0000-4000-8000-000000000001'
    when 'stranger' then 'b0000000-0000-4000-8000-000000000009'
  end
$$;

create function tests.mentorship() returns uuid
  language sql immutable
as $$ select '33000000-0000-4000-8000-000000000001'::uuid $$;

create function tests.people() returns void
  language plpgsql
as $$
begin
  insert into auth.users (instance_id, id, aud, role, email)
  select '00000000-0000-0000-0000-000000000000', tests.person(n), 'authenticated', 'authenticated', replace(n, ' ', '.') || '@example.com'
  from unnest(array['mentor', 'other mentor', 'mentee', 'stranger']) n;
  insert into public.instructors (id, user_id, name) values
    ('11000000-0000-4000-8000-000000000001', tests.person('mentor'), 'Amara'),
    ('11000000-0000-4000-8000-000000000002', tests.person('other mentor'), 'Bruno');
  insert into public.mentees (id, user_id, display_name) values
    ('22000000-0000-4000-8000-000000000001', tests.person('mentee'), 'Chidi');
  insert into public.mentorships (id, instructor_id, mentee_id) values
    (tests.mentorship(), '11000000-0000-4000-8000-000000000001', '22000000-0000-4000-8000-000000000001');
end
$$;
comment on function tests.people() is 'The mentor and the mentee have a mentorship; the other mentor and the stranger have none.';

create function tests.act_as(p_nickname text) returns void
  language plpgsql
as $$
begin
  if p_nickname in ('anon', 'service_role', 'postgres') then
    perform set_config('request.jwt.claims', json_build_object('role', p_nickname)::text, true);
    perform set_config('role', p_nickname, true);
  else
    perform set_config('request.jwt.claims', json_build_object(
      'sub', tests.person(p_nickname), 'role', 'authenticated', 'aud', 'authenticated', 'aal', 'aal1',
      'exp', extract(epoch from now() + interval '1 hour')::bigint)::text, true);
    perform set_config('role', 'authenticated', true);
  end if;
end
$$;
comment on function tests.act_as(text) is 'From here on the transaction acts as this person or role, with a full set of claims.';

create function tests.act_as_administrator() returns void
  language plpgsql
as $$
begin
  perform set_config('request.jwt.claims', '', true);
  perform set_config('role', 'postgres', true);
end
$$;

create function tests.new_call() returns uuid
  language plpgsql
as $$
declare
  v_call public.video_calls;
begin
  perform tests.act_as('mentor');
  v_call := public.join_call(tests.mentorship());
  perform tests.act_as_administrator();
  return v_call.id;
end
$$;
comment on function tests.new_call() is 'A call that the mentor joined.';

create function tests.wish(p_call_id uuid, p_word text, p_nickname text default 'mentor') returns text
  language plpgsql
as $$
declare
  v_status text;
begin
  perform tests.act_as(p_nickname);
  update public.video_calls set recording_status = p_word where id = p_call_id returning recording_status into v_status;
  perform tests.act_as_administrator();
  return v_status;
end
$$;
comment on function tests.wish(uuid, text, text) is 'Writes a word as a client does; gives the status it became, null where nobody''s row was found.';

create function tests.recording_of(p_call_id uuid) returns public.recordings
  language sql
as $$ select r from public.recordings r where r.call_id = p_call_id order by r.created_at desc, r.version desc limit 1 $$;

create function tests.start_engine(p_recording_id uuid, p_sid text default repeat('a', 32)) returns uuid
  language plpgsql
as $$
declare
  v_task jsonb := recorder_api.begin_attempt(p_recording_id, now() + interval '1 day');
begin
  perform recorder_api.report((v_task ->> 'id')::uuid, 'task.acquired', jsonb_build_object('resource_id', 'resource-' || (v_task ->> 'id')));
  perform recorder_api.report((v_task ->> 'id')::uuid, 'task.started', jsonb_build_object('sid', p_sid));
  return (v_task ->> 'id')::uuid;
end
$$;
comment on function tests.start_engine(uuid, text) is 'What the control lane does for a start: acquire, start. Gives the engine task.';

create function tests.confirm_engine(p_task_id uuid) returns void
  language sql
as $$ select recorder_api.report(p_task_id, 'task.confirmed', jsonb_build_object('started_at', clock_timestamp())) $$;

grant usage on schema tests to anon, authenticated, service_role;
grant execute on all functions in schema tests to anon, authenticated, service_role;
