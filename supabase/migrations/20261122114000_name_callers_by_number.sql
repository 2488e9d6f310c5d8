-- In a channel of the engine everybody is a number. A person has one for good: the other side, the layout with the mentor large and the
-- engine's own reports then speak of the same person in every call.

create table recorder.caller_uids (
  user_id uuid primary key references auth.users (id) on delete cascade,
  -- The engine takes 1 to 4294967295. From 4000000000 on are the recorders' (recorder_api.begin_attempt); the first thousand are left to
  -- people and tools that choose a number by hand.
  uid bigint not null unique generated always as identity (minvalue 1001 maxvalue 3999999999 no cycle),
  created_at timestamptz not null default now(),
  constraint caller_uids_uid_check check (uid between 1001 and 3999999999)
);
comment on table recorder.caller_uids is
  'The number under which a person joins calls: one per Auth user, drawn once and never given to anybody else, also after the user is gone. Written by recorder.caller_uid, removed by recorder.forget_user.';

create function recorder.caller_uid(p_user_id uuid) returns bigint
  language plpgsql set search_path = ''
as $$
declare
  v_uid bigint;
begin
  if p_user_id is null then
    perform recorder.refuse('argument_missing');
  end if;
  -- Looked up first: an insert that meets its twin costs a number.
  select c.uid into v_uid from recorder.caller_uids c where c.user_id = p_user_id;
  if not found then
    begin
      insert into recorder.caller_uids (user_id) values (p_user_id) on conflict (user_id) do nothing returning uid into v_uid;
    exception when foreign_key_violation then
      perform recorder.refuse('user_not_found');
    end;
    if v_uid is null then
      -- The same person joined in another window a moment before.
      select c.uid into v_uid from recorder.caller_uids c where c.user_id = p_user_id;
    end if;
  end if;
  return v_uid;
end
$$;
comment on function recorder.caller_uid(uuid) is
  'The number of a person in calls, 1001 to 3999999999; drawn at the first call, the same ever after. Refuses with argument_missing, user_not_found. Called by recorder_api.admit_caller.';

create function recorder.known_caller_uid(p_user_id uuid) returns bigint
  language plpgsql stable set search_path = ''
as $$
begin
  return (select c.uid from recorder.caller_uids c where c.user_id = p_user_id);
end
$$;
comment on function recorder.known_caller_uid(uuid) is
  'The number of a person in calls; null for who has never joined one. Called where a layout names who is shown large.';

alter table recorder.caller_uids owner to recorder_owner;
alter function recorder.caller_uid(uuid) owner to recorder_owner;
alter function recorder.known_caller_uid(uuid) owner to recorder_owner;
revoke all on recorder.caller_uids from public, anon, authenticated, service_role;
revoke all on function recorder.caller_uid(uuid), recorder.known_caller_uid(uuid) from public, anon, authenticated, service_role;
alter table recorder.caller_uids enable row level security;
