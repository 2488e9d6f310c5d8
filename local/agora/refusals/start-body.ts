import { z } from "zod";
import {
  at,
  colour,
  isJson,
  layoutRegion,
  recorderUid,
  uidList,
  unless,
  userBackground,
  withoutForm,
} from "./body-rules.ts";
import { bodyFailed, from, type RefusalRule, service } from "./refusal.ts";

const body = (member: string, what: string) => service(400, 2, `invalid ${member}: ${what}`);

/** A rule about one member below clientRequest. */
function member(path: string, what: string, form: z.ZodType, source: RefusalRule["source"] = from("start")) {
  const name = path.split(".").at(-1) ?? path;
  return { what, source, answer: body(name, what), refuses: unless(`clientRequest.${path}`, form) };
}

/** A rule about several members below clientRequest at once. */
function together(
  name: string,
  what: string,
  refuses: (request: (...path: string[]) => unknown) => boolean,
  source: RefusalRule["source"] = from("start"),
) {
  return {
    what,
    source,
    answer: body(name, what),
    refuses: (json: unknown) => refuses((...path) => at(json, "clientRequest", ...path)),
  };
}

const recording = "recordingConfig";
const video = `${recording}.transcodingConfig`;
const subscribed = ["subscribeAudioUids", "subscribeVideoUids"];
// The guides write unSubscribe, one English page unsubscribe: both are read.
const refusedAudio = ["unSubscribeAudioUids", "unsubscribeAudioUids"];
const refusedVideo = ["unSubscribeVideoUids", "unsubscribeVideoUids"];
const anyOf = (request: (...path: string[]) => unknown, names: string[]) =>
  names.some((name) => request(recording, name) !== undefined);
const number = (value: unknown) => (typeof value === "number" ? value : 0);

/** What the form of start's body must be. */
export const startBodyRefusals = {
  "start.body": {
    what: "a body without cname as text or without clientRequest",
    source: from("statusCodes"),
    answer: bodyFailed,
    refuses: withoutForm,
  },
  "start.uid": {
    what: "a uid that is not decimal text from 1 to 4294967295",
    source: from("start"),
    answer: bodyFailed,
    refuses: unless("uid", recorderUid),
  },
} as const satisfies Record<string, RefusalRule>;

/** What clientRequest of start must not hold in mode mix. */
export const startRequestRefusals = {
  "start.token": member("token", "a token that is no text", z.string().optional()),
  "start.recording_config": together(
    recording,
    "a recordingConfig that is no object",
    (request) => request(recording) !== undefined && !z.looseObject({}).safeParse(request(recording)).success,
  ),
  "start.channel_type": member(
    `${recording}.channelType`,
    "a channelType other than 0 and 1, or none",
    z.literal([0, 1]),
  ),
  "start.stream_types": member(
    `${recording}.streamTypes`,
    "streamTypes other than 0, 1 and 2",
    z.literal([0, 1, 2]).optional(),
  ),
  "start.video_stream_type": member(
    `${recording}.videoStreamType`,
    "a videoStreamType other than 0 and 1",
    z.literal([0, 1]).optional(),
  ),
  "start.max_idle_time": member(
    `${recording}.maxIdleTime`,
    "a maxIdleTime outside 5 to 2592000 s",
    z.int().min(5).max(2_592_000).optional(),
  ),
  "start.uid_lists": together(
    "subscribeUids",
    "a list of uids that is not 1 to 32 decimal texts",
    (request) =>
      [...subscribed, ...refusedAudio, ...refusedVideo].some(
        (name) => !uidList.optional().safeParse(request(recording, name)).success,
      ),
  ),
  "start.audio_lists_exclude": together(
    "subscribeAudioUids",
    "both kinds of list for sound",
    (request) => request(recording, "subscribeAudioUids") !== undefined && anyOf(request, refusedAudio),
  ),
  "start.video_lists_exclude": together(
    "subscribeVideoUids",
    "both kinds of list for pictures",
    (request) => request(recording, "subscribeVideoUids") !== undefined && anyOf(request, refusedVideo),
  ),
  "start.video_lists_for_sound": together(
    "streamTypes",
    "a list of video uids where sound alone is recorded",
    (request) =>
      request(recording, "streamTypes") === 0 && anyOf(request, ["subscribeVideoUids", ...refusedVideo]),
  ),
  "start.audio_lists_for_pictures": together(
    "streamTypes",
    "a list of audio uids where pictures alone are recorded",
    (request) =>
      request(recording, "streamTypes") === 1 && anyOf(request, ["subscribeAudioUids", ...refusedAudio]),
  ),
  "start.subscribe_uid_group": member(
    `${recording}.subscribeUidGroup`,
    "a subscribeUidGroup outside 0 to 5",
    z.int().min(0).max(5).optional(),
  ),
  "start.decryption_mode": member(
    `${recording}.decryptionMode`,
    "a decryptionMode outside 0 to 8",
    z.int().min(0).max(8).optional(),
  ),
  "start.decryption_secret": together(
    "secret",
    "encryption without its secret",
    (request) =>
      number(request(recording, "decryptionMode")) > 0 &&
      !z.string().min(1).safeParse(request(recording, "secret")).success,
  ),
  "start.decryption_salt": together(
    "salt",
    "GCM2 encryption without a salt of 32 bytes in base64",
    (request) =>
      number(request(recording, "decryptionMode")) >= 7 &&
      Buffer.from(String(request(recording, "salt") ?? ""), "base64").length !== 32,
  ),
  "start.audio_profile": member(
    `${recording}.audioProfile`,
    "an audioProfile other than 0, 1 and 2",
    z.literal([0, 1, 2]).optional(),
  ),
  "start.private_params": member(
    `${recording}.privateParams`,
    "privateParams that are no JSON in a text",
    z.string().refine(isJson).optional(),
  ),
  "start.width": member(`${video}.width`, "a width outside 1 to 1920", z.int().min(1).max(1920).optional()),
  "start.height": member(
    `${video}.height`,
    "a height outside 1 to 1920",
    z.int().min(1).max(1920).optional(),
  ),
  "start.pixels": together(
    "width",
    "more pixels than 1920 x 1080",
    (request) =>
      number(request(recording, "transcodingConfig", "width") ?? 360) *
        number(request(recording, "transcodingConfig", "height") ?? 640) >
      1920 * 1080,
  ),
  "start.fps": member(`${video}.fps`, "a frame rate that is no whole number", z.int().positive().optional()),
  "start.bitrate": member(
    `${video}.bitrate`,
    "a bitrate above 6500 kbps",
    z.int().min(1).max(6500).optional(),
  ),
  "start.transcoding_incomplete": together(
    "transcodingConfig",
    "a transcodingConfig without all of width, height, fps and bitrate",
    (request) => {
      const config = request(recording, "transcodingConfig");
      const told = ["width", "height", "fps", "bitrate"].filter((name) => at(config, name) !== undefined);
      return config !== undefined && told.length < 4;
    },
    from("start", "older"),
  ),
  "start.layout": member(
    `${video}.mixedVideoLayout`,
    "a mixedVideoLayout outside 0 to 3",
    z.int().min(0).max(3).optional(),
  ),
  "start.background_color": member(
    `${video}.backgroundColor`,
    "a colour that is not like #000000",
    colour.optional(),
  ),
  "start.layout_config_length": member(
    `${video}.layoutConfig`,
    "more than 17 places in a layout",
    z.array(z.unknown()).max(17).optional(),
  ),
  "start.layout_config": member(
    `${video}.layoutConfig`,
    "a place in a layout without all of its four sides from 0 to 1",
    z.array(layoutRegion).optional(),
  ),
  "start.layout_config_alone": together(
    "layoutConfig",
    "a layoutConfig with another layout than 3",
    (request) =>
      request(recording, "transcodingConfig", "layoutConfig") !== undefined &&
      request(recording, "transcodingConfig", "mixedVideoLayout") !== 3,
  ),
  "start.background_config": member(
    `${video}.backgroundConfig`,
    "a background without uid or image_url",
    z.array(userBackground).optional(),
  ),
  "start.av_file_type": member(
    "recordingFileConfig.avFileType",
    "file types other than [hls] and [hls, mp4]; mp4 alone is refused",
    z
      .array(z.enum(["hls", "mp4"]))
      .refine((types) => types.includes("hls") && new Set(types).size === types.length)
      .optional(),
  ),
  "start.snapshots": member("snapshotConfig", "snapshots, which are for mode individual", z.undefined()),
  "start.web_services": member("extensionServiceConfig", "services of mode web", z.undefined()),
} as const satisfies Record<string, RefusalRule>;
