-- What goes out with a claimed job is read after the job was locked, by the wrapper as by what it wraps: with the eyes of the claim's
-- statement it could miss what somebody saved who found the job still waiting.
alter function recorder.job_context(recorder.jobs) volatile;
comment on function recorder.job_context(recorder.jobs) is
  'What goes out with a claimed job: what its handler needs (recorder.facts_for_job), and the number that its lines of the log carry. Volatile on purpose, as facts_for_job is: it looks after the job was locked.';
comment on function recorder.facts_for_job(recorder.jobs) is
  'What a handler needs to know, in the same round trip as the claim: the recording, its engine tasks, open events, the payload of its kind; for a start also the numbers of its quality and whose picture is the large one. Volatile on purpose: it sees everything that was saved by those who found the job still waiting.';
