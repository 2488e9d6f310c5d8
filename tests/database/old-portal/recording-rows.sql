-- What the old portal wrote about recordings: its own words, and whatever else a browser sent it.
alter table public.video_calls disable trigger trigger_update_video_calls_updated_at;
update public.video_calls c set
  recording_status = r.status, recording_url = r.url, recording_key = r.key, recording_size = r.size,
  recording_duration_seconds = r.duration, recording_metadata = r.metadata::jsonb
from (values
  (1, 'recorded', 'https://s3.example.com/file/bucket/recordings/1/1.mp4', 'recordings/1/1.mp4', 1000000000000, 2400, '{"agoraResourceId": "abc", "uid": "10001"}'),
  (2, 'recording', null, 'recordings/2/2.mp4', null, null, '{"cloudRecordingStartAttempted": true}'),
  (3, 'failed', null, 'recordings/3/3.mp4', null, null, '{"stopError": "Recording session not found"}'),
  (4, 'not_recorded', null, null, null, null, null),
  (6, 'recording', null, 'recordings/6/6.mp4', null, null, null),
  (8, 'failed', null, null, null, null, null),
  (9, 'recorded', null, null, null, null, null),
  (10, '<b>uploading</b>', 'https://s3.example.com/10.mp4', null, null, null, null),
  (11, 'processing', null, null, null, null, null),
  (12, null, 'https://s3.example.com/12.mp4', 'recordings/12/12.mp4', null, null, null),
  (13, 'recording', null, 'recordings/13/13.mp4', null, null, '{"agoraResourceId": "def"}')
) as r (number, status, url, key, size, duration, metadata)
where c.id::text = '44000000-0000-4000-8000-' || lpad(r.number::text, 12, '0');
alter table public.video_calls enable trigger trigger_update_video_calls_updated_at;
