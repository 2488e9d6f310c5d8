begin;
select plan(17);
select tests.people();

select is(recorder.known_caller_uid(tests.person('mentor')), null, 'who has never joined has no number');
create temporary table numbers as
  select recorder.caller_uid(tests.person('mentor')) as mentor, recorder.caller_uid(tests.person('mentee')) as mentee;
select ok(mentor between 1001 and 3999999999 and mentee between 1001 and 3999999999, 'numbers lie below those of the recorders') from numbers;
select isnt(mentor, mentee, 'two people have two numbers') from numbers;
select is(recorder.caller_uid(tests.person('mentor')), mentor, 'asked again: the same') from numbers;
select is(recorder.known_caller_uid(tests.person('mentor')), mentor, 'and now it is known') from numbers;
select is(recorder.known_caller_uid(tests.person('stranger')), null, 'asking what is known draws nothing');
select is((select count(*) from recorder.caller_uids)::integer, 2, 'there are two of them');
select is(recorder.known_caller_uid(null), null, 'nobody has none');

-- Asking again costs no number.
select is(recorder.caller_uid(tests.person('other mentor')), mentee + 1, 'the next person gets the next one') from numbers;

delete from auth.users where id = tests.person('other mentor');
select is((select count(*) from recorder.caller_uids)::integer, 2, 'a number goes with its user');
select is(recorder.caller_uid(tests.person('stranger')), mentee + 2, 'and is not given to the next') from numbers;

select throws_ok($$ update recorder.caller_uids set uid = 4000000000 $$, '428C9', null, 'nobody chooses a number');
select throws_ok(
  $$ insert into recorder.caller_uids (user_id, uid) overriding system value values (tests.person('mentor'), 4000000000) $$,
  '23514', null, 'one of the recorders least of all');
select throws_ok($$ select recorder.caller_uid(null) $$, 'RC011', null, 'nobody cannot join');
select throws_ok($$ select recorder.caller_uid(gen_random_uuid()) $$, 'RC308', null, 'nor a user who is gone');

select tests.act_as_recorder_admin();
select lives_ok($$ select recorder.forget_user(tests.person('mentor')) $$, 'who is forgotten');
select tests.act_as_administrator();
select is(recorder.known_caller_uid(tests.person('mentor')), null, 'has no number any more');
select * from finish();
rollback;
