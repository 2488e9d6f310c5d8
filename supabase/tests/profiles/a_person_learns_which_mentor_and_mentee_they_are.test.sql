begin;
select plan(6);
select tests.people();

select tests.act_as('anon');
select throws_ok('select public.my_profile()', '42501', null, 'nobody not signed in may ask');
select set_config('role', 'authenticated', true);
select throws_ok('select public.my_profile()', 'RC008', null, 'a session without a user is refused');
select tests.act_as('mentor');
select is(
  public.my_profile(),
  (select jsonb_build_object('instructor_id', m.instructor_id, 'mentee_id', null) from public.mentorships m where m.id = tests.mentorship()),
  'a mentor is told the mentor they are');
select tests.act_as('mentee');
select is(
  public.my_profile(),
  (select jsonb_build_object('instructor_id', null, 'mentee_id', m.mentee_id) from public.mentorships m where m.id = tests.mentorship()),
  'a mentee the mentee');
select tests.act_as('stranger');
select is(public.my_profile(), '{"instructor_id": null, "mentee_id": null}', 'a stranger is neither, which is no error');

select tests.act_as_administrator();
update public.mentees set user_id = tests.person('mentor') where user_id = tests.person('mentee');
select tests.act_as('mentor');
select ok(public.my_profile() ->> 'instructor_id' is not null and public.my_profile() ->> 'mentee_id' is not null, 'who is both is told both');

select * from finish();
rollback;
