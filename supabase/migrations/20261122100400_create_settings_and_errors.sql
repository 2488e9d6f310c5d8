-- Every number in one place, and every refusal in one list.

create table recorder.settings (
  name text primary key,
  value numeric not null check (value >= 0),
  unit text not null,
  reason text not null
);
comment on table recorder.settings is 'Every deadline, lease, rate and limit of the system, with its unit and the reason for its value.';

insert into recorder.settings (name, value, unit, reason) values
  ('queued_deadline', 300, 'seconds', 'How long somebody may wait for a free recorder before being told that there is none.'),
  ('attempt_deadline', 90, 'seconds', 'The engine may need up to 90 s of its own failover before a start counts as lost.'),
  ('attempt_limit', 3, 'count', 'Three fresh recorders; what fails three times will not be mended by a fourth.'),
  ('confirm_delay', 5, 'seconds', 'The engine asks not to be queried earlier than 5 s after start.'),
  ('longest_recording', 21600, 'seconds', 'Six hours: longer than any mentoring call, shorter than the recorder token.'),
  ('recorder_token_lifetime', 86400, 'seconds', 'The longest the engine allows; a recorder cannot renew its token.'),
  ('silence_limit', 150, 'seconds', 'No sign of life for this long makes us ask the engine: one missed poll of 120 s and some slack.'),
  ('death_after', 90, 'seconds', 'A 404 is not a death: the engine answers 404 for up to 90 s during its own failover.'),
  ('stopping_slack', 90, 'seconds', 'After the recorder token has ended the engine is gone at the latest one failover later.'),
  ('processing_deadline', 259200, 'seconds', '72 h: the engine deletes what it holds back after that, so nothing more can come.'),
  ('idle_limit', 300, 'seconds', 'The engine leaves an empty channel after this long; its own recommendation.'),
  ('requests_per_second', 9.5, 'requests per second', 'The engine''s limit per App ID is 10, counted in its own second, and above it everything is answered 429: the rest is for requests that arrive some ms early or late.'),
  ('concurrent_tasks', 50, 'count', 'How many recorders one App ID may have at once by default; what is above it waits in the queue.'),
  ('channel_type', 1, 'Agora channelType', '1 live, 0 communication. Recorder and callers must have the same, or there are no files or no picture: both read it here.'),
  ('caller_token_lifetime', 14400, 'seconds', 'Four hours: a call outlives an outage of ours, and who may not join any more is out the same day. The client asks again before it ends; the engine allows 24 h.'),
  ('slot_horizon', 1000, 'ms', 'No slot is handed out further ahead than this: a waiting stop must find room soon.'),
  ('stop_share', 20, 'percent', 'The last part of the horizon, which only stops may use: however many starts wait, a stop finds a slot. No request is lost by it.'),
  ('heartbeat_share', 30, 'percent', 'Questions after silence use at most this part of the rate: events come first.'),
  ('start_answer_limit', 15, 'seconds', 'Longer than the 10 s a start waits for its answer: whoever sent it then has died with it, and it is sent again.'),
  ('sid_look_delay', 20, 'seconds', 'The first slice ends after 15 s: from then on a file tells the sid of a task whose answer was lost.'),
  ('longest_control_call', 48, 'seconds', 'Every job of the lane is cut off after this. The longest are a start (slot 1 s, acquire 10 s, start 10 s, three calls of the database of 8 s) and a stop (slot 1 s, stop 30 s, two calls); with the 100 s that a drain works it stays below the 150 s after which a function is killed.'),
  ('control_lease', 60, 'seconds', 'Longer than longest_control_call.'),
  ('longest_storage_call', 150, 'seconds', 'A function is killed after this long, whatever it does.'),
  ('storage_lease', 180, 'seconds', 'Longer than longest_storage_call.'),
  ('drain_lease', 10, 'seconds', 'A drain that died frees its place after this long; every look for work renews it.'),
  ('drain_takeover', 2, 'seconds', 'A drain looks for work every 250 ms: one that has not done so for this long gives its place to one that asks.'),
  ('drains_per_lane', 2, 'count', 'One to work, one to take over while the other ends.'),
  ('wake_up_rest', 500, 'ms', 'At most two wake-ups a second per lane; a drain lingers longer than this.'),
  ('wake_up_timeout', 5000, 'ms', 'A function answers 202 at once; a slow one must not hold back a batch of pg_net.'),
  ('direct_wake_after', 10, 'seconds', 'Work that was due for longer than a sweep takes is woken by nobody in Postgres: functions that are called from outside do it.'),
  ('direct_wake_rest', 5000, 'ms', 'However many of them notice, one wake-up is sent in this time per lane.'),
  ('queue_place_rest', 1000, 'ms', 'Places in the queue are numbered anew at most once in this time: it is a write and a message per waiting recording.'),
  ('retry_first_delay', 1000, 'ms', 'First pause before a job is tried again; doubles, with jitter.'),
  ('retry_longest_delay', 60000, 'ms', 'Ceiling of the pause between two tries of a job.'),
  ('stop_again_after', 300, 'seconds', 'When a stop was given up, the next one begins after this pause: a recorder may not run for ever, nor dead jobs pile up.'),
  ('sweep_overdue', 30, 'seconds', 'Two missed sweeps: from then on a worker that looks for work sweeps itself.'),
  ('sweep_batch', 500, 'count', 'Rows one sweep handles per kind, so that it stays short.'),
  ('job_retention', 604800, 'seconds', 'Finished jobs are kept a week for questions, then cleaned.'),
  ('inbox_retention', 604800, 'seconds', 'Raw events of the engine are kept a week, then cleaned.'),
  ('cron_details_retention', 86400, 'seconds', 'The scheduler never cleans its own log.'),
  ('ended_mentorship_readable', 1, 'switch', 'An ended mentorship stays readable until its recordings expire: people look back. 0 ends access with it.'),
  ('retention_notice', 604800, 'seconds', 'A week to save a recording that exists already, when an administrator shortens how long it is kept.'),
  ('health_queue_age', 30, 'seconds', 'Three sweeps: work that waits longer is woken by nobody.'),
  ('health_queue_depth', 1000, 'count', 'More due work than this in one lane is minutes of arrears.'),
  ('health_open_age', 108000, 'seconds', 'Six hours of recording and 24 h for its files: what is open longer needs a person.'),
  ('health_stuck_after', 60, 'seconds', 'Six sweeps: what they have not mended by then they will not mend.'),
  ('health_sweep_age', 60, 'seconds', 'Six missed sweeps are no coincidence.'),
  ('health_webhook_silence', 120, 'seconds', 'The engine reports a recorder''s start within seconds; two minutes without a word mean that its events do not arrive.'),
  ('health_orphan_age', 300, 'seconds', 'A recorder nobody wants is stopped within seconds, during the engine''s failover after 90 s at most.'),
  ('health_wake_up_backlog', 500, 'count', 'pg_net sends some 190 requests a second: more than this waiting is a dead or drowned worker.'),
  ('health_dead_job_window', 86400, 'seconds', 'Work that was given up turns health red for a day; recorder.dead_jobs shows older ones too.');

create function recorder.setting(p_name text) returns numeric
  language plpgsql stable set search_path = ''
as $$
declare
  v_value numeric;
begin
  select s.value into v_value from recorder.settings s where s.name = p_name;
  if not found then
    raise exception 'recorder.settings has no row %', p_name using errcode = 'undefined_parameter';
  end if;
  return v_value;
end
$$;
comment on function recorder.setting(text) is 'The value of one setting, in the unit its row names. Raises if the row is missing.';

-- Everything on a hot path is plpgsql: a SQL function that cannot be inlined is planned anew at each call.
create function recorder.seconds(p_name text) returns interval
  language plpgsql stable set search_path = ''
as $$
begin
  return make_interval(secs => recorder.setting(p_name)::double precision);
end
$$;
comment on function recorder.seconds(text) is 'A setting in seconds as an interval.';

create table recorder.errors (
  code text primary key check (code ~ '^[a-z][a-z0-9_]*$'),
  -- Class RC is ours: implementation-defined classes start with I–Z.
  sqlstate text not null unique check (sqlstate ~ '^RC[0-9A-Z]{3}$'),
  http_status integer not null check (http_status between 400 and 599),
  blame text not null check (blame in ('user', 'engine', 'storage', 'configuration', 'us')),
  retry text not null check (retry in ('now', 'later', 'never')),
  message text not null
);
comment on table recorder.errors is 'The one list of codes: what happened, whose turn it is, whether trying again helps. docs/errors.md says what to do.';

insert into recorder.errors (code, sqlstate, http_status, blame, retry, message) values
  ('status_unknown', 'RC001', 422, 'user', 'never', 'This is not a recording status.'),
  ('status_not_a_wish', 'RC002', 422, 'user', 'never', 'This status is a fact; write starting or stopping to wish.'),
  ('fact_column_read_only', 'RC003', 403, 'user', 'never', 'Facts about a recording are written by the recorder only.'),
  ('still_stopping', 'RC004', 409, 'user', 'later', 'The last recording is still stopping.'),
  ('call_ended', 'RC005', 409, 'user', 'never', 'The call has ended.'),
  ('mentorship_not_found', 'RC006', 403, 'user', 'never', 'There is no active mentorship of yours with this id.'),
  ('call_not_found', 'RC007', 403, 'user', 'never', 'There is no call of yours with this id.'),
  ('sign_in_required', 'RC008', 401, 'user', 'never', 'Sign in first.'),
  ('lease_lost', 'RC009', 409, 'us', 'never', 'Another worker has taken over this job.'),
  ('lane_unknown', 'RC010', 422, 'us', 'never', 'There is no lane of this name.'),
  ('argument_missing', 'RC011', 422, 'us', 'never', 'A required argument is null.'),
  ('recording_not_found', 'RC012', 404, 'user', 'never', 'There is no recording of yours with this id.'),
  ('engine_task_not_found', 'RC013', 404, 'us', 'never', 'There is no engine task with this id.'),
  ('event_unknown', 'RC014', 422, 'us', 'never', 'The transition table does not know this event.'),
  ('stopped_before_start', 'RC101', 409, 'user', 'now', 'The recording was stopped before it began.'),
  ('no_recorder_available', 'RC102', 503, 'engine', 'later', 'No recorder was free in time.'),
  ('engine_start_failed', 'RC103', 502, 'engine', 'later', 'The recorder did not start.'),
  ('engine_stop_unconfirmed', 'RC104', 502, 'engine', 'later', 'The recorder never confirmed that it is gone.'),
  ('nothing_recorded', 'RC105', 409, 'user', 'never', 'Nobody sent picture or sound, so nothing was recorded.'),
  ('files_missing', 'RC106', 502, 'storage', 'later', 'The files of the recording did not arrive.'),
  ('unexpected_error', 'RC199', 500, 'us', 'later', 'Something went wrong on our side.'),
  ('discord_missing', 'RC201', 403, 'user', 'never', 'This sign-in has no Discord account.'),
  ('profile_not_found', 'RC202', 404, 'user', 'never', 'Nobody here has this Discord account.'),
  ('profile_taken', 'RC203', 409, 'user', 'never', 'Somebody else signs in as this mentor or mentee.'),
  ('profile_ambiguous', 'RC204', 409, 'us', 'never', 'Several people here have this Discord account.'),
  ('recording_not_there', 'RC205', 409, 'user', 'never', 'Only a recording that can be played can be kept longer.'),
  ('kept_longest', 'RC206', 409, 'user', 'never', 'This recording cannot be kept that long.'),
  ('retry_refused', 'RC301', 409, 'user', 'never', 'Trying this recording again cannot help.'),
  ('recording_never_began', 'RC302', 409, 'user', 'never', 'No recorder ever recorded anything here, and the call has moved on.'),
  ('recording_not_failed', 'RC303', 409, 'user', 'never', 'Only a failed recording can be tried again.'),
  ('job_not_found', 'RC304', 404, 'user', 'never', 'There is no job with this id.'),
  ('job_not_dead', 'RC305', 409, 'user', 'never', 'Only a dead job can be queued again.'),
  ('job_obsolete', 'RC306', 409, 'user', 'never', 'The recording has moved on: this job would do nothing.'),
  ('recording_expired', 'RC307', 409, 'user', 'never', 'The files of this recording are deleted.'),
  ('user_not_found', 'RC308', 404, 'user', 'never', 'There is no user with this id.'),
  ('keep_days_invalid', 'RC309', 422, 'user', 'never', 'A recording is kept for 1 to 36500 days.'),
  ('mentorship_unknown', 'RC310', 404, 'user', 'never', 'There is no mentorship with this id.'),
  ('never_recorded', 'RC401', 409, 'us', 'never', 'The old portal called this recorded, but it never stored a file.'),
  ('never_finished', 'RC402', 409, 'us', 'never', 'The old portal began this recording and never finished it; there is no file.'),
  ('failed_in_old_portal', 'RC403', 409, 'us', 'never', 'This recording failed in the old portal; there is no file.'),
  ('old_status_unknown', 'RC404', 409, 'us', 'never', 'The old portal left a status that nobody knows; there is no file that we know of.'),
  ('policy_unknown', 'RC405', 409, 'configuration', 'never', 'A table of the old portal has a policy that may let people see or write too much.'),
  ('job_kind_unknown', 'RC501', 422, 'us', 'never', 'There is no kind of job of this name.'),
  ('argument_invalid', 'RC502', 422, 'us', 'never', 'An argument has not the form that this function takes.'),
  ('engine_id_taken', 'RC503', 409, 'engine', 'never', 'The engine named one of its tasks as it had named another.');

create function recorder.error_of(p_code text) returns jsonb
  language sql stable set search_path = ''
as $$
  select jsonb_build_object('code', e.code, 'blame', e.blame, 'retry', e.retry, 'message', e.message)
  from recorder.errors e where e.code = p_code
$$;
comment on function recorder.error_of(text) is 'The {code, blame, retry, message} of a known code; null for an unknown one.';

create function recorder.refuse(p_code text, p_hint text default null) returns void
  language plpgsql stable set search_path = ''
as $$
declare
  v_error recorder.errors;
begin
  select * into v_error from recorder.errors e where e.code = p_code;
  if not found then
    raise exception 'recorder.errors has no row %', p_code;
  end if;
  -- PostgREST sets request.method for every request and turns SQLSTATE PGRST into exactly this answer.
  if nullif(current_setting('request.method', true), '') is not null then
    raise sqlstate 'PGRST' using
      message = jsonb_build_object('code', v_error.code, 'message', v_error.message, 'details', null, 'hint', p_hint)::text,
      detail = jsonb_build_object('status', v_error.http_status, 'headers', jsonb_build_object())::text;
  end if;
  raise exception using errcode = v_error.sqlstate, message = v_error.code || ': ' || v_error.message, hint = coalesce(p_hint, '');
end
$$;
comment on function recorder.refuse(text, text) is
  'Ends the statement with a known refusal. Over the API: our code with its HTTP status; from SQL: the SQLSTATE of recorder.errors.';

alter table recorder.settings owner to recorder_owner;
alter table recorder.errors owner to recorder_owner;
grant select on recorder.settings, recorder.errors to postgres, recorder_admin;
alter function recorder.setting(text) owner to recorder_owner;
alter function recorder.seconds(text) owner to recorder_owner;
alter function recorder.error_of(text) owner to recorder_owner;
alter function recorder.refuse(text, text) owner to recorder_owner;
revoke all on function recorder.setting(text), recorder.seconds(text), recorder.error_of(text), recorder.refuse(text, text)
  from public, anon, authenticated, service_role;
grant execute on function recorder.setting(text), recorder.seconds(text), recorder.error_of(text), recorder.refuse(text, text) to postgres;
alter table recorder.settings enable row level security;
alter table recorder.errors enable row level security;
