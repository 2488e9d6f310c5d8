-- A job for a recording that is not there is refused by its foreign key, which says so; the number must not be missed before that.
create or replace function recorder.correlate_job() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  new.correlation_id := coalesce(
    (select r.correlation_id from public.recordings r where r.id = new.recording_id), new.correlation_id);
  return new;
end
$$;
