import assert from "node:assert/strict";
import { isInside, rewritePlaylist, UnfitPlaylist } from "../../_shared/playback/rewrite.ts";

const rewritten = (...lines: string[]) =>
  rewritePlaylist(lines.join("\n"), {
    folder: "f/",
    playlistAt: (key) => `playlist:${key}`,
    mediaAt: (key, contentType) => `${contentType}:${key}`,
  })
    .trimEnd()
    .split("\n");

Deno.test("slices, initialisation parts and byte ranges get addresses; everything else stays", () => {
  const kept = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:4"];
  assert.deepEqual(
    rewritten(
      ...kept,
      '#EXT-X-MAP:URI="init.mp4",BYTERANGE="720@0"',
      "#EXTINF:4.0,a title, with what it likes: http://",
      "#EXT-X-BYTERANGE:1000@720",
      "one.m4s",
      "#EXT-X-DISCONTINUITY",
      "#EXTINF:4.0",
      "sub/two.ts",
      "#EXT-X-ENDLIST",
    ),
    [
      ...kept,
      '#EXT-X-MAP:URI="video/mp4:f/init.mp4",BYTERANGE="720@0"',
      "#EXTINF:4.0,a title, with what it likes: http://",
      "#EXT-X-BYTERANGE:1000@720",
      "video/iso.segment:f/one.m4s",
      "#EXT-X-DISCONTINUITY",
      "#EXTINF:4.0",
      "video/mp2t:f/sub/two.ts",
      "#EXT-X-ENDLIST",
    ],
  );
});

Deno.test("child playlists lead back to us, wherever they are named", () => {
  assert.deepEqual(
    rewritten(
      "#EXTM3U",
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="One, with commas",URI="audio/a.m3u8",DEFAULT=YES',
      '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="none"',
      '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"',
      '#EXT-X-STREAM-INF:BANDWIDTH=2,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a"',
      "v.m3u8",
    ),
    [
      "#EXTM3U",
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="One, with commas",URI="playlist:f/audio/a.m3u8",DEFAULT=YES',
      '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="none"',
      '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="playlist:f/i.m3u8"',
      '#EXT-X-STREAM-INF:BANDWIDTH=2,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a"',
      "playlist:f/v.m3u8",
    ],
  );
});

Deno.test("line ends of any kind, a byte order mark, blank lines and remarks do not matter", () => {
  const text = "\uFEFF#EXTM3U\r\n\r\n# a remark\r\n#EXTINF:4,\r\n  one.ts  \r\n";
  const rewriting = { folder: "f/", playlistAt: String, mediaAt: (key: string) => key };
  assert.equal(rewritePlaylist(text, rewriting), "#EXTM3U\n#EXTINF:4,\nf/one.ts\n");
});

const unfit: Record<string, string[]> = {
  "no playlist": ["<html>"],
  "a foreign slice": ["#EXTM3U", "https://elsewhere.example/one.ts"],
  "a slice without a scheme": ["#EXTM3U", "//elsewhere.example/one.ts"],
  "a slice above": ["#EXTM3U", "../one.ts"],
  "a slice above, escaped": ["#EXTM3U", "%2e%2e/one.ts"],
  "a slice of the root": ["#EXTM3U", "/one.ts"],
  "a slice with a query": ["#EXTM3U", "one.ts?x=1"],
  "an unknown kind of file": ["#EXTM3U", "one.html"],
  "a playlist where a slice stands": ["#EXTM3U", "#EXTINF:4,", "one.m3u8"],
  "a slice where a playlist stands": ["#EXTM3U", "#EXT-X-STREAM-INF:BANDWIDTH=1", "one.ts"],
  "a foreign initialisation part": ["#EXTM3U", '#EXT-X-MAP:URI="https://elsewhere.example/i.mp4"'],
  "data in its place": ["#EXTM3U", '#EXT-X-MAP:URI="data:video/mp4;base64,AAAA"'],
  "a foreign child": ["#EXTM3U", '#EXT-X-MEDIA:TYPE=AUDIO,URI="https://elsewhere.example/a.m3u8"'],
  "an address in another attribute": ["#EXTM3U", '#EXT-X-MEDIA:TYPE=AUDIO,X-A="https://elsewhere.example"'],
  "attributes that cannot be read": ["#EXTM3U", '#EXT-X-MAP:URI="init.mp4'],
  "a key": ["#EXTM3U", '#EXT-X-KEY:METHOD=AES-128,URI="key.bin"'],
  "a key that hides": ["#EXTM3U", '#EXT-X-KEY:METHOD=NONE,URI="https://elsewhere.example"'],
  "a key of the session": ["#EXTM3U", '#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="skd://x"'],
  variables: ["#EXTM3U", '#EXT-X-DEFINE:NAME="x",VALUE="y"', "{$x}.ts"],
  "imported variables in a tag": ["#EXTM3U", '#EXT-X-MAP:URI="{$x}.mp4"'],
  "what is to be loaded ahead": ["#EXTM3U", '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part.m4s"'],
  "data of the session": ["#EXTM3U", '#EXT-X-SESSION-DATA:DATA-ID="x",URI="x.json"'],
  "another's advertisement": [
    "#EXTM3U",
    '#EXT-X-DATERANGE:ID="a",START-DATE="2026-11-22T18:00:00Z",X-ASSET-LIST="https://elsewhere.example"',
  ],
};
for (const [what, lines] of Object.entries(unfit)) {
  Deno.test(`${what}: it is not given on`, () => {
    assert.throws(() => rewritten(...lines), UnfitPlaylist);
  });
}

Deno.test("no name leads out of its folder", () => {
  for (const inside of ["a.ts", "a/b/c.ts", "_a-1..b.ts", "A9"]) assert.ok(isInside(inside), inside);
  for (const outside of [
    "",
    ".",
    "..",
    "a/../b",
    "a/./b",
    "a//b",
    "/a",
    "a/",
    "a\\b",
    "a b",
    "a\n",
    "ä",
    "a%2fb",
    "a:b",
    ".a",
    "a/.b",
    "x".repeat(301),
  ]) {
    assert.ok(!isInside(outside), outside);
  }
});
