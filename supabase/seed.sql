-- People for a local stack: two mentors, three mentees, four mentorships. Everybody's password is "recorded-here".
-- Never run on a hosted project: db push applies migrations only.

do $$
declare
  v_person record;
begin
  for v_person in
    select * from (values
      ('a0000000-0000-4000-8000-000000000001'::uuid, 'mentor@example.com'),
      ('a0000000-0000-4000-8000-000000000002'::uuid, 'second.mentor@example.com'),
      ('b0000000-0000-4000-8000-000000000001'::uuid, 'mentee@example.com'),
      ('b0000000-0000-4000-8000-000000000002'::uuid, 'second.mentee@example.com'),
      ('b0000000-0000-4000-8000-000000000003'::uuid, 'third.mentee@example.com')
    ) as people (id, email)
  loop
    insert into auth.users (
      instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data,
      created_at, updated_at)
    values (
      '00000000-0000-0000-0000-000000000000', v_person.id, 'authenticated', 'authenticated', v_person.email,
      extensions.crypt('recorded-here', extensions.gen_salt('bf', 6)), now(),
      '{"provider": "email", "providers": ["email"]}', '{}', now(), now());
    insert into auth.identities (id, user_id, provider, provider_id, identity_data, last_sign_in_at, created_at, updated_at)
    values (
      gen_random_uuid(), v_person.id, 'email', v_person.id::text,
      jsonb_build_object('sub', v_person.id, 'email', v_person.email, 'email_verified', true), now(), now(), now());
  end loop;
end
$$;

insert into public.instructors (id, user_id, name) values
  ('11000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', 'Amara'),
  ('11000000-0000-4000-8000-000000000002', 'a0000000-0000-4000-8000-000000000002', 'Bruno');

insert into public.mentees (id, user_id, email, display_name) values
  ('22000000-0000-4000-8000-000000000001', 'b0000000-0000-4000-8000-000000000001', 'mentee@example.com', 'Chidi'),
  ('22000000-0000-4000-8000-000000000002', 'b0000000-0000-4000-8000-000000000002', 'second.mentee@example.com', 'Dara'),
  ('22000000-0000-4000-8000-000000000003', 'b0000000-0000-4000-8000-000000000003', 'third.mentee@example.com', 'Edda');

insert into public.mentorships (id, instructor_id, mentee_id) values
  ('33000000-0000-4000-8000-000000000001', '11000000-0000-4000-8000-000000000001', '22000000-0000-4000-8000-000000000001'),
  ('33000000-0000-4000-8000-000000000002', '11000000-0000-4000-8000-000000000001', '22000000-0000-4000-8000-000000000002'),
  ('33000000-0000-4000-8000-000000000003', '11000000-0000-4000-8000-000000000002', '22000000-0000-4000-8000-000000000003'),
  ('33000000-0000-4000-8000-000000000004', '11000000-0000-4000-8000-000000000002', '22000000-0000-4000-8000-000000000001');
