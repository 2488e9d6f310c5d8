-- A person who asks to be forgotten. Order of rights: hold > forget > retention. What the database holds about the person is gone
-- at once. Files show two people, so they go only when both have asked, or when the retention policy deletes them anyway: then
-- expires_at is now, which is all that expiry reads, and a hold still stops it.

create table recorder.forgotten_people (
  person_id uuid primary key,
  user_id uuid references auth.users (id) on delete set null,
  asked_at timestamptz not null default now()
);
comment on table recorder.forgotten_people is
  'Who was forgotten: the id of the instructor or mentee, which names nobody any more. user_id lets the function run twice and goes with the Auth user. Read when a recording becomes recorded, and by recorder.set_retention.';
create index forgotten_people_user on recorder.forgotten_people (user_id);

create function recorder.is_forgotten(p_recording public.recordings) returns boolean
  language sql stable set search_path = ''
as $$
  select count(*) = 2 from recorder.forgotten_people f
  where f.person_id in (p_recording.instructor_id, p_recording.mentee_id)
$$;
comment on function recorder.is_forgotten(public.recordings) is
  'Whether both people of a recording were forgotten, so that its files are to be deleted. A person who is not known has not asked.';

create function recorder.expire_forgotten() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  if recorder.is_forgotten(new) and (new.status = 'recorded' or recorder.may_have_files(new.id)) then
    new.expires_at := clock_timestamp();
  end if;
  return new;
end
$$;
comment on function recorder.expire_forgotten() is
  'Trigger of recordings: what becomes recorded, or fails with files, after both people were forgotten expires at once, whatever the policy says.';
create trigger expire_forgotten before update of status on public.recordings
  for each row when (new.status in ('recorded', 'failed') and old.status is distinct from new.status) execute function recorder.expire_forgotten();

create function recorder.forget_in_recordings(p_user_id uuid, p_person_ids uuid[]) returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_recording public.recordings;
  v_count integer := 0;
  v_to_delete integer := 0;
  v_held integer := 0;
begin
  -- The old portal wrote names in there. Before any channel is taken: who holds a call may be waiting for its channel.
  update public.video_calls c set participants = null
  where c.participants is not null and (c.instructor_id = any (p_person_ids) or c.mentee_id = any (p_person_ids));
  -- All channels first, in one order for everybody: then the recordings.
  perform recorder.lock_channel(n.channel) from (
    select distinct r.channel from public.recordings r
    where r.instructor_id = any (p_person_ids) or r.mentee_id = any (p_person_ids) or r.requested_by = p_user_id
    order by r.channel) n;
  for v_recording in
    select r.* from public.recordings r
    where r.instructor_id = any (p_person_ids) or r.mentee_id = any (p_person_ids) or r.requested_by = p_user_id
    order by r.id for no key update
  loop
    v_count := v_count + 1;
    -- Nobody is recorded on who has asked to be forgotten.
    if v_recording.status in ('starting', 'recording') then
      perform recorder.stop_recording(v_recording.id);
    end if;
    update public.recordings r set
      requested_by = nullif(r.requested_by, p_user_id),
      expires_at = case
        when recorder.is_forgotten(r) and (r.status = 'recorded' or r.status = 'failed' and recorder.may_have_files(r.id))
        then least(r.expires_at, clock_timestamp()) else r.expires_at end,
      version = nextval('recorder.versions'), updated_at = clock_timestamp()
    where r.id = v_recording.id;
    perform recorder.note(v_recording.id, 'administrator', 'recording.person_forgotten');
    perform recorder.mirror_calls(v_recording.id);
    if recorder.is_forgotten(v_recording) and v_recording.status <> 'expired' then
      v_to_delete := v_to_delete + 1;
      v_held := v_held + (v_recording.held_at is not null)::integer;
    end if;
  end loop;
  delete from public.notifications n where n.user_id = p_user_id;
  return jsonb_build_object('recordings', v_count, 'to_delete', v_to_delete, 'held', v_held);
end
$$;
comment on function recorder.forget_in_recordings(uuid, uuid[]) is
  'The part of recorder.forget_user that moves facts: stops what still records, takes the person out of calls and recordings, lets expire what both people gave up. Gives how many of each. For recorder.forget_user.';

create function recorder.forget_user(p_user_id uuid) returns jsonb
  language plpgsql security definer set search_path = ''
as $$
declare
  v_new_ids uuid[];
  v_person_ids uuid[];
  v_facts jsonb := jsonb_build_object('recordings', 0, 'to_delete', 0, 'held', 0);
begin
  if p_user_id is null then
    perform recorder.refuse('argument_missing');
  end if;
  -- Two people of one recording at once: the second must see that the first has asked.
  perform pg_advisory_xact_lock(hashtextextended('recorder.forget_user', 0));
  select coalesce(array_agg(p.id), '{}') into v_new_ids from (
    select i.id from public.instructors i where i.user_id = p_user_id
    union all
    select e.id from public.mentees e where e.user_id = p_user_id) p;
  insert into recorder.forgotten_people (person_id, user_id)
  select n.id, p_user_id from unnest(v_new_ids) as n (id)
  on conflict (person_id) do update set user_id = excluded.user_id;
  select coalesce(array_agg(f.person_id), '{}') into v_person_ids from recorder.forgotten_people f where f.user_id = p_user_id;
  if v_person_ids = '{}' and not exists (select from auth.users u where u.id = p_user_id) then
    perform recorder.refuse('user_not_found');
  end if;

  -- The second time there is nothing left to forget.
  if v_new_ids <> '{}' or exists (select from public.recordings r where r.requested_by = p_user_id) then
    v_facts := recorder.forget_in_recordings(p_user_id, v_person_ids);
    update public.instructors i set user_id = null, discord_id = null, name = null where i.id = any (v_new_ids);
    update public.mentees e set user_id = null, discord_id = null, discord_username = null, display_name = null, email = null
    where e.id = any (v_new_ids);
  end if;
  delete from public.playback_positions p where p.user_id = p_user_id;
  delete from public.playback_events p where p.user_id = p_user_id;
  delete from recorder.caller_uids c where c.user_id = p_user_id;
  return jsonb_build_object('people', cardinality(v_new_ids)) || v_facts;
end
$$;
comment on function recorder.forget_user(uuid) is
  'Forgets one person by the id of the Auth user: name, Discord, e-mail, link to the account, playback history, notifications and the number in calls are gone at once, a live recording of theirs is stopped. Files go only if both people of a recording were forgotten (its expires_at is now; a hold still keeps them). The Auth user itself is deleted with Auth''s own means. Gives {people, recordings, to_delete, held}: what this run did; the second gives zeros. Refuses with argument_missing, user_not_found. For recorder_admin.';

revoke all on recorder.forgotten_people from public, anon, authenticated, service_role;
alter table recorder.forgotten_people enable row level security;
alter table recorder.forgotten_people owner to recorder_owner;
do $$
declare
  v_function text;
begin
  foreach v_function in array array[
    'recorder.is_forgotten(public.recordings)', 'recorder.expire_forgotten()', 'recorder.forget_in_recordings(uuid, uuid[])',
    'recorder.forget_user(uuid)']
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
  end loop;
  foreach v_function in array array[
    'recorder.is_forgotten(public.recordings)', 'recorder.expire_forgotten()', 'recorder.forget_in_recordings(uuid, uuid[])']
  loop
    execute format('alter function %s owner to recorder_owner', v_function);
  end loop;
end
$$;
-- forget_user stays with postgres: people and the Auth user are not recorder_owner's.
grant execute on function recorder.forget_user(uuid) to recorder_admin;
