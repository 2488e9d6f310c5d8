-- What others are told: a signed event goes to an address of the operator's for every recording that is there, failed, is about
-- to go or is gone. The job is the outbox: written in the transaction of the change, kept until it was delivered.

insert into recorder.settings (name, value, unit, reason) values
  ('longest_notify_call', 25, 'seconds', 'One delivery: 10 s for the address and 15 s for the answer of the database.'),
  ('notify_lease', 60, 'seconds', 'Longer than longest_notify_call.');
insert into recorder.lanes (lane, function_name, batch) values ('notify', 'run-notify', 10);
insert into recorder.drains (lane, place)
select 'notify', p.place from generate_series(1, recorder.setting('drains_per_lane')::integer) as p (place);
-- Ten tries over 75 hours; the pauses between them are the handler's.
insert into recorder.job_kinds (kind, lane, priority, engine_requests, max_attempts) values ('notify', 'notify', 1, 0, 10);

create function recorder.announce(p_recording public.recordings, p_type text) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_kind recorder.job_kinds;
  v_id text := 'evt_' || replace(gen_random_uuid()::text, '-', '');
begin
  select * into strict v_kind from recorder.job_kinds k where k.kind = 'notify';
  insert into recorder.jobs (kind, lane, priority, recording_id, dedupe_key, max_attempts, payload)
  values (v_kind.kind, v_kind.lane, v_kind.priority, p_recording.id, 'notify:' || v_id, v_kind.max_attempts, jsonb_build_object(
    'id', v_id, 'type', p_type, 'occurred_at', clock_timestamp(),
    'data', jsonb_build_object(
      'recording_id', p_recording.id, 'call_id', p_recording.call_id, 'mentorship_id', p_recording.mentorship_id,
      'status', p_recording.status, 'error_code', p_recording.error ->> 'code', 'expires_at', p_recording.expires_at,
      'version', p_recording.version)));
end
$$;
comment on function recorder.announce(public.recordings, text) is
  'Writes one event for the outside, with an id that stays the same however often it is sent: type recording.recorded, .failed, .about_to_expire or .expired, with ids, status and version, nothing about people. Delivered at least once and in no order: the version tells which is newer. Called by recorder.announce_end and recorder.tell_of_expiry.';

create function recorder.announce_end() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  perform recorder.announce(new, 'recording.' || new.status);
  return null;
end
$$;
comment on function recorder.announce_end() is 'Trigger of recordings: tells the outside that a recording is there, has failed, or is gone.';
create trigger announce_end after update of status on public.recordings
  for each row when (new.status is distinct from old.status and new.status in ('recorded', 'failed', 'expired'))
  execute function recorder.announce_end();

revoke all on function recorder.announce(public.recordings, text), recorder.announce_end() from public, anon, authenticated, service_role;
alter function recorder.announce(public.recordings, text) owner to recorder_owner;
alter function recorder.announce_end() owner to recorder_owner;
