import assert from "node:assert/strict";
import { startRequest } from "../../_shared/agora/requests.ts";
import { startRequestOf, withoutSecrets, withSecrets } from "../../_shared/control/start-request.ts";
import type { JobRecording, Settings } from "../../_shared/jobs/job.ts";
import { recordingForTest } from "../jobs/jobs-for-tests.ts";
import { SETTINGS } from "./control-for-tests.ts";

const BUCKET = {
  endpoint: "https://s3.us-west-004.backblazeb2.com",
  bucket: "recordings-bucket",
  keyId: "key-id",
  applicationKey: "application-key",
};

const PICTURE = { is_audio_only: false, width: 1280, height: 720, fps: 15, bitrate_kbps: 2260 } as const;
const recording = (change: Partial<JobRecording> = {}) => recordingForTest({ preset: PICTURE, ...change });

function parsed(change: Partial<JobRecording> = {}, settings: Settings = SETTINGS) {
  const parts = startRequestOf(recording(change), 3, settings, BUCKET);
  return startRequest.parse({ cname: "room1", uid: "4000000001", resourceId: "r1", token: "007t", ...parts });
}

for (const [layout, number] of [
  ["floating", 0],
  ["best_fit", 1],
  ["vertical", 2],
] as const) {
  Deno.test(`the numbers of the preset are asked for as they are, in ${layout}`, () => {
    const { recordingConfig, recordingFileConfig } = parsed({ layout });
    const video = recordingConfig.transcodingConfig;
    assert.deepEqual([video?.width, video?.height, video?.fps, video?.bitrate], [1280, 720, 15, 2260]);
    assert.equal(video?.mixedVideoLayout, number);
    assert.deepEqual(recordingFileConfig.avFileType, ["hls", "mp4"]);
  });

  Deno.test(`sound alone asks for no picture, whatever the layout (${layout})`, () => {
    const { recordingConfig } = parsed({ layout, preset: { is_audio_only: true } });
    assert.deepEqual([recordingConfig.streamTypes, recordingConfig.transcodingConfig], [0, undefined]);
  });
}

Deno.test("vertical shows the mentor large, where the mentor's uid is known; the other layouts show nobody large", () => {
  const large = (change: Partial<JobRecording>) =>
    parsed(change).recordingConfig.transcodingConfig?.maxResolutionUid;
  assert.equal(large({ layout: "vertical", mentor_uid: "1001" }), "1001");
  assert.equal(large({ layout: "vertical", mentor_uid: null }), undefined);
  assert.equal(large({ layout: "best_fit", mentor_uid: "1001" }), undefined);
});

for (const [what, change] of [
  ["more than 1920 x 1080", { preset: { ...PICTURE, width: 1920, height: 1088 } }],
  ["more than 6500 kbps", { preset: { ...PICTURE, bitrate_kbps: 6501 } }],
  ["a frame rate that would silently become 15", { preset: { ...PICTURE, fps: 25 } }],
  ["a layout that Agora does not have", { layout: "spiral" }],
  ["a quality without a preset", { preset: null }],
] as const) {
  Deno.test(`${what} is refused before anything is sent`, () => {
    assert.throws(() => parsed(change), /engine_request_invalid/);
  });
}

Deno.test("recorder and callers are in the same kind of channel by one setting; an empty one is left after the setting's time", () => {
  const { recordingConfig } = parsed();
  assert.deepEqual([recordingConfig.channelType, recordingConfig.maxIdleTime], [1, 300]);
  const other = parsed({}, { channel_type: 0, idle_limit: 60 }).recordingConfig;
  assert.deepEqual([other.channelType, other.maxIdleTime], [0, 60]);
  const sound = parsed({ preset: { is_audio_only: true } }, { channel_type: 0 }).recordingConfig;
  assert.equal(sound.channelType, 0);
});

Deno.test("the store is named as vendor 11 wants it: region 0, a bare host, folders of letters and digits", () => {
  const { storageConfig } = parsed();
  assert.deepEqual(storageConfig, {
    vendor: 11,
    region: 0,
    bucket: "recordings-bucket",
    accessKey: "key-id",
    secretKey: "application-key",
    fileNamePrefix: ["recordings", "0f6c2f6e5d5a4a3e9a510c9a4a1c7e11", "a3"],
    extensionParams: { endpoint: "s3.us-west-004.backblazeb2.com" },
  });
});

Deno.test("a local store keeps its port", () => {
  const parts = startRequestOf(recording(), 1, SETTINGS, {
    ...BUCKET,
    endpoint: "http://127.0.0.1:4100",
  });
  assert.equal(parts.storageConfig.extensionParams?.endpoint, "127.0.0.1:4100");
});

Deno.test("what is kept of a request is everything but the store's keys", () => {
  const parts = startRequestOf(recording(), 1, SETTINGS, BUCKET);
  const { accessKey: _a, secretKey: _s, ...storageConfig } = parts.storageConfig;
  assert.deepEqual(withoutSecrets(parts), { ...parts, storageConfig });
  assert.equal(parts.storageConfig.secretKey, "application-key", "the request itself is untouched");
});

Deno.test("a kept request with the keys put back is the request that was sent", () => {
  const parts = startRequestOf(recording(), 1, SETTINGS, BUCKET);
  assert.deepEqual(withSecrets(JSON.parse(JSON.stringify(withoutSecrets(parts))), BUCKET), parts);
});
