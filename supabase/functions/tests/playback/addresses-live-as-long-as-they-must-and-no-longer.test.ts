import assert from "node:assert/strict";
import type { Playback } from "../../_shared/jobs/database.ts";
import { playbackAddresses } from "../../_shared/playback/addresses.ts";
import { isPlayable, mediaLifetime } from "../../_shared/playback/lifetimes.ts";
import { readPlaylistToken } from "../../_shared/playback/token.ts";
import { RECORDING_ID } from "../jobs/jobs-for-tests.ts";
import { HOUR, MP4, NOW, PHONE, playbackForTest, readableMedia, VIEWER_ID } from "./playback-for-tests.ts";

const SECRETS = ["the secret of the playlist tokens"];
const HOUR_BEGIN = NOW - 900;
const at = (seconds: number) => new Date(seconds * 1000).toISOString();

function addresses(change: Partial<Playback> = {}, nowSeconds = NOW) {
  return playbackAddresses(playbackForTest(change), VIEWER_ID, {
    baseUrl: "https://functions.example/play-recording",
    tokenSecrets: SECRETS,
    media: readableMedia,
    nowSeconds,
  });
}

function life(change: Partial<Playback> = {}, nowSeconds = NOW) {
  const { signedAt, expiresInSeconds, expiresAt } = mediaLifetime(playbackForTest(change), nowSeconds);
  assert.equal(
    signedAt.getTime() / 1000 + expiresInSeconds,
    Math.max(expiresAt.getTime() / 1000, signedAt.getTime() / 1000 + 1),
  );
  return { from: signedAt.getTime() / 1000, lives: expiresAt.getTime() / 1000 - nowSeconds };
}

Deno.test("media addresses live for the recording's length and two hours, up to the next full hour", () => {
  // 18:15 + 1 h + 2 h = 21:15, up to 22:00.
  assert.deepEqual(life(), { from: HOUR_BEGIN, lives: 3.75 * HOUR });
  assert.equal(life({}, HOUR_BEGIN).lives, 3 * HOUR);
  assert.equal(life({ duration_ms: null }, HOUR_BEGIN).lives, 2 * HOUR);
});

Deno.test("they never live less than that, whenever in the hour they are asked for", () => {
  for (let second = 0; second < HOUR; second += 61) {
    const { lives } = life({}, HOUR_BEGIN + second);
    assert.ok(lives >= 3 * HOUR && lives < 4 * HOUR, `${lives} at ${second}`);
  }
});

Deno.test("two visits within an hour get the same addresses, so that a browser finds its slices again", () => {
  assert.deepEqual(addresses().mp4, addresses({}, HOUR_BEGIN + 1).mp4);
  assert.notDeepEqual(addresses().mp4, addresses({}, NOW + HOUR).mp4);
  // Also where the longest life cuts them short.
  const day = { duration_ms: 24 * HOUR * 1000 };
  assert.deepEqual(addresses(day).mp4, addresses(day, HOUR_BEGIN + 1).mp4);
});

Deno.test("however long a recording is, they live 12 hours at most", () => {
  for (const hours of [9.9, 10, 11, 24]) {
    const duration_ms = hours * HOUR * 1000;
    assert.equal(life({ duration_ms }).lives, 11.75 * HOUR);
    assert.equal(life({ duration_ms }, HOUR_BEGIN).lives <= 12 * HOUR, true);
  }
});

Deno.test("no address outlives the recording", () => {
  const expires_at = at(NOW + 600);
  assert.equal(life({ expires_at }).lives, 600);
  const { mp4, hls, download } = addresses({ expires_at });
  assert.deepEqual(
    [mp4[0]?.expires_at, hls?.expires_at, download?.expires_at],
    [expires_at, expires_at, expires_at],
  );
  assert.equal(addresses({ expires_at: at(NOW + 800.9) }).hls?.expires_at, at(NOW + 800));
});

Deno.test("what is past its end is not played, also before it is deleted", () => {
  assert.equal(isPlayable(playbackForTest({ expires_at: at(NOW) }), NOW), false);
  assert.equal(isPlayable(playbackForTest({ expires_at: at(NOW + 1) }), NOW), true);
  // In its last fraction of a second every address would have ended before it is given.
  assert.equal(isPlayable(playbackForTest({ expires_at: at(NOW + 0.9) }), NOW), false);
  for (const expires_at of [at(NOW), at(NOW - 86_400)]) {
    const { hls, mp4, download, refresh_at } = addresses({ expires_at });
    assert.deepEqual([hls, mp4, download, refresh_at], [null, [], null, null]);
  }
});

Deno.test("the playlist's token is the viewer's own and lives 15 minutes", () => {
  const { hls } = addresses();
  assert.equal(hls?.expires_at, at(NOW + 900));
  const url = new URL(hls?.url ?? "");
  assert.equal(url.origin + url.pathname, "https://functions.example/play-recording/playlist.m3u8");
  assert.deepEqual(readPlaylistToken(url.searchParams.get("token") ?? "", SECRETS, NOW), {
    recordingId: RECORDING_ID,
    viewerId: VIEWER_ID,
    expiresAtSeconds: NOW + 900,
  });
});

Deno.test("a player is told to ask again before its first address ends", () => {
  assert.equal(addresses().refresh_at, at(NOW + 840));
  assert.equal(addresses({ expires_at: at(NOW + 600) }).refresh_at, at(NOW + 540));
  assert.equal(addresses({ files: [MP4] }).refresh_at, at(NOW + 3.75 * HOUR - 60));
  assert.equal(addresses({ files: [MP4, PHONE] }).refresh_at, at(NOW + 840));
  assert.equal(
    addresses({ expires_at: at(NOW + 30) }).refresh_at,
    at(NOW + 1),
    "never at once, over and over",
  );
  assert.equal(addresses({ files: [] }).refresh_at, null);
});

Deno.test("while files are still arriving it asks every minute", () => {
  const { refresh_at, is_complete, hls } = addresses({ status: "processing" });
  assert.deepEqual([refresh_at, is_complete], [at(NOW + 60), false]);
  assert.ok(hls, "what is there can be played meanwhile");
});
