begin;
select plan(21);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create function pg_temp.admit(p_nickname text, p_call_id uuid default null) returns jsonb
  language sql as $$ select recorder_api.admit_caller(coalesce(p_call_id, (select call_id from it)), tests.person(p_nickname)) $$;
grant select on it to service_role;

create temporary table mentor as select pg_temp.admit('mentor') as a;
select is(a ->> 'channel', (select c.channel from public.video_calls c), 'the mentor learns the channel') from mentor;
select is((a -> 'uid')::bigint, recorder.known_caller_uid(tests.person('mentor')), 'with the number of this person') from mentor;
select is(a -> 'channel_type', '1', 'and the mode of the recorder') from mentor;
select is(a -> 'token_lifetime_seconds', '14400', 'for four hours') from mentor;
select is(pg_temp.admit('mentor'), a, 'asked again: the same') from mentor;
select ok(pg_temp.admit('mentee') ->> 'channel' = a ->> 'channel' and pg_temp.admit('mentee') -> 'uid' <> a -> 'uid',
  'the mentee meets the mentor under another number') from mentor;

update recorder.settings set value = 0 where name = 'channel_type';
select is(pg_temp.admit('mentor') -> 'channel_type', '0', 'one setting ties callers and recorder');

select is(pg_temp.admit('stranger'), null, 'a stranger gets nothing');
select is(pg_temp.admit('other mentor'), null, 'nor somebody else''s mentor');
select is(pg_temp.admit('mentor', gen_random_uuid()), null, 'a call that never was is the same nothing');
select is(recorder.known_caller_uid(tests.person('stranger')), null, 'and who is not admitted draws no number');

-- The people of the mentorship count, not the copy of them on the call.
update public.video_calls set instructor_id = '11000000-0000-4000-8000-000000000002';
select is(pg_temp.admit('other mentor'), null, 'a name on the call alone admits nobody');

update public.mentorships set status = 'ended';
select is(pg_temp.admit('mentor'), null, 'an ended mentorship holds no calls');
update public.mentorships set status = 'cancelled';
select is(pg_temp.admit('mentee'), null, 'nor a cancelled one');
update public.mentorships set status = 'active';
select isnt(pg_temp.admit('mentee'), null, 'an active one does');

update public.video_calls set status = 'ended';
select throws_ok($$ select pg_temp.admit('mentor') $$, 'RC005', null, 'an ended call is refused to its people');
select is(pg_temp.admit('stranger'), null, 'a stranger does not learn even that');
update public.video_calls set status = 'active', end_time = now();
select throws_ok($$ select pg_temp.admit('mentor') $$, 'RC005', null, 'so is one with an end');

select throws_ok($$ select recorder_api.admit_caller(null, tests.person('mentor')) $$, 'RC011', null, 'which call?');
select throws_ok($$ select recorder_api.admit_caller((select call_id from it), null) $$, 'RC011', null, 'who?');
select ok(recorder.setting('caller_token_lifetime') between 60 and 86400, 'the engine takes a token of 24 h at most');
select * from finish();
rollback;
