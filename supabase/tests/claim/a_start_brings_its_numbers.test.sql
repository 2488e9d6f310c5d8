-- What a start has to know comes with its claim: the numbers of the quality, the layout, whose picture is large.
begin;
select plan(8);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
update public.video_calls set recording_quality = '480p', recording_layout = 'vertical' where id = (select call_id from it);
select tests.wish((select call_id from it), 'starting');

create function pg_temp.told() returns jsonb language sql as $$
  select recorder.job_context(j) -> 'recording' from recorder.jobs j where j.kind = 'start' and j.state = 'queued' $$;
select is(pg_temp.told() ->> 'layout', 'vertical', 'the layout');
select is(pg_temp.told() -> 'preset',
  '{"is_audio_only": false, "width": 848, "height": 480, "fps": 15, "bitrate_kbps": 1220}', 'the numbers of the quality');
select is(pg_temp.told() ->> 'mentor_uid', null, 'a mentor who never joined a call has no number there');
select recorder.caller_uid(tests.person('mentor'));
select is(pg_temp.told() ->> 'mentor_uid', recorder.known_caller_uid(tests.person('mentor'))::text, 'one who did is named, as text');

update recorder.presets set fps = 30 where quality = '480p';
select is(pg_temp.told() -> 'preset' ->> 'fps', '30', 'a changed number is used from the next start on');
update public.recordings set quality = 'audio';
select is(pg_temp.told() -> 'preset',
  '{"is_audio_only": true, "width": null, "height": null, "fps": null, "bitrate_kbps": null}', 'sound alone has no picture');

create temporary table task as select tests.start_engine((tests.recording_of((select call_id from it))).id) as id;
select is((select recorder.job_context(j) -> 'recording' -> 'preset' from recorder.jobs j where j.kind = 'confirm'), null, 'other work does not carry them');
select ok((select not (recorder.job_context(j) -> 'tasks' -> 0) ? 'token' from recorder.jobs j where j.kind = 'confirm'), 'and nothing carries a token');
select * from finish();
rollback;
