import type { EngineEvent } from "./webhooks.ts";

type Event = Pick<EngineEvent, "eventType" | "serviceType" | "details">;

const trackTypes = { av: "audio_and_video", audio: "audio", video: "video" } as const;
export type TrackType = (typeof trackTypes)[keyof typeof trackTypes];

/** One file in answers and events. */
export interface FileItem {
  fileName: string;
  trackType: TrackType;
  uid: string;
  mixedAllUser: boolean;
  isPlayable: boolean;
  /** UTC ms. */
  sliceStartTime: number;
}

/** warnCode of event 2, module 1: a piece goes to the backup cloud. */
export const warnBackup = 32;

/** leaveCode of event 41: a bit mask of why the recorder left. */
export const leaveCodes = { killed: 2, idle: 4, asked: 24, clientLeft: 16 } as const;

/** Modules of event 1. */
export const errorModule = { recorder: 0, uploader: 1, service: 2 } as const;

/** The events of a mix recording with their documented fields (Agora, "Cloud Recording callback events"). */
export const events = {
  error: (module: number, errorCode: number, errorMsg = ""): Event => ({
    eventType: 1,
    serviceType: 0,
    details: { msgName: "cloud_recording_error", module, errorLevel: 5, errorCode, stat: 0, errorMsg },
  }),
  warning: (module: 0 | 1, warnCode: number): Event => ({
    eventType: 2,
    serviceType: 0,
    details: { msgName: "cloud_recording_warning", module, warnCode },
  }),
  statusUpdate: (status: number, fileList: string): Event => ({
    eventType: 3,
    serviceType: 0,
    details: { msgName: "cloud_recording_status_update", status, recordingMode: 1, fileList },
  }),
  fileInfos: (fileList: string): Event => ({
    eventType: 4,
    serviceType: 0,
    details: { msgName: "cloud_recording_file_infos", fileList },
  }),
  sessionExit: (exitStatus: 0 | 1): Event => ({
    eventType: 11,
    serviceType: 0,
    details: { msgName: "session_exit", exitStatus },
  }),
  sessionFailover: (newUid: number): Event => ({
    eventType: 12,
    serviceType: 0,
    details: { msgName: "session_failover", newUid },
  }),
  uploaderStarted: (): Event => ({
    eventType: 30,
    serviceType: 2,
    details: { msgName: "uploader_started", status: 0 },
  }),
  uploaded: (fileList: FileItem[]): Event => ({
    eventType: 31,
    serviceType: 2,
    details: { msgName: "uploaded", status: 0, fileList },
  }),
  backuped: (fileList: FileItem[]): Event => ({
    eventType: 32,
    serviceType: 2,
    details: { msgName: "backuped", status: 0, fileList },
  }),
  uploadingProgress: (progress: number): Event => ({
    eventType: 33,
    serviceType: 2,
    details: { msgName: "uploading_progress", progress },
  }),
  recorderStarted: (): Event => ({
    eventType: 40,
    serviceType: 1,
    details: { msgName: "recorder_started", status: 0 },
  }),
  recorderLeave: (leaveCode: number): Event => ({
    eventType: 41,
    serviceType: 1,
    details: { msgName: "recorder_leave", leaveCode },
  }),
  sliceStart: (startUtcMs: number, trackType: TrackType): Event => ({
    eventType: 42,
    serviceType: 1,
    details: {
      msgName: "recorder_slice_start",
      startUtcMs,
      discontinueUtcMs: startUtcMs,
      mixedAllUser: true,
      streamUid: "0",
      trackType,
    },
  }),
  /** Named on the best-practices page only, without a schema. */
  highAvailability: (): Event => ({
    eventType: 13,
    serviceType: 0,
    details: { msgName: "high_availability_register_success" },
  }),
  /** Seen in a console's list only; 46 tells of sound, 47 of pictures. */
  infoChanged: (kind: "audio" | "video"): Event => ({
    eventType: kind === "audio" ? 46 : 47,
    serviceType: 1,
    details: { msgName: `recorder_${kind}_info_changed`, streamUid: "1" },
  }),
  streamState: (kind: "audio" | "video", isReceiving: boolean, utcMs: number): Event => ({
    eventType: kind === "audio" ? 43 : 44,
    serviceType: 1,
    details: {
      msgName: `recorder_${kind}_stream_state_changed`,
      streamUid: "1",
      state: isReceiving ? 0 : 1,
      UtcMs: utcMs,
    },
  }),
};
