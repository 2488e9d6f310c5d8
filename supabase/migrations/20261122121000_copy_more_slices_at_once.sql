-- Between two invocations lies pg_net's rest of a second: with 200 small files each, half of the time of 5,000 slices was pauses.

update recorder.settings set value = 400,
  reason = 'Requests cost CPU whatever they carry: this many small files take 0.7 s of the 2 s that an invocation has, twice that on a machine that is busy.'
where name = 'transfer_slice_objects';
