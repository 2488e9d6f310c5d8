begin;
select plan(20);
select tests.people();
create temporary table it as select tests.new_call() as call_id;
create temporary table r as select tests.finished_recording(call_id) as id from it;
create function pg_temp.playback(p_nickname text default 'mentee') returns jsonb
  language sql as $$ select recorder_api.playback_of((select id from r), tests.person(p_nickname)) $$;

select is(pg_temp.playback() - 'started_at' - 'expires_at' - 'files' - 'recording_id',
  '{"status": "recorded", "quality": "720p", "duration_ms": 60000, "size_bytes": 1000, "is_partial": false, "gaps": [],
    "people": ["Amara", "Chidi"], "position_ms": null}', 'facts of the recording');
select is(pg_temp.playback() -> 'files',
  '[{"kind": "playlist", "object_key": "recordings/x/a1/x.m3u8", "content_type": "application/vnd.apple.mpegurl", "size_bytes": 1000, "duration_ms": 60000}]',
  'and its files');
select ok(pg_temp.playback() ->> 'started_at' is not null and pg_temp.playback() ->> 'expires_at' is not null, 'with its times');

insert into public.playback_positions (user_id, recording_id, position_ms)
select tests.person(n), id, p from r cross join (values ('mentor', 1000), ('mentee', 2000)) v (n, p);
select is(pg_temp.playback('mentor') -> 'position_ms', '1000', 'everybody goes on where they stopped');
select is(pg_temp.playback('mentee') -> 'position_ms', '2000', 'and not where the other did');

update public.instructors set name = null where id = '11000000-0000-4000-8000-000000000001';
select is(pg_temp.playback() -> 'people', '["Chidi"]', 'who has no name is not named');
update public.recordings set mentee_id = null;
select is(pg_temp.playback() -> 'people', '[]', 'nor who is gone');

select is(pg_temp.playback('stranger'), null, 'a stranger gets nothing');
select is(pg_temp.playback('other mentor'), null, 'nor somebody else''s mentor');
select is(recorder_api.playback_of(gen_random_uuid(), tests.person('mentee')), null, 'a recording that never was is the same nothing');
select is(recorder_api.playback_of((select id from r), null), null, 'and so it is for nobody');
select is(recorder_api.playback_of(null, tests.person('mentee')), null, 'or of nothing');

-- Until when.
update public.recordings set expires_at = clock_timestamp() + interval '1 hour';
select isnt(pg_temp.playback() -> 'files', '[]', 'to its end it is played');
update public.recordings set expires_at = clock_timestamp();
select is(pg_temp.playback() -> 'files', '[]', 'past it nothing is, also before the files are deleted');
select is(pg_temp.playback() ->> 'status', 'recorded', 'and what happened is still told');
update public.recordings set expires_at = null;
select isnt(pg_temp.playback() -> 'files', '[]', 'what is kept for ever is played');

-- From when.
create temporary table live as select tests.engine_at_work((select call_id from it)) as id;
select is(recorder_api.playback_of((select id from live), tests.person('mentee')) -> 'files', '[]', 'what is still recording has nothing');
insert into public.recording_files (recording_id, kind, attempt, object_key, content_type, size_bytes, verified_at)
select id, 'mp4', 1, 'recordings/y/a1/y.mp4', 'video/mp4', 1, now() from live;
select is(recorder_api.playback_of((select id from live), tests.person('mentee')) -> 'files', '[]', 'whatever is there');
select recorder_api.report(t.id, 'task.gone') from recorder.engine_tasks t where t.recording_id = (select id from live);
select is(recorder_api.playback_of((select id from live), tests.person('mentee')) ->> 'status', 'processing', 'as soon as it is over');
select is(jsonb_array_length(recorder_api.playback_of((select id from live), tests.person('mentee')) -> 'files'), 1,
  'what is there is played while the rest is awaited');
select * from finish();
rollback;
