-- What a person sees of recordings: pages of a mentorship's, newest first, filtered and searched; one by its id. A card is a recording
-- with what its row alone does not say: who pressed record, and what this person may do about it.

-- A page begins where the last one ended: rows of one moment need a second key.
create index recordings_page_of_mentorship on public.recordings (mentorship_id, created_at desc, id desc);
drop index public.recordings_newest_of_mentorship;

create function access.recording_card(p_recording_id uuid, p_is_active boolean) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_recording public.recordings;
  v_policy recorder.retention_policies;
  v_name text;
  v_role text;
  v_keepable_until timestamptz;
  v_is_going boolean;
begin
  select * into v_recording from public.recordings r where r.id = p_recording_id;
  if not found then
    return null;
  end if;
  v_policy := recorder.retention_of(v_recording.mentorship_id);
  v_is_going := v_recording.deletion_began_at is not null
    or v_recording.held_at is null and coalesce(v_recording.expires_at <= clock_timestamp(), false);
  select i.name, 'mentor' into v_name, v_role from public.instructors i where i.user_id = v_recording.requested_by;
  if v_role is null then
    select e.display_name, 'mentee' into v_name, v_role from public.mentees e where e.user_id = v_recording.requested_by;
  end if;
  v_keepable_until := coalesce(v_recording.finished_at + make_interval(days => v_policy.longest_keep_days), 'infinity');
  return jsonb_build_object(
    'id', v_recording.id, 'call_id', v_recording.call_id, 'mentorship_id', v_recording.mentorship_id,
    'status', v_recording.status, 'phase', v_recording.phase, 'queue_place', v_recording.queue_place,
    'quality', v_recording.quality, 'layout', v_recording.layout,
    'requested_at', v_recording.requested_at, 'started_at', v_recording.started_at,
    'stop_requested_at', v_recording.stop_requested_at, 'stop_reason', v_recording.stop_reason,
    'stopped_at', v_recording.stopped_at, 'finished_at', v_recording.finished_at, 'expires_at', v_recording.expires_at,
    'error', v_recording.error, 'is_partial', v_recording.is_partial, 'gaps', v_recording.gaps,
    'duration_ms', v_recording.duration_ms, 'size_bytes', v_recording.size_bytes, 'progress', v_recording.progress,
    'version', v_recording.version, 'created_at', v_recording.created_at,
    'people', jsonb_strip_nulls(jsonb_build_object(
      'mentor', (select i.name from public.instructors i where i.id = v_recording.instructor_id),
      'mentee', (select e.display_name from public.mentees e where e.id = v_recording.mentee_id))),
    'requested_by', case when v_role is not null then jsonb_build_object(
      'name', v_name, 'role', v_role, 'is_me', v_recording.requested_by = auth.uid()) end,
    'is_held', v_recording.held_at is not null, 'hold_reason', v_recording.hold_reason,
    'is_being_deleted', v_is_going and v_recording.status <> 'expired',
    'has_thumbnail', exists (
      select from public.recording_files f
      where f.recording_id = v_recording.id and f.kind = 'thumbnail' and f.deleted_at is null),
    'keepable_until', case
      when p_is_active and v_recording.status = 'recorded' and v_recording.deletion_began_at is null
        and v_recording.expires_at < v_keepable_until then v_keepable_until end,
    'may_delete', p_is_active and v_recording.held_at is null and not v_is_going
      and coalesce(v_policy.may_people_delete, true)
      and (v_recording.status = 'recorded'
        or v_recording.status = 'failed' and recorder.may_have_files(v_recording.id)),
    'may_retry', p_is_active and v_recording.status = 'failed' and v_recording.deletion_began_at is null
      and v_recording.error ->> 'retry' <> 'never'
      and exists (
        select from recorder.engine_tasks t
        where t.recording_id = v_recording.id and t.sid is not null
          and (t.confirmed_at is not null or t.started_at is not null or t.files is not null)));
end
$$;
comment on function access.recording_card(uuid, boolean) is
  'A recording as its people see it: its facts, who pressed record, what the asker may do. What may_delete, may_retry and keepable_until promise, delete_recording, retry_recording and keep_recording_longer judge again. Asks nobody whether the asker may see it: called by access.list_recordings and access.show_recording, which do.';

create function access.list_recordings(
  p_mentorship_id uuid, p_before_at timestamptz, p_before_id uuid, p_newest integer,
  p_statuses text[], p_qualities text[], p_since timestamptz, p_until timestamptz, p_is_partial boolean, p_search text, p_time_zone text
) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_newest integer := least(greatest(coalesce(p_newest, 50), 1), 200);
  v_is_active boolean;
  v_words text[];
  v_total bigint;
  v_cards jsonb;
  v_last record;
begin
  -- Longer words than these stand in no card, and nobody types a dozen.
  if length(p_search) > 200 then
    perform recorder.refuse('argument_invalid', 'search');
  end if;
  -- Asked of the word itself: the view of all time zones reads hundreds of files.
  begin
    perform clock_timestamp() at time zone p_time_zone;
  exception when invalid_parameter_value then
    perform recorder.refuse('argument_invalid', 'time_zone');
  end;
  if p_mentorship_id is null or p_mentorship_id <> all (array(select access.my_mentorship_ids())) then
    return jsonb_build_object('is_visible', false, 'recordings', '[]'::jsonb, 'total', 0, 'next', null);
  end if;
  v_is_active := p_mentorship_id = any (array(select access.my_active_mentorship_ids()));
  -- Every word has to stand somewhere in the card; what is a wildcard to ilike is a letter to people.
  select array_agg('%' || regexp_replace(w, '([\\%_])', '\\\1', 'g') || '%') into v_words
  from regexp_split_to_table(trim(p_search), '\s+') w where w <> '';

  -- Counted once, with the first page: the later ones come while somebody scrolls.
  if p_before_at is null then
    select count(*) into v_total from public.recordings r
    where r.mentorship_id = p_mentorship_id
      and (p_statuses is null or r.status = any (p_statuses))
      and (p_qualities is null or r.quality = any (p_qualities))
      and (p_since is null or r.created_at >= p_since)
      and (p_until is null or r.created_at < p_until)
      and (p_is_partial is null or r.is_partial = p_is_partial)
      and (v_words is null or access.words_of_recording(r.id, p_time_zone) ilike all (v_words));
  end if;

  with page as materialized (
    select r.id, r.created_at from public.recordings r
    where r.mentorship_id = p_mentorship_id
      and (r.created_at, r.id) < (coalesce(p_before_at, 'infinity'), coalesce(p_before_id, '00000000-0000-0000-0000-000000000000'))
      and (p_statuses is null or r.status = any (p_statuses))
      and (p_qualities is null or r.quality = any (p_qualities))
      and (p_since is null or r.created_at >= p_since)
      and (p_until is null or r.created_at < p_until)
      and (p_is_partial is null or r.is_partial = p_is_partial)
      and (v_words is null or access.words_of_recording(r.id, p_time_zone) ilike all (v_words))
    order by r.created_at desc, r.id desc
    limit v_newest + 1
  ), numbered as (
    select p.*, row_number() over (order by p.created_at desc, p.id desc) as number from page p
  )
  select
    coalesce(jsonb_agg(access.recording_card(n.id, v_is_active) order by n.number) filter (where n.number <= v_newest), '[]') as cards,
    max(n.created_at) filter (where n.number = v_newest) as at,
    max(n.id::text) filter (where n.number = v_newest) as id,
    count(*) > v_newest as is_more
  into v_last from numbered n;
  v_cards := v_last.cards;
  return jsonb_build_object(
    'is_visible', true, 'recordings', v_cards, 'total', v_total,
    'next', case when v_last.is_more then jsonb_build_object('at', v_last.at, 'id', v_last.id) end);
end
$$;

create function access.words_of_recording(p_recording_id uuid, p_time_zone text) returns text
  language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select concat_ws(' ',
      to_char(r.created_at at time zone coalesce(p_time_zone, 'UTC'), 'FMDay FMDD FMMonth YYYY YYYY-MM-DD HH24:MI'),
      r.quality, r.status, case when r.is_partial then 'partial' end, r.error ->> 'message', r.error ->> 'code', r.id,
      (select i.name from public.instructors i where i.user_id = r.requested_by),
      (select e.display_name from public.mentees e where e.user_id = r.requested_by))
    from public.recordings r where r.id = p_recording_id);
end
$$;
comment on function access.words_of_recording(uuid, text) is
  'What a search looks at: day, month and time in the asker''s time zone, quality, status, who pressed record, the reason of a failure, the id. Called by access.list_recordings.';
comment on function access.list_recordings(uuid, timestamptz, uuid, integer, text[], text[], timestamptz, timestamptz, boolean, text, text) is
  'One page of a mentorship''s recordings for the signed-in user, newest first: {is_visible, recordings: [card], total (with the first page only), next: {at, id} or null}. A stranger gets is_visible false and nothing else, as for a mentorship that is not there. Refuses with argument_invalid (a time zone nobody knows, a search of more than 200 letters). Called by public.list_recordings.';

create function access.show_recording(p_recording_id uuid) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_mentorship_id uuid;
begin
  select r.mentorship_id into v_mentorship_id from public.recordings r
  where r.id = p_recording_id and r.mentorship_id = any (array(select access.my_mentorship_ids()));
  if not found then
    return null;
  end if;
  return access.recording_card(
    p_recording_id, v_mentorship_id = any (array(select access.my_active_mentorship_ids())));
end
$$;
comment on function access.show_recording(uuid) is
  'The card of one recording for one of its two people; null for everybody else and where there is none. Called by public.show_recording.';

create function public.list_recordings(
  mentorship_id uuid, before_at timestamptz default null, before_id uuid default null, newest integer default 50,
  statuses text[] default null, qualities text[] default null, since timestamptz default null, until timestamptz default null,
  is_partial boolean default null, search text default null, time_zone text default null
) returns jsonb
  language sql stable set search_path = ''
as $$
  select access.list_recordings(mentorship_id, before_at, before_id, newest, statuses, qualities, since, until, is_partial, search, time_zone)
$$;
comment on function public.list_recordings(uuid, timestamptz, uuid, integer, text[], text[], timestamptz, timestamptz, boolean, text, text) is
  'RPC: one page of a mentorship''s recordings, newest first. For the next page give `next` of the last one as before_at and before_id. See access.list_recordings.';

create function public.show_recording(recording_id uuid) returns jsonb
  language sql stable set search_path = ''
as $$ select access.show_recording(recording_id) $$;
comment on function public.show_recording(uuid) is 'RPC: one recording of mine as a card; null for a stranger. See access.show_recording.';

revoke all on function access.recording_card(uuid, boolean), access.words_of_recording(uuid, text),
  access.list_recordings(uuid, timestamptz, uuid, integer, text[], text[], timestamptz, timestamptz, boolean, text, text),
  access.show_recording(uuid),
  public.list_recordings(uuid, timestamptz, uuid, integer, text[], text[], timestamptz, timestamptz, boolean, text, text),
  public.show_recording(uuid)
  from public, anon, authenticated, service_role;
grant execute on function
  access.list_recordings(uuid, timestamptz, uuid, integer, text[], text[], timestamptz, timestamptz, boolean, text, text),
  access.show_recording(uuid),
  public.list_recordings(uuid, timestamptz, uuid, integer, text[], text[], timestamptz, timestamptz, boolean, text, text),
  public.show_recording(uuid)
  to authenticated;
