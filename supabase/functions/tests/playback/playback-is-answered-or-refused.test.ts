import assert from "node:assert/strict";
import { RecorderFailure } from "../../_shared/errors.ts";
import type { Playback } from "../../_shared/jobs/database.ts";
import type { LogFields } from "../../_shared/log.ts";
import { answerPlayback, type PlaybackDeps } from "../../_shared/playback/answer.ts";
import { signPlaylistToken } from "../../_shared/playback/token.ts";
import { readEnginePlaylist } from "../../_shared/storage/engine-playlist.ts";
import { RECORDING_ID } from "../jobs/jobs-for-tests.ts";
import { mp4File, PREFIX, sliceFile } from "../storage/bucket-in-memory.ts";
import {
  MP4,
  NOW,
  PHONE,
  PLAYLIST,
  playbackForTest,
  readableMedia,
  VIEWER_ID,
} from "./playback-for-tests.ts";

const SECRETS = ["the secret of the playlist tokens"];
const BASE = "https://functions.example/play-recording";
const USER_TOKEN = "eyJ.token.of-the-viewer";
const segments = [0, 1].map((index) => ({
  object_key: `${PREFIX}a1/${sliceFile(index)}`,
  size_bytes: 1_000,
  duration_ms: 15_000,
  is_discontinuity: index === 1,
}));

interface World {
  playback?: Playback | null;
  manifest?: unknown;
  /** By their place in the recording's folder. */
  texts?: Record<string, string>;
  deps?: Partial<PlaybackDeps>;
  makeDeps?: () => PlaybackDeps;
}

async function ask(path: string, init: RequestInit, world: World = {}) {
  const logged: (LogFields & { step: string })[] = [];
  const asked: [recordingId: string, viewerId: string][] = [];
  const read: string[] = [];
  let woken = 0;
  const deps: PlaybackDeps = {
    database: {
      playbackOf: (recordingId, viewerId) => {
        asked.push([recordingId, viewerId]);
        return Promise.resolve(world.playback === undefined ? playbackForTest() : world.playback);
      },
    },
    bucket: {
      getText: (key) => {
        read.push(key);
        const text = world.texts?.[key.slice(PREFIX.length)];
        if (text !== undefined) return Promise.resolve(text);
        const manifest = world.manifest ?? { version: 1, segments };
        return Promise.resolve(typeof manifest === "string" ? manifest : JSON.stringify(manifest));
      },
    },
    media: readableMedia,
    userOf: (accessToken) => Promise.resolve(accessToken === USER_TOKEN ? VIEWER_ID : undefined),
    baseUrl: BASE,
    tokenSecrets: SECRETS,
    now: () => NOW * 1000,
    wakeOverdueLanes: () => {
      woken += 1;
    },
    ...world.deps,
  };
  const response = await answerPlayback(
    new Request(BASE + path, init),
    world.makeDeps ?? (() => deps),
    (step, fields = {}) => logged.push({ step, ...fields }),
  );
  assert.equal(
    response.headers.get("access-control-allow-origin"),
    "*",
    "a browser must be able to read the answer",
  );
  const text = await response.text();
  const isJson = response.headers.get("content-type") === "application/json";
  const body: unknown = isJson ? JSON.parse(text) : text;
  // A person who was answered sets lost work in motion; whoever is refused, and a player that fetches, does not.
  assert.equal(woken, response.status === 200 && init.method === "POST" ? 1 : 0);
  return { status: response.status, headers: response.headers, body, logged, asked, read };
}

const order = (
  body: BodyInit | null = JSON.stringify({ recording_id: RECORDING_ID }),
  token = USER_TOKEN,
): RequestInit => ({
  method: "POST",
  headers: { authorization: `Bearer ${token}` },
  body,
});
const playlistPath = (change: { expiresAtSeconds?: number } = {}) =>
  `/playlist.m3u8?token=${signPlaylistToken(
    { recordingId: RECORDING_ID, viewerId: VIEWER_ID, expiresAtSeconds: NOW + 900, ...change },
    SECRETS,
  )}`;

function assertRefused(answer: Awaited<ReturnType<typeof ask>>, status: number, code: string) {
  const { body, headers } = answer;
  assert.ok(typeof body === "object" && body !== null && "code" in body && "message" in body);
  assert.deepEqual([answer.status, body.code, Object.keys(body).sort()], [status, code, ["code", "message"]]);
  assert.equal(headers.get("cache-control"), "no-store");
}

// Addresses

Deno.test("one of the two people is given the addresses, for this one viewer and for no cache", async () => {
  const { status, body, headers, asked, logged } = await ask("", order());
  assert.equal(status, 200);
  assert.deepEqual(asked, [[RECORDING_ID, VIEWER_ID]]);
  assert.equal(headers.get("cache-control"), "private, no-store");
  assert.ok(
    typeof body === "object" && body !== null && "hls" in body && "mp4" in body && "download" in body,
  );
  assert.deepEqual(logged, [{ step: "playback.opened", recording_id: RECORDING_ID, status: "recorded" }]);
});

Deno.test("the addresses that were given do open the playlist", async () => {
  const { body } = await ask("", order());
  const url = /"url":"([^"]*playlist\.m3u8[^"]*)"/.exec(JSON.stringify(body))?.[1] ?? "";
  const { status } = await ask(url.slice(BASE.length), { method: "GET" });
  assert.equal(status, 200);
});

Deno.test("a stranger is told the same as about a recording that never was", async () => {
  assertRefused(await ask("", order(), { playback: null }), 404, "recording_not_found");
});

for (const authorization of [
  undefined,
  "",
  "Bearer",
  "Bearer ",
  "Basic dXNlcg==",
  USER_TOKEN,
  "Bearer a b",
]) {
  Deno.test(`authorization ${JSON.stringify(authorization)} is nobody: 401`, async () => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const answer = await ask("", { ...order(), headers });
    assertRefused(answer, 401, "sign_in_required");
    assert.deepEqual(answer.asked, []);
  });
}

Deno.test("a token that Auth does not accept is nobody: 401", async () => {
  const answer = await ask("", order(undefined, "another-token"));
  assertRefused(answer, 401, "sign_in_required");
  assert.deepEqual(answer.asked, []);
});

for (const body of [null, "", "{", "recording_id=1", Uint8Array.from([0x22, 0xff, 0x22])]) {
  Deno.test(`a body that is not JSON (${String(body)}) is answered 400`, async () => {
    assertRefused(await ask("", order(body)), 400, "body_not_json");
  });
}

for (const body of [
  "null",
  "[]",
  "{}",
  '{"recording_id": null}',
  '{"recording_id": "1 or 1=1"}',
  `"${RECORDING_ID}"`,
]) {
  Deno.test(`the body ${body} names no recording: 400`, async () => {
    const answer = await ask("", order(body));
    assertRefused(answer, 400, "recording_id_missing");
    assert.deepEqual(answer.asked, []);
  });
}

Deno.test("a body that is longer than any order is not read to its end: 413", async () => {
  assertRefused(await ask("", order(" ".repeat(4_097))), 413, "body_not_json");
});

// Playlist

Deno.test("the playlist lists what the manifest lists, under signed addresses", async () => {
  const { status, body, headers, asked, read } = await ask(playlistPath(), { method: "GET" });
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "application/vnd.apple.mpegurl");
  assert.equal(headers.get("cache-control"), "private, no-store");
  assert.deepEqual(asked, [[RECORDING_ID, VIEWER_ID]], "access is asked for again");
  assert.deepEqual(read, [`${PREFIX}manifest.json`]);
  const playlist = readEnginePlaylist(String(body));
  assert.deepEqual(
    playlist?.segments.map(({ uri, isDiscontinuity }) => [new URL(uri).pathname.slice(1), isDiscontinuity]),
    segments.map(({ object_key, is_discontinuity }) => [object_key, is_discontinuity]),
  );
  const { searchParams } = new URL(playlist?.segments[0]?.uri ?? "");
  assert.deepEqual([searchParams.get("type"), searchParams.get("method")], ["video/mp2t", "GET"]);
  assert.equal(Number(searchParams.get("from")) % 3_600, 0);
});

for (const path of [
  "/playlist.m3u8",
  "/playlist.m3u8?token=",
  "/playlist.m3u8?token=a.b",
  `${playlistPath()}A`,
]) {
  Deno.test(`${path.slice(0, 40)} is answered 403`, async () => {
    const answer = await ask(path, { method: "GET" });
    assertRefused(answer, 403, "playlist_token_invalid");
    assert.deepEqual([answer.asked, answer.read], [[], []]);
  });
}

Deno.test("a token that has expired is answered 403", async () => {
  assertRefused(
    await ask(playlistPath({ expiresAtSeconds: NOW }), { method: "GET" }),
    403,
    "playlist_token_invalid",
  );
});

const notThere: Record<string, Playback | null> = {
  "who is not one of the two any more": null,
  "for a recording of which nothing may be played": playbackForTest({ files: [] }),
  "past the recording's end": playbackForTest({ expires_at: new Date(NOW * 1000).toISOString() }),
  "for a recording without a playlist": playbackForTest({ files: [MP4] }),
};
for (const [who, playback] of Object.entries(notThere)) {
  Deno.test(`a whole token ${who} is answered 404`, async () => {
    const answer = await ask(playlistPath(), { method: "GET" }, { playback });
    assertRefused(answer, 404, "recording_not_found");
    assert.deepEqual(answer.read, []);
  });
}

const foreignKeys = [
  `recordings/${"f".repeat(32)}/a1/${sliceFile(0)}`,
  `${PREFIX}a1/../../${"f".repeat(32)}/a1/${sliceFile(0)}`,
  `${PREFIX}manifest.json`,
  `${PREFIX}a1/${mp4File()}`,
  `${PREFIX}a1/secrets.txt`,
  `https://elsewhere.example/${sliceFile(0)}`,
  "",
];
const unreadable: [string, unknown][] = [
  ["that is not JSON", "<Error/>"],
  ["of another version", { version: 2, segments }],
  ["without segments", { version: 1 }],
  ...foreignKeys.map((object_key): [string, unknown] => [
    `that names ${object_key}`,
    { version: 1, segments: [...segments, { ...segments[0], object_key }] },
  ]),
];
for (const [what, manifest] of unreadable) {
  Deno.test(`a manifest ${what} is not played from: 503`, async () => {
    const answer = await ask(playlistPath(), { method: "GET" }, { manifest });
    assertRefused(answer, 503, "playlist_unreadable");
    assert.equal(answer.logged[0]?.detail, `${PREFIX}manifest.json is not a manifest`);
  });
}

Deno.test("a manifest that was written before it told of jumps is played", async () => {
  const manifest = { version: 1, segments: segments.map(({ is_discontinuity: _, ...segment }) => segment) };
  assert.equal((await ask(playlistPath(), { method: "GET" }, { manifest })).status, 200);
});

Deno.test("a player may look before it fetches, and ask for a range of what is made for it alone", async () => {
  const { status, headers } = await ask(playlistPath(), { method: "HEAD" });
  assert.deepEqual([status, headers.get("content-type")], [200, "application/vnd.apple.mpegurl"]);
  for (const range of ["bytes=0-10", "bytes=9-1", "bytes=a", "lines=1"]) {
    const answer = await ask(playlistPath(), { method: "GET", headers: { range } });
    assert.deepEqual([answer.status, answer.headers.get("content-range")], [200, null], "it is given whole");
  }
});

// Renditions

const master = ["#EXTM3U", "#EXT-X-STREAM-INF:BANDWIDTH=400000", "low/index.m3u8"].join("\n");
const child = ["#EXTM3U", '#EXT-X-MAP:URI="init.mp4"', "#EXTINF:4,", "1.m4s", "#EXT-X-ENDLIST"].join("\n");
const withPhone: World = {
  playback: playbackForTest({ files: [PLAYLIST, MP4, PHONE] }),
  texts: { "phone-360p/all.m3u8": master, "phone-360p/low/index.m3u8": child },
};
const renditionPath = (file: string) => `${playlistPath()}&file=${encodeURIComponent(file)}`;

Deno.test("a rendition leads to its children through us, and from there to the store", async () => {
  const first = await ask(renditionPath("phone-360p/all.m3u8"), { method: "GET" }, withPhone);
  assert.equal(first.status, 200);
  const [childUrl = ""] = String(first.body)
    .split("\n")
    .filter((line) => line.startsWith("http"));
  assert.ok(childUrl.startsWith(`${BASE}/playlist.m3u8?token=`));
  const second = await ask(childUrl.slice(BASE.length), { method: "GET" }, withPhone);
  assert.deepEqual(second.asked, [[RECORDING_ID, VIEWER_ID]], "access is asked for again");
  const urls = [...String(second.body).matchAll(/https:[^"\n]+/g)].map(([url]) => new URL(url));
  assert.deepEqual(
    urls.map(({ pathname, searchParams }) => [pathname.slice(1 + PREFIX.length), searchParams.get("type")]),
    [
      ["phone-360p/low/init.mp4", "video/mp4"],
      ["phone-360p/low/1.m4s", "video/iso.segment"],
    ],
  );
});

for (const file of [
  "",
  "/",
  "phone-360p/../../x.m3u8",
  "../all.m3u8",
  "phone-360p//all.m3u8",
  "phone-360p/%2e%2e/all.m3u8",
  "phone-360p/all.m3u8?x",
  "phone-360p/init.mp4",
  "manifest.json",
  "other/all.m3u8",
  `a1/${sliceFile(0)}`,
  PLAYLIST.object_key.slice(PREFIX.length),
  `https://elsewhere.example/all.m3u8`,
]) {
  Deno.test(`the file ${JSON.stringify(file)} is no rendition: 404, and the bucket is not asked`, async () => {
    const answer = await ask(renditionPath(file), { method: "GET" }, withPhone);
    assertRefused(answer, 404, "recording_not_found");
    assert.deepEqual(answer.read, []);
  });
}

Deno.test("a rendition that names what is not beside it is not given: 503, and why is for the log alone", async () => {
  const texts = { "phone-360p/all.m3u8": "#EXTM3U\n#EXTINF:4,\nhttps://elsewhere.example/1.ts" };
  const answer = await ask(renditionPath("phone-360p/all.m3u8"), { method: "GET" }, { ...withPhone, texts });
  assertRefused(answer, 503, "playlist_unreadable");
  assert.match(String(answer.logged[0]?.detail), /phone-360p\/all\.m3u8: it names something/);
});

// Everything else

for (const path of ["", playlistPath()]) {
  Deno.test(`a browser's question before is answered for ${path.slice(0, 15) || "/"}`, async () => {
    const { status, headers, body } = await ask(path, { method: "OPTIONS" });
    assert.deepEqual([status, body], [204, ""]);
    assert.match(headers.get("access-control-allow-headers") ?? "", /authorization.*apikey.*content-type/);
    assert.match(headers.get("access-control-allow-methods") ?? "", /GET.*HEAD.*POST.*OPTIONS/);
  });
}

for (const [path, method, allow] of [
  ["", "GET", "POST, OPTIONS"],
  ["", "DELETE", "POST, OPTIONS"],
  [playlistPath(), "POST", "GET, HEAD, OPTIONS"],
  [playlistPath(), "PUT", "GET, HEAD, OPTIONS"],
] as const) {
  Deno.test(`${method} ${path.slice(0, 15) || "/"} is answered 405`, async () => {
    const answer = await ask(path, { method });
    assertRefused(answer, 405, "method_not_allowed");
    assert.equal(answer.headers.get("allow"), allow);
  });
}

const failures: [string, World][] = [
  [
    "setting_invalid",
    {
      makeDeps: () => {
        throw failure("setting_invalid");
      },
    },
  ],
  [
    "database_unavailable",
    { deps: { database: { playbackOf: () => Promise.reject(failure("database_unavailable")) } } },
  ],
  ["auth_unavailable", { deps: { userOf: () => Promise.reject(failure("auth_unavailable")) } }],
  [
    "unexpected_error",
    { deps: { database: { playbackOf: () => Promise.reject(new TypeError("x is not a function")) } } },
  ],
];
for (const [code, world] of failures) {
  Deno.test(`${code} is answered 503; what it was about is for the log alone`, async () => {
    const answer = await ask("", order(), world);
    assertRefused(answer, 503, code);
    assert.equal(answer.logged[0]?.step, "playback.failed");
    assert.ok(answer.logged[0]?.detail);
    assert.ok(!JSON.stringify(answer.body).includes(String(answer.logged[0]?.detail)));
  });
}

function failure(code: string): RecorderFailure {
  return new RecorderFailure({
    code,
    blame: "us",
    retry: "later",
    message: "Not now.",
    detail: "the inner part",
  });
}
