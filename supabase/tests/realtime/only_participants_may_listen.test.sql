begin;
select plan(37);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
grant select on it to authenticated, service_role, anon;
delete from realtime.messages;

-- The server asks by putting a row of each kind into the table and looking, as the client, which of them can be seen.
create function pg_temp.may(p_who text, p_topic text) returns text language plpgsql as $$
declare
  v_seen text;
begin
  perform tests.act_as_administrator();
  perform set_config('realtime.topic', p_topic, true);
  insert into realtime.messages (topic, extension) values (p_topic, 'broadcast'), (p_topic, 'presence'), (p_topic, 'postgres_changes');
  perform tests.act_as(p_who);
  begin
    select string_agg(m.extension, ' ' order by m.extension) into v_seen from realtime.messages m where m.topic = p_topic;
  exception when insufficient_privilege then
    v_seen := '42501';
  end;
  perform tests.act_as_administrator();
  delete from realtime.messages;
  return coalesce(v_seen, 'nothing');
end
$$;
create function pg_temp.may_send(p_who text, p_extension text, p_topic text) returns text language plpgsql as $$
begin
  perform set_config('realtime.topic', p_topic, true);
  return tests.answer(p_who, format('insert into realtime.messages (topic, extension) values (%L, %L)', p_topic, p_extension));
end
$$;

select is(pg_temp.may(who, topic), expected, format('%s on %s: %s', who, what, expected))
from (
  select 'call', 'call:' || call_id from it
  union all select 'mentorship', 'mentorship:' || tests.mentorship()) topics (what, topic)
cross join (values ('mentor', 'broadcast presence'), ('mentee', 'broadcast presence'), ('other mentor', 'nothing'), ('stranger', 'nothing'), ('anon', 'nothing'))
  as people (who, expected);

select is(pg_temp.may('mentor', topic), 'nothing', format('%s denies', coalesce(nullif(topic, ''), 'no topic')))
from it cross join lateral (values
  (''), ('call'), ('call:'), ('mentorship:'), ('call:' || gen_random_uuid()), ('mentorship:' || gen_random_uuid()),
  ('mentorship:' || call_id), ('call:' || tests.mentorship()), ('call:' || upper(call_id::text)), ('CALL:' || call_id),
  ('call:' || call_id || ' '), (' call:' || call_id), ('call:' || call_id || E'\n'), ('call:' || call_id || ':x'),
  ('call:' || replace(call_id::text, '-', '')), ('room:' || call_id), ('recording:' || call_id)) topics (topic);

select is(pg_temp.may_send(who, extension, 'call:' || call_id), expected, format('%s sends %s: %s', who, extension, expected))
from it cross join (values
  ('mentor', 'broadcast', '42501'), ('mentee', 'broadcast', '42501'), ('stranger', 'broadcast', '42501'), ('anon', 'broadcast', '42501'),
  ('mentor', 'presence', 'rows'), ('mentee', 'presence', 'rows'), ('other mentor', 'presence', '42501'),
  ('stranger', 'presence', '42501'), ('anon', 'presence', '42501')) as people (who, extension, expected);

select is(pg_temp.may_send('mentor', 'presence', 'call:' || gen_random_uuid()), '42501', 'nobody is present where they may not listen');
select * from finish();
rollback;
