import assert from "node:assert/strict";
import { parse as parseDisposition } from "content-disposition";
import { createPresigner } from "../../_shared/b2/presign.ts";
import type { Playback } from "../../_shared/jobs/database.ts";
import { playbackAddresses } from "../../_shared/playback/addresses.ts";
import { downloadName } from "../../_shared/playback/download-name.ts";
import type { MediaAddresses } from "../../_shared/playback/media-addresses.ts";
import { storeAddresses } from "../../_shared/playback/store-addresses.ts";
import { SETTINGS } from "../b2/scripted-store.ts";
import { RECORDING_ID } from "../jobs/jobs-for-tests.ts";
import {
  MP4,
  NOW,
  PHONE,
  PHONE_MP4,
  PLAYLIST,
  playbackForTest,
  readableMedia,
  SECOND_MP4,
  THUMBNAIL,
  VIEWER_ID,
} from "./playback-for-tests.ts";

function addresses(change: Partial<Playback> = {}, media: MediaAddresses = readableMedia) {
  return playbackAddresses(playbackForTest(change), VIEWER_ID, {
    baseUrl: "https://functions.example/play-recording",
    tokenSecrets: ["the secret of the playlist tokens"],
    media,
    nowSeconds: NOW,
  });
}
const askedOf = (url = "") => Object.fromEntries(new URL(url).searchParams);

Deno.test("facts, the viewer's own place, and addresses", () => {
  const gaps = [{ from_ms: 1_000, to_ms: 1_000, missing_ms: null }];
  const { hls, mp4, download, thumbnail, ...facts } = addresses({
    position_ms: 61_500,
    gaps,
    is_partial: true,
  });
  assert.deepEqual(facts, {
    recording_id: RECORDING_ID,
    status: "recorded",
    is_complete: true,
    quality: "720p",
    duration_seconds: 3_600,
    size_bytes: 5_000,
    is_partial: true,
    gaps,
    position_seconds: 61.5,
    started_at: "2026-11-22T16:00:00.5+00:00",
    expires_at: null,
    refresh_at: new Date((NOW + 840) * 1000).toISOString(),
    renditions: [],
  });
  assert.ok(hls);
  assert.deepEqual(
    [mp4.length, mp4[0]?.size_bytes, download?.size_bytes, thumbnail],
    [1, 5_000, 5_000, null],
  );
});

Deno.test("an MP4 is played, probed and saved under addresses of their own", () => {
  const [file] = addresses().mp4;
  assert.deepEqual(
    [askedOf(file?.url).method, askedOf(file?.url).type, askedOf(file?.url).name],
    ["GET", "video/mp4", undefined],
  );
  assert.equal(askedOf(file?.head_url).method, "HEAD");
  assert.equal(askedOf(file?.download_url).name, "Recording 2026-11-22 16.00 UTC, Amara and Chidi.mp4");
});

Deno.test("a recording in several files is saved file by file", () => {
  const { mp4, download } = addresses({ files: [PLAYLIST, MP4, SECOND_MP4] });
  assert.deepEqual(
    mp4.map(({ file_name }) => /\(part .*\)/.exec(file_name)?.[0]),
    ["(part 1 of 2)", "(part 2 of 2)"],
  );
  assert.equal(download?.url, mp4[0]?.download_url);
});

Deno.test("a thumbnail is given as the picture it is", () => {
  const { thumbnail } = addresses({ files: [MP4, THUMBNAIL] });
  assert.deepEqual([askedOf(thumbnail?.url).type, askedOf(thumbnail?.url).name], ["image/jpeg", undefined]);
});

Deno.test("what was made of a recording stands beside it, never in its place", () => {
  const { hls, mp4, renditions } = addresses({ files: [PHONE, PHONE_MP4, PLAYLIST, MP4] });
  assert.ok(hls && !hls.url.includes("file="));
  assert.deepEqual(
    mp4.map(({ url }) => new URL(url).pathname.slice(1)),
    [MP4.object_key],
  );
  assert.deepEqual(
    renditions.map(({ kind, name }) => [kind, name]),
    [
      ["hls", "all"],
      ["mp4", "phone-360p"],
    ],
  );
  assert.equal(new URL(renditions[0]?.url ?? "").searchParams.get("file"), "phone-360p/all.m3u8");
  assert.equal(addresses({ files: [PHONE] }).hls, null);
});

Deno.test("what is missing is null, not a broken address", () => {
  const onlyMp4 = addresses({ files: [MP4] });
  assert.deepEqual([onlyMp4.hls, onlyMp4.mp4.length], [null, 1]);
  const onlySlices = addresses({ files: [PLAYLIST] });
  assert.deepEqual([onlySlices.mp4, onlySlices.download], [[], null]);
  assert.ok(onlySlices.hls);
  const { hls, mp4, download, thumbnail, renditions } = addresses({ files: [], duration_ms: null });
  assert.deepEqual([hls, mp4, download, thumbnail, renditions], [null, [], null, null, []]);
});

Deno.test("the store is asked for the right type, name and caching, in one language all browsers read", () => {
  const people = ["Zoë “Zo” Ω", "a/b\\c:..%41\u202Egpj\n"];
  const { mp4 } = addresses({ people }, storeAddresses(createPresigner(SETTINGS)));
  const asked = askedOf(mp4[0]?.download_url);
  assert.match(asked["response-content-disposition"] ?? "", /^[\x20-\x7e]+$/);
  const { type, parameters } = parseDisposition(asked["response-content-disposition"] ?? "");
  assert.equal(type, "attachment");
  assert.equal(parameters.filename, "Recording 2026-11-22 16.00 UTC, Zoë “Zo” Ω and a b c .. 41 gpj.mp4");
  assert.equal(mp4[0]?.file_name, parameters.filename);
  assert.equal(asked["response-content-type"], "video/mp4");
  assert.equal(asked["response-cache-control"], `private, max-age=${asked["X-Amz-Expires"]}, immutable`);
  assert.equal("response-content-disposition" in askedOf(mp4[0]?.url), false);
});

const nameOf = (change: Partial<Playback>) => downloadName(playbackForTest(change));
Deno.test("a file has a name whatever is known", () => {
  assert.equal(nameOf({ started_at: null, people: [] }), "Recording 0f6c2f6e.mp4");
  assert.equal(nameOf({ people: [" ", "\u0000", "Chidi"] }), "Recording 2026-11-22 16.00 UTC, Chidi.mp4");
  assert.ok(nameOf({ people: ["👩‍🏫".repeat(500), "x".repeat(500)] }).length < 200);
});
