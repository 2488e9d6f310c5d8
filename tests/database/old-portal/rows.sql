-- Two mentors and two mentees of 2025. Ids end in the number that the tests call a row by.
insert into public.instructors (id, discord_id, name) values
  ('11000000-0000-4000-8000-000000000001', '10001', 'Amara'),
  ('11000000-0000-4000-8000-000000000002', null, 'Bruno');
insert into public.mentees (id, discord_id, email, discord_username, display_name) values
  ('22000000-0000-4000-8000-000000000001', '20001', 'chidi@example.com', 'chidi', 'Chidi'),
  ('22000000-0000-4000-8000-000000000002', null, null, null, null);
insert into public.mentorships (id, instructor_id, mentee_id, status, ended_at, end_reason, admin_notes) values
  ('33000000-0000-4000-8000-000000000001', '11000000-0000-4000-8000-000000000001', '22000000-0000-4000-8000-000000000001', 'active', null, null, 'pays late'),
  ('33000000-0000-4000-8000-000000000002', '11000000-0000-4000-8000-000000000002', '22000000-0000-4000-8000-000000000002', 'ended', '2025-08-01', 'moved away', null),
  ('33000000-0000-4000-8000-000000000003', '11000000-0000-4000-8000-000000000001', '22000000-0000-4000-8000-000000000002', 'cancelled', null, null, null),
  ('33000000-0000-4000-8000-000000000004', null, null, null, null, null, null);

insert into public.video_calls (
  id, mentorship_id, instructor_id, mentee_id, start_time, end_time, duration_seconds, status, participants, created_at, updated_at)
select ('44000000-0000-4000-8000-' || lpad(number::text, 12, '0'))::uuid,
  ('33000000-0000-4000-8000-00000000000' || mentorship)::uuid, m.instructor_id, m.mentee_id,
  began, began + length, extract(epoch from length), c.status, '{"instructor": {"discordId": "10001"}}', began, began + '1 hour'
from (values
  -- One meeting of two people is two rows.
  (1, 1, timestamptz '2025-06-01 10:00+00', interval '40 minutes', 'ended'),
  (2, 1, '2025-06-01 10:01+00', interval '38 minutes', 'ended'),
  (3, 1, '2025-06-08 10:00+00', interval '40 minutes', 'ended'),
  (4, 1, '2025-06-15 10:00+00', interval '40 minutes', 'ended'),
  (5, 1, '2025-06-22 10:00+00', interval '40 minutes', 'ended'),
  -- Tabs that were closed: these calls never ended.
  (6, 1, '2025-06-29 10:00+00', null, 'active'),
  (7, 1, '2025-06-29 10:00+00', null, 'active'),
  (8, 2, '2025-07-01 10:00+00', interval '5 seconds', 'failed'),
  (9, 2, '2025-07-02 10:00+00', null, 'ended'),
  (10, 3, '2025-07-03 10:00+00', interval '10 minutes', 'ended'),
  (11, 4, '2025-07-04 10:00+00', interval '10 minutes', 'interrupted'),
  (12, 3, '2025-07-05 10:00+00', interval '10 minutes', 'ended'),
  -- Going on while the migrations run.
  (13, 1, now() - interval '10 minutes', null, 'active'),
  (14, 1, now() - interval '9 minutes', null, 'active')
) as c (number, mentorship, began, length, status)
join public.mentorships m on m.id = ('33000000-0000-4000-8000-00000000000' || mentorship)::uuid;

-- Half of the old rows name nobody: who took part is known from the mentorship only.
alter table public.video_calls disable trigger trigger_update_video_calls_updated_at;
update public.video_calls set instructor_id = null, mentee_id = null, participants = null where id::text ~ '[02468]$';
alter table public.video_calls enable trigger trigger_update_video_calls_updated_at;
