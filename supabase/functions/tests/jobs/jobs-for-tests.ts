import type { EngineTask, Job, JobRecording } from "../../_shared/jobs/job.ts";
import { BEGIN_MS } from "./virtual-clock.ts";

export const RECORDING_ID = "0f6c2f6e-5d5a-4a3e-9a51-0c9a4a1c7e11";
export const TASK_ID = "7d3b1c1e-3f7f-4f43-8f39-2d0f4f0a9c22";
export const SID = "38f8e3cfdc474cd56fc1ceba380d7e1a";
export const CHANNEL = "0123456789abcdef0123456789abcdef";
export const UID = "4000000001";
export const RESOURCE_ID = "resource-of-the-engine";

export function recordingForTest(change: Partial<JobRecording> = {}): JobRecording {
  return {
    id: RECORDING_ID,
    channel: CHANNEL,
    status: "starting",
    phase: "queued",
    attempt: 1,
    quality: "720p",
    layout: "best_fit",
    preset: { is_audio_only: false, width: 1280, height: 720, fps: 15, bitrate_kbps: 2260 },
    mentor_uid: null,
    requested_at: BEGIN_MS,
    started_at: undefined,
    stop_requested_at: undefined,
    stopped_at: undefined,
    deletion_began_at: undefined,
    mentorship_id: "11111111-1111-4111-8111-111111111111",
    call_id: "22222222-2222-4222-8222-222222222222",
    instructor_id: "33333333-3333-4333-8333-333333333333",
    mentee_id: "44444444-4444-4444-8444-444444444444",
    requested_by: "66666666-6666-4666-8666-666666666666",
    stop_reason: null,
    deadline_at: undefined,
    duration_ms: null,
    size_bytes: null,
    stored_bytes: null,
    ...change,
  };
}

/** A task that runs, as it is some seconds after its start. */
export function taskForTest(change: Partial<EngineTask> = {}): EngineTask {
  return {
    id: TASK_ID,
    attempt: 1,
    channel: CHANNEL,
    uid: UID,
    state: "running",
    resource_id: RESOURCE_ID,
    sid: SID,
    request: null,
    token_expires_at: BEGIN_MS + 86_390_000,
    is_unanswered: false,
    start_sent_at: BEGIN_MS - 10_000,
    started_at: undefined,
    confirmed_at: undefined,
    last_seen_at: undefined,
    suspect_since: undefined,
    left_at: undefined,
    error: null,
    failed_at: undefined,
    gone_at: undefined,
    files: null,
    is_empty: false,
    superseded: false,
    ...change,
  };
}

let jobCount = 0;

export function jobForTest(change: Partial<Job> = {}): Job {
  jobCount += 1;
  return {
    id: jobCount,
    lease: "55555555-5555-4555-8555-555555555555",
    kind: "start",
    recording_id: RECORDING_ID,
    engine_task_id: null,
    attempts: 1,
    max_attempts: 20,
    wait_ms: 0,
    engine_account: "default",
    requests_per_second: 9.5,
    recording: recordingForTest(),
    tasks: [],
    events: null,
    payload: null,
    ...change,
  };
}
