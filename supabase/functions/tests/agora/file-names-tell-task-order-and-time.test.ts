import assert from "node:assert/strict";
import {
  channelInFileNames,
  type EngineFileName,
  isSegmentName,
  mp4Name,
  objectKeyOf,
  parseEngineFileName,
  playlistName,
} from "../../_shared/agora/files.ts";

const SID = "38f8e3cfdc474cd56fc1ceba380d7e1a";
const ROOM = { sid: SID, channel: "room1" };
const AT = Date.UTC(2023, 10, 14, 22, 26, 40, 123);

const NAMES: [string, EngineFileName][] = [
  [`${SID}_room1.m3u8`, { kind: "playlist", ...ROOM }],
  [
    `${SID}_room1_1699990000123_2.m3u8`,
    { kind: "playlist", ...ROOM, backup: { tick: 1699990000123, index: 2 } },
  ],
  [`bak0_${SID}_room1.m3u8`, { kind: "playlist", ...ROOM, failover: 0 }],
  [`bak12_${SID}_room1_5_0.m3u8`, { kind: "playlist", ...ROOM, failover: 12, backup: { tick: 5, index: 0 } }],
  [`${SID}_room1_20231114222640123.ts`, { kind: "segment", ...ROOM, startsAtMs: AT }],
  [`${SID}_room1_${AT}.ts`, { kind: "segment", ...ROOM, startsAtMs: AT }],
  [`bak1_${SID}_room1_20231114222640123.ts`, { kind: "segment", ...ROOM, failover: 1, startsAtMs: AT }],
  [`${SID}_room1_0.mp4`, { kind: "mp4", ...ROOM, index: 0 }],
  [`bak0_${SID}_room1_11.mp4`, { kind: "mp4", ...ROOM, failover: 0, index: 11 }],
  [`${SID}_room-1 a.m3u8`, { kind: "playlist", sid: SID, channel: "room-1 a" }],
  [
    `${SID}_room1__uid_s_7__uid_e_video_20231114222640123.jpg`,
    { kind: "thumbnail", ...ROOM, startsAtMs: AT, stream: { uid: "7", track: "video" } },
  ],
  [
    `${SID}_room1__uid_s_7__uid_e_audio.m3u8`,
    { kind: "playlist", ...ROOM, stream: { uid: "7", track: "audio" } },
  ],
  [
    `${SID}_room1__uid_s_7__uid_e_video_20231114222640123.webm`,
    { kind: "segment", ...ROOM, startsAtMs: AT, stream: { uid: "7", track: "video" } },
  ],
];

for (const [name, expected] of NAMES) {
  Deno.test(`${name} is read`, () => assert.deepEqual(parseEngineFileName(name), expected));
  Deno.test(`${name} has a segment's form if and only if it is one`, () => {
    assert.equal(isSegmentName(name), expected.kind === "segment");
  });
}

const NOT_THE_ENGINES = [
  "",
  "manifest.json",
  `${SID}.m3u8`,
  `${SID.toUpperCase()}_room1.m3u8`,
  `${SID.slice(1)}_room1.m3u8`,
  `${SID}_room_1.m3u8`,
  `${SID}_room1.mp4`,
  `${SID}_room1_x.mp4`,
  `${SID}_room1_0.mp4.exe`,
  `${SID}_room1_2023111422264012.ts`,
  `${SID}_room1_20230231222640123.ts`,
  `${SID}_room1_20231114252640123.ts`,
  `bak_${SID}_room1.m3u8`,
  `${SID}_../../x.m3u8`,
  `folder/${SID}_room1.m3u8`,
  `${SID}_room1.m3u8\n`,
];

for (const name of NOT_THE_ENGINES) {
  Deno.test(`${JSON.stringify(name)} is no name of the engine's`, () => {
    assert.equal(parseEngineFileName(name), undefined);
  });
}

Deno.test("every character of Agora's list becomes a hyphen, the underscore too; letters, digits, hyphens and spaces stay", () => {
  const replaced = "!@#$%^&*()+_.=[]{}~|,;:?<>";
  assert.equal(channelInFileNames(replaced), "-".repeat(replaced.length));
  assert.equal(channelInFileNames("aZ09 -"), "aZ09 -");
});

Deno.test("the predicted names are those that are read back", () => {
  const task = { sid: SID, channel: "room_1" };
  assert.equal(playlistName(task), `${SID}_room-1.m3u8`);
  assert.equal(mp4Name({ ...task, index: 3 }), `${SID}_room-1_3.mp4`);
  assert.deepEqual(parseEngineFileName(mp4Name({ ...task, index: 3 })), {
    kind: "mp4",
    sid: SID,
    channel: "room-1",
    index: 3,
  });
});

Deno.test("the prefix is put before a name that lacks it, and only before that", () => {
  const prefix = ["recordings", "a1"];
  const key = `recordings/a1/${SID}_room1.m3u8`;
  assert.equal(objectKeyOf(prefix, `${SID}_room1.m3u8`), key);
  assert.equal(objectKeyOf(prefix, key), key);
  assert.equal(objectKeyOf([], `${SID}_room1.m3u8`), `${SID}_room1.m3u8`);
});

Deno.test("no name leads out of the prefix", () => {
  for (const name of [
    `other/${SID}_room1.m3u8`,
    `recordings/${SID}_room1.m3u8`,
    "../x.m3u8",
    "manifest.json",
    `recordings/a1/b/${SID}_room1.m3u8`,
    `recordings/a1/../${SID}_room1.m3u8`,
  ]) {
    assert.equal(objectKeyOf(["recordings", "a1"], name), undefined, name);
  }
});
