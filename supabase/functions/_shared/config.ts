import { z } from "zod";
import type { StoreSettings } from "./b2/settings.ts";
import { RecorderFailure } from "./errors.ts";

/** Where settings come from: the environment of the function, or a plain object in tests. */
export type Environment = { get(name: string): string | undefined };

const httpUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ""));
const mediaUrl = z.url({ protocol: /^(https?|wss?)$/ }).transform((url) => url.replace(/\/+$/, ""));
const hex32 = z.string().regex(/^[0-9a-fA-F]{32}$/, "must be 32 hexadecimal digits");
const text = z.string().trim().min(1, "must not be blank");
const list = text
  .transform((value) =>
    value
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean),
  )
  .refine((values) => values.length > 0, "must name at least one");

const STORE_KEY = "Backblaze, Application Keys (not the master key): keyID and applicationKey, shown once";

/** Said to whoever has to mend it: what is missing and where it is found. */
const whereToFind: Record<string, string> = {
  SUPABASE_URL: "set by the platform for every function",
  SUPABASE_SECRET_KEYS: "set by the platform; Project Settings, API keys, the secret key named default",
  SUPABASE_PUBLISHABLE_KEYS:
    "set by the platform; Project Settings, API keys, the publishable key named default",
  AGORA_APP_ID: "Agora console, Project Management (NEXT_PUBLIC_AGORA_APP_ID is read too)",
  NEXT_PUBLIC_AGORA_APP_ID: "Agora console, Project Management",
  AGORA_APP_CERTIFICATE: "Agora console, Project Management, primary certificate",
  AGORA_CUSTOMER_ID: "Agora console, Developer Toolkit, RESTful API (not the App ID)",
  AGORA_CUSTOMER_SECRET: "Agora console, Developer Toolkit, RESTful API (not the App Certificate)",
  AGORA_API_URLS: "normally not set; base addresses of Agora's REST API, parted by commas",
  AGORA_WEBHOOK_SECRET: "Agora console, Notifications, Cloud Recording",
  BACKBLAZE_B2_ENDPOINT: "Backblaze, Buckets, Endpoint of the bucket",
  BACKBLAZE_B2_REGION:
    "second part of the bucket's endpoint; needed only where the endpoint does not tell it",
  BACKBLAZE_B2_BUCKET_NAME: "Backblaze, Buckets",
  BACKBLAZE_B2_ACCESS_KEY_ID: STORE_KEY,
  BACKBLAZE_B2_SECRET_ACCESS_KEY: STORE_KEY,
  BACKBLAZE_B2_INGEST_ACCESS_KEY_ID: `${STORE_KEY}; set both halves or none`,
  BACKBLAZE_B2_INGEST_SECRET_ACCESS_KEY: `${STORE_KEY}; set both halves or none`,
  BACKBLAZE_B2_PLAYBACK_ACCESS_KEY_ID: `${STORE_KEY}; set both halves or none`,
  BACKBLAZE_B2_PLAYBACK_SECRET_ACCESS_KEY: `${STORE_KEY}; set both halves or none`,
  STAGING_S3_ENDPOINT:
    "the S3-compatible store that the engine writes into; leave all STAGING_S3_* out for none",
  STAGING_S3_REGION: "the region of that store, as its signatures want it",
  STAGING_S3_BUCKET_NAME: "the bucket in that store",
  STAGING_S3_ACCESS_KEY_ID: "a key of that store that may list, read, write and delete",
  STAGING_S3_SECRET_ACCESS_KEY: "a key of that store that may list, read, write and delete",
  STAGING_S3_INGEST_ACCESS_KEY_ID: "a key of that store that may only write; set both halves or none",
  STAGING_S3_INGEST_SECRET_ACCESS_KEY: "a key of that store that may only write; set both halves or none",
  WAKE_UP_SECRET: "the same value as Vault's wake_up_secret, whsec_ and 32 bytes in base64",
  PLAYBACK_BASE_URL: "the address of the function play-recording as viewers reach it",
  NOTIFY_WEBHOOK_URL:
    "yours: where events of recordings are sent; https (http on loopback only), without user or password",
  NOTIFY_WEBHOOK_SECRET:
    "yours: whsec_ and 24 to 64 random bytes in base64; the receiver verifies with the same value",
  ALERT_WEBHOOK_URL:
    "an incoming webhook of Slack (api.slack.com, Your Apps, Incoming Webhooks), or of what understands it; https, kept secret",
  HEALTH_SECRET: "yours: at least 32 random characters; the monitor sends it as a bearer",
  CALL_TRANSPORT: "agora, or local for a media server of your own",
  CALL_TRANSPORT_URL: "the address of the media server that CALL_TRANSPORT=local means",
  PLAYBACK_TOKEN_SECRET: "any secret of at least 32 characters",
};

/** Where the value of a variable is found, or what it is. Nothing secret. */
export function placeOf(name: string): string {
  return whereToFind[name] ?? "docs/operations.md";
}

/** One setting: the form it must have, and the variables it may stand in, the first one that is set wins. */
interface Setting<Form extends z.ZodType> {
  form: Form;
  names: readonly [string, ...string[]];
}

function from<Form extends z.ZodType>(form: Form, ...names: [string, ...string[]]): Setting<Form> {
  return { form, names };
}

/** Reads all settings before it complains, so that one look at the log names everything there is to mend. */
function read<Members extends Record<string, Setting<z.ZodType>>>(
  environment: Environment,
  members: Members,
): { [Member in keyof Members]: z.output<Members[Member]["form"]> } {
  const found: Record<string, unknown> = {};
  const complaints: string[] = [];
  for (const [member, { form, names }] of Object.entries(members)) {
    // An empty variable is how many tools write a missing one.
    const name = names.find((candidate) => environment.get(candidate)) ?? names[0];
    const value = environment.get(name) || undefined;
    const parsed = form.safeParse(value);
    if (parsed.success) found[member] = parsed.data;
    else {
      // The forms' messages never quote the value: it may be a secret.
      const reason = [...new Set(parsed.error.issues.map((issue) => issue.message))].join(", ");
      complaints.push(complaint(name, value === undefined ? "is missing" : `is malformed (${reason})`));
    }
  }
  if (complaints.length > 0) throw incomplete(complaints);
  // Each member was parsed by its own form; the compiler cannot follow that through the loop.
  return found as { [Member in keyof Members]: z.output<Members[Member]["form"]> };
}

function complaint(name: string, what: string): string {
  return `${name} ${what}; find it here: ${placeOf(name)}`;
}

function incomplete(complaints: readonly string[]): RecorderFailure {
  return new RecorderFailure({
    code: "setting_invalid",
    blame: "configuration",
    retry: "later",
    message: "The recorder is not set up completely.",
    detail: complaints.join(". "),
  });
}

export interface SupabaseSettings {
  url: string;
  /** Opens everything; sent in the apikey header only. */
  secretKey: string;
  publishableKey: string;
}

const namedKeys = z
  .string()
  .transform((value, context) => {
    try {
      return z.record(z.string(), z.string()).parse(JSON.parse(value));
    } catch {
      context.addIssue({ code: "custom", message: "must be a JSON object of name and key" });
      return z.NEVER;
    }
  })
  .optional();

/** The project's own address and keys; the new kind of keys wins over the legacy ones. */
export function supabaseSettings(environment: Environment): SupabaseSettings {
  const { url, secretKeys, publishableKeys, serviceRoleKey, anonKey } = read(environment, {
    url: from(httpUrl, "SUPABASE_URL"),
    secretKeys: from(namedKeys, "SUPABASE_SECRET_KEYS"),
    publishableKeys: from(namedKeys, "SUPABASE_PUBLISHABLE_KEYS"),
    serviceRoleKey: from(text.optional(), "SUPABASE_SERVICE_ROLE_KEY"),
    anonKey: from(text.optional(), "SUPABASE_ANON_KEY"),
  });
  const secretKey = secretKeys?.default || serviceRoleKey;
  const publishableKey = publishableKeys?.default || anonKey;
  if (secretKey === undefined || publishableKey === undefined) {
    throw incomplete([
      ...(secretKey === undefined ? [complaint("SUPABASE_SECRET_KEYS", "is missing")] : []),
      ...(publishableKey === undefined ? [complaint("SUPABASE_PUBLISHABLE_KEYS", "is missing")] : []),
    ]);
  }
  return { url, secretKey, publishableKey };
}

/** The engine: credentials, and its addresses in the order they are tried. */
export function engineSettings(environment: Environment) {
  return read(environment, {
    appId: from(hex32, "AGORA_APP_ID", "NEXT_PUBLIC_AGORA_APP_ID"),
    appCertificate: from(hex32, "AGORA_APP_CERTIFICATE"),
    customerId: from(
      text.regex(/^[^\s:]+$/, "must not hold spaces or colons; customer id and secret are two settings"),
      "AGORA_CUSTOMER_ID",
    ),
    customerSecret: from(text.regex(/^\S+$/, "must not hold spaces"), "AGORA_CUSTOMER_SECRET"),
    apiUrls: from(
      list.pipe(z.array(httpUrl)).default(["https://api.agora.io", "https://api.sd-rtn.com"]),
      "AGORA_API_URLS",
    ),
  });
}

/**
 * How callers reach each other. The transport is named, never guessed: a call over the wrong one would be recorded by
 * nobody. Both kinds take the same tokens, so App ID and certificate are wanted for both.
 */
export function callSettings(environment: Environment) {
  const isLocal = environment.get("CALL_TRANSPORT") === "local";
  return read(environment, {
    appId: from(hex32, "AGORA_APP_ID", "NEXT_PUBLIC_AGORA_APP_ID"),
    appCertificate: from(hex32, "AGORA_APP_CERTIFICATE"),
    transport: from(z.enum(["agora", "local"], "must be agora or local"), "CALL_TRANSPORT"),
    transportUrl: from(isLocal ? mediaUrl : mediaUrl.optional(), "CALL_TRANSPORT_URL"),
  });
}

/** Secrets that may have signed an event of the engine; several while one is being replaced. */
export function webhookSecrets(environment: Environment): string[] {
  return read(environment, { secrets: from(list, "AGORA_WEBHOOK_SECRET") }).secrets;
}

/** Secrets that may have signed a wake-up of the database; several while one is being replaced. */
export function wakeUpSecrets(environment: Environment): string[] {
  const secrets = list.refine(
    (all) => all.every((secret) => /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret)),
    "must be whsec_ and base64",
  );
  return read(environment, { secrets: from(secrets, "WAKE_UP_SECRET") }).secrets;
}

const storeEndpoint = text
  .transform((value) => (/^[a-z]+:\/\//i.test(value) ? value : `https://${value}`))
  .pipe(httpUrl);

/**
 * The bucket with the key for one use: `storage` for our own work, `ingest` for what the engine is given (write only),
 * `playback` for signing viewers' addresses (read only). A use without a key of its own takes the storage key; half a
 * key of its own is a mistake, not a reason to mix two keys.
 */
export function bucketSettings(
  environment: Environment,
  use: "storage" | "ingest" | "playback",
): StoreSettings {
  const own = `BACKBLAZE_B2_${use.toUpperCase()}_`;
  const hasOwn = [`${own}ACCESS_KEY_ID`, `${own}SECRET_ACCESS_KEY`].some((name) => environment.get(name));
  const key = use !== "storage" && hasOwn ? own : "BACKBLAZE_B2_";
  const { region, ...settings } = read(environment, {
    endpoint: from(storeEndpoint, "BACKBLAZE_B2_ENDPOINT"),
    region: from(text.optional(), "BACKBLAZE_B2_REGION"),
    bucket: from(
      z.string().regex(/^[a-z0-9][a-z0-9-]{4,61}[a-z0-9]$/i, "must be a bucket name"),
      "BACKBLAZE_B2_BUCKET_NAME",
    ),
    keyId: from(text, `${key}ACCESS_KEY_ID`),
    applicationKey: from(text, `${key}SECRET_ACCESS_KEY`),
  });
  return region === undefined ? settings : { ...settings, region };
}

const STAGING_NAMES = [
  "STAGING_S3_ENDPOINT",
  "STAGING_S3_REGION",
  "STAGING_S3_BUCKET_NAME",
  "STAGING_S3_ACCESS_KEY_ID",
  "STAGING_S3_SECRET_ACCESS_KEY",
];

/**
 * The store that the engine writes into where it is not our bucket; undefined where none of its variables is set, and a
 * complaint where only some are. `ingest` is the key that the engine is given, with a fallback to the store's own.
 */
export function stagingSettings(
  environment: Environment,
  use: "storage" | "ingest",
): StoreSettings | undefined {
  if (STAGING_NAMES.every((name) => !environment.get(name))) return undefined;
  const own = "STAGING_S3_INGEST_";
  const hasOwn = [`${own}ACCESS_KEY_ID`, `${own}SECRET_ACCESS_KEY`].some((name) => environment.get(name));
  const key = use === "ingest" && hasOwn ? own : "STAGING_S3_";
  return read(environment, {
    endpoint: from(storeEndpoint, "STAGING_S3_ENDPOINT"),
    region: from(text.regex(/^[a-z0-9-]+$/, "must be like us-west-004"), "STAGING_S3_REGION"),
    bucket: from(
      z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/i, "must be a bucket name"),
      "STAGING_S3_BUCKET_NAME",
    ),
    keyId: from(text, `${key}ACCESS_KEY_ID`),
    applicationKey: from(text, `${key}SECRET_ACCESS_KEY`),
  });
}

/** The bucket as the engine is told of it: the staging store where there is one, else our own. */
export function ingestSettings(environment: Environment): StoreSettings {
  return stagingSettings(environment, "ingest") ?? bucketSettings(environment, "ingest");
}

/** Where viewers reach playlists, and the secrets that sign the tokens in them (the first one signs). */
export function playbackSettings(environment: Environment): { baseUrl: string; tokenSecrets: string[] } {
  const secrets = list.refine(
    (all) => all.every((secret) => secret.length >= 32),
    "each must have at least 32 characters",
  );
  return read(environment, {
    baseUrl: from(httpUrl, "PLAYBACK_BASE_URL"),
    tokenSecrets: from(secrets, "PLAYBACK_TOKEN_SECRET"),
  });
}

const webhookAddress = text
  .pipe(z.url({ protocol: /^https?$/ }))
  .refine((url) => {
    const parsed = URL.parse(url);
    if (parsed?.protocol === "https:") return true;
    return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(parsed?.hostname ?? "");
  }, "must be https")
  .refine((url) => {
    const parsed = URL.parse(url);
    return parsed?.username === "" && parsed.password === "";
  }, "must not hold a user or a password");

/** Where events of recordings are sent and what signs them; undefined where nobody wants them, which is: neither is set. */
export function notifySettings(environment: Environment): { url: string; secret: string } | undefined {
  const isWanted = ["NOTIFY_WEBHOOK_URL", "NOTIFY_WEBHOOK_SECRET"].some((name) => environment.get(name));
  if (!isWanted) return undefined;
  return read(environment, {
    url: from(webhookAddress, "NOTIFY_WEBHOOK_URL"),
    secret: from(
      text.regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, "must be whsec_ and base64"),
      "NOTIFY_WEBHOOK_SECRET",
    ),
  });
}

/** Secrets that open the details of the function health, several while one is being replaced; none where it is not set. */
export function healthSecrets(environment: Environment): string[] {
  const secrets = list.refine(
    (all) => all.every((secret) => secret.length >= 32),
    "each must have at least 32 characters",
  );
  return read(environment, { secrets: from(secrets.optional(), "HEALTH_SECRET") }).secrets ?? [];
}

/** Where alerts are told; undefined where nobody wants them. The address itself is the secret: it is never logged. */
export function alertWebhook(environment: Environment): string | undefined {
  return read(environment, { url: from(webhookAddress.optional(), "ALERT_WEBHOOK_URL") }).url;
}
