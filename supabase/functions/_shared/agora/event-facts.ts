import { z } from "zod";
import { type EngineFile, fileList, optionalTimeMs, timeMs, uidText } from "./file-list.ts";
import { type EngineModule, MODULES, taskError } from "./task-errors.ts";

/** Bits of event 41's leaveCode. The code 0 alone means that the recorder could not begin. */
export type LeaveReason = "init_failed" | "signal" | "no_users" | "timer" | "client_left";

const LEAVE_BITS = { 2: "signal", 4: "no_users", 8: "timer", 16: "client_left" } as const;

/**
 * The documented `details` by event type, as facts with one spelling and one unit. Only what an event is about is
 * required; an event that lacks it is reported as unknown by parseAgoraEvent and does not turn up as an empty fact.
 */
export const EVENT_FACTS = new Map(
  Object.entries({
    1: z
      .looseObject({
        module: z.number().int(),
        errorLevel: z.number().int(),
        errorCode: z.number().int(),
        errorMsg: z.string().catch(""),
      })
      .transform(({ module, errorLevel, errorCode, errorMsg }) => {
        const name: EngineModule =
          new Map<number, EngineModule>(
            Object.entries(MODULES).map(([number, known]) => [Number(number), known]),
          ).get(module) ?? "unknown";
        return {
          kind: "cloud_recording_error" as const,
          module: name,
          /** 1 debug, 2 minor, 3 medium, 4 major, 5 fatal. */
          errorLevel,
          errorCode,
          /** The task is probably dead: query before concluding it. */
          isFatal: errorLevel >= 5,
          error: taskError({ module: name, errorCode, errorMsg }),
        };
      }),
    2: z
      .looseObject({ module: z.number().int(), warnCode: z.number().int() })
      .transform(({ module, warnCode }) => ({ kind: "cloud_recording_warning" as const, module, warnCode })),
    // A call did not fit the task's state, a repeated start for instance. recordingMode is numbered differently per page.
    3: z.looseObject({ status: z.number().int(), fileList }).transform(({ status, fileList: files }) => ({
      kind: "cloud_recording_status_update" as const,
      status,
      files,
    })),
    // The first playlist is in the bucket; may come twice.
    4: z
      .looseObject({ fileList })
      .transform(({ fileList: files }) => ({ kind: "cloud_recording_file_infos" as const, files })),
    // Not the end of the story: 31 may come after it. Very old services write leaveStatus.
    11: z
      .looseObject({ exitStatus: z.number().int().optional(), leaveStatus: z.number().int().optional() })
      .transform((details, context) => {
        const exitStatus = details.exitStatus ?? details.leaveStatus;
        if (exitStatus === undefined) context.addIssue({ code: "custom", message: "exitStatus is missing" });
        return { kind: "session_exit" as const, isNormal: exitStatus === 0 };
      }),
    // From here on files are called bak<n>_ and events carry this uid.
    12: z
      .looseObject({ newUid: uidText })
      .transform(({ newUid }) => ({ kind: "session_failover" as const, newUid })),
    30: simple("uploader_started"),
    31: uploads("uploaded"),
    // At least one piece went through Agora's backup cloud: the bucket may be incomplete for a day and more.
    32: uploads("backuped"),
    33: z
      .looseObject({ progress: z.number().min(0).max(10_000) })
      .transform(({ progress }) => ({ kind: "uploading_progress" as const, progress: progress / 10_000 })),
    40: simple("recorder_started"),
    41: z.looseObject({ leaveCode: z.number().int().nonnegative() }).transform(({ leaveCode }) => ({
      kind: "recorder_leave" as const,
      leaveCode,
      reasons: leaveReasons(leaveCode),
    })),
    42: z
      .looseObject({ startUtcMs: timeMs, discontinueUtcMs: optionalTimeMs, trackType: z.string().optional() })
      .transform(({ startUtcMs, discontinueUtcMs, trackType }) => ({
        kind: "recorder_slice_start" as const,
        startsAtMs: startUtcMs,
        /** When the picture before it ended: earlier than startsAtMs only where a gap was recovered. */
        ...(discontinueUtcMs === undefined ? {} : { previousEndedAtMs: discontinueUtcMs }),
        ...(trackType === undefined ? {} : { trackType }),
      })),
    43: streamState("recorder_audio_stream_state_changed"),
    44: streamState("recorder_video_stream_state_changed"),
    45: z
      .looseObject({ fileName: z.string().min(1) })
      .transform(({ fileName }) => ({ kind: "recorder_snapshot_file" as const, fileName })),
    60: z.looseObject({}).transform(() => ({ kind: "vod_started" as const })),
    61: z.looseObject({}).transform(() => ({ kind: "vod_triggered" as const })),
    70: z.looseObject({ recorderStartTime: timeMs }).transform(({ recorderStartTime }) => ({
      kind: "web_recorder_started" as const,
      startsAtMs: recorderStartTime,
    })),
    71: z
      .looseObject({ code: z.number().int(), message: z.string().catch(""), fileList })
      .transform(({ code, message, fileList: files }) => ({
        kind: "web_recorder_stopped" as const,
        code,
        message,
        files,
      })),
    72: z
      .looseObject({ limitType: z.string() })
      .transform(({ limitType }) => ({ kind: "web_recorder_capability_limit" as const, limitType })),
    73: z
      .looseObject({ reason: z.string() })
      .transform(({ reason }) => ({ kind: "web_recorder_reload" as const, reason })),
    80: z.looseObject({}).transform(() => ({ kind: "transcoder_started" as const })),
    81: z
      .looseObject({ result: z.string() })
      .transform(({ result }) => ({ kind: "transcoder_completed" as const, result })),
    // Several names in one text, parted by semicolons.
    90: z
      .looseObject({ fileName: fileList })
      .transform(({ fileName }) => ({ kind: "download_failed" as const, files: fileName })),
    100: z
      .looseObject({ rtmpUrl: z.string(), status: z.string() })
      .transform(({ status }) => ({ kind: "rtmp_publish_status" as const, status })),
    1001: z.looseObject({ result: z.string(), fileList }).transform(({ result, fileList: files }) => ({
      kind: "postpone_transcode_final_result" as const,
      result,
      files,
    })),
  }).map(([eventType, schema]) => [Number(eventType), schema] as const),
);

type SchemaOf<M> = M extends Map<number, infer Schema extends z.ZodType> ? Schema : never;

/** The facts of each documented event, told apart by `kind`. */
export type EventFacts = z.output<SchemaOf<typeof EVENT_FACTS>>;

/** Types that only show that the engine lives: progress, slices, mute and unmute, pictures. */
export const SIGNS_OF_LIFE: ReadonlySet<number> = new Set([33, 42, 43, 44, 45]);

function simple<Kind extends "uploader_started" | "recorder_started">(kind: Kind) {
  return z
    .looseObject({ status: z.number().int().catch(0) })
    .transform(({ status }) => ({ kind, isNormal: status === 0 }));
}

// Web mode sends no list with it.
function uploads<Kind extends "uploaded" | "backuped">(kind: Kind) {
  return z
    .looseObject({ fileList })
    .transform(({ fileList: files }): { kind: Kind; files: EngineFile[] } => ({ kind, files }));
}

// One public integration spells utcMs; the pages say UtcMs.
function streamState<
  Kind extends "recorder_audio_stream_state_changed" | "recorder_video_stream_state_changed",
>(kind: Kind) {
  return z
    .looseObject({
      streamUid: uidText,
      state: z.number().int(),
      UtcMs: optionalTimeMs.catch(undefined),
      utcMs: optionalTimeMs.catch(undefined),
    })
    .transform(({ streamUid, state, UtcMs, utcMs }) => {
      const changedAtMs = UtcMs ?? utcMs;
      return {
        kind,
        streamUid,
        isReceiving: state === 0,
        ...(changedAtMs === undefined ? {} : { changedAtMs }),
      };
    });
}

function leaveReasons(leaveCode: number): LeaveReason[] {
  if (leaveCode === 0) return ["init_failed"];
  return Object.entries(LEAVE_BITS).flatMap(([bit, reason]) =>
    (leaveCode & Number(bit)) === 0 ? [] : [reason],
  );
}
