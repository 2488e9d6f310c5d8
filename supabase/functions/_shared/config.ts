import { z } from "zod";
import type { StoreSettings } from "./b2/settings.ts";
import { RecorderFailure } from "./errors.ts";

/** Where settings come from: the environment of the function, or a plain object in tests. */
export type Environment = { get(name: string): string | undefined };

const httpUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ""));
const hex32 = z.string().regex(/^[0-9a-fA-F]{32}$/, "must be 32 hexadecimal digits");
const text = z.string().trim().min(1);
const secretList = text.transform((value) =>
  value
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean),
);

/** Said to whoever has to mend it: what is missing and where it is found. */
const whereToFind: Record<string, string> = {
  SUPABASE_URL: "set by the platform for every function",
  SUPABASE_SECRET_KEYS: "set by the platform; Project Settings, API keys",
  AGORA_APP_ID: "Agora console, Project Management (NEXT_PUBLIC_AGORA_APP_ID is read too)",
  AGORA_APP_CERTIFICATE: "Agora console, Project Management, primary certificate",
  AGORA_CUSTOMER_ID: "Agora console, Developer Toolkit, RESTful API (not the App ID)",
  AGORA_CUSTOMER_SECRET: "Agora console, Developer Toolkit, RESTful API (not the App Certificate)",
  AGORA_WEBHOOK_SECRET: "Agora console, Notifications, Cloud Recording",
  BACKBLAZE_B2_ENDPOINT: "Backblaze, Buckets, Endpoint of the bucket, with https://",
  BACKBLAZE_B2_REGION:
    "second part of the bucket's endpoint; needed only where the endpoint does not tell it",
  BACKBLAZE_B2_BUCKET_NAME: "Backblaze, Buckets",
  BACKBLAZE_B2_ACCESS_KEY_ID: "Backblaze, Application Keys, keyID (not the master key)",
  BACKBLAZE_B2_SECRET_ACCESS_KEY: "Backblaze, Application Keys, applicationKey, shown once",
  WAKE_UP_SECRET: "the same value as Vault's wake_up_secret, whsec_ and 32 bytes in base64",
  PLAYBACK_BASE_URL: "the address of the function play-recording as viewers reach it",
  PLAYBACK_TOKEN_SECRET: "any secret of at least 32 characters",
};

function read<Shape extends z.ZodRawShape>(
  environment: Environment,
  shape: Shape,
  elsewhere: Partial<Record<keyof Shape & string, string | undefined>> = {},
): z.output<z.ZodObject<Shape>> {
  const given: Record<string, string | undefined> = {};
  for (const name of Object.keys(shape)) given[name] = environment.get(name) || elsewhere[name];
  const parsed = z.object(shape).safeParse(given);
  if (parsed.success) return parsed.data;
  const complaints = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    const what = given[name] === undefined ? "is missing" : `is malformed (${issue.message})`;
    return `${name} ${what}; find it here: ${whereToFind[name] ?? "docs/operations.md"}`;
  });
  throw new RecorderFailure({
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

const namedKeys = z.string().transform((value, context) => {
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(value));
  } catch {
    context.addIssue({ code: "custom", message: "must be a JSON object of name and key" });
    return z.NEVER;
  }
});

/** The project's own address and keys; the new kind of keys wins over the legacy ones. */
export function supabaseSettings(environment: Environment): SupabaseSettings {
  const settings = read(environment, {
    SUPABASE_URL: httpUrl,
    SUPABASE_SECRET_KEYS: namedKeys.optional(),
    SUPABASE_PUBLISHABLE_KEYS: namedKeys.optional(),
    SUPABASE_SERVICE_ROLE_KEY: text.optional(),
    SUPABASE_ANON_KEY: text.optional(),
  });
  const secretKey = settings.SUPABASE_SECRET_KEYS?.default ?? settings.SUPABASE_SERVICE_ROLE_KEY;
  const publishableKey = settings.SUPABASE_PUBLISHABLE_KEYS?.default ?? settings.SUPABASE_ANON_KEY;
  if (secretKey === undefined || publishableKey === undefined) {
    throw new RecorderFailure({
      code: "setting_invalid",
      blame: "configuration",
      retry: "later",
      message: "The recorder is not set up completely.",
      detail: `SUPABASE_SECRET_KEYS is missing; find it here: ${whereToFind.SUPABASE_SECRET_KEYS}`,
    });
  }
  return { url: settings.SUPABASE_URL, secretKey, publishableKey };
}

/** The engine: credentials, and its addresses in the order they are tried. */
export function engineSettings(environment: Environment) {
  const settings = read(
    environment,
    {
      AGORA_APP_ID: hex32,
      AGORA_APP_CERTIFICATE: hex32,
      AGORA_CUSTOMER_ID: text,
      AGORA_CUSTOMER_SECRET: text,
      AGORA_API_URLS: text
        .default("https://api.agora.io,https://api.sd-rtn.com")
        .transform((value) => value.split(",").map((url) => url.trim().replace(/\/+$/, ""))),
    },
    { AGORA_APP_ID: environment.get("NEXT_PUBLIC_AGORA_APP_ID") },
  );
  return {
    appId: settings.AGORA_APP_ID,
    appCertificate: settings.AGORA_APP_CERTIFICATE,
    customerId: settings.AGORA_CUSTOMER_ID,
    customerSecret: settings.AGORA_CUSTOMER_SECRET,
    apiUrls: settings.AGORA_API_URLS,
  };
}

/** Secrets that may have signed an event of the engine; several while one is being replaced. */
export function webhookSecrets(environment: Environment): string[] {
  return read(environment, { AGORA_WEBHOOK_SECRET: secretList }).AGORA_WEBHOOK_SECRET;
}

/** Secrets that may have signed a wake-up of the database; several while one is being replaced. */
export function wakeUpSecrets(environment: Environment): string[] {
  return read(environment, { WAKE_UP_SECRET: secretList }).WAKE_UP_SECRET;
}

/**
 * The bucket with the key for one use: `storage` for our own work, `ingest` for what the engine is given (write only),
 * `playback` for signing viewers' addresses (read only). A use without a key of its own takes the storage key.
 */
export function bucketSettings(
  environment: Environment,
  use: "storage" | "ingest" | "playback",
): StoreSettings {
  const special = use === "storage" ? "BACKBLAZE_B2_" : `BACKBLAZE_B2_${use.toUpperCase()}_`;
  const settings = read(environment, {
    BACKBLAZE_B2_ENDPOINT: httpUrl,
    BACKBLAZE_B2_REGION: text.optional(),
    BACKBLAZE_B2_BUCKET_NAME: z.string().regex(/^[a-z0-9][a-z0-9-]{4,61}[a-z0-9]$/i, "must be a bucket name"),
    BACKBLAZE_B2_ACCESS_KEY_ID: text,
    BACKBLAZE_B2_SECRET_ACCESS_KEY: text,
  });
  return {
    endpoint: settings.BACKBLAZE_B2_ENDPOINT,
    ...(settings.BACKBLAZE_B2_REGION === undefined ? {} : { region: settings.BACKBLAZE_B2_REGION }),
    bucket: settings.BACKBLAZE_B2_BUCKET_NAME,
    keyId: environment.get(`${special}ACCESS_KEY_ID`) || settings.BACKBLAZE_B2_ACCESS_KEY_ID,
    applicationKey: environment.get(`${special}SECRET_ACCESS_KEY`) || settings.BACKBLAZE_B2_SECRET_ACCESS_KEY,
  };
}

/** Where viewers reach playlists, and the secrets that sign the tokens in them (the first one signs). */
export function playbackSettings(environment: Environment): { baseUrl: string; tokenSecrets: string[] } {
  const settings = read(environment, {
    PLAYBACK_BASE_URL: httpUrl,
    PLAYBACK_TOKEN_SECRET: secretList.refine(
      (list) => list.every((secret) => secret.length >= 32),
      "each must have at least 32 characters",
    ),
  });
  return { baseUrl: settings.PLAYBACK_BASE_URL, tokenSecrets: settings.PLAYBACK_TOKEN_SECRET };
}
