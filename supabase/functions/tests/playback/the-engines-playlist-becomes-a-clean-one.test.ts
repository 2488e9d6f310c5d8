import assert from "node:assert/strict";
import {
  durationMsOf,
  parsePlaylist,
  renderPlaylist,
  type Segment,
} from "../../_shared/playback/playlist.ts";
import { playlistText } from "../storage/bucket-in-memory.ts";

const segment = (uri: string, change: Partial<Segment> = {}): Segment => ({
  uri,
  durationSeconds: 15,
  isDiscontinuity: false,
  ...change,
});

Deno.test("the engine's dialect is read: no comma after EXTINF, tags of its own, a discontinuity before the first slice", () => {
  assert.deepEqual(parsePlaylist(playlistText(["a.ts", "b.ts"])), {
    segments: [segment("a.ts"), segment("b.ts")],
    isEnded: true,
  });
});

Deno.test("so is a playlist by the book", () => {
  const text = "#EXTM3U\n#EXTINF:15.000000,a title, with commas\na.ts\n#EXTINF:9,\nb.ts\n#EXT-X-ENDLIST\n";
  assert.deepEqual(parsePlaylist(text)?.segments, [segment("a.ts"), segment("b.ts", { durationSeconds: 9 })]);
});

Deno.test("the engine's tags may stand on either side of EXTINF and of the discontinuity", () => {
  const tags = [
    "#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=360,ROTATE=90,TIME=1700000000000",
    "#EXT-X-AGORA-TRACK-EVENT:EVENT=START",
  ];
  for (const order of [
    [tags[0], "#EXT-X-DISCONTINUITY", tags[1], "#EXTINF:15.000000"],
    ["#EXTINF:15.000000", "#EXT-X-DISCONTINUITY", tags[0], tags[1]],
    ["#EXT-X-DISCONTINUITY", "#EXTINF:15.000000", ...tags],
  ]) {
    const text = ["#EXTM3U", "#EXTINF:15.000000", "a.ts", ...order, "b.ts"].join("\n");
    assert.deepEqual(parsePlaylist(text)?.segments, [
      segment("a.ts"),
      segment("b.ts", { isDiscontinuity: true }),
    ]);
  }
});

Deno.test("a playlist that still grows has no end", () => {
  assert.equal(parsePlaylist(playlistText(["a.ts"], { isEnded: false }))?.isEnded, false);
});

Deno.test("line ends of any kind, a byte order mark and blanks do not matter", () => {
  const text = `\uFEFF${playlistText(["a.ts"])}`.replaceAll("\n", "  \r\n\r\n");
  assert.deepEqual(parsePlaylist(text), parsePlaylist(playlistText(["a.ts"])));
});

for (const text of [
  "",
  "<html>",
  '{"code": "NoSuchKey"}',
  "#EXTINF:15\na.ts",
  "#EXTM3U\na.ts",
  "#EXTM3U\n#EXTINF:\na.ts",
  "#EXTM3U\n#EXTINF:soon,\na.ts",
  "#EXTM3U\n#EXTINF:-1,\na.ts",
  "#EXTM3U\n#EXTINF:15,\na.ts\nb.ts",
]) {
  Deno.test(`${JSON.stringify(text)} is no playlist`, () => {
    assert.equal(parsePlaylist(text), undefined);
  });
}

Deno.test("playing time is added up before it is rounded", () => {
  const third = segment("a.ts", { durationSeconds: 1.0004 });
  assert.equal(durationMsOf([third, third, third]), 3_001);
  assert.equal(durationMsOf([]), 0);
});

Deno.test("what is written is a finished playlist by the book", () => {
  const text = renderPlaylist(
    [segment("a"), segment("b", { durationSeconds: 15.2 })],
    ({ uri }) => `https://x/${uri}`,
  );
  assert.equal(
    text,
    `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:16
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MEDIA-SEQUENCE:0
#EXTINF:15.000000,
https://x/a
#EXTINF:15.200000,
https://x/b
#EXT-X-ENDLIST
`,
  );
});

Deno.test("a jump in the picture is marked, but not before the first slice", () => {
  const jump = { isDiscontinuity: true };
  const text = renderPlaylist([segment("a", jump), segment("b"), segment("c", jump)], ({ uri }) => uri);
  assert.deepEqual(
    text.split("\n").filter((line) => line.length === 1 || line === "#EXT-X-DISCONTINUITY"),
    ["a", "b", "#EXT-X-DISCONTINUITY", "c"],
  );
});

Deno.test("what was written can be read again", () => {
  const segments = [
    segment("a"),
    segment("b", { durationSeconds: 7.25 }),
    segment("c", { isDiscontinuity: true }),
  ];
  assert.deepEqual(parsePlaylist(renderPlaylist(segments, ({ uri }) => uri)), { segments, isEnded: true });
});

Deno.test("a day of slices is written whole", () => {
  const segments = Array.from({ length: 200_000 }, (_, index) =>
    segment(`s${index}`, { durationSeconds: 2 }),
  );
  assert.equal(parsePlaylist(renderPlaylist(segments, ({ uri }) => uri))?.segments.length, 200_000);
});
