begin;
select plan(17);
select tests.people();
update public.instructors set user_id = null, discord_id = '900' where id = '11000000-0000-4000-8000-000000000002';
insert into public.mentees (id, discord_id, display_name) values ('22000000-0000-4000-8000-000000000009', '901', 'Gil');

select tests.act_as('anon');
select throws_ok('select public.link_my_profile()', '42501', null, 'nobody not signed in may ask');
select set_config('role', 'authenticated', true);
select throws_ok('select public.link_my_profile()', 'RC008', null, 'a session without a user is refused');
select tests.act_as('stranger');
select throws_ok('select public.link_my_profile()', 'RC201', null, 'a sign-in without Discord is refused');

select tests.act_as_administrator();
update auth.users set raw_user_meta_data = '{"provider_id": "901", "sub": "901", "discord_id": "901"}' where id = tests.person('stranger');
insert into auth.identities (user_id, provider, provider_id, identity_data, created_at, updated_at)
values (tests.person('stranger'), 'email', '901', '{"sub": "901", "provider_id": "901"}', now(), now());
select tests.act_as('stranger');
select throws_ok('select public.link_my_profile()', 'RC201', null, 'neither metadata nor the id at another provider is a proof');

select tests.act_as_administrator();
insert into auth.identities (user_id, provider, provider_id, identity_data, created_at, updated_at)
values (tests.person('stranger'), 'discord', '777', '{"sub": "901", "provider_id": "901"}', now(), now());
select tests.act_as('stranger');
select throws_ok('select public.link_my_profile()', 'RC202', null, 'a Discord account nobody has is refused, whatever its data claims');

select tests.act_as_administrator();
update auth.identities set provider_id = '901' where provider = 'discord';
select tests.act_as('stranger');
select is(public.link_my_profile(), '{"mentee_id": "22000000-0000-4000-8000-000000000009", "instructor_id": null}', 'the verified account links');
select is(public.link_my_profile(), '{"mentee_id": "22000000-0000-4000-8000-000000000009", "instructor_id": null}', 'the same again changes nothing');
select tests.act_as_administrator();
select is((select user_id from public.mentees where discord_id = '901'), tests.person('stranger'), 'and it stands in the row');

update public.instructors set discord_id = '901' where id = '11000000-0000-4000-8000-000000000002';
select tests.act_as('stranger');
select is(public.link_my_profile() ->> 'instructor_id', '11000000-0000-4000-8000-000000000002', 'who is mentor and mentee is linked to both');

select tests.act_as_administrator();
insert into auth.identities (user_id, provider, provider_id, identity_data, created_at, updated_at)
values (tests.person('mentee'), 'discord', '902', '{}', now(), now());
update public.mentees set discord_id = '902' where id = '22000000-0000-4000-8000-000000000009';
select tests.act_as('mentee');
select throws_ok('select public.link_my_profile()', 'RC203', null, 'what is somebody else''s stays theirs');

select tests.act_as_administrator();
update public.mentees set user_id = null where id = '22000000-0000-4000-8000-000000000009';
select tests.act_as('mentee');
select throws_ok('select public.link_my_profile()', 'RC204', null, 'a user who is another mentee already is not linked to a second one');

select tests.act_as_administrator();
update public.mentees set discord_id = '902', user_id = null;
select tests.act_as('mentee');
select throws_ok('select public.link_my_profile()', 'RC204', null, 'two mentees with one Discord account are not guessed between');
select tests.act_as_administrator();
select is((select count(*) from public.mentees where user_id is not null)::integer, 0, 'and refusals have changed nothing');

update public.mentees set discord_id = '' where id = '22000000-0000-4000-8000-000000000009';
update public.mentees set discord_id = null where id = '22000000-0000-4000-8000-000000000001';
update auth.identities set provider_id = '' where provider = 'discord' and user_id = tests.person('mentee');
select tests.act_as('mentee');
select throws_ok('select public.link_my_profile()', 'RC201', null, 'an empty id is nobody''s');
select is((select count(*) from public.mentorships)::integer, 0, 'who is not linked sees no mentorship');

select tests.act_as_administrator();
update auth.identities set provider_id = '903' where provider = 'discord' and user_id = tests.person('mentee');
update public.mentees set discord_id = '903' where id = '22000000-0000-4000-8000-000000000001';
select tests.act_as('mentee');
select lives_ok('select public.link_my_profile()', 'once linked');
select is((select count(*) from public.mentorships)::integer, 1, 'the mentorship is there at once');
select * from finish();
rollback;
