import assert from "node:assert/strict";
import { renderPlaylist, type Segment } from "../../_shared/playback/playlist.ts";
import { readEnginePlaylist } from "../../_shared/storage/engine-playlist.ts";

const segment = (uri: string, change: Partial<Segment> = {}): Segment => ({
  uri,
  durationSeconds: 15,
  isDiscontinuity: false,
  ...change,
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
  assert.deepEqual(readEnginePlaylist(renderPlaylist(segments, ({ uri }) => uri)), {
    segments,
    isEnded: true,
  });
});

Deno.test("a day of slices is written whole", () => {
  const segments = Array.from({ length: 200_000 }, (_, index) =>
    segment(`s${index}`, { durationSeconds: 2 }),
  );
  assert.equal(readEnginePlaylist(renderPlaylist(segments, ({ uri }) => uri))?.segments.length, 200_000);
});
