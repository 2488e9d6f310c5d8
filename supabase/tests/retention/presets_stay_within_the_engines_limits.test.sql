begin;
select plan(17);
select results_eq(
  $$ select quality, width, height, fps, bitrate_kbps, is_audio_only from recorder.presets order by bitrate_kbps nulls first $$,
  $$ values ('audio', null::integer, null::integer, null::integer, null::integer, true), ('480p', 848, 480, 15, 1220, false),
       ('720p', 1280, 720, 15, 2260, false), ('1080p', 1920, 1080, 15, 4160, false) $$, 'there are four qualities');
select results_eq($$ select layout from recorder.layouts order by 1 $$, $$ values ('best_fit'), ('floating'), ('vertical') $$, 'and three layouts');
prepare preset(integer, integer, integer, integer) as
  insert into recorder.presets (quality, width, height, fps, bitrate_kbps, reason) values ('test', $1, $2, $3, $4, 'test');
select throws_ok('execute preset(1921, 100, 15, 500)', '23514', null, 'wider than the engine takes');
select throws_ok('execute preset(100, 1921, 15, 500)', '23514', null, 'higher than the engine takes');
select throws_ok('execute preset(1920, 1081, 15, 500)', '23514', null, 'more pixels than the engine takes');
select throws_ok('execute preset(0, 100, 15, 500)', '23514', null, 'no width');
select throws_ok('execute preset(100, 100, 25, 500)', '23514', null, 'a frame rate it would silently replace');
select throws_ok('execute preset(100, 100, 15, 6501)', '23514', null, 'more bits than the engine takes');
select throws_ok('execute preset(100, 100, 15, 0)', '23514', null, 'no bits');
select throws_ok('execute preset(100, 100, 15, null)', '23514', null, 'a picture needs all four numbers');
select throws_ok($$ insert into recorder.presets (quality, width, is_audio_only, reason) values ('test', 100, true, 'test') $$, '23514', null, 'sound has no width');
select throws_ok($$ insert into recorder.presets (quality, is_audio_only, reason) values ('UHD!', true, 'test') $$, '23514', null, 'a name that is none');
select lives_ok('execute preset(1080, 1920, 60, 6500)', 'all at the limit');

select tests.people();
create temporary table it as select tests.new_call() as call_id;
select lives_ok($$ update public.video_calls set recording_quality = 'test' $$, 'a new quality can be wished for at once');
select tests.wish((select call_id from it), 'starting');
select is((select quality from public.recordings), 'test', 'and a recording has it');
select tests.act_as('mentor');
select throws_ok($$ update public.video_calls set recording_quality = '4k' $$, '23503', null, 'one that does not exist cannot');
select throws_ok($$ update public.video_calls set recording_layout = 'round' $$, '23503', null, 'nor a layout');
select * from finish();
rollback;
