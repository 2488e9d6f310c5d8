-- A story for a local stack: two mentors, three mentees, four mentorships, and what happened in their calls. Everybody's password is
-- "recorded-here". Never run on a hosted project: db push applies migrations only.
--
-- The story holds final states only, and no recording that can be played: a row that claims to be recording would have no recorder,
-- a row that claims to be recorded no file, and both would be lies. `npm run demo` makes a recording that is there.

do $$
declare
  v_person record;
begin
  for v_person in
    select * from (values
      ('a0000000-0000-4000-8000-000000000001'::uuid, 'mentor@example.com'),
      ('a0000000-0000-4000-8000-000000000002'::uuid, 'second.mentor@example.com'),
      ('b0000000-0000-4000-8000-000000000001'::uuid, 'mentee@example.com'),
      ('b0000000-0000-4000-8000-000000000002'::uuid, 'second.mentee@example.com'),
      ('b0000000-0000-4000-8000-000000000003'::uuid, 'third.mentee@example.com')
    ) as people (id, email)
  loop
    insert into auth.users (
      instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data,
      created_at, updated_at,
      -- Hosted's Auth reads these as texts and fails at sign-in where one is null.
      confirmation_token, recovery_token, email_change, email_change_token_new)
    values (
      '00000000-0000-0000-0000-000000000000', v_person.id, 'authenticated', 'authenticated', v_person.email,
      extensions.crypt('recorded-here', extensions.gen_salt('bf', 6)), now(),
      '{"provider": "email", "providers": ["email"]}', '{}', now(), now(),
      '', '', '', '');
    insert into auth.identities (id, user_id, provider, provider_id, identity_data, last_sign_in_at, created_at, updated_at)
    values (
      gen_random_uuid(), v_person.id, 'email', v_person.id::text,
      jsonb_build_object('sub', v_person.id, 'email', v_person.email, 'email_verified', true), now(), now(), now());
  end loop;
end
$$;

insert into public.instructors (id, user_id, name) values
  ('11000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', 'Amara'),
  ('11000000-0000-4000-8000-000000000002', 'a0000000-0000-4000-8000-000000000002', 'Bruno');

insert into public.mentees (id, user_id, email, display_name) values
  ('22000000-0000-4000-8000-000000000001', 'b0000000-0000-4000-8000-000000000001', 'mentee@example.com', 'Chidi'),
  ('22000000-0000-4000-8000-000000000002', 'b0000000-0000-4000-8000-000000000002', 'second.mentee@example.com', 'Dara'),
  ('22000000-0000-4000-8000-000000000003', 'b0000000-0000-4000-8000-000000000003', 'third.mentee@example.com', 'Edda');

insert into public.mentorships (id, instructor_id, mentee_id) values
  ('33000000-0000-4000-8000-000000000001', '11000000-0000-4000-8000-000000000001', '22000000-0000-4000-8000-000000000001'),
  ('33000000-0000-4000-8000-000000000002', '11000000-0000-4000-8000-000000000001', '22000000-0000-4000-8000-000000000002'),
  ('33000000-0000-4000-8000-000000000003', '11000000-0000-4000-8000-000000000002', '22000000-0000-4000-8000-000000000003'),
  ('33000000-0000-4000-8000-000000000004', '11000000-0000-4000-8000-000000000002', '22000000-0000-4000-8000-000000000001');

-- Calls: ended ones, one that failed, one that is open. Recordings are told below.
insert into public.video_calls (
  id, mentorship_id, instructor_id, mentee_id, channel, status, start_time, end_time, duration_seconds, created_at)
select c.id, m.id, m.instructor_id, m.mentee_id, replace(c.id::text, '-', ''), c.status,
  now() - c.ago, now() - c.ago + c.length, extract(epoch from c.length), now() - c.ago
from (values
  -- Amara and Chidi
  ('44000000-0000-4000-8000-000000000001'::uuid, 1, 'ended', interval '420 days', interval '52 minutes'),
  ('44000000-0000-4000-8000-000000000002', 1, 'ended', interval '9 days', interval '31 minutes'),
  ('44000000-0000-4000-8000-000000000003', 1, 'ended', interval '3 days', interval '44 minutes'),
  -- Amara and Dara
  ('44000000-0000-4000-8000-000000000004', 2, 'ended', interval '6 days', interval '25 minutes'),
  ('44000000-0000-4000-8000-000000000005', 2, 'ended', interval '5 days', interval '58 minutes'),
  -- Bruno and Edda
  ('44000000-0000-4000-8000-000000000006', 3, 'ended', interval '7 days', interval '40 minutes'),
  ('44000000-0000-4000-8000-000000000007', 3, 'failed', interval '4 days', interval '1 minute'),
  ('44000000-0000-4000-8000-000000000008', 3, 'active', interval '10 minutes', null),
  -- Bruno and Chidi
  ('44000000-0000-4000-8000-000000000009', 4, 'ended', interval '2 days', interval '36 minutes')
) as c (id, pair, status, ago, length)
join public.mentorships m on m.id = ('33000000-0000-4000-8000-00000000000' || c.pair)::uuid;

-- Recordings: one that was there and has expired, and a failure of each blame. Times are counted from the start of the call.
insert into public.recordings (
  id, call_id, mentorship_id, instructor_id, mentee_id, channel, status, quality, layout, attempt, requested_by, requested_at,
  started_at, stop_requested_at, stop_reason, stopped_at, finished_at, expires_at, error, duration_ms, size_bytes, stored_bytes,
  created_at, updated_at)
select ('55000000-0000-4000-8000-00000000000' || r.number)::uuid, c.id, c.mentorship_id, c.instructor_id, c.mentee_id, c.channel,
  case when r.error is null then 'expired' else 'failed' end, '720p', 'best_fit', r.attempt, i.user_id, c.start_time + r.asked,
  c.start_time + r.started, c.start_time + r.stop_asked, r.stop_reason, c.start_time + r.stopped, c.start_time + r.finished,
  case when r.error is null then c.start_time + r.finished + interval '365 days' end,
  r.error, r.duration_ms, r.size_bytes, r.stored_bytes, c.start_time + r.asked,
  c.start_time + r.finished + case when r.error is null then interval '365 days' else interval '0' end
from (values
  -- A year was over.
  (1, 1, 1, interval '2 minutes', interval '125 seconds', interval '51 minutes', 'user', interval '51 minutes', interval '53 minutes',
    null::jsonb, 2935000, 701824512, 701901312),
  -- Amara pressed twice: the first time she thought better of it, the second time all cameras and microphones were off.
  (2, 3, 0, interval '1 minute', null, interval '62 seconds', 'user', null, interval '62 seconds',
    recorder.error_of('stopped_before_start'), null, null, null),
  (3, 3, 1, interval '5 minutes', interval '304 seconds', interval '9 minutes', 'user', interval '9 minutes', interval '10 minutes',
    recorder.error_of('nothing_recorded'), null, null, null),
  -- All recorders were taken.
  (4, 4, 0, interval '3 minutes', null, null, null, null, interval '8 minutes',
    recorder.error_of('no_recorder_available'), null, null, null),
  -- Recorded, but the files never came.
  (5, 5, 1, interval '2 minutes', interval '123 seconds', interval '58 minutes', 'call_ended', interval '58 minutes', interval '3 days 58 minutes',
    recorder.error_of('files_missing'), null, null, null),
  -- The recorder's keys were wrong that day.
  (6, 6, 1, interval '4 minutes', null, null, null, null, interval '241 seconds',
    '{"code": "engine_unauthorized", "blame": "configuration", "retry": "never",
      "message": "Agora refused our credentials. It wants the Customer ID and the Customer Secret of the same account (Agora console, RESTful API), not the App ID and the App Certificate."}',
    null, null, null),
  -- A mistake of ours.
  (7, 9, 1, interval '6 minutes', null, null, null, null, interval '370 seconds',
    recorder.error_of('unexpected_error'), null, null, null)
) as r (number, call, attempt, asked, started, stop_asked, stop_reason, stopped, finished, error, duration_ms, size_bytes, stored_bytes)
join public.video_calls c on c.id = ('44000000-0000-4000-8000-00000000000' || r.call)::uuid
join public.instructors i on i.id = c.instructor_id
order by c.start_time + r.asked;

-- Their stories, as the two people of each read them.
insert into public.recording_events (recording_id, happened_at, actor, event, from_status, to_status, detail)
select r.id, e.happened_at, e.actor, e.event, e.from_status, e.to_status, jsonb_strip_nulls(e.detail)
from public.recordings r
cross join lateral (values
  (1, r.requested_at, 'user', 'recording.requested', null, 'starting', '{}'::jsonb),
  (2, case when r.attempt = 1 then r.requested_at + interval '1 second' end, 'engine', 'engine.requested', 'starting', 'starting', '{"attempt": 1}'),
  (3, r.started_at, 'engine', 'engine.confirmed', 'starting', 'recording', '{"attempt": 1}'),
  (4, case when r.started_at is not null then r.stop_requested_at end, 'user', 'recording.stop_requested', 'recording', 'stopping',
    jsonb_build_object('attempt', 1, 'reason', r.stop_reason)),
  (5, r.stopped_at, 'engine', 'engine.gone', 'stopping', 'processing', '{"attempt": 1}'),
  (6, r.finished_at,
    case when r.stopped_at is not null then 'storage' when r.attempt = 1 then 'engine' when r.stop_reason is not null then 'user' else 'system' end,
    case when r.status = 'expired' then 'files.published' when r.error ->> 'code' = 'nothing_recorded' then 'files.empty'
      when r.stopped_at is not null then 'files.missing' when r.attempt = 1 then 'engine.start_failed'
      when r.stop_reason is not null then 'recording.cancelled' else 'recording.queue_timed_out' end,
    case when r.stopped_at is not null then 'processing' else 'starting' end,
    case when r.status = 'expired' then 'recorded' else 'failed' end,
    jsonb_build_object('attempt', nullif(r.attempt, 0), 'error', r.error ->> 'code')),
  (7, case when r.status = 'expired' then r.expires_at end, 'storage', 'recording.expired', 'recorded', 'expired', '{"attempt": 1}')
) as e (step, happened_at, actor, event, from_status, to_status, detail)
where e.happened_at is not null
order by r.requested_at, e.step;

-- The engine task, long gone, of the files that never came: administrators may have them looked for again, in vain, with
-- `select recorder.retry_recording('55000000-0000-4000-8000-000000000005')`.
insert into recorder.engine_tasks (
  id, recording_id, attempt, channel, uid, state, resource_id, sid, start_sent_at, started_at, confirmed_at, last_seen_at, stop_sent_at,
  gone_at, left_at, token_expires_at, created_at)
select '66000000-0000-4000-8000-000000000005', r.id, 1, r.channel, '4000000005', 'gone', 'seeded resource', 'seeded0000000000000000000000sid5',
  r.requested_at + interval '1 second', r.started_at, r.started_at, r.stopped_at, r.stop_requested_at, r.stopped_at, r.stopped_at,
  r.requested_at + interval '1 day', r.requested_at
from public.recordings r where r.id = '55000000-0000-4000-8000-000000000005';

-- The calls follow their recordings, and people are told, as the engine room does it.
do $$
declare
  v_recording public.recordings;
begin
  set local role recorder_owner;
  for v_recording in select r.* from public.recordings r order by r.requested_at loop
    perform recorder.lock_calls(v_recording.id);
    perform recorder.mirror_calls(v_recording.id);
    if v_recording.status = 'failed' and v_recording.error ->> 'code' <> 'stopped_before_start' then
      perform recorder.notify(v_recording.id, 'recording_failed');
      update public.notifications n set created_at = v_recording.finished_at where n.recording_id = v_recording.id;
    end if;
  end loop;
  reset role;
end
$$;
