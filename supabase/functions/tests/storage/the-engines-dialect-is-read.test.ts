import assert from "node:assert/strict";
import type { Segment } from "../../_shared/playback/playlist.ts";
import { playingMs, readEnginePlaylist } from "../../_shared/storage/engine-playlist.ts";
import { playlistText } from "./bucket-in-memory.ts";

const segment = (uri: string, change: Partial<Segment> = {}): Segment => ({
  uri,
  durationSeconds: 15,
  isDiscontinuity: false,
  ...change,
});

Deno.test("no comma after EXTINF, tags of its own, a discontinuity before the first slice", () => {
  assert.deepEqual(readEnginePlaylist(playlistText(["a.ts", "b.ts"])), {
    segments: [segment("a.ts"), segment("b.ts")],
    isEnded: true,
  });
});

Deno.test("a playlist by the book is read too, with titles, spaces and Windows line ends", () => {
  const text =
    "#EXTM3U\n#EXT-X-TARGETDURATION:15\n#EXTINF:15.000000,a title, with commas\na.ts\n#EXTINF:9,\n b.ts \n";
  for (const form of [text, text.replaceAll("\n", "\r\n"), `\uFEFF${text}`]) {
    assert.deepEqual(readEnginePlaylist(form), {
      segments: [segment("a.ts"), segment("b.ts", { durationSeconds: 9 })],
      isEnded: false,
    });
  }
});

Deno.test("so is one with an end", () => {
  const text = "#EXTM3U\n#EXTINF:15.000000,a title, with commas\na.ts\n#EXTINF:9,\nb.ts\n#EXT-X-ENDLIST\n";
  assert.deepEqual(readEnginePlaylist(text)?.segments, [
    segment("a.ts"),
    segment("b.ts", { durationSeconds: 9 }),
  ]);
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
    assert.deepEqual(readEnginePlaylist(text)?.segments, [
      segment("a.ts"),
      segment("b.ts", { isDiscontinuity: true }),
    ]);
  }
});

Deno.test("a slice that is longer than the target duration is no reason to lose it", () => {
  const text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:330.5\na.ts\n#EXT-X-ENDLIST\n";
  assert.equal(readEnginePlaylist(text)?.segments[0]?.durationSeconds, 330.5);
});

Deno.test("a playlist that has no slice yet is one, and not ended", () => {
  assert.deepEqual(readEnginePlaylist("#EXTM3U\n#EXT-X-VERSION:3\n"), { segments: [], isEnded: false });
});

for (const [what, text] of Object.entries({
  "an empty text": "",
  "a store's error page": '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>',
  "a text that begins later": "hello\n#EXTM3U\n#EXTINF:1,\na.ts\n",
  "a slice of which nothing tells how long it is": "#EXTM3U\n#EXT-X-TARGETDURATION:1\na.ts\n",
  "a length that is no number": "#EXTM3U\n#EXTINF:soon,\na.ts\n",
  "a length below nothing": "#EXTM3U\n#EXTINF:-1,\na.ts\n",
  "a list of playlists": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx.m3u8\n",
  "bytes that are no text": String.fromCharCode(0x47, 0, 0xff, 0xfd, 0x1f),
})) {
  Deno.test(`${what} is no playlist`, () => {
    assert.equal(readEnginePlaylist(text), undefined);
  });
}

Deno.test("a playlist that still grows has no end", () => {
  assert.equal(readEnginePlaylist(playlistText(["a.ts"], { isEnded: false }))?.isEnded, false);
});

Deno.test("line ends of any kind, a byte order mark and blanks do not matter", () => {
  const text = `\uFEFF${playlistText(["a.ts"])}`.replaceAll("\n", "  \r\n\r\n");
  assert.deepEqual(readEnginePlaylist(text), readEnginePlaylist(playlistText(["a.ts"])));
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
  Deno.test(`${JSON.stringify(text)} is no playlist either`, () => {
    assert.equal(readEnginePlaylist(text), undefined);
  });
}

Deno.test("playing time is added up before it is rounded", () => {
  const third = segment("a.ts", { durationSeconds: 1.0004 });
  assert.equal(playingMs([third, third, third]), 3_001);
  assert.equal(playingMs([]), 0);
});

Deno.test("a day of slices of two seconds is read", () => {
  const slices = Array.from({ length: 43_200 }, (_, index) => `s${index}.ts`);
  const playlist = readEnginePlaylist(playlistText(slices, { seconds: 2 }));
  assert.equal(playingMs(playlist?.segments ?? []), 86_400_000);
});
