-- One number that is the same in everything that follows from a wish: made with it, copied to every job, logged with every step.

alter table public.recordings add column correlation_id uuid not null default gen_random_uuid();
comment on column public.recordings.correlation_id is
  'Made with the wish; on every job and every line of the log that belongs to it. Worth telling to whoever is asked for help.';

alter table recorder.jobs add column correlation_id uuid not null default gen_random_uuid();
comment on column recorder.jobs.correlation_id is 'That of its recording; its own where it has none.';
update recorder.jobs j set correlation_id = r.correlation_id from public.recordings r where r.id = j.recording_id;

create function recorder.correlate_job() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  -- A recording that is not there is refused by the foreign key, which says so: the number must not be missed before that.
  new.correlation_id := coalesce(
    (select r.correlation_id from public.recordings r where r.id = new.recording_id), new.correlation_id);
  return new;
end
$$;
comment on function recorder.correlate_job() is 'Trigger of recorder.jobs: the number of the recording goes on to its work.';
create trigger correlate_job before insert on recorder.jobs
  for each row when (new.recording_id is not null) execute function recorder.correlate_job();

alter function recorder.correlate_job() owner to recorder_owner;
revoke all on function recorder.correlate_job() from public, anon, authenticated, service_role;
