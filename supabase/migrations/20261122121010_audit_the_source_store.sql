-- What lies in the store that the engine writes into is audited too: sources that nobody deleted, files that came after their
-- recording was published, folders of nobody.

alter table recorder.audit_findings drop constraint audit_findings_kind_check;
alter table recorder.audit_findings add constraint audit_findings_kind_check check (kind in (
  'unknown_object', 'unknown_attempt', 'file_missing', 'file_hidden', 'file_size_differs', 'expired_left', 'old_versions',
  'orphan_upload', 'task_without_files', 'late_files', 'source_left', 'source_unknown'));
comment on column recorder.audit_findings.key is
  'An object key, a folder (ends in a slash), or the id of an upload; in a source store, its name and a colon before it.';

create or replace function recorder.repair_recording(p_recording_id uuid, p_kind text) returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings := recorder.lock_recording(p_recording_id);
begin
  case p_kind
  when 'expired_left' then
    if v_recording.status <> 'expired' then
      return false;
    end if;
    perform recorder.enqueue('expire', p_recording_id);
    return true;
  when 'source_left' then
    if v_recording.status <> 'recorded' then
      return false;
    end if;
    perform recorder.enqueue('transfer', p_recording_id);
    return true;
  when 'late_files' then
    return v_recording.error ->> 'code' in ('nothing_recorded', 'files_missing')
      and recorder.apply(p_recording_id, 'files.announced', 'storage');
  else
    perform recorder.refuse('argument_invalid', p_kind);
  end case;
  return false;
end
$$;
comment on function recorder.repair_recording(uuid, text) is
  'Mends through the ordinary jobs what an audit found: expired_left (what is left of an expired recording is deleted), source_left (sources whose copies are verified and published are deleted), late_files (a recording that failed for want of files is collected again). False where it does not apply any more. Refuses with argument_missing, recording_not_found, argument_invalid. Called by recorder_api.repair_recording.';
