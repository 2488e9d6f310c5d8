-- What the rows say and what the bucket holds drift apart when nobody looks: a file that is lost, bytes that are paid for and
-- belong to nothing. Every night the storage lane walks the bucket and the rows side by side, in order of recordings, in
-- slices that may end at any moment. It repairs what can do no harm; an object of an unknown recording it never deletes.

insert into recorder.settings (name, value, unit, reason) values
  ('health_audit_age', 129600, 'seconds', 'A day and a half: one night may fail.');
insert into recorder.job_kinds (kind, lane, priority, engine_requests, max_attempts) values ('audit', 'storage', 9, 0, 100);

create table recorder.audits (
  is_only boolean primary key default true check (is_only),
  audit_id uuid not null default gen_random_uuid(),
  began_at timestamptz not null default clock_timestamp(),
  -- Everything in the bucket up to this key, and every recording up to this id, is compared.
  after_key text,
  after_id uuid,
  compared_recordings bigint not null default 0,
  compared_versions bigint not null default 0,
  compared_bytes bigint not null default 0,
  finished_at timestamptz
);
comment on table recorder.audits is 'One row: the audit under way, or the last one. Begins as finished at installation, so that health can tell how long none has run.';
insert into recorder.audits (finished_at) values (clock_timestamp());

create table recorder.audit_findings (
  id uuid primary key default gen_random_uuid(),
  kind text not null,
  key text not null,
  recording_id uuid references public.recordings (id),
  detail jsonb not null default '{}',
  found_at timestamptz not null default clock_timestamp(),
  audit_id uuid not null,
  repaired_at timestamptz,
  resolved_at timestamptz,
  constraint audit_findings_kind_check check (kind in (
    'unknown_object', 'unknown_attempt', 'file_missing', 'file_hidden', 'file_size_differs', 'expired_left', 'old_versions',
    'orphan_upload', 'task_without_files', 'late_files'))
);
comment on table recorder.audit_findings is
  'What an audit found that rows and bucket disagree about. audit_id is the last audit that saw it; resolved_at is when one did not see it any more. docs/operations.md says what each kind means.';
comment on column recorder.audit_findings.key is 'An object key, a folder (ends in a slash), or the id of an upload.';
comment on column recorder.audit_findings.repaired_at is 'When the audit mended it itself; the next one resolves it.';
create unique index audit_findings_one_open on recorder.audit_findings (kind, key) where resolved_at is null;
create index audit_findings_of_recording on recorder.audit_findings (recording_id);
create index audit_findings_found on recorder.audit_findings (found_at desc);

create function recorder.request_audit() returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  v_kind recorder.job_kinds;
begin
  select * into strict v_kind from recorder.job_kinds k where k.kind = 'audit';
  insert into recorder.jobs (kind, lane, priority, dedupe_key, max_attempts)
  select v_kind.kind, v_kind.lane, v_kind.priority, 'audit', v_kind.max_attempts
  where not exists (select from recorder.jobs j where j.dedupe_key = 'audit' and j.state in ('queued', 'running'))
  on conflict (dedupe_key) where state = 'queued' do nothing;
  return found;
end
$$;
comment on function recorder.request_audit() is
  'Asks for an audit of the bucket, unless one is under way or waits. True if one was asked for. Called every night by the scheduler; an administrator may call it at any time.';

create function recorder_api.begin_audit() returns jsonb
  language plpgsql security definer set search_path = ''
as $$
begin
  update recorder.audits a set
    audit_id = gen_random_uuid(), began_at = clock_timestamp(), after_key = null, after_id = null,
    compared_recordings = 0, compared_versions = 0, compared_bytes = 0, finished_at = null
  where a.finished_at is not null;
  return (
    select jsonb_build_object('audit_id', a.audit_id, 'began_at', a.began_at, 'after_key', a.after_key, 'after_id', a.after_id)
    from recorder.audits a);
end
$$;
comment on function recorder_api.begin_audit() is
  'The audit under way, {audit_id, began_at, after_key, after_id}: one that was interrupted goes on where it was, else a new one begins.';

create function recorder_api.audit_facts(p_after uuid, p_upto uuid, p_ids uuid[], p_limit integer) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
begin
  if p_ids is null or p_limit is null then
    perform recorder.refuse('argument_missing');
  end if;
  return coalesce((
    select jsonb_agg(jsonb_build_object(
      'id', r.id, 'status', r.status, 'finished_at', r.finished_at, 'error_code', r.error ->> 'code',
      'is_held', r.held_at is not null, 'is_being_deleted', r.deletion_began_at is not null and r.status <> 'expired',
      'deleted_at', (select d.finished_at from recorder.deletions d where d.recording_id = r.id),
      'files', coalesce((
        select jsonb_agg(jsonb_build_object('kind', f.kind, 'attempt', f.attempt, 'object_key', f.object_key, 'size_bytes', f.size_bytes))
        from public.recording_files f where f.recording_id = r.id and f.deleted_at is null), '[]'),
      'tasks', coalesce((
        select jsonb_agg(jsonb_build_object(
          'attempt', t.attempt, 'has_recorded', t.confirmed_at is not null or t.started_at is not null,
          'is_empty', t.is_empty, 'superseded', t.superseded))
        from recorder.engine_tasks t where t.recording_id = r.id), '[]'))
      order by r.id)
    from (
      select c.* from public.recordings c
      where c.id = any (p_ids)
        or (c.status = 'recorded' and c.id <= p_upto and (p_after is null or c.id > p_after))
      order by c.id limit greatest(1, least(p_limit, 1000))) r), '[]');
end
$$;
comment on function recorder_api.audit_facts(uuid, uuid, uuid[], integer) is
  'What the rows say, in order of ids, of the recordings in p_ids and of every one after p_after (null: from the first on) up to p_upto (null: of none beside p_ids) that should have files. Refuses with argument_missing. For the audit.';

create function recorder_api.save_audit(
  p_audit_id uuid, p_findings jsonb, p_after_key text, p_after_id uuid, p_counts jsonb
) returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_ids jsonb;
begin
  if p_audit_id is null or p_findings is null or p_counts is null then
    perform recorder.refuse('argument_missing');
  end if;
  perform from recorder.audits a where a.audit_id = p_audit_id and a.finished_at is null for update;
  if not found then
    perform recorder.refuse('audit_over');
  end if;
  insert into recorder.audit_findings as f (kind, key, recording_id, detail, audit_id)
  select n.kind, n.key, n.recording_id, coalesce(n.detail, '{}'), p_audit_id
  from jsonb_to_recordset(p_findings) as n (kind text, key text, recording_id uuid, detail jsonb)
  on conflict (kind, key) where resolved_at is null
  do update set detail = excluded.detail, audit_id = excluded.audit_id, repaired_at = null;
  update recorder.audits a set
    after_key = p_after_key, after_id = p_after_id,
    compared_recordings = a.compared_recordings + (p_counts ->> 'recordings')::bigint,
    compared_versions = a.compared_versions + (p_counts ->> 'versions')::bigint,
    compared_bytes = a.compared_bytes + (p_counts ->> 'bytes')::bigint
  where a.audit_id = p_audit_id;
  select coalesce(jsonb_agg(jsonb_build_object('kind', f.kind, 'key', f.key, 'id', f.id)), '[]') into v_ids
  from recorder.audit_findings f
  join jsonb_to_recordset(p_findings) as n (kind text, key text) on (n.kind, n.key) = (f.kind, f.key)
  where f.resolved_at is null;
  return v_ids;
exception
  when data_exception or not_null_violation or check_violation or foreign_key_violation or cardinality_violation then
    perform recorder.refuse('argument_invalid', sqlerrm);
end
$$;
comment on function recorder_api.save_audit(uuid, jsonb, text, uuid, jsonb) is
  'Saves what a slice of an audit found ([{kind, key, recording_id, detail}]) together with how far it came. What is open already is seen again, not found again. Gives [{kind, key, id}]. Refuses with argument_missing, argument_invalid, audit_over (another audit has begun).';

create function recorder_api.mark_repaired(p_finding_id uuid) returns boolean
  language plpgsql security definer set search_path = ''
as $$
begin
  if p_finding_id is null then
    perform recorder.refuse('argument_missing');
  end if;
  update recorder.audit_findings f set repaired_at = clock_timestamp() where f.id = p_finding_id and f.resolved_at is null;
  return found;
end
$$;
comment on function recorder_api.mark_repaired(uuid) is 'Says that the audit has mended what it found. False when it is resolved already. Refuses with argument_missing.';

create function recorder.repair_recording(p_recording_id uuid, p_kind text) returns boolean
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
  'Mends through the ordinary jobs what an audit found: expired_left (what is left of an expired recording is deleted), late_files (a recording that failed for want of files is collected again). False where it does not apply any more. Refuses with argument_missing, recording_not_found, argument_invalid. Called by recorder_api.repair_recording.';

create function recorder_api.repair_recording(p_recording_id uuid, p_kind text) returns boolean
  language plpgsql security definer set search_path = ''
as $$
begin
  return coalesce(recorder.repair_recording(p_recording_id, p_kind), false);
end
$$;
comment on function recorder_api.repair_recording(uuid, text) is 'Mends a finding about one recording. See recorder.repair_recording.';

create function recorder_api.finish_audit(p_audit_id uuid) returns integer
  language plpgsql security definer set search_path = ''
as $$
declare
  v_count integer;
begin
  if p_audit_id is null then
    perform recorder.refuse('argument_missing');
  end if;
  update recorder.audits a set finished_at = clock_timestamp() where a.audit_id = p_audit_id and a.finished_at is null;
  if not found then
    perform recorder.refuse('audit_over');
  end if;
  update recorder.audit_findings f set resolved_at = clock_timestamp() where f.resolved_at is null and f.audit_id <> p_audit_id;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function recorder_api.finish_audit(uuid) is
  'Ends an audit that has compared everything; what it did not see any more is resolved. Gives how many that were. Refuses with argument_missing, audit_over.';

insert into recorder.errors (code, sqlstate, http_status, blame, retry, message) values
  ('audit_over', 'RC806', 409, 'us', 'never', 'This audit is over: another one has begun.');

create function recorder.check_audit() returns setof recorder.health_check
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_limit numeric := recorder.setting('health_audit_age');
  v_audit recorder.audits;
  v_last timestamptz;
  v_lost bigint;
  v_open bigint;
  v_words text;
begin
  select * into strict v_audit from recorder.audits a;
  v_last := coalesce(v_audit.finished_at, v_audit.began_at);
  return next recorder.checked('audit', coalesce(recorder.seconds_since(v_last) <= v_limit, false),
    recorder.seconds_since(v_last), 'seconds', v_limit,
    case when v_audit.finished_at is null then format('An audit began %s and is under way.', recorder.ago(v_audit.began_at))
      else format('Last audit: %s recordings, %s.', v_audit.compared_recordings, recorder.ago(v_audit.finished_at)) end);
  -- Red: something that people were promised is not as it was. What only costs money or needs a look is named and stays green.
  select count(*) filter (where f.kind in ('file_missing', 'file_hidden', 'file_size_differs', 'expired_left')), count(*)
  into v_lost, v_open
  from recorder.audit_findings f where f.resolved_at is null and f.repaired_at is null;
  select string_agg(format('%s × %s', k.n, k.kind), ', ' order by k.kind) into v_words from (
    select f.kind, count(*) as n from recorder.audit_findings f
    where f.resolved_at is null and f.repaired_at is null group by f.kind) k;
  return next recorder.checked('audit_findings', v_lost = 0, v_lost, 'findings', 0,
    case when v_open = 0 then 'Rows and bucket agree.' else v_words || '. See recorder.audit_findings.' end);
end
$$;
comment on function recorder.check_audit() is
  'How long no audit has run, and what the last ones found: red where a file is lost, hidden or changed or an expired one is still there. For recorder.check_health.';

alter table recorder.audits enable row level security;
alter table recorder.audit_findings enable row level security;
alter table recorder.audits owner to recorder_owner;
alter table recorder.audit_findings owner to recorder_owner;
revoke all on recorder.audits, recorder.audit_findings from public, anon, authenticated, service_role;
grant select on recorder.audits, recorder.audit_findings to recorder_admin;
create policy "administrators read" on recorder.audits for select to recorder_admin using (true);
create policy "administrators read" on recorder.audit_findings for select to recorder_admin using (true);

do $$
declare
  v_function text;
begin
  foreach v_function in array array[
    'recorder.request_audit()', 'recorder.repair_recording(uuid, text)', 'recorder.check_audit()', 'recorder_api.begin_audit()',
    'recorder_api.audit_facts(uuid, uuid, uuid[], integer)', 'recorder_api.save_audit(uuid, jsonb, text, uuid, jsonb)',
    'recorder_api.mark_repaired(uuid)', 'recorder_api.repair_recording(uuid, text)', 'recorder_api.finish_audit(uuid)']
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
    if v_function like 'recorder_api.%' then
      execute format('grant execute on function %s to service_role', v_function);
    else
      execute format('alter function %s owner to recorder_owner', v_function);
    end if;
  end loop;
end
$$;
grant execute on function recorder.request_audit() to recorder_admin;

select cron.schedule('recorder-audit', '23 2 * * *', 'select recorder.request_audit()');
