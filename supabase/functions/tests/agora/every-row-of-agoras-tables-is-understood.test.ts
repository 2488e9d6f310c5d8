import assert from "node:assert/strict";
import { phaseOf } from "../../_shared/agora/answers.ts";
import type { AgoraClient } from "../../_shared/agora/client.ts";
import type { EngineErrorCode } from "../../_shared/agora/errors.ts";
import { parseAgoraEvent } from "../../_shared/agora/events.ts";
import type { AgoraCall } from "../../_shared/agora/transport.ts";
import { ACQUIRE, QUERY, START, STOP, UPDATE_LAYOUT } from "./requests-for-tests.ts";
import { scriptedEngine } from "./scripted-engine.ts";

// One test per row of Agora's own tables, named after the row: status codes of the REST API, older numeric codes, successes
// in disguise, status numbers of query, types of events, codes inside event 1. What each answer and event says in full is
// the business of the tests beside this one.

const SEND: Record<AgoraCall, (client: AgoraClient) => Promise<{ outcome: string; error?: unknown }>> = {
  acquire: (client) => client.acquire(ACQUIRE),
  start: (client) => client.start(START),
  query: (client) => client.query(QUERY),
  updateLayout: (client) => client.updateLayout(UPDATE_LAYOUT),
  stop: (client) => client.stop(STOP),
};
const ANY = ["acquire", "start", "query", "updateLayout", "stop"] as const;
const OF_A_TASK = ["query", "updateLayout"] as const;

type Body = Record<string, unknown>;
/** Table, calls, HTTP status, body, what we make of it (an error of ours where it is refused or unclear). */
type Row = [
  table: string,
  calls: readonly AgoraCall[],
  http: number,
  body: Body,
  outcome: string,
  error?: EngineErrorCode,
];

const now = "current status codes";
const older = "older numeric codes";
const disguised = "successes in disguise";
const ROWS: Row[] = [
  [now, ANY, 400, { message: "appid is invalid" }, "refused", "engine_app_not_enabled"],
  [now, ANY, 401, { message: "Unauthorized" }, "refused", "engine_unauthorized"],
  [now, ANY, 401, { message: "Invalid authentication credentials" }, "refused", "engine_unauthorized"],
  [now, ANY, 404, { message: "no Route matched with those values" }, "refused", "engine_route_unknown"],
  [now, ANY, 429, { message: "API rate limit exceeded" }, "refused", "engine_rate_limited"],
  [
    now,
    ["acquire"],
    400,
    { code: 2, reason: "Acquire: invalid resourceExpiredHour value!" },
    "refused",
    "engine_request_invalid",
  ],
  [
    now,
    ["acquire"],
    400,
    { code: 2, reason: "post method api body check failed!" },
    "refused",
    "engine_request_invalid",
  ],
  [now, ["acquire"], 400, { code: 400, reason: "invalid_appid" }, "refused", "engine_app_not_enabled"],
  [now, ["acquire"], 400, { code: 401, reason: "invalid_channel_name" }, "refused", "channel_name_invalid"],
  [now, ["acquire"], 400, { code: 405, reason: "no_active_status" }, "refused", "engine_account_inactive"],
  [now, ["acquire"], 400, { code: 406, reason: "vendor_over_load" }, "refused", "engine_ceiling_reached"],
  [now, ["acquire"], 500, { code: 500, reason: "internal_error" }, "refused", "engine_internal_error"],
  [
    now,
    ["acquire"],
    500,
    { code: 501, reason: "no_worker_manager_available" },
    "refused",
    "engine_no_worker",
  ],
  [now, ["acquire"], 500, { code: 504, reason: "allocate_timeout" }, "refused", "engine_timeout"],
  [now, ["start"], 201, { code: 7, reason: "already started" }, "already_started"],
  [now, ["start"], 206, { code: 65, reason: "request not completed" }, "unclear", "engine_reply_pending"],
  [
    now,
    ["start"],
    400,
    { code: 2, reason: "post method api body check failed!" },
    "refused",
    "engine_request_invalid",
  ],
  [now, ["start"], 400, { code: 2, reason: "request_hash mismatch!" }, "refused", "engine_request_invalid"],
  [now, ["start"], 400, { code: 2, reason: "services not selected!" }, "refused", "engine_request_invalid"],
  [now, ["start"], 400, { code: 53, reason: "task conflict" }, "conflict"],
  [now, ["start"], 500, { code: 502, reason: "Failed to allocate worker" }, "refused", "engine_no_worker"],
  [now, ["start"], 500, { code: 62, reason: "request timeout" }, "unclear", "engine_timeout"],
  [now, OF_A_TASK, 206, { code: 65, reason: "request not completed" }, "unclear", "engine_reply_pending"],
  [now, OF_A_TASK, 400, { code: 2, reason: "invalid parameter" }, "refused", "engine_request_invalid"],
  [now, OF_A_TASK, 404, { code: 404, reason: "failed to find worker" }, "not_found"],
  [now, OF_A_TASK, 504, { code: 62, reason: "request timeout" }, "unclear", "engine_timeout"],
  [now, ["stop"], 206, { code: 65, reason: "request not completed" }, "accepted"],
  [now, ["stop"], 206, { code: 435, reason: "no recorded data" }, "stopped_empty"],
  [now, ["stop"], 400, { code: 2, reason: "invalid parameter" }, "refused", "engine_request_invalid"],
  [now, ["stop"], 400, { code: 49, reason: "invalid operation" }, "already_exiting"],
  [now, ["stop"], 404, { code: 404, reason: "failed to find worker" }, "not_found"],
  [now, ["stop"], 504, { code: 62, reason: "request timeout" }, "unclear", "engine_timeout"],
  // Met in the field under other HTTP statuses than today's table names.
  [older, ANY, 200, { code: 2 }, "refused", "engine_request_invalid"],
  [older, ["start"], 200, { code: 7 }, "already_started"],
  [older, ANY, 400, { code: 8 }, "refused", "engine_request_invalid"],
  [older, ["stop"], 200, { code: 49 }, "already_exiting"],
  [older, ["stop"], 200, { code: 50 }, "accepted"],
  [older, ["start"], 200, { code: 53 }, "conflict"],
  [older, ["acquire"], 400, { code: 62 }, "refused", "engine_app_not_enabled"],
  [older, ["start"], 400, { code: 62 }, "unclear", "engine_timeout"],
  [older, ["start", ...OF_A_TASK], 200, { code: 65 }, "unclear", "engine_reply_pending"],
  [older, ["stop"], 200, { code: 65 }, "accepted"],
  [older, ANY, 400, { code: 432 }, "refused", "engine_resource_mismatch"],
  [older, ANY, 400, { code: 433 }, "refused", "engine_resource_expired"],
  [older, ["stop"], 200, { code: 435 }, "stopped_empty"],
  [older, ["query"], 400, { code: 501 }, "unclear", "engine_task_exiting"],
  [older, ANY, 400, { code: 1001 }, "refused", "engine_resource_mismatch"],
  [older, ANY, 400, { code: 1003 }, "refused", "engine_resource_mismatch"],
  [older, ANY, 400, { code: 1013 }, "refused", "channel_name_invalid"],
  [older, ANY, 400, { code: 1028 }, "refused", "engine_request_invalid"],
  [older, ANY, 400, { reason: "invalid appid" }, "refused", "engine_app_not_enabled"],
  [older, ["start"], 500, { code: 15, sid: "" }, "unclear", "engine_internal_error"],
  // "Part of the files went to the backup cloud", or "not over yet".
  [older, ["stop"], 206, {}, "accepted"],
  [older, ["start", ...OF_A_TASK], 206, {}, "unclear", "engine_reply_pending"],
  // More requests per second than a tenth of the ceiling: a 400 whose body no source shows.
  [
    "limits: calls a second above a tenth of the ceiling",
    ANY,
    400,
    { message: "rate exceeds the quota" },
    "refused",
    "engine_refusal_unexplained",
  ],
  [
    "limits: calls a second above a tenth of the ceiling",
    ["acquire"],
    400,
    {},
    "refused",
    "engine_refusal_unexplained",
  ],
  [disguised, ["start"], 201, { code: 7, reason: "already started", sid: "a".repeat(32) }, "already_started"],
  [disguised, ["start"], 400, { code: 53, reason: "task conflict" }, "conflict"],
  [disguised, ["stop"], 206, { code: 435, reason: "no recorded data" }, "stopped_empty"],
  [disguised, ["stop"], 400, { code: 49, reason: "invalid operation" }, "already_exiting"],
  [disguised, ["stop"], 404, { code: 404, reason: "failed to find worker" }, "not_found"],
  [disguised, ["stop"], 206, { code: 50, reason: "upload timeout" }, "accepted"],
  [disguised, ["query"], 404, { code: 404, reason: "failed to find worker" }, "not_found"],
  ...["uploaded", "backuped", "stranded", "unknown", "unknow"].map(
    (uploadingStatus): Row => [disguised, ["stop"], 200, { serverResponse: { uploadingStatus } }, "stopped"],
  ),
];

for (const [table, calls, http, body, outcome, error] of ROWS) {
  for (const call of calls) {
    Deno.test(`${table}: ${call} ${http} ${JSON.stringify(body)} is ${error ?? outcome}`, async () => {
      const { client } = scriptedEngine([{ http, body }]);
      const result = await SEND[call](client);
      assert.equal(result.outcome, outcome);
      assert.equal((result.error as { code: string } | undefined)?.code, error);
    });
  }
}

const PHASES: [status: number, wording: string, phase: string][] = [
  [0, "not started", "starting"],
  [1, "initialised", "starting"],
  [2, "components starting", "starting"],
  [3, "some components ready", "starting"],
  [4, "all components ready", "recording"],
  [5, "in progress", "recording"],
  [6, "stop requested", "stopping"],
  [7, "all components stopped", "stopping"],
  [8, "exited", "stopping"],
  [9, "undefined", "unknown"],
  [19, "undefined", "unknown"],
  [20, "abnormal exit", "abnormal"],
];

for (const [status, wording, phase] of PHASES) {
  Deno.test(`status of query: ${status} (${wording}) is ${phase}`, () => {
    assert.equal(phaseOf(status), phase);
  });
}

/** Number, msgName, `details`; undefined where no source shows them: such an event is kept, and changes nothing. */
const EVENTS: [eventType: number, msgName: string, details?: Body][] = [
  [1, "cloud_recording_error", { module: 0, errorLevel: 5, errorCode: 3, stat: 0, errorMsg: "" }],
  [2, "cloud_recording_warning", { module: 1, warnCode: 32 }],
  [3, "cloud_recording_status_update", { status: 5, recordingMode: 1, fileList: "a.m3u8" }],
  [4, "cloud_recording_file_infos", { fileList: "a.m3u8" }],
  [11, "session_exit", { exitStatus: 0 }],
  [12, "session_failover", { newUid: 7 }],
  [13, "high availability register success"],
  [30, "uploader_started", { status: 0 }],
  [31, "uploaded", { status: 0, fileList: [] }],
  [32, "backuped", { status: 0, fileList: [] }],
  [33, "uploading_progress", { progress: 10_000 }],
  [34, "STSExpired"],
  [40, "recorder_started", { status: 0 }],
  [41, "recorder_leave", { leaveCode: 16 }],
  [42, "recorder_slice_start", { startUtcMs: 1_699_990_000_000 }],
  [43, "recorder_audio_stream_state_changed", { streamUid: "7", state: 0 }],
  [44, "recorder_video_stream_state_changed", { streamUid: "7", state: 1 }],
  [45, "recorder_snapshot_file", { fileName: "a/b.jpg" }],
  [46, "recorder_audio_info_changed"],
  [47, "recorder_video_info_changed"],
  ...[48, 49, 50, 51, 52].map((eventType): [number, string] => [eventType, "no type in any source"]),
  [60, "vod_started", { aliVodInfo: { videoId: "x" } }],
  [61, "vod_triggered", {}],
  [70, "web_recorder_started", { recorderStartTime: 1_699_990_000_000 }],
  ...[0, 1, 2, 3, 4, 5, 6].map((code): [number, string, Body] => [
    71,
    "web_recorder_stopped",
    { code, message: "", details: "", fileList: [] },
  ]),
  ...["resolution", "WebGL", "bandwidth"].map((limitType): [number, string, Body] => [
    72,
    "web_recorder_capability_limit",
    { limitType },
  ]),
  ...["audio_silence", "page_load_timeout"].map((reason): [number, string, Body] => [
    73,
    "web_recorder_reload",
    { reason },
  ]),
  [80, "transcoder_started", {}],
  ...["all_success", "partial_success", "fail"].map((result): [number, string, Body] => [
    81,
    "transcoder_completed",
    { result, uids: [] },
  ]),
  [90, "download_failed", { vendor: 11, region: 0, bucket: "b", fileName: "a.ts;b.ts" }],
  ...["connecting", "publishing", "onhold", "disconnected"].map((status): [number, string, Body] => [
    100,
    "rtmp_publish_status",
    { rtmpUrl: "rtmp://x", status },
  ]),
  ...["started", "stopped", "status", "updated"].map((word, index): [number, string] => [
    110 + index,
    `cloud_transcoder_${word}`,
  ]),
  ...["total_success", "partial_success", "failed"].map((result): [number, string, Body] => [
    1001,
    "postpone_transcode_final_result",
    { result, fileList: [] },
  ]),
];

function eventOf(eventType: number, details: Body): ReturnType<typeof parseAgoraEvent> {
  return parseAgoraEvent({
    noticeId: "0123456789abcdef0123456789abcdef",
    productId: 3,
    eventType,
    notifyMs: 1_700_000_000_000,
    payload: { cname: "room1", uid: "1", sid: "a".repeat(32), details },
  });
}

for (const [eventType, msgName, details] of EVENTS) {
  const words = details === undefined ? "kept as unknown" : JSON.stringify(details);
  Deno.test(`event ${eventType} ${msgName}: ${words}`, () => {
    const event = eventOf(eventType, { msgName, ...details });
    assert.equal(event.kind, details === undefined ? "unknown" : msgName);
    assert.equal(event.sid, "a".repeat(32));
  });
}

const TASK_ERRORS: [module: number, errorCode: number, meaning: string, error: EngineErrorCode][] = [
  [0, 101, "invalid App ID for the channel", "engine_app_not_enabled"],
  [0, 109, "token expired", "engine_token_expired"],
  [0, 110, "token invalid", "engine_token_invalid"],
  [0, 3, "a recorder code of Agora's sample", "engine_task_failed"],
  [1, 32, "storage settings wrong", "engine_storage_refused"],
  [1, 47, "upload failed", "engine_upload_failed"],
  [1, 51, "file operation error", "engine_task_failed"],
  [2, 50, "upload timeout", "engine_upload_failed"],
  [2, 52, "start timeout", "engine_timeout"],
  [6, 1, "an error of the web recorder", "engine_task_failed"],
];

for (const [module, errorCode, meaning, error] of TASK_ERRORS) {
  Deno.test(`event 1, module ${module}, code ${errorCode} (${meaning}) is ${error}`, () => {
    const event = eventOf(1, { module, errorLevel: 5, errorCode, stat: 0, errorMsg: "" });
    assert.ok(event.kind === "cloud_recording_error");
    assert.deepEqual([event.isFatal, event.error.code], [true, error]);
  });
}

const LEVELS = { 1: "debug", 2: "minor", 3: "medium", 4: "major", 5: "fatal" };
for (const [level, name] of Object.entries(LEVELS)) {
  Deno.test(`event 1, level ${level} (${name}) is ${name === "fatal" ? "" : "not "}the end of a task`, () => {
    const event = eventOf(1, { module: 0, errorLevel: Number(level), errorCode: 3, stat: 0, errorMsg: "" });
    assert.ok(event.kind === "cloud_recording_error");
    assert.equal(event.isFatal, name === "fatal");
  });
}

const LEAVES: [leaveCode: number, reasons: string[]][] = [
  [0, ["init_failed"]],
  [2, ["signal"]],
  [4, ["no_users"]],
  [8, ["timer"]],
  [16, ["client_left"]],
  [24, ["timer", "client_left"]],
];
for (const [leaveCode, reasons] of LEAVES) {
  Deno.test(`event 41, leaveCode ${leaveCode} is ${reasons.join(" and ")}`, () => {
    const event = eventOf(41, { leaveCode });
    assert.ok(event.kind === "recorder_leave");
    assert.deepEqual(event.reasons, reasons);
  });
}
