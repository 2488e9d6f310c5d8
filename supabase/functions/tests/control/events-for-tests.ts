import { CHANNEL, SID, UID } from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";

export const HAPPENED_MS = BEGIN_MS - 2_000;
export const HAPPENED_AT = new Date(HAPPENED_MS).toISOString();

let noticeCount = 0;

/** An event as the engine sends it, about the task of the tests. */
export function engineEvent(
  eventType: number,
  details: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
) {
  noticeCount += 1;
  return {
    noticeId: `notice${noticeCount}`,
    productId: 3,
    eventType,
    notifyMs: HAPPENED_MS + 26,
    sid: SID,
    payload: {
      cname: CHANNEL,
      uid: UID,
      sid: SID,
      sequence: noticeCount,
      sendts: HAPPENED_MS,
      serviceType: 1,
      serviceScene: "mix_record",
      details,
    },
    ...more,
  };
}

export const EVENTS = {
  fatal: () => engineEvent(1, { msgName: "cloud_recording_error", module: 0, errorLevel: 5, errorCode: 110 }),
  minor: () => engineEvent(1, { msgName: "cloud_recording_error", module: 0, errorLevel: 2, errorCode: 3 }),
  firstFile: () => engineEvent(4, { msgName: "cloud_recording_file_infos", fileList: "x.m3u8" }),
  exit: () => engineEvent(11, { msgName: "session_exit", exitStatus: 0 }),
  failover: () => engineEvent(12, { msgName: "session_failover", newUid: 4_000_000_002 }),
  uploaded: (fileList: unknown = [{ fileName: "x.m3u8" }]) =>
    engineEvent(31, { msgName: "uploaded", status: 0, fileList }),
  backuped: () => engineEvent(32, { msgName: "backuped", status: 0, fileList: [{ fileName: "x.m3u8" }] }),
  started: (status = 0) => engineEvent(40, { msgName: "recorder_started", status }),
  left: () => engineEvent(41, { msgName: "recorder_leave", leaveCode: 24 }),
  test: () =>
    engineEvent(
      40,
      { msgName: "recorder_started" },
      { payload: { channelName: "test_webhook", uid: 12121212 } },
    ),
  mute: () => engineEvent(43, { msgName: "recorder_audio_stream_state_changed", streamUid: "7", state: 1 }),
} as const;
