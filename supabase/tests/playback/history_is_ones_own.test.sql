begin;
select plan(22);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.finished_recording(call_id) as id from it;
grant select on it, r to authenticated, service_role, anon;

select tests.act_as('mentor');
select lives_ok($$ insert into public.playback_positions (recording_id, position_ms) select id, 1000 from r $$, 'the mentor keeps a position');
select lives_ok(
  $$ insert into public.playback_positions (recording_id, position_ms) select id, 2000 from r
     on conflict (user_id, recording_id) do update set recording_id = excluded.recording_id, position_ms = excluded.position_ms $$,
  'and keeps it anew, as the ordinary client''s upsert does');
select is((select position_ms from public.playback_positions), 2000::bigint, 'the last one stays');
select throws_ok($$ update public.playback_positions set updated_at = 'epoch' $$, '42501', null, 'the time is not the client''s');
select throws_ok($$ update public.playback_positions set user_id = tests.person('mentee') $$, '42501', null, 'a position cannot be given to somebody else');
select throws_ok(
  $$ insert into public.playback_positions (user_id, recording_id, position_ms) select tests.person('mentee'), id, 1 from r $$,
  '42501', null, 'nor made for them');
select throws_ok($$ update public.playback_positions set position_ms = -1 $$, '23514', null, 'a position before the beginning is refused');
select throws_ok($$ update public.playback_positions set position_ms = 604800001 $$, '23514', null, 'one after a week too');
select throws_ok($$ update public.playback_positions set position_ms = null $$, '23502', null, 'and none');
select throws_ok($$ delete from public.playback_positions $$, '42501', null, 'positions are not deleted');
select lives_ok($$ insert into public.playback_events (recording_id, kind, position_ms) select id, 'started', 0 from r $$, 'the mentor''s player reports');
select throws_ok($$ insert into public.playback_events (recording_id, kind) select id, 'danced' from r $$, '23514', null, 'an unknown kind is refused');
select throws_ok(
  $$ insert into public.playback_events (recording_id, kind, detail) select id, 'failed', jsonb_build_object('message', repeat('x', 2000)) from r $$,
  '23514', null, 'a long story is refused');
select throws_ok(
  $$ insert into public.playback_events (recording_id, kind, happened_at) select id, 'started', 'epoch' from r $$,
  '42501', null, 'the time is not the client''s');
select throws_ok($$ update public.playback_events set kind = 'ended' $$, '42501', null, 'what was reported stays');

select tests.act_as('mentee');
select is((select count(*) from public.playback_positions)::integer, 0, 'the mentee does not see where the mentor is');
select is((select count(*) from public.playback_events)::integer, 0, 'nor what the mentor did');
select lives_ok($$ insert into public.playback_positions (recording_id, position_ms) select id, 5 from r $$, 'and has a position of their own');

select tests.act_as('stranger');
select throws_ok($$ insert into public.playback_positions (recording_id, position_ms) select id, 5 from r $$, '42501', null, 'a stranger keeps none');
select throws_ok($$ insert into public.playback_events (recording_id, kind) select id, 'started' from r $$, '42501', null, 'and reports nothing');

select tests.act_as_administrator();
update recorder.settings set value = 0 where name = 'ended_mentorship_readable';
update public.mentorships set status = 'ended';
select tests.act_as('mentor');
select throws_ok($$ update public.playback_positions set position_ms = 3 $$, '42501', null, 'where access has ended nothing more is written');
select tests.act_as_administrator();
delete from auth.users where id = tests.person('mentor');
select is((select count(*) from public.playback_events)::integer, 0, 'a deleted user''s history goes along');
select * from finish();
rollback;
