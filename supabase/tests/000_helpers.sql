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
  -- However old the template is: no worker of a test finds the sweep overdue unless the test says so.
  update recorder.sweeps set last_run_at = clock_timestamp();
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

-- Who gets which answer: for the access matrix -----------------------------------------------------------------------------

create function tests.answer(p_who text, p_statement text) returns text
  language plpgsql
as $$
declare
  v_count bigint;
begin
  begin
    if p_who = 'recorder_admin' then
      perform set_config('request.jwt.claims', '', true);
      perform set_config('role', p_who, true);
    else
      perform tests.act_as(p_who);
    end if;
    execute p_statement;
    get diagnostics v_count = row_count;
    -- Whatever was done is undone: the next question finds the same rows.
    raise exception using errcode = 'TT000', message = case when v_count > 0 then 'rows' else 'none' end;
  exception
    when sqlstate 'TT000' then return sqlerrm;
    when others then return sqlstate;
  end;
end
$$;
comment on function tests.answer(text, text) is
  'What a person or role gets for a statement: rows, none, or the SQLSTATE of the refusal. Leaves nothing changed.';

create function tests.finished_recording(p_call_id uuid) returns uuid
  language plpgsql
as $$
declare
  v_recording uuid;
  v_task uuid;
begin
  perform tests.wish(p_call_id, 'starting');
  v_recording := (tests.recording_of(p_call_id)).id;
  v_task := tests.start_engine(v_recording);
  perform tests.confirm_engine(v_task);
  perform tests.wish(p_call_id, 'stopping');
  perform recorder_api.report(v_task, 'task.gone', '{"files": []}');
  perform recorder_api.publish(v_recording,
    '[{"kind": "playlist", "attempt": 1, "object_key": "recordings/x/a1/x.m3u8", "content_type": "application/vnd.apple.mpegurl", "size_bytes": 1000, "duration_ms": 60000, "segment_count": 4}]',
    '{"duration_ms": 60000, "size_bytes": 1000, "stored_bytes": 1200}');
  return v_recording;
end
$$;
comment on function tests.finished_recording(uuid) is 'A recording of a call, from the mentor''s wish to the file. Gives its id.';

create function tests.plan_of(p_who text, p_query text) returns jsonb
  language plpgsql
as $$
declare
  v_plan json;
begin
  perform tests.act_as(p_who);
  execute 'explain (format json) ' || p_query into v_plan;
  perform tests.act_as_administrator();
  return v_plan::jsonb;
end
$$;
comment on function tests.plan_of(text, text) is 'How Postgres would answer a query of this person, policies included.';

grant execute on function tests.answer(text, text), tests.finished_recording(uuid), tests.plan_of(text, text)
  to anon, authenticated, service_role;

-- At the administrators' door -----------------------------------------------------------------------------------------------

create function tests.act_as_recorder_admin() returns void
  language plpgsql
as $$
begin
  perform set_config('request.jwt.claims', '', true);
  perform set_config('role', 'recorder_admin', true);
end
$$;
comment on function tests.act_as_recorder_admin() is 'From here on the transaction acts as role recorder_admin; tests.act_as_administrator() goes back to postgres.';

create function tests.engine_at_work(p_call_id uuid, p_sid text default repeat('e', 32)) returns uuid
  language plpgsql
as $$
declare
  v_task uuid;
begin
  perform tests.wish(p_call_id, 'starting');
  v_task := tests.start_engine((tests.recording_of(p_call_id)).id, p_sid);
  perform tests.confirm_engine(v_task);
  return (tests.recording_of(p_call_id)).id;
end
$$;
comment on function tests.engine_at_work(uuid, text) is 'A recording that records. Gives its id.';

create function tests.failed_recording(
  p_call_id uuid, p_sid text default repeat('f', 32), p_event text default 'files.missing', p_error jsonb default null
) returns uuid
  language plpgsql
as $$
declare
  v_recording uuid := tests.engine_at_work(p_call_id, p_sid);
begin
  perform tests.wish(p_call_id, 'stopping');
  perform recorder_api.report(t.id, 'task.gone') from recorder.engine_tasks t where t.recording_id = v_recording;
  perform recorder_api.files_failed(v_recording, p_event, jsonb_strip_nulls(jsonb_build_object('error', p_error)));
  update recorder.jobs set state = 'done', lease_token = null, leased_until = null, finished_at = now() where recording_id = v_recording;
  return v_recording;
end
$$;
comment on function tests.failed_recording(uuid, text, text, jsonb) is 'A recording whose files did not come, all its jobs done. Gives its id.';

create function tests.publish(p_recording_id uuid) returns boolean
  language sql
as $$
  select recorder_api.publish(p_recording_id,
    jsonb_build_array(jsonb_build_object(
      'kind', 'playlist', 'attempt', 1, 'object_key', 'recordings/' || replace(p_recording_id::text, '-', '') || '/a1/x.m3u8',
      'content_type', 'application/vnd.apple.mpegurl', 'size_bytes', 1000, 'duration_ms', 60000, 'segment_count', 4)),
    '{"duration_ms": 60000, "size_bytes": 1000, "stored_bytes": 1200}')
$$;
comment on function tests.publish(uuid) is 'What the storage lane says when the files of a recording are there.';

-- To run pgTAP's functions; the role itself has no need of extensions.
grant usage on schema tests, extensions to recorder_admin;

-- What a refusal must leave as it was ---------------------------------------------------------------------------------------

create function tests.fingerprint() returns text
  language sql
as $$
  select md5(concat(
    (select string_agg(t::text, '' order by t.id) from public.video_calls t),
    (select string_agg(t::text, '' order by t.id) from public.recordings t),
    (select string_agg(t::text, '' order by t.id) from public.recording_files t),
    (select string_agg(t::text, '' order by t.id) from public.recording_events t),
    (select string_agg(t::text, '' order by t.id) from recorder.jobs t),
    (select string_agg(t::text, '' order by t.id) from recorder.engine_tasks t),
    (select string_agg(t::text, '' order by t.notice_id) from recorder.inbox t)))
$$;
comment on function tests.fingerprint() is 'Everything that calls, recordings and jobs consist of, as one text: equal before and after what changed nothing.';

create function tests.claim(p_lane text default 'control', p_limit integer default 10) returns jsonb
  language sql
as $$ select recorder_api.work(p_lane, 'd0000000-0000-4000-8000-00000000000d', '[]', p_limit) -> 'jobs' $$;
comment on function tests.claim(text, integer) is 'What a drain gets when it looks for work: the list of claimed jobs.';

create function tests.finish(p_job jsonb, p_outcome text, p_more jsonb default '{}') returns text
  language sql
as $$ select recorder.finish_job(jsonb_build_object('id', p_job -> 'id', 'lease', p_job -> 'lease', 'outcome', p_outcome) || p_more) $$;
comment on function tests.finish(jsonb, text, jsonb) is 'Brings back the result of a claimed job. Null, or the code of the refusal.';
