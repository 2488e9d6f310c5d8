-- Status, times, wishes, measures and error agree, or the row cannot be written.
begin;
select plan(38);
select tests.people();

create function pg_temp.lie(p_status text, p_set text) returns text
  language plpgsql
as $$
declare
  v_constraint text := 'it was believed';
  v_id uuid := gen_random_uuid();
begin
  begin
    insert into public.recordings (id, mentorship_id, channel, status, quality, layout, phase, started_at, stop_requested_at,
      stop_reason, stopped_at, finished_at, deadline_at, duration_ms, size_bytes, stored_bytes, error)
    values (v_id, tests.mentorship(), 'ab', p_status, '720p', 'best_fit',
      case p_status when 'starting' then 'queued' when 'processing' then 'waiting_for_upload' end,
      case when p_status = 'recording' then now() end,
      case when p_status = 'stopping' then now() end,
      case when p_status = 'stopping' then 'user' end,
      case when p_status in ('processing', 'recorded', 'expired') then now() end,
      case when p_status in ('recorded', 'failed', 'expired') then now() end,
      case when p_status not in ('recorded', 'failed', 'expired') then now() end,
      case when p_status = 'recorded' then 1 end, case when p_status = 'recorded' then 1 end, case when p_status = 'recorded' then 1 end,
      case when p_status = 'failed' then '{"code": "c", "blame": "us", "retry": "now", "message": "m"}'::jsonb end);
    execute format('update public.recordings set %s where id = %L', p_set, v_id);
    raise exception using errcode = 'TT000';
  exception
    when sqlstate 'TT000' then null;
    when others then get stacked diagnostics v_constraint = constraint_name;
  end;
  return v_constraint;
end
$$;

create temporary table lies (status text, what text, refused_by text);
insert into lies values
  ('recording', 'status = ''exploded''', 'recordings_status_check'),
  ('stopping', 'stop_reason = ''whim''', 'recordings_stop_reason_check'),
  ('starting', 'phase = null', 'recordings_phase_fits_the_status'),
  ('starting', 'phase = ''dreaming''', 'recordings_phase_fits_the_status'),
  ('recording', 'phase = ''queued''', 'recordings_phase_fits_the_status'),
  ('processing', 'phase = null', 'recordings_phase_fits_the_status'),
  ('recording', 'progress = ''{"bytes": 1, "total_bytes": 2, "percent": 50, "estimated_end_at": null, "measured_at": "2026-01-01"}''', 'recordings_progress_only_while_processing'),
  ('processing', 'progress = ''{"bytes": 1}''', 'recordings_progress_has_its_members'),
  ('recording', 'queue_place = 1', 'recordings_only_the_queue_has_places'),
  ('starting', 'phase = ''requested'', queue_place = 1', 'recordings_only_the_queue_has_places'),
  ('starting', 'queue_place = 0', 'recordings_only_the_queue_has_places'),
  ('recording', 'started_at = null', 'recordings_recording_has_started'),
  ('stopping', 'stop_requested_at = null, stop_reason = null', 'recordings_stopping_has_a_wish'),
  ('stopping', 'stop_reason = null', 'recordings_stop_reason_with_wish'),
  ('processing', 'stop_reason = ''user''', 'recordings_stop_reason_with_wish'),
  ('processing', 'stopped_at = null', 'recordings_processing_has_stopped'),
  ('recorded', 'stopped_at = null', 'recordings_processing_has_stopped'),
  ('expired', 'stopped_at = null', 'recordings_processing_has_stopped'),
  ('recorded', 'finished_at = null', 'recordings_final_has_finished'),
  ('failed', 'finished_at = null', 'recordings_final_has_finished'),
  ('recording', 'finished_at = now()', 'recordings_final_has_finished'),
  ('starting', 'deadline_at = null', 'recordings_open_has_a_deadline'),
  ('recording', 'deadline_at = null', 'recordings_open_has_a_deadline'),
  ('stopping', 'deadline_at = null', 'recordings_open_has_a_deadline'),
  ('processing', 'deadline_at = null', 'recordings_open_has_a_deadline'),
  ('recorded', 'deadline_at = now()', 'recordings_open_has_a_deadline'),
  ('failed', 'error = null', 'recordings_failed_has_an_error'),
  ('failed', 'error = ''{"code": "c", "blame": "us", "retry": "now"}''', 'recordings_error_has_its_four_members'),
  ('recording', 'error = ''{"code": "c", "blame": "us", "retry": "now", "message": "m"}''', 'recordings_only_failed_has_an_error'),
  ('recorded', 'duration_ms = null', 'recordings_recorded_is_measured'),
  ('recorded', 'stored_bytes = null', 'recordings_recorded_is_measured'),
  ('recording', 'stop_requested_at = now(), stop_reason = ''user''', 'recordings_stop_wish_is_kept'),
  ('starting', 'attempt = -1', 'recordings_attempts_are_counted'),
  ('recording', 'gaps = ''{}''', 'recordings_gaps_are_a_list'),
  ('recorded', 'stored_bytes = 0', 'recordings_measures_agree'),
  ('recorded', 'held_at = now()', 'recordings_hold_has_a_reason'),
  ('processing', 'deletion_began_at = now()', 'recordings_only_what_is_over_is_deleted');
select is(pg_temp.lie(status, what), refused_by, format('%s, %s', status, what)) from lies;
select is_empty(
  $$ select conname from pg_catalog.pg_constraint where conrelid = 'public.recordings'::regclass and contype = 'c'
     and conname::text not in (select refused_by from lies) $$,
  'no constraint of recordings goes untried');
select * from finish();
rollback;
