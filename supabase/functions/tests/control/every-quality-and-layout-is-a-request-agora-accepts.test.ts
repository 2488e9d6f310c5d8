import assert from "node:assert/strict";
import { startRequest } from "../../_shared/agora/requests.ts";
import { startRequestOf, withoutSecrets } from "../../_shared/control/start-request.ts";
import { RECORDING_ID } from "../jobs/jobs-for-tests.ts";
import { SETTINGS } from "./control-for-tests.ts";

const BUCKET = {
  endpoint: "https://s3.us-west-004.backblazeb2.com",
  bucket: "recordings-bucket",
  keyId: "key-id",
  applicationKey: "application-key",
};

function parsed(quality: "audio" | "480p" | "720p" | "1080p", layout: "best_fit" | "floating" | "vertical") {
  const parts = startRequestOf({ id: RECORDING_ID, quality, layout }, 3, SETTINGS, BUCKET);
  return startRequest.parse({ cname: "room1", uid: "4000000001", resourceId: "r1", token: "007t", ...parts });
}

for (const layout of ["best_fit", "floating", "vertical"] as const) {
  for (const [quality, width, height] of [
    ["480p", 848, 480],
    ["720p", 1280, 720],
    ["1080p", 1920, 1080],
  ] as const) {
    Deno.test(`${quality} in ${layout} is recorded as asked for`, () => {
      const { recordingConfig, recordingFileConfig } = parsed(quality, layout);
      const video = recordingConfig.transcodingConfig;
      assert.deepEqual([video?.width, video?.height], [width, height]);
      assert.equal(video?.mixedVideoLayout, { floating: 0, best_fit: 1, vertical: 2 }[layout]);
      assert.deepEqual(recordingFileConfig.avFileType, ["hls", "mp4"]);
    });
  }

  Deno.test(`sound alone asks for no picture, whatever the layout (${layout})`, () => {
    const { recordingConfig } = parsed("audio", layout);
    assert.deepEqual([recordingConfig.streamTypes, recordingConfig.transcodingConfig], [0, undefined]);
  });
}

Deno.test("callers are in a live channel, and an empty one is left after the setting's time", () => {
  const { recordingConfig } = parsed("720p", "best_fit");
  assert.deepEqual([recordingConfig.channelType, recordingConfig.maxIdleTime], [1, 300]);
  const parts = startRequestOf(
    { id: RECORDING_ID, quality: "audio", layout: "best_fit" },
    1,
    { idle_limit: 60 },
    BUCKET,
  );
  assert.equal(parts.recordingConfig.maxIdleTime, 60);
});

Deno.test("the store is named as vendor 11 wants it: region 0, a bare host, folders of letters and digits", () => {
  const { storageConfig } = parsed("720p", "best_fit");
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
  const parts = startRequestOf({ id: RECORDING_ID, quality: "720p", layout: "best_fit" }, 1, SETTINGS, {
    ...BUCKET,
    endpoint: "http://127.0.0.1:4100",
  });
  assert.equal(parts.storageConfig.extensionParams?.endpoint, "127.0.0.1:4100");
});

Deno.test("what is kept of a request is everything but the store's keys", () => {
  const parts = startRequestOf(
    { id: RECORDING_ID, quality: "720p", layout: "best_fit" },
    1,
    SETTINGS,
    BUCKET,
  );
  const { accessKey: _a, secretKey: _s, ...storageConfig } = parts.storageConfig;
  assert.deepEqual(withoutSecrets(parts), { ...parts, storageConfig });
  assert.equal(parts.storageConfig.secretKey, "application-key", "the request itself is untouched");
});
