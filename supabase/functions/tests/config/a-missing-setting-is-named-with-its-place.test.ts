import assert from "node:assert/strict";
import {
  bucketSettings,
  callSettings,
  engineSettings,
  ingestSettings,
  playbackSettings,
  stagingSettings,
  supabaseSettings,
  wakeUpSecrets,
  webhookSecrets,
} from "../../_shared/config.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { WHOLE } from "./environment-for-tests.ts";

const from = (values: Record<string, string | undefined>) => ({ get: (name: string) => values[name] });
const whole = from(WHOLE);

function complaintOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof RecorderFailure);
    const { code, blame, message, detail } = error.error;
    assert.deepEqual([code, blame], ["setting_invalid", "configuration"]);
    assert.equal(message, "The recorder is not set up completely.");
    return detail ?? "";
  }
  return "";
}

const readers: Record<string, (environment: ReturnType<typeof from>) => unknown> = {
  supabase: supabaseSettings,
  engine: engineSettings,
  call: callSettings,
  webhook: webhookSecrets,
  wakeUp: wakeUpSecrets,
  storage: (environment) => bucketSettings(environment, "storage"),
  ingest: (environment) => bucketSettings(environment, "ingest"),
  playbackBucket: (environment) => bucketSettings(environment, "playback"),
  playback: playbackSettings,
};

Deno.test("a whole environment is read without a complaint", () => {
  for (const read of Object.values(readers)) read(whole);
});

const required: Record<string, [name: string, place: RegExp][]> = {
  supabase: [
    ["SUPABASE_URL", /platform/],
    ["SUPABASE_SECRET_KEYS", /Project Settings, API keys/],
    ["SUPABASE_PUBLISHABLE_KEYS", /Project Settings, API keys/],
  ],
  engine: [
    ["AGORA_APP_ID", /Agora console, Project Management/],
    ["AGORA_APP_CERTIFICATE", /Agora console.*certificate/],
    ["AGORA_CUSTOMER_ID", /Agora console.*RESTful API \(not the App ID\)/],
    ["AGORA_CUSTOMER_SECRET", /Agora console.*RESTful API \(not the App Certificate\)/],
  ],
  call: [
    ["AGORA_APP_ID", /Agora console, Project Management/],
    ["AGORA_APP_CERTIFICATE", /Agora console.*certificate/],
    ["CALL_TRANSPORT", /agora, or local/],
  ],
  webhook: [["AGORA_WEBHOOK_SECRET", /Agora console, Notifications/]],
  wakeUp: [["WAKE_UP_SECRET", /Vault's wake_up_secret/]],
  storage: [
    ["BACKBLAZE_B2_ENDPOINT", /Backblaze, Buckets/],
    ["BACKBLAZE_B2_BUCKET_NAME", /Backblaze, Buckets/],
    ["BACKBLAZE_B2_ACCESS_KEY_ID", /Backblaze, Application Keys \(not the master key\)/],
    ["BACKBLAZE_B2_SECRET_ACCESS_KEY", /Backblaze, Application Keys/],
  ],
  playback: [
    ["PLAYBACK_BASE_URL", /play-recording/],
    ["PLAYBACK_TOKEN_SECRET", /32 characters/],
  ],
};
for (const [reader, names] of Object.entries(required)) {
  for (const [name, place] of names) {
    for (const value of [undefined, ""]) {
      Deno.test(`${name} that is ${value === "" ? "empty" : "not set"} is named, with where to find it`, () => {
        const complaint = complaintOf(() => readers[reader]?.(from({ ...WHOLE, [name]: value })));
        assert.match(complaint, new RegExp(`^${name} is missing; find it here: `));
        assert.match(complaint, place);
      });
    }
  }
  Deno.test(`everything that ${reader} lacks is named at once`, () => {
    const complaint = complaintOf(() => readers[reader]?.(from({})));
    const all = reader === "supabase" ? names.slice(0, 1) : names;
    for (const [name] of all) assert.ok(complaint.includes(`${name} is missing`), complaint);
  });
}

const malformed: [reader: string, name: string, value: string][] = [
  ["supabase", "SUPABASE_URL", "the-project-MARK"],
  ["supabase", "SUPABASE_SECRET_KEYS", "sb_secret_MARK"],
  ["supabase", "SUPABASE_SECRET_KEYS", '{"default": 7, "MARK": 1}'],
  ["engine", "AGORA_APP_ID", "MARK970CA35de60c44645bbae8a215061b33"],
  ["engine", "AGORA_APP_CERTIFICATE", "MARK"],
  ["engine", "AGORA_CUSTOMER_ID", "id:MARK"],
  ["engine", "AGORA_CUSTOMER_SECRET", "MARK and more"],
  ["engine", "AGORA_API_URLS", "api.agora.io/MARK"],
  ["engine", "AGORA_API_URLS", " , "],
  ["call", "CALL_TRANSPORT", "MARK"],
  ["call", "CALL_TRANSPORT", "Agora"],
  ["call", "CALL_TRANSPORT_URL", "media.example/MARK"],
  ["webhook", "AGORA_WEBHOOK_SECRET", " ,, "],
  ["wakeUp", "WAKE_UP_SECRET", "MARK"],
  ["wakeUp", "WAKE_UP_SECRET", `${WHOLE.WAKE_UP_SECRET},MARK`],
  ["wakeUp", "WAKE_UP_SECRET", "   "],
  ["storage", "BACKBLAZE_B2_ENDPOINT", "ftp://MARK"],
  ["storage", "BACKBLAZE_B2_ENDPOINT", "not an address MARK"],
  ["storage", "BACKBLAZE_B2_BUCKET_NAME", "a bucket MARK"],
  ["storage", "BACKBLAZE_B2_ACCESS_KEY_ID", "  "],
  ["playback", "PLAYBACK_BASE_URL", "play/MARK"],
  ["playback", "PLAYBACK_TOKEN_SECRET", "MARK-too-short"],
  ["playback", "PLAYBACK_TOKEN_SECRET", `${"x".repeat(32)},MARK-too-short`],
];
for (const [reader, name, value] of malformed) {
  Deno.test(`${name} = ${JSON.stringify(value.slice(0, 24))} is malformed: named, with its place and without its value`, () => {
    const complaint = complaintOf(() => readers[reader]?.(from({ ...WHOLE, [name]: value })));
    assert.match(complaint, new RegExp(`^${name} is malformed \\(.+\\); find it here: .+`));
    assert.ok(!complaint.includes("MARK"), complaint);
    assert.ok(!complaint.includes("docs/operations.md"), "its own place is known");
  });
}

Deno.test("every name that is read has a place where it is found", async () => {
  const source = await Deno.readTextFile(new URL("../../_shared/config.ts", import.meta.url));
  const places = source.slice(source.indexOf("const whereToFind"), source.indexOf("interface Setting"));
  const names = new Set([...source.matchAll(/"([A-Z][A-Z0-9_]{5,}[A-Z])"/g)].map((match) => match[1] ?? ""));
  assert.ok(names.size > 12);
  // Legacy keys are read, but whoever has none is sent to the new ones.
  const unnamed = [...names].filter((name) => !places.includes(`${name}:`));
  assert.deepEqual(unnamed.sort(), ["SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY"]);
});

Deno.test("the portal's name of the App ID is read too, and our own wins", () => {
  const { AGORA_APP_ID, ...others } = WHOLE;
  const portal = "a".repeat(32);
  assert.equal(engineSettings(from({ ...others, NEXT_PUBLIC_AGORA_APP_ID: portal })).appId, portal);
  assert.equal(engineSettings(from({ ...WHOLE, NEXT_PUBLIC_AGORA_APP_ID: portal })).appId, AGORA_APP_ID);
  assert.match(
    complaintOf(() => engineSettings(from({ ...others, NEXT_PUBLIC_AGORA_APP_ID: "x" }))),
    /^NEXT_PUBLIC_AGORA_APP_ID is malformed/,
  );
});

Deno.test("a media server of one's own must say where it is", () => {
  const local = { ...WHOLE, CALL_TRANSPORT: "local" };
  assert.match(
    complaintOf(() => callSettings(from(local))),
    /^CALL_TRANSPORT_URL is missing; find it here: .*local/,
  );
  const whole = callSettings(from({ ...local, CALL_TRANSPORT_URL: "ws://127.0.0.1:1/" }));
  assert.deepEqual([whole.transport, whole.transportUrl], ["local", "ws://127.0.0.1:1"]);
  assert.equal(callSettings(from(WHOLE)).transportUrl, undefined);
});

Deno.test("the engine's addresses are the documented two, unless others are named", () => {
  assert.deepEqual(engineSettings(whole).apiUrls, ["https://api.agora.io", "https://api.sd-rtn.com"]);
  const own = from({ ...WHOLE, AGORA_API_URLS: " http://127.0.0.1:1/ , http://127.0.0.1:2" });
  assert.deepEqual(engineSettings(own).apiUrls, ["http://127.0.0.1:1", "http://127.0.0.1:2"]);
});

Deno.test("the new keys win over the legacy ones, which still do", () => {
  const legacy = { SUPABASE_SERVICE_ROLE_KEY: "eyJ.service", SUPABASE_ANON_KEY: "eyJ.anon" };
  assert.equal(supabaseSettings(from({ ...WHOLE, ...legacy })).secretKey, "sb_secret_key");
  const { secretKey, publishableKey } = supabaseSettings(
    from({ SUPABASE_URL: WHOLE.SUPABASE_URL, ...legacy }),
  );
  assert.deepEqual([secretKey, publishableKey], ["eyJ.service", "eyJ.anon"]);
  const other = supabaseSettings(
    from({ ...WHOLE, ...legacy, SUPABASE_SECRET_KEYS: '{"other": "sb_secret_other"}' }),
  );
  assert.equal(other.secretKey, "eyJ.service");
});

Deno.test("addresses lose their last slash, secrets their blanks", () => {
  assert.equal(
    supabaseSettings(from({ ...WHOLE, SUPABASE_URL: "https://project.example//" })).url,
    "https://project.example",
  );
  assert.deepEqual(webhookSecrets(from({ AGORA_WEBHOOK_SECRET: " one , two," })), ["one", "two"]);
});

Deno.test("the endpoint may be given as the console shows it, without a scheme", () => {
  const bare = from({ ...WHOLE, BACKBLAZE_B2_ENDPOINT: "s3.us-west-004.backblazeb2.com" });
  assert.equal(bucketSettings(bare, "storage").endpoint, "https://s3.us-west-004.backblazeb2.com");
});

for (const use of ["ingest", "playback"] as const) {
  const prefix = `BACKBLAZE_B2_${use.toUpperCase()}_`;
  const storage = { keyId: "key-id", applicationKey: "application-key" };

  Deno.test(`${use} takes the storage key as long as it has none of its own`, () => {
    const { keyId, applicationKey } = bucketSettings(whole, use);
    assert.deepEqual({ keyId, applicationKey }, storage);
  });

  Deno.test(`${use} takes its own key, and then needs no other`, () => {
    const { BACKBLAZE_B2_ACCESS_KEY_ID: _id, BACKBLAZE_B2_SECRET_ACCESS_KEY: _key, ...others } = WHOLE;
    const own = {
      ...others,
      [`${prefix}ACCESS_KEY_ID`]: "own-id",
      [`${prefix}SECRET_ACCESS_KEY`]: "own-key",
    };
    const { keyId, applicationKey } = bucketSettings(from(own), use);
    assert.deepEqual([keyId, applicationKey], ["own-id", "own-key"]);
    const kept = bucketSettings(from({ ...WHOLE, ...own }), "storage");
    assert.deepEqual({ keyId: kept.keyId, applicationKey: kept.applicationKey }, storage);
  });

  Deno.test(`half a key for ${use} is a mistake, not a reason to mix two keys`, () => {
    const halves: [string, string][] = [
      ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY"],
      ["SECRET_ACCESS_KEY", "ACCESS_KEY_ID"],
    ];
    for (const [given, missing] of halves) {
      const complaint = complaintOf(() => bucketSettings(from({ ...WHOLE, [prefix + given]: "half" }), use));
      assert.match(complaint, new RegExp(`^${prefix}${missing} is missing; .*both halves or none`));
    }
  });
}

const STAGING = {
  STAGING_S3_ENDPOINT: "https://staging.example",
  STAGING_S3_REGION: "eu-1",
  STAGING_S3_BUCKET_NAME: "staging",
  STAGING_S3_ACCESS_KEY_ID: "staging-key",
  STAGING_S3_SECRET_ACCESS_KEY: "staging-secret",
};

Deno.test("without a staging store the engine is given our bucket", () => {
  assert.equal(stagingSettings(from(WHOLE), "storage"), undefined);
  assert.equal(ingestSettings(from(WHOLE)).bucket, WHOLE.BACKBLAZE_B2_BUCKET_NAME);
});

Deno.test("with one the engine is given that, with the key that may only write where there is one", () => {
  assert.equal(ingestSettings(from({ ...WHOLE, ...STAGING })).keyId, "staging-key");
  const own = { STAGING_S3_INGEST_ACCESS_KEY_ID: "i", STAGING_S3_INGEST_SECRET_ACCESS_KEY: "s" };
  assert.equal(ingestSettings(from({ ...WHOLE, ...STAGING, ...own })).keyId, "i");
  assert.equal(stagingSettings(from({ ...WHOLE, ...STAGING, ...own }), "storage")?.keyId, "staging-key");
});

for (const name of Object.keys(STAGING)) {
  Deno.test(`a staging store without ${name} is a mistake, not a reason to write elsewhere`, () => {
    assert.match(
      complaintOf(() => ingestSettings(from({ ...WHOLE, ...STAGING, [name]: "" }))),
      new RegExp(name),
    );
  });
}
