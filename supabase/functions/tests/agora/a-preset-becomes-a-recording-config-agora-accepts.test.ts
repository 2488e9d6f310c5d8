import assert from "node:assert/strict";
import { type RecordingPreset, recordingConfigOf } from "../../_shared/agora/presets.ts";
import { RecorderFailure } from "../../_shared/errors.ts";

const HD: RecordingPreset = { width: 1280, height: 720, fps: 15, bitrate_kbps: 2260 };
const OPTIONS = { maxIdleSeconds: 300, channelType: 1, layout: "best_fit" } as const;

Deno.test("a preset gives all four numbers and its layout", () => {
  assert.deepEqual(recordingConfigOf(HD, OPTIONS), {
    channelType: 1,
    streamTypes: 2,
    videoStreamType: 0,
    maxIdleTime: 300,
    transcodingConfig: {
      width: 1280,
      height: 720,
      fps: 15,
      bitrate: 2260,
      mixedVideoLayout: 1,
      backgroundColor: "#000000",
    },
  });
  assert.equal(recordingConfigOf(HD, { ...OPTIONS, channelType: 0 }).channelType, 0);
});

const BEYOND: [string, Partial<RecordingPreset>][] = [
  ["width above 1920", { width: 1921 }],
  ["more pixels than 1920 x 1080", { width: 1920, height: 1088 }],
  ["more than 6500 kbps", { bitrate_kbps: 6501 }],
  ["a frame rate Agora would silently change", { fps: 25 }],
];

for (const [what, change] of BEYOND) {
  Deno.test(`a preset with ${what} is refused`, () => {
    assert.throws(
      () => recordingConfigOf({ ...HD, ...change }, OPTIONS),
      (thrown) => thrown instanceof RecorderFailure && thrown.error.code === "engine_request_invalid",
    );
  });
}
