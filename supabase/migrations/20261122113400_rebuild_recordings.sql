-- After a disaster: a database that has lost recordings gets their rows back from what the bucket says about itself, the
-- manifests. Run by `npm run rebuild`, which reads them; here is what becomes of one.

create function recorder.rebuild_recording(p_manifest jsonb, p_stored_bytes bigint) returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_told jsonb := p_manifest -> 'recording';
  v_totals jsonb := p_manifest -> 'totals';
  v_id uuid := (v_told ->> 'id')::uuid;
  v_there public.recordings;
  v_new public.recordings;
  v_lost text[] := '{}';
  v_differs text[];
begin
  if v_id is null or v_totals is null or p_stored_bytes is null or jsonb_typeof(p_manifest -> 'files') is distinct from 'array' then
    perform recorder.refuse('argument_missing');
  end if;
  perform recorder.lock_channel(v_told ->> 'channel');
  select * into v_there from public.recordings r where r.id = v_id for no key update;
  if found then
    -- A row that exists is never written: where it says something else, a person decides.
    v_differs := array(
      select d.name from (values
        ('status', v_there.status in ('recorded', 'processing')),
        ('channel', v_there.channel = v_told ->> 'channel'),
        ('duration_ms', v_there.duration_ms is not distinct from (v_totals ->> 'duration_ms')::bigint),
        ('size_bytes', v_there.size_bytes is not distinct from (v_totals ->> 'size_bytes')::bigint),
        ('files', not exists (
          select f.object_key, f.size_bytes from jsonb_to_recordset(p_manifest -> 'files') as f (object_key text, size_bytes bigint)
          except
          select f.object_key, f.size_bytes from public.recording_files f where f.recording_id = v_id and f.deleted_at is null))
      ) as d (name, agrees) where d.agrees is not true);
    return jsonb_build_object('outcome', case when v_differs = '{}' then 'agrees' else 'differs' end, 'members', to_jsonb(v_differs));
  end if;

  v_new := jsonb_populate_record(null::public.recordings, v_told || jsonb_build_object(
    'status', 'recorded', 'duration_ms', v_totals -> 'duration_ms', 'size_bytes', v_totals -> 'size_bytes',
    'is_partial', (v_totals ->> 'is_partial')::boolean or not (p_manifest ->> 'is_complete')::boolean,
    'gaps', v_totals -> 'gaps', 'finished_at', p_manifest -> 'written_at'));
  -- Whom it belongs to may be lost too: then it is there, and nobody sees it until somebody says whose it is.
  if not exists (select from public.video_calls c where c.id = v_new.call_id) then
    v_lost := v_lost || case when v_new.call_id is null then '{}' else array['call_id'] end;
    v_new.call_id := null;
  end if;
  if not exists (select from public.mentorships m where m.id = v_new.mentorship_id) then
    v_lost := v_lost || 'mentorship_id'::text;
    v_new.mentorship_id := null;
  end if;
  if not exists (select from public.instructors i where i.id = v_new.instructor_id) then
    v_lost := v_lost || 'instructor_id'::text;
    v_new.instructor_id := null;
  end if;
  if not exists (select from public.mentees e where e.id = v_new.mentee_id) then
    v_lost := v_lost || 'mentee_id'::text;
    v_new.mentee_id := null;
  end if;
  v_new.stopped_at := coalesce(v_new.stopped_at, v_new.finished_at);
  v_new.stored_bytes := p_stored_bytes;
  -- What only the lost row knew: who kept it longer, what held it. The policy counts from when it was there, and its week of
  -- notice from now.
  v_new.expires_at := greatest(
    recorder.expiry_of(v_new.mentorship_id, v_new.finished_at), clock_timestamp() + recorder.seconds('retention_notice'));
  if recorder.expiry_of(v_new.mentorship_id, v_new.finished_at) is null then
    v_new.expires_at := null;
  end if;

  insert into public.recordings (
    id, call_id, mentorship_id, instructor_id, mentee_id, channel, status, quality, layout, attempt, requested_by, requested_at,
    started_at, stop_requested_at, stop_reason, stopped_at, finished_at, expires_at, is_partial, gaps, duration_ms, size_bytes,
    stored_bytes, created_at)
  values (
    v_id, v_new.call_id, v_new.mentorship_id, v_new.instructor_id, v_new.mentee_id, v_new.channel, 'recorded', v_new.quality,
    v_new.layout, v_new.attempt, v_new.requested_by, coalesce(v_new.requested_at, v_new.finished_at), v_new.started_at,
    v_new.stop_requested_at, v_new.stop_reason, v_new.stopped_at, v_new.finished_at, v_new.expires_at, v_new.is_partial, v_new.gaps,
    v_new.duration_ms, v_new.size_bytes, v_new.stored_bytes, coalesce(v_new.requested_at, v_new.finished_at));
  insert into public.recording_files (
    recording_id, kind, attempt, object_key, content_type, size_bytes, duration_ms, segment_count, verified_at)
  select v_id, f.kind, f.attempt, f.object_key, f.content_type, f.size_bytes, f.duration_ms, f.segment_count, clock_timestamp()
  from jsonb_to_recordset(p_manifest -> 'files') as f (
    kind text, attempt integer, object_key text, content_type text, size_bytes bigint, duration_ms bigint, segment_count integer);
  perform recorder.note(v_id, 'administrator', 'recording.rebuilt',
    jsonb_build_object('written_at', p_manifest -> 'written_at', 'lost', to_jsonb(v_lost)), null, 'recorded');
  perform recorder.mirror_calls(v_id);
  return jsonb_build_object('outcome', 'created', 'members', to_jsonb(v_lost));
end
$$;
comment on function recorder.rebuild_recording(jsonb, bigint) is
  'Makes the rows of a recording again from its manifest (version 1) and the bytes its folder holds. Gives {outcome, members}: created (members: what it belonged to and is lost as well), agrees (the row is there), differs (it is there and says something else about these members; nothing is written). Nobody is notified. Refuses with argument_missing. Called by scripts/rebuild.ts as postgres; in a transaction that is rolled back it tells what it would do.';
revoke all on function recorder.rebuild_recording(jsonb, bigint) from public, anon, authenticated, service_role;
alter function recorder.rebuild_recording(jsonb, bigint) owner to recorder_owner;
grant execute on function recorder.rebuild_recording(jsonb, bigint) to postgres;
