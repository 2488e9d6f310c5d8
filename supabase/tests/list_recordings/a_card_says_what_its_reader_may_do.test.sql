-- What a card promises is what the RPCs then allow.
begin;
select plan(24);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.finished_recording(call_id) as id from it;
grant select on it, r to anon, authenticated, service_role;
create function pg_temp.card(p_who text, p_member text) returns text language plpgsql as $$
declare v_said text;
begin
  perform tests.act_as(p_who);
  select public.show_recording(id) #>> string_to_array(p_member, '.') into v_said from r;
  perform tests.act_as_administrator();
  return v_said;
end $$;

select is(pg_temp.card('mentee', 'status'), 'recorded', 'its people see it');
select is(pg_temp.card('stranger', 'status'), null, 'a stranger does not');
select is(pg_temp.card('mentee', 'requested_by.name'), 'Amara', 'it says who pressed record');
select is(pg_temp.card('mentee', 'requested_by.is_me'), 'false', 'which was not the mentee');
select is(pg_temp.card('mentor', 'requested_by.is_me'), 'true', 'but the mentor');
select is(pg_temp.card('mentor', 'people.mentee'), 'Chidi', 'and who was there');
select is(pg_temp.card('mentor', 'has_thumbnail'), 'false', 'no picture was made of it');
select is(pg_temp.card('mentor', 'may_delete'), 'true', 'it may be deleted');
select is(pg_temp.card('mentor', 'may_retry'), 'false', 'what is there needs no retry');
select is(pg_temp.card('mentee', 'keepable_until')::timestamptz, (select finished_at + interval '1095 days' from public.recordings), 'it may be kept as long as the policy says');
select tests.act_as('mentee');
select public.keep_recording_longer(id) from r;
select tests.act_as_administrator();
select is(pg_temp.card('mentee', 'keepable_until'), null, 'kept longest, it cannot be kept longer');
update recorder.retention_policies set longest_keep_days = null;
select is(pg_temp.card('mentee', 'keepable_until'), 'infinity', 'unless the policy sets no end');
update recorder.retention_policies set may_people_delete = false;
select is(pg_temp.card('mentor', 'may_delete'), 'false', 'where records must be kept it may not be deleted');
update recorder.retention_policies set may_people_delete = true;
update public.recordings set held_at = now(), hold_reason = 'A dispute.';
select is(pg_temp.card('mentor', 'may_delete'), 'false', 'nor while it is held');
select is(pg_temp.card('mentor', 'hold_reason'), 'A dispute.', 'and the reason is there to read');
update public.recordings set held_at = null, hold_reason = null;
update public.mentorships set status = 'ended';
select is(pg_temp.card('mentor', 'may_delete') || pg_temp.card('mentor', 'may_retry'), 'falsefalse', 'after the mentorship nothing can be done');
select is(pg_temp.card('mentor', 'keepable_until'), null, 'but look back');
update public.mentorships set status = 'active';

select tests.act_as('mentor');
select public.delete_recording(id) from r;
select tests.act_as_administrator();
select is(pg_temp.card('mentee', 'is_being_deleted'), 'true', 'a wish to delete it shows at once');
select is(pg_temp.card('mentee', 'may_delete'), 'false', 'and is made once');

update r set id = tests.failed_recording(tests.new_call());
select is(pg_temp.card('mentor', 'may_retry'), 'true', 'files that did not come may be looked for again');
update public.recordings set error = error || '{"retry": "never"}' where id = (select id from r);
select is(pg_temp.card('mentor', 'may_retry'), 'false', 'not where the error says never');
select is(pg_temp.card('mentor', 'may_delete'), 'true', 'what a failed recording left may be deleted');
update public.recordings set expires_at = null where id = (select id from r);
select is(pg_temp.card('mentor', 'is_being_deleted'), 'false', 'what has no end is not being deleted');
select is(pg_temp.card('mentor', 'may_delete'), 'true', 'and may be');
select * from finish();
rollback;
