/** Each item of the doctor, broken once: its sentence says what is so and where to mend it, and --fix sets what can be set. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { describe, expect, test } from "vitest";
import { generateKeys } from "../../local/stack/keys.ts";
import { examine } from "../../scripts/doctor/check.ts";
import { everyCheck } from "../../scripts/doctor/every-check.ts";
import { readProject } from "../../scripts/doctor/project.ts";
import { reportJson, secretValues } from "../../scripts/doctor/report.ts";
import { createWorld, fileSource } from "../../scripts/doctor/world.ts";
import { type Broken, projectDir, settingsOf, visit } from "./doctor/visit.ts";
import { useStack } from "./stack-under-test.ts";

const at = useStack({ staging: true });
const others = generateKeys();
const nowhere = "http://127.0.0.1:9";

interface Case {
  when: string;
  id: string;
  /** Made from the settings that are right. */
  broken: (right: Record<string, string | undefined>) => Broken;
  what: RegExp;
  todo: RegExp;
}

const settings =
  (
    change: (right: Record<string, string | undefined>) => Record<string, string | undefined>,
  ): Case["broken"] =>
  (right) => ({ settings: change(right) });
const answering =
  (fits: RegExp, status: number, body: unknown, headers: Record<string, string> = {}): Case["broken"] =>
  () => ({
    answer: ({ url }) => (fits.test(url.pathname) ? Response.json(body, { status, headers }) : undefined),
  });

const cases: Case[] = [
  {
    when: "App ID and certificate stand where Customer ID and Secret belong, as in the old portal",
    id: "environment.agora",
    broken: settings((right) => ({
      AGORA_CUSTOMER_ID: right.AGORA_APP_ID,
      AGORA_CUSTOMER_SECRET: right.AGORA_APP_CERTIFICATE,
    })),
    what: /AGORA_CUSTOMER_ID holds the App ID and AGORA_CUSTOMER_SECRET holds the App Certificate/,
    todo: /Set AGORA_CUSTOMER_ID .*Developer Toolkit, RESTful API.*Set AGORA_CUSTOMER_SECRET/,
  },
  {
    when: "no certificate is set",
    id: "environment.agora",
    broken: settings(() => ({ AGORA_APP_CERTIFICATE: undefined })),
    what: /^AGORA_APP_CERTIFICATE is not set/,
    todo: /Project Management, primary certificate/,
  },
  {
    when: "the App ID lost a digit",
    id: "environment.agora",
    broken: settings((right) => ({ AGORA_APP_ID: right.AGORA_APP_ID?.slice(1) })),
    what: /AGORA_APP_ID must be 32 hexadecimal digits/,
    todo: /Set AGORA_APP_ID/,
  },
  {
    when: "the secret of the notifications is not set",
    id: "environment.webhook",
    broken: settings(() => ({ AGORA_WEBHOOK_SECRET: "" })),
    what: /AGORA_WEBHOOK_SECRET is not set/,
    todo: /Notifications, Cloud Recording/,
  },
  {
    when: "keyID and applicationKey are swapped",
    id: "environment.storage",
    broken: settings((right) => ({
      BACKBLAZE_B2_ACCESS_KEY_ID: right.BACKBLAZE_B2_SECRET_ACCESS_KEY,
      BACKBLAZE_B2_SECRET_ACCESS_KEY: right.BACKBLAZE_B2_ACCESS_KEY_ID,
    })),
    what: /swapped/,
    todo: /BACKBLAZE_B2_ACCESS_KEY_ID .*Application Keys.*BACKBLAZE_B2_SECRET_ACCESS_KEY/,
  },
  {
    when: "the master key is used",
    id: "environment.storage",
    broken: settings(() => ({ BACKBLAZE_B2_ACCESS_KEY_ID: "0123456789ab" })),
    what: /master key/,
    todo: /not the master key/,
  },
  {
    when: "the endpoint is that of friendly addresses",
    id: "environment.storage",
    broken: settings(() => ({ BACKBLAZE_B2_ENDPOINT: "https://f005.backblazeb2.com" })),
    what: /friendly/,
    todo: /Buckets, Endpoint of the bucket/,
  },
  {
    when: "the bucket's name is none",
    id: "environment.storage",
    broken: settings(() => ({ BACKBLAZE_B2_BUCKET_NAME: "My Bucket" })),
    what: /BACKBLAZE_B2_BUCKET_NAME is malformed \(must be a bucket name\)/,
    todo: /Set BACKBLAZE_B2_BUCKET_NAME in \.env \(Backblaze, Buckets/,
  },
  {
    when: "an address of Agora's is none",
    id: "environment.agora",
    broken: settings(() => ({ AGORA_API_URLS: "api.agora.io" })),
    what: /AGORA_API_URLS is malformed/,
    todo: /Set AGORA_API_URLS in \.env/,
  },
  {
    when: "a key pair has only one half",
    id: "environment.storage",
    broken: settings(() => ({ BACKBLAZE_B2_INGEST_SECRET_ACCESS_KEY: undefined })),
    what: /BACKBLAZE_B2_INGEST_SECRET_ACCESS_KEY is not set, but its other half is/,
    todo: /Set BACKBLAZE_B2_INGEST_SECRET_ACCESS_KEY/,
  },
  {
    when: "the project's address is the dashboard's",
    id: "environment.supabase",
    broken: settings(() => ({ SUPABASE_URL: "https://supabase.com/dashboard/project/abcdefghijklmnopqrst" })),
    what: /dashboard/,
    todo: /Data API, Project URL/,
  },
  {
    when: "the secret key stands where browsers read it",
    id: "environment.supabase",
    broken: settings((right) => ({ SUPABASE_PUBLISHABLE_KEY: right.SUPABASE_SECRET_KEY })),
    what: /SUPABASE_PUBLISHABLE_KEY holds a secret key/,
    todo: /Publishable key/,
  },
  {
    when: "the database's address is the transaction pooler's",
    id: "environment.supabase",
    broken: settings(() => ({ SUPABASE_DB_URL: "postgresql://postgres:x@pooler.example.com:6543/postgres" })),
    what: /transaction pooler/,
    todo: /Session pooler/,
  },
  {
    when: "the wake-up secret is malformed",
    id: "environment.ours",
    broken: settings(() => ({ WAKE_UP_SECRET: "hello" })),
    what: /WAKE_UP_SECRET is malformed/,
    todo: /Set WAKE_UP_SECRET in \.env \(yours, whsec_/,
  },
  {
    when: "several of our own are malformed at once, some of which nobody has to have",
    id: "environment.ours",
    broken: settings(() => ({
      PLAYBACK_TOKEN_SECRET: "short",
      HEALTH_SECRET: "tiny",
      ALERT_WEBHOOK_URL: "http://hooks.example.com/x",
    })),
    what: /PLAYBACK_TOKEN_SECRET is malformed.*ALERT_WEBHOOK_URL is malformed.*HEALTH_SECRET is malformed/,
    todo: /Set PLAYBACK_TOKEN_SECRET .*--fix makes one where its line is missing.*Or take out of \.env what nobody has to have: ALERT_WEBHOOK_URL, HEALTH_SECRET\./,
  },
  {
    when: "nobody says how callers reach each other",
    id: "environment.ours",
    broken: settings(() => ({ CALL_TRANSPORT: undefined })),
    what: /CALL_TRANSPORT is/,
    todo: /Set CALL_TRANSPORT/,
  },
  {
    when: "playback leads to the project and not to the function",
    id: "environment.ours",
    broken: settings((right) => ({ PLAYBACK_BASE_URL: right.SUPABASE_URL })),
    what: /does not end with \/play-recording/,
    todo: /functions\/v1\/play-recording/,
  },
  {
    when: "the staging store is named in part",
    id: "environment.staging",
    broken: settings(() => ({ STAGING_S3_REGION: undefined, STAGING_S3_BUCKET_NAME: undefined })),
    what: /STAGING_S3_BUCKET_NAME is missing/,
    todo: /Set STAGING_S3_REGION .*Or take all STAGING_S3_/,
  },
  {
    when: "the portal's address is not set",
    id: "environment.portal",
    broken: settings(() => ({ PORTAL_URL: undefined })),
    what: /PORTAL_URL is not set/,
    todo: /Set PORTAL_URL/,
  },
  {
    when: "the portal's address has a path",
    id: "environment.portal",
    broken: settings((right) => ({ PORTAL_URL: `${right.PORTAL_URL}/portal/` })),
    what: /PORTAL_URL has something behind the host/,
    todo: /Set PORTAL_URL in \.env \(.*without a path/,
  },
  {
    when: "Agora's addresses lead nowhere",
    id: "agora.reachable",
    broken: settings(() => ({ AGORA_API_URLS: nowhere })),
    what: /No answer from 127\.0\.0\.1:9/,
    todo: /Take AGORA_API_URLS out/,
  },
  {
    when: "the Customer Secret is wrong",
    id: "agora.credentials",
    broken: settings(() => ({ AGORA_CUSTOMER_SECRET: others.agora.customerSecret })),
    what: /does not know this pair/,
    todo: /Make a new pair.*RESTful API/,
  },
  {
    when: "Customer ID and Customer Secret are swapped",
    id: "agora.credentials",
    broken: settings((right) => ({
      AGORA_CUSTOMER_ID: right.AGORA_CUSTOMER_SECRET,
      AGORA_CUSTOMER_SECRET: right.AGORA_CUSTOMER_ID,
    })),
    what: /are swapped/,
    todo: /Set AGORA_CUSTOMER_ID/,
  },
  {
    when: "the App ID is another account's",
    id: "agora.credentials",
    broken: settings(() => ({ AGORA_APP_ID: others.agora.appId })),
    what: /right, but the App ID belongs to another Agora account/,
    todo: /Set AGORA_APP_ID/,
  },
  {
    when: "Cloud Recording is not enabled",
    id: "agora.credentials",
    broken: answering(/\/acquire$/, 400, { message: "appid is invalid" }),
    what: /accepts the Customer ID and Secret, but does not know this App ID/,
    todo: /Agora console, Projects, .*Cloud Recording, Enable/,
  },
  {
    when: "the Agora account is unpaid",
    id: "agora.credentials",
    broken: answering(/\/acquire$/, 400, { code: 405, reason: "no_active_status" }),
    what: /suspended or unpaid/,
    todo: /Billing/,
  },
  ...["agora", "storage", "supabase", "database"].map(
    (service): Case => ({
      when: `this machine's clock is two minutes slow (${service})`,
      id: `${service}.clock`,
      broken: () => ({ deps: { now: () => Date.now() - 120_000 } }),
      what: /clock is 1[12]\d s behind/,
      todo: /set from the network/,
    }),
  ),
  {
    when: "the storage does not answer",
    id: "storage.reachable",
    broken: settings(() => ({ BACKBLAZE_B2_ENDPOINT: nowhere })),
    what: /No answer from 127\.0\.0\.1:9/,
    todo: /Set BACKBLAZE_B2_ENDPOINT/,
  },
  {
    when: "the region cannot be known",
    id: "storage.region",
    broken: settings(() => ({ BACKBLAZE_B2_REGION: undefined })),
    what: /does not tell its region/,
    todo: /Set BACKBLAZE_B2_REGION/,
  },
  {
    when: "the storage key was deleted",
    id: "storage.objects",
    broken: settings(() => ({
      BACKBLAZE_B2_ACCESS_KEY_ID: others.b2.storage.keyId,
      BACKBLAZE_B2_SECRET_ACCESS_KEY: others.b2.storage.applicationKey,
    })),
    what: /does not know the key in BACKBLAZE_B2_ACCESS_KEY_ID/,
    todo: /Set BACKBLAZE_B2_ACCESS_KEY_ID/,
  },
  {
    when: "the applicationKey is another key's",
    id: "storage.objects",
    broken: settings(() => ({ BACKBLAZE_B2_SECRET_ACCESS_KEY: others.b2.storage.applicationKey })),
    what: /BACKBLAZE_B2_SECRET_ACCESS_KEY is not the applicationKey/,
    todo: /make a new key/,
  },
  {
    when: "the region is another one, and the endpoint does not tell it",
    id: "storage.objects",
    broken: settings(() => ({ BACKBLAZE_B2_REGION: "us-west-000" })),
    what: /or BACKBLAZE_B2_REGION \(us-west-000\) is not the storage's region/,
    todo: /First the region.*Set BACKBLAZE_B2_REGION/,
  },
  {
    when: "the storage key may only read",
    id: "storage.objects",
    broken: settings((right) => ({
      BACKBLAZE_B2_ACCESS_KEY_ID: right.BACKBLAZE_B2_PLAYBACK_ACCESS_KEY_ID,
      BACKBLAZE_B2_SECRET_ACCESS_KEY: right.BACKBLAZE_B2_PLAYBACK_SECRET_ACCESS_KEY,
    })),
    what: /may not write in this bucket: it lacks writeFiles/,
    todo: /listFiles, readFiles, writeFiles and deleteFiles/,
  },
  {
    when: "the storage key may only write",
    id: "storage.objects",
    broken: settings((right) => ({
      BACKBLAZE_B2_ACCESS_KEY_ID: right.BACKBLAZE_B2_INGEST_ACCESS_KEY_ID,
      BACKBLAZE_B2_SECRET_ACCESS_KEY: right.BACKBLAZE_B2_INGEST_SECRET_ACCESS_KEY,
    })),
    what: /it lacks readFiles.*The probe recordings\/doctor-probe\//,
    todo: /listFiles, readFiles, writeFiles and deleteFiles/,
  },
  {
    when: "the key that Agora is given may not write",
    id: "storage.ingest",
    broken: settings((right) => ({
      BACKBLAZE_B2_INGEST_ACCESS_KEY_ID: right.BACKBLAZE_B2_PLAYBACK_ACCESS_KEY_ID,
      BACKBLAZE_B2_INGEST_SECRET_ACCESS_KEY: right.BACKBLAZE_B2_PLAYBACK_SECRET_ACCESS_KEY,
    })),
    what: /BACKBLAZE_B2_INGEST_ACCESS_KEY_ID may not write/,
    todo: /writeFiles only/,
  },
  {
    when: "the engine's key of the staging store may not write",
    id: "storage.staging",
    broken: settings((right) => ({
      STAGING_S3_INGEST_ACCESS_KEY_ID: right.BACKBLAZE_B2_PLAYBACK_ACCESS_KEY_ID,
      STAGING_S3_INGEST_SECRET_ACCESS_KEY: right.BACKBLAZE_B2_PLAYBACK_SECRET_ACCESS_KEY,
    })),
    what: /could not be written by the engine's key/,
    todo: /STAGING_S3_BUCKET_NAME/,
  },
  {
    when: "our key of the staging store may not read",
    id: "storage.staging",
    broken: settings((right) => ({
      STAGING_S3_ACCESS_KEY_ID: right.STAGING_S3_INGEST_ACCESS_KEY_ID,
      STAGING_S3_SECRET_ACCESS_KEY: right.STAGING_S3_INGEST_SECRET_ACCESS_KEY,
    })),
    what: /could not be read/,
    todo: /STAGING_S3_BUCKET_NAME/,
  },
  {
    when: "the key that signs addresses may not read",
    id: "storage.playback",
    broken: settings((right) => ({
      BACKBLAZE_B2_PLAYBACK_ACCESS_KEY_ID: right.BACKBLAZE_B2_INGEST_ACCESS_KEY_ID,
      BACKBLAZE_B2_PLAYBACK_SECRET_ACCESS_KEY: right.BACKBLAZE_B2_INGEST_SECRET_ACCESS_KEY,
    })),
    what: /BACKBLAZE_B2_PLAYBACK_ACCESS_KEY_ID may not read/,
    todo: /readFiles only/,
  },
  {
    when: "the bucket is public",
    id: "storage.private",
    broken: () => ({
      answer: ({ url, method, headers }) =>
        method === "GET" &&
        /doctor-probe\/.+/.test(url.pathname) &&
        !headers.has("authorization") &&
        url.search === ""
          ? new Response("for everybody")
          : undefined,
    }),
    what: /The bucket is public/,
    todo: /Bucket Settings, Files in Bucket are: Private/,
  },
  {
    when: "no rule lets the portal read, and no key may set one",
    id: "storage.cors",
    broken: settings(() => ({
      PORTAL_URL: "https://portal.example.com",
      BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID: undefined,
      BACKBLAZE_B2_ADMIN_SECRET_ACCESS_KEY: undefined,
    })),
    what: /no rule that lets pages of https:\/\/portal\.example\.com read/,
    todo: /Set BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID .*--fix.*CORS Rules/,
  },
  {
    when: "the project does not answer",
    id: "supabase.reachable",
    broken: settings(() => ({ SUPABASE_URL: nowhere })),
    what: /No answer/,
    todo: /Supabase dashboard.*npm start/,
  },
  {
    when: "the publishable key is another project's",
    id: "supabase.publishable_key",
    broken: settings(() => ({ SUPABASE_PUBLISHABLE_KEY: others.publishableKey })),
    what: /does not know the key in SUPABASE_PUBLISHABLE_KEY/,
    todo: /API Keys, Publishable key/,
  },
  {
    when: "the secret key is another project's",
    id: "supabase.api_schemas",
    broken: settings(() => ({ SUPABASE_SECRET_KEY: others.secretKey })),
    what: /does not know the key in SUPABASE_SECRET_KEY/,
    todo: /API Keys, Secret keys/,
  },
  {
    when: "the schema recorder_api is not exposed",
    id: "supabase.api_schemas",
    broken: answering(/\/rpc\/lanes_to_wake$/, 406, {
      code: "PGRST106",
      message: "Invalid schema: recorder_api",
    }),
    what: /does not show the schema recorder_api/,
    todo: /Project Settings, Data API, Exposed schemas/,
  },
  {
    when: "a function is not deployed",
    id: "supabase.functions",
    broken: answering(
      /\/run-storage$/,
      404,
      { code: "NOT_FOUND", message: "Requested function was not found" },
      { "sb-error-code": "NOT_FOUND" },
    ),
    what: /^Not deployed: run-storage/,
    todo: /npm run deploy/,
  },
  {
    when: "verify_jwt was switched on by a deploy without config.toml",
    id: "supabase.functions",
    broken: answering(
      /\/agora-events$/,
      401,
      { code: 401, message: "Missing authorization header" },
      { "sb-error-code": "UNAUTHORIZED_NO_AUTH_HEADER" },
    ),
    what: /asks for a token before agora-events \(verify_jwt is on\)/,
    todo: /Verify JWT off/,
  },
  {
    when: "a function does not start",
    id: "supabase.functions",
    broken: answering(
      /\/call-token$/,
      503,
      { code: "BOOT_ERROR", message: "Function failed to start" },
      { "sb-error-code": "BOOT_ERROR" },
    ),
    what: /Do not start: call-token/,
    todo: /Logs/,
  },
  {
    when: "a function lacks settings",
    id: "supabase.functions",
    broken: answering(/\/call-token$/, 503, {
      code: "setting_invalid",
      message: "The recorder is not set up completely.",
    }),
    what: /missing or malformed in call-token/,
    todo: /Edge Functions, Secrets/,
  },
  {
    when: "the functions have another wake-up secret",
    id: "supabase.wake_ups",
    broken: settings(() => ({ WAKE_UP_SECRET: others.wakeUpSecret })),
    what: /run-control, run-notify, run-storage has another WAKE_UP_SECRET/,
    todo: /must be the value in \.env/,
  },
  {
    when: "agora-events has another secret",
    id: "supabase.agora_events",
    broken: settings(() => ({ AGORA_WEBHOOK_SECRET: others.agora.webhookSecret })),
    what: /has another AGORA_WEBHOOK_SECRET/,
    todo: /Notifications, Cloud Recording/,
  },
  {
    when: "agora-events believes nobody yet",
    id: "supabase.agora_events",
    broken: answering(/\/agora-events$/, 200, { stored: false }),
    what: /has no AGORA_WEBHOOK_SECRET yet/,
    todo: /Edge Functions, Secrets/,
  },
  {
    when: "the database's password is wrong",
    id: "database.reachable",
    broken: settings((right) => ({
      SUPABASE_DB_URL: right.SUPABASE_DB_URL?.replace(/:[^:@]+@/, ":wrong-password@"),
    })),
    what: /refuses the password/,
    todo: /Reset database password/,
  },
];

describe("each broken setting has its sentence", () => {
  test.each(cases)("$id: $when", async ({ id, broken, what, todo }) => {
    const right = await settingsOf(at.stack.dataDir);
    const change = broken(right);
    const finding = await visit(at.stack.dataDir, id, change);
    expect(finding).toMatchObject({
      is: "wrong",
      what: expect.stringMatching(what),
      todo: expect.stringMatching(todo),
    });
    // Not by the blotting out at the end, but because no sentence is made of one.
    const said = JSON.stringify(finding);
    const secrets = secretValues({ ...right, ...change.settings }).filter(
      (secret) => !nowhere.includes(secret),
    );
    expect(secrets.filter((secret) => said.includes(secret))).toEqual([]);
  });

  test("an item is broken here for every check that a setting can break", () => {
    const brokenElsewhere = [
      "agora.token", // no setting breaks it that environment.agora does not name first
      "storage.lifecycle",
      "supabase.realtime",
      "database.migrations",
      "database.vault",
      "database.pg_net",
      "database.cron_jobs",
      "database.cron",
      "database.realtime",
    ];
    const here = new Set([...cases.map(({ id }) => id), ...brokenElsewhere]);
    expect(everyCheck.map(({ id }) => id).filter((id) => !here.has(id))).toEqual([]);
  });
});

describe("what can be set is set", () => {
  test("the bucket's rules", async () => {
    const portal = { settings: { PORTAL_URL: "https://portal.example.com" } };
    expect(await visit(at.stack.dataDir, "storage.cors", portal)).toMatchObject({ is: "wrong" });
    expect(await visit(at.stack.dataDir, "storage.cors", portal, { fix: true })).toMatchObject({
      is: "fine",
      fixed: "a CORS rule for GET and HEAD from https://portal.example.com",
    });
    // The rule that was there stays.
    expect(await visit(at.stack.dataDir, "storage.cors")).toMatchObject({ is: "fine" });

    const rules = await adminRequest("PUT", "lifecycle", hidingRule);
    expect(rules.status).toBe(200);
    expect(await visit(at.stack.dataDir, "storage.lifecycle")).toMatchObject({
      is: "wrong",
      what: expect.stringMatching(/hides objects by their age/),
    });
    await adminRequest("DELETE", "lifecycle");
    expect(await visit(at.stack.dataDir, "storage.lifecycle")).toMatchObject({
      is: "wrong",
      what: "No lifecycle rule removes old versions and unfinished uploads.",
    });
    const fixed = await visit(at.stack.dataDir, "storage.lifecycle", {}, { fix: true });
    expect(fixed).toMatchObject({ is: "fine", note: expect.stringMatching(/after 1 d.*billed/) });
    const blind = {
      BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID: undefined,
      BACKBLAZE_B2_ADMIN_SECRET_ACCESS_KEY: undefined,
    };
    expect(await visit(at.stack.dataDir, "storage.lifecycle", { settings: blind })).toMatchObject({
      is: "unknown",
    });
  });

  test("Vault's secrets", async () => {
    await at.sql`select vault.update_secret(id, 'https://elsewhere.example.com') from vault.secrets where name = 'functions_url'`;
    await at.sql`delete from vault.secrets where name = 'wake_up_secret'`;
    expect(await visit(at.stack.dataDir, "database.vault")).toMatchObject({
      is: "wrong",
      what: "functions_url is another than .env says; wake_up_secret is missing.",
    });
    expect(await visit(at.stack.dataDir, "database.vault", {}, { fix: true })).toMatchObject({
      is: "fine",
      fixed: "functions_url and wake_up_secret in Vault",
    });
  });

  test("the scheduler's jobs, and then the sweep runs", async () => {
    await asPostgres(async (sql) => {
      await sql`select cron.unschedule('recorder-sweep')`;
      await sql`select cron.alter_job(jobid, active => false) from cron.job where jobname = 'recorder-audit'`;
    });
    expect(await visit(at.stack.dataDir, "database.cron_jobs")).toMatchObject({
      is: "wrong",
      what: "recorder-sweep is missing; recorder-audit is switched off.",
    });
    expect(await visit(at.stack.dataDir, "database.cron_jobs", {}, { fix: true })).toMatchObject({
      is: "fine",
    });
    expect(await visit(at.stack.dataDir, "database.cron")).toMatchObject({ is: "fine" });
  });

  test("the publication", async () => {
    await at.sql`alter publication supabase_realtime drop table public.recordings`;
    expect(await visit(at.stack.dataDir, "database.realtime")).toMatchObject({
      is: "wrong",
      what: "recordings is not in the publication supabase_realtime.",
    });
    expect(await visit(at.stack.dataDir, "database.realtime", {}, { fix: true })).toMatchObject({
      is: "fine",
    });
  });
});

describe("what only others can mend is told", () => {
  test("a policy that lets strangers into channels, by its text and by its effect", async () => {
    await at.sql`create policy "everybody" on realtime.messages for select to anon using (true)`;
    try {
      expect(await visit(at.stack.dataDir, "database.realtime")).toMatchObject({
        is: "wrong",
        what: expect.stringMatching(/everybody, signed in or not/),
      });
      expect(await visit(at.stack.dataDir, "supabase.realtime")).toMatchObject({
        is: "wrong",
        what: expect.stringMatching(/joined the private channel/),
      });
    } finally {
      await at.sql`drop policy "everybody" on realtime.messages`;
    }
    expect(await visit(at.stack.dataDir, "supabase.realtime")).toMatchObject({ is: "fine" });
  });

  test("a migration that is missing, and one that is newer than the checkout", async () => {
    const [last] = await at.sql<{ version: string }[]>`
      delete from supabase_migrations.schema_migrations
      where version = (select max(version) from supabase_migrations.schema_migrations) returning *`;
    expect(await visit(at.stack.dataDir, "database.migrations")).toMatchObject({
      is: "wrong",
      what: expect.stringMatching(
        new RegExp(`^1 of \\d+ migrations are not applied, the first is ${last?.version}`),
      ),
    });
    await at.sql`insert into supabase_migrations.schema_migrations ${at.sql(last ?? {})}`;
    await at.sql`insert into supabase_migrations.schema_migrations (version, name) values ('29990101000000', 'later')`;
    expect(await visit(at.stack.dataDir, "database.migrations")).toMatchObject({
      is: "wrong",
      what: expect.stringMatching(/newer than this checkout/),
    });
    await at.sql`delete from supabase_migrations.schema_migrations where version = '29990101000000'`;
  });

  test("a scheduler and a pg_net that do not keep up", async () => {
    const [limit] = await at.sql`select value from recorder.settings where name = 'health_sweep_age'`;
    const [worker] = await at.sql<{ definition: string }[]>`
      select pg_get_functiondef('net.check_worker_is_up()'::regprocedure) as definition`;
    await at.sql`alter table recorder.settings disable trigger user`;
    await at.sql`update recorder.settings set value = 0.001 where name = 'health_sweep_age'`;
    await at.sql.unsafe(
      `create or replace function net.check_worker_is_up() returns void language plpgsql as $$ begin raise exception 'the pg_net background worker is not up'; end $$`,
    );
    try {
      expect(await visit(at.stack.dataDir, "database.cron")).toMatchObject({
        is: "wrong",
        todo: expect.stringMatching(/Fast database reboot/),
      });
      expect(await visit(at.stack.dataDir, "database.pg_net")).toMatchObject({
        is: "wrong",
        what: expect.stringMatching(/background worker is not up/),
        todo: expect.stringMatching(/--fix/),
      });
    } finally {
      await at.sql`update recorder.settings set value = ${limit?.value} where name = 'health_sweep_age'`;
      await at.sql`alter table recorder.settings enable trigger user`;
      await at.sql.unsafe(worker?.definition ?? "");
    }
    expect(await visit(at.stack.dataDir, "database.pg_net", {}, { fix: true })).toMatchObject({ is: "fine" });
  });
});

/** A job of the scheduler belongs to who made it, and nobody else may take it away. */
async function asPostgres(act: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(at.stack.databaseUrls.postgres, { max: 1, onnotice: () => undefined });
  try {
    await act(sql);
  } finally {
    await sql.end({ timeout: 2 });
  }
}

const hidingRule = `<LifecycleConfiguration><Rule><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule></LifecycleConfiguration>`;

/** One request to the bucket's rules with the key that may change them. */
async function adminRequest(method: "PUT" | "DELETE", what: string, body?: string): Promise<Response> {
  const { AwsClient } = await import("aws4fetch");
  const right = await settingsOf(at.stack.dataDir);
  const client = new AwsClient({
    accessKeyId: right.BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID ?? "",
    secretAccessKey: right.BACKBLAZE_B2_ADMIN_SECRET_ACCESS_KEY ?? "",
    service: "s3",
    region: right.BACKBLAZE_B2_REGION ?? "",
    retries: 0,
  });
  const { createHash } = await import("node:crypto");
  return await client.fetch(`${right.BACKBLAZE_B2_ENDPOINT}/${right.BACKBLAZE_B2_BUCKET_NAME}?${what}`, {
    method,
    ...(body === undefined
      ? {}
      : { body, headers: { "content-md5": createHash("md5").update(body).digest("base64") } }),
  });
}

interface Told {
  is_fine: boolean;
  checks: { id: string; is: string; what?: string; todo?: string; fixed?: string; can_fix: boolean }[];
}

function doctor(args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(projectDir, "scripts/doctor.ts"), ...args],
      { env: { PATH: process.env.PATH, NO_COLOR: "1" } },
      (error, stdout, stderr) =>
        resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe("the command", () => {
  test("finds everything fine on the local stack, for people and for machines, and shows no secret", async () => {
    const text = await doctor(["--local", "--data", at.stack.dataDir]);
    expect(text.stdout).toContain(`${everyCheck.length} fine, 0 wrong, 0 unknown`);
    expect(text.exitCode).toBe(0);
    const json = await doctor(["--local", "--data", at.stack.dataDir, "--json"]);
    const told = JSON.parse(json.stdout) as Told;
    expect(told.is_fine).toBe(true);
    expect(told.checks.map(({ id }) => id)).toEqual(everyCheck.map(({ id }) => id));
    const secrets = secretValues(await settingsOf(at.stack.dataDir));
    expect(secrets.length).toBeGreaterThan(10);
    expect(secrets.filter((secret) => `${text.stdout}${json.stdout}`.includes(secret))).toEqual([]);
  });

  test("a deliberately broken project becomes green by its sentences alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "doctor-"));
    try {
      const file = join(folder, ".env");
      const right = await settingsOf(at.stack.dataDir);
      // What the consoles would show to somebody who goes where a sentence sends them.
      const consoles: Record<string, string | undefined> = {
        ...right,
        PORTAL_URL: "https://portal.example.org",
      };
      for (const own of ["PLAYBACK_TOKEN_SECRET", "PLAYBACK_BASE_URL", "CALL_TRANSPORT"])
        delete consoles[own];
      const broken: Record<string, string | undefined> = {
        AGORA_APP_ID: right.AGORA_APP_ID,
        AGORA_APP_CERTIFICATE: right.AGORA_APP_CERTIFICATE,
        AGORA_CUSTOMER_ID: right.AGORA_APP_ID,
        AGORA_CUSTOMER_SECRET: right.AGORA_APP_CERTIFICATE,
        AGORA_API_URLS: right.AGORA_API_URLS,
        BACKBLAZE_B2_ENDPOINT: "https://f005.backblazeb2.com",
        BACKBLAZE_B2_BUCKET_NAME: "Another Bucket",
        BACKBLAZE_B2_ACCESS_KEY_ID: right.BACKBLAZE_B2_SECRET_ACCESS_KEY,
        BACKBLAZE_B2_SECRET_ACCESS_KEY: right.BACKBLAZE_B2_ACCESS_KEY_ID,
        BACKBLAZE_B2_REGION: "us-west-000",
        SUPABASE_URL: right.SUPABASE_URL,
        SUPABASE_PUBLISHABLE_KEY: right.SUPABASE_SECRET_KEY,
        WAKE_UP_SECRET: others.wakeUpSecret,
        AGORA_WEBHOOK_SECRET: others.agora.webhookSecret,
        HEALTH_SECRET: "tiny",
        PORTAL_URL: "https://portal.example.org/portal",
      };
      await write(file, broken);
      await at.sql`delete from vault.secrets where name = 'functions_url'`;
      await asPostgres((sql) => sql`select cron.unschedule('recorder-clean-cron-details')`);
      await adminRequest("DELETE", "lifecycle");

      let told: Told | undefined;
      const rounds: string[][] = [];
      for (let round = 0; round < 12; round++) {
        told = await look(file, rounds.at(-1)?.includes("--fix") === true);
        if (told.is_fine) break;
        const done: string[] = [];
        const present = await read(file);
        for (const { todo = "", is } of told.checks) {
          if (is !== "wrong") continue;
          if (todo.includes("--fix")) done.push("--fix");
          for (const [, name = ""] of todo.matchAll(
            /Set ([A-Z0-9_]+) in \.env|(?<=: )WAKE_UP_SECRET must be/g,
          )) {
            if (consoles[name] === undefined || present[name] === consoles[name]) continue;
            present[name] = consoles[name];
            done.push(name);
          }
          // The other way to agree: the value in .env is to be that of the functions.
          if (/WAKE_UP_SECRET must be the value in \.env/.test(todo)) {
            present.WAKE_UP_SECRET = right.WAKE_UP_SECRET;
            done.push("WAKE_UP_SECRET");
          }
        }
        expect(
          done,
          `no sentence says what to do: ${JSON.stringify(told.checks.filter(({ is }) => is !== "fine"))}`,
        ).not.toEqual([]);
        await write(file, present);
        rounds.push(done);
      }
      expect(told?.checks.filter(({ is }) => is !== "fine")).toEqual([]);
      expect((await doctor(["--env-file", file])).exitCode).toBe(0);
      // What the doctor made itself is in the file, which is nobody else's to read.
      const end = await read(file);
      expect(end.PLAYBACK_BASE_URL).toBe(`${right.SUPABASE_URL}/functions/v1/play-recording`);
      expect(end.PLAYBACK_TOKEN_SECRET?.length).toBeGreaterThanOrEqual(32);
      expect((await stat(file)).mode & 0o077).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 300_000);
});

/** What the command does with a file of settings, without starting a process for each round. */
async function look(file: string, fix: boolean): Promise<Told> {
  const source = await fileSource(file, {});
  const { deps, end } = createWorld(source, await readProject(projectDir));
  try {
    return JSON.parse(reportJson(await examine(everyCheck, deps, { fix }), 0)) as Told;
  } finally {
    await end();
  }
}

async function write(file: string, variables: Record<string, string | undefined>): Promise<void> {
  const lines = Object.entries(variables).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}\n`],
  );
  await writeFile(file, lines.join(""), { mode: 0o600 });
}

async function read(file: string): Promise<Record<string, string | undefined>> {
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line.includes("="));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}
