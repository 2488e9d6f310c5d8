import assert from "node:assert/strict";
import { createAgoraClient } from "../../_shared/agora/client.ts";
import type * as requests from "../../_shared/agora/requests.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { ACQUIRE, QUERY, START, STOP } from "./requests-for-tests.ts";
import { SETTINGS, scriptedEngine } from "./scripted-engine.ts";

const DEPS = { fetch, now: () => 0, sleep: () => Promise.resolve() };

async function refusedBeforeSending(
  result: Promise<{ outcome: string; error?: unknown }>,
  member: RegExp,
  sent: unknown[],
  wanted = "engine_request_invalid",
) {
  const { outcome, error } = await result;
  assert.equal(outcome, "refused");
  const { code, blame, detail } = error as { code: string; blame: string; detail?: string };
  assert.deepEqual([code, blame], [wanted, "us"]);
  assert.match(detail ?? "", member);
  assert.deepEqual(sent, []);
}

for (const uid of ["0", "007", "4294967296", "abc", "", "1.5", "-1"]) {
  Deno.test(`a recorder cannot have the uid ${JSON.stringify(uid)}`, async () => {
    const { client, sent } = scriptedEngine([]);
    await refusedBeforeSending(client.acquire({ ...ACQUIRE, uid }), /^uid:/, sent);
  });
}

for (const cname of ["", "x".repeat(64), "käse", "a/b", 'a"b', "a\\b"]) {
  Deno.test(`a channel cannot be called ${JSON.stringify(cname)}`, async () => {
    const { client, sent } = scriptedEngine([]);
    await refusedBeforeSending(
      client.acquire({ ...ACQUIRE, cname }),
      /^cname:/,
      sent,
      "channel_name_invalid",
    );
  });
}

Deno.test("a channel may have every character of Agora's alphabet", async () => {
  const { client } = scriptedEngine([{ http: 200, body: { resourceId: "r" } }]);
  const cname = "aZ09 !#$%&()+-:;<=.>?@[]^_{}|~,";
  assert.equal((await client.acquire({ ...ACQUIRE, cname })).outcome, "acquired");
});

Deno.test("a session lives 1 to 720 hours", async () => {
  for (const resourceExpiredHour of [0, 721, 1.5]) {
    const { client, sent } = scriptedEngine([]);
    await refusedBeforeSending(
      client.acquire({ ...ACQUIRE, resourceExpiredHour }),
      /^resourceExpiredHour:/,
      sent,
    );
  }
});

function startWith(change: {
  storage?: Partial<requests.StorageConfig>;
  recording?: Partial<requests.RecordingConfig>;
  video?: Partial<NonNullable<requests.RecordingConfig["transcodingConfig"]>>;
}): requests.StartRequest {
  const transcodingConfig = { width: 1280, height: 720, fps: 15, bitrate: 2260, ...change.video };
  return {
    ...START,
    storageConfig: { ...START.storageConfig, ...change.storage },
    recordingConfig: { ...START.recordingConfig, transcodingConfig, ...change.recording },
  };
}

const BAD_STARTS: [string, requests.StartRequest, RegExp][] = [
  ["a prefix with a hyphen", startWith({ storage: { fileNamePrefix: ["a-b"] } }), /fileNamePrefix/],
  ["a prefix with an underscore", startWith({ storage: { fileNamePrefix: ["a_b"] } }), /fileNamePrefix/],
  [
    "a prefix of more than 128 characters",
    startWith({ storage: { fileNamePrefix: ["a".repeat(128)] } }),
    /fileNamePrefix/,
  ],
  ["a store by vendor 11 without endpoint", withoutEndpoint(), /endpoint/],
  [
    "a scheme before the store's host",
    startWith({ storage: { extensionParams: { endpoint: "https://s3.us-west-004.backblazeb2.com" } } }),
    /without scheme/,
  ],
  ["a picture larger than 1920 x 1080", startWith({ video: { width: 1920, height: 1081 } }), /1920 x 1080/],
  ["more than 6500 kbps", startWith({ video: { bitrate: 6501 } }), /bitrate/],
  ["a frame rate Agora would silently change", startWith({ video: { fps: 25 } }), /fps/],
  ["a custom layout without positions", startWith({ video: { mixedVideoLayout: 3 } }), /layoutConfig/],
  ["idling for less than 5 s", startWith({ recording: { maxIdleTime: 4 } }), /maxIdleTime/],
  [
    "one subscription list alone",
    startWith({ recording: { subscribeAudioUids: ["#allstream#"] } }),
    /subscription/,
  ],
  ["an empty token", { ...START, token: "" }, /token/],
];

function withoutEndpoint(): requests.StartRequest {
  const { extensionParams: _, ...storageConfig } = START.storageConfig;
  return { ...START, storageConfig };
}

for (const [what, request, member] of BAD_STARTS) {
  Deno.test(`start is not sent with ${what}`, async () => {
    const { client, sent } = scriptedEngine([]);
    await refusedBeforeSending(client.start(request), member, sent);
  });
}

Deno.test("start is not sent with MP4 alone, which Agora refuses, or with a misspelt member", async () => {
  const odd: unknown[] = [
    { ...START, recordingFileConfig: { avFileType: ["mp4"] } },
    { ...START, recordingConfig: { ...START.recordingConfig, maxIdelTime: 30 } },
  ];
  for (const request of odd) {
    const { client, sent } = scriptedEngine([]);
    await refusedBeforeSending(
      client.start(request as requests.StartRequest),
      /avFileType|maxIdelTime/,
      sent,
    );
  }
});

Deno.test("an id that is none of Agora's cannot change the path of a call", async () => {
  const { client, sent } = scriptedEngine([]);
  await refusedBeforeSending(client.query({ ...QUERY, sid: "../../x" }), /^sid:/, sent);
  await refusedBeforeSending(client.stop({ ...STOP, resourceId: "a/b?c" }), /^resourceId:/, sent);
});

Deno.test("what is wrong with a request is told without its values", async () => {
  const { client } = scriptedEngine([]);
  const request = startWith({ storage: { fileNamePrefix: ["a-b"], secretKey: "" } });
  const result = await client.start(request);
  assert.doesNotMatch(JSON.stringify(result), /a-b|access-key-id|007token/);
});

const BAD_SETTINGS: [string, Partial<requests.AgoraSettings>, RegExp][] = [
  ["an App ID that is not 32 hex digits", { appId: "970CA35" }, /appId/],
  ["a Customer ID with a line break", { customerId: "customer\n" }, /customerId/],
  ["an empty Customer Secret", { customerSecret: "" }, /customerSecret/],
  ["no address", { apiUrls: [] }, /apiUrls/],
  ["an address without encryption", { apiUrls: ["http://api.agora.io"] }, /apiUrls\.0: must be https/],
];

for (const [what, change, member] of BAD_SETTINGS) {
  Deno.test(`a client cannot be made with ${what}`, () => {
    assert.throws(
      () => createAgoraClient({ ...SETTINGS, ...change }, DEPS),
      (thrown) =>
        thrown instanceof RecorderFailure &&
        thrown.error.code === "engine_settings_invalid" &&
        thrown.error.blame === "configuration" &&
        member.test(thrown.error.detail ?? "") &&
        !/secret-of|customer\n/.test(JSON.stringify(thrown.error)),
    );
  });
}

Deno.test("an address on loopback needs no encryption", () => {
  createAgoraClient({ ...SETTINGS, apiUrls: ["http://127.0.0.1:5000/"] }, DEPS);
});
