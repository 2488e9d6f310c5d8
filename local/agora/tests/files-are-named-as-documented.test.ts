import { expect, test } from "vitest";
import { taskFiles, utc17 } from "../file-names.ts";
import { playlistText } from "../playlist.ts";

const sid = "38f8e3cfdc474cd56fc1ceba380d7e1a";
const moment = Date.UTC(2026, 10, 22, 7, 5, 9, 42);

test("names carry sid, channel and UTC with milliseconds", () => {
  const files = taskFiles(sid, "room1", 0);
  expect(files.playlist).toBe(`${sid}_room1.m3u8`);
  expect(files.slice(moment)).toBe(`${sid}_room1_20261122070509042.ts`);
  expect(files.mp4(0)).toBe(`${sid}_room1_0.mp4`);
  expect(utc17(moment)).toBe("20261122070509042");
});

test("each failover has its own prefix", () => {
  expect(taskFiles(sid, "room1", 1).playlist).toBe(`bak0_${sid}_room1.m3u8`);
  expect(taskFiles(sid, "room1", 3).mp4(1)).toBe(`bak2_${sid}_room1_1.mp4`);
});

test("the characters that Agora replaces become hyphens, the underscore too; letters, digits, hyphen and space stay", () => {
  expect(taskFiles(sid, "a_b!c@d.e:f<g>h", 0).playlist).toBe(`${sid}_a-b-c-d-e-f-g-h.m3u8`);
  expect(taskFiles(sid, "Az 09-", 0).playlist).toBe(`${sid}_Az 09-.m3u8`);
});

const slice = (name: string, isFirstAfterGap: boolean) => ({
  name,
  seconds: 4,
  startedAt: moment,
  isFirstAfterGap,
});
const style = {
  correctExtinf: false,
  trackTypes: ["AUDIO" as const, "VIDEO" as const],
  width: 640,
  height: 360,
};

test("a playlist that grows has no end mark, a finished one has", () => {
  expect(playlistText([slice("a.ts", true)], style, false)).toBe(
    [
      "#EXTM3U",
      "#EXT-X-VERSION:3",
      "#EXT-X-MEDIA-SEQUENCE:0",
      "#EXT-X-ALLOW-CACHE:YES",
      "#EXT-X-TARGETDURATION:4",
      "#EXT-X-DISCONTINUITY",
      "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=20261122070509042",
      "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=VIDEO,TIME=20261122070509042",
      "#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=360,ROTATE=0,TIME=20261122070509042",
      "#EXTINF:4.000000",
      "a.ts",
      "",
    ].join("\n"),
  );
  expect(playlistText([slice("a.ts", false)], style, true)).toMatch(/\n#EXT-X-ENDLIST\n$/);
});

test("EXTINF gets its comma only when it was asked for", () => {
  const corrected = playlistText([slice("a.ts", false)], { ...style, correctExtinf: true }, true);
  expect(corrected).toContain("#EXTINF:4.000000,\na.ts\n");
});
