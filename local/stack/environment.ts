import { createHmac } from "node:crypto";
import type { Keys } from "./keys.ts";
import type { Ports } from "./ports.ts";
import type { UserEnvironment } from "./user-environment.ts";

/** The one bucket of the local store, and where it claims to be. */
export const localBucket = { name: "recordings", region: "us-east-005" } as const;

/** The bucket that the engine writes into in staged mode; in the same store, out of reach of every other key. */
export const stagingBucket = { name: "staging-recordings", region: localBucket.region } as const;

/** Keys of the staging bucket: the store knows them by names of their own. */
export function stagingKeys({ b2 }: Pick<Keys, "b2">) {
  const named = ({ keyId, applicationKey }: Keys["b2"]["storage"]) => ({
    keyId: `${keyId}9`,
    applicationKey,
  });
  return { storage: named(b2.storage), ingest: named(b2.ingest) };
}

/**
 * A key that may look at the bucket's rules and change them: for npm run doctor on this machine, never for a function.
 * Derived, so that a folder of an earlier version has it too.
 */
export function adminKey({ b2 }: Pick<Keys, "b2">): Keys["b2"]["storage"] {
  return { keyId: `${b2.storage.keyId}8`, applicationKey: b2.storage.applicationKey };
}

/** What switches staged mode on. */
export function stagingEnvironment(keys: Pick<Keys, "b2">, ports: Pick<Ports, "b2">): Record<string, string> {
  const { storage, ingest } = stagingKeys(keys);
  return {
    STAGING_S3_ENDPOINT: localUrl(ports.b2),
    STAGING_S3_REGION: stagingBucket.region,
    STAGING_S3_BUCKET_NAME: stagingBucket.name,
    STAGING_S3_ACCESS_KEY_ID: storage.keyId,
    STAGING_S3_SECRET_ACCESS_KEY: storage.applicationKey,
    STAGING_S3_INGEST_ACCESS_KEY_ID: ingest.keyId,
    STAGING_S3_INGEST_SECRET_ACCESS_KEY: ingest.applicationKey,
  };
}

/** `http://127.0.0.1:PORT` of a part. */
export const localUrl = (port: number): string => `http://127.0.0.1:${port}`;

/**
 * The environment of the Edge Functions: the same names as on a hosted project (docs: `.env.example`), filled with the
 * addresses and keys of the stand-ins. Whatever the user's own `.env` names wins, and switches its stand-in off.
 */
export function functionsEnvironment(
  keys: Keys,
  ports: Ports,
  postgresUrl: string,
  user: UserEnvironment,
): Record<string, string> {
  const gateway = localUrl(ports.gateway);

  const supabase = {
    SUPABASE_URL: gateway,
    SUPABASE_DB_URL: postgresUrl,
  };
  const ours = {
    WAKE_UP_SECRET: keys.wakeUpSecret,
    PLAYBACK_TOKEN_SECRET: keys.playbackTokenSecret,
    // Made out of a key that every data folder has: those from before there was a monitor go on working.
    HEALTH_SECRET: createHmac("sha256", keys.controlToken).update("health").digest("base64url"),
    PLAYBACK_BASE_URL: `${gateway}/functions/v1/play-recording`,
  };
  const localAgora = {
    AGORA_APP_ID: keys.agora.appId,
    AGORA_APP_CERTIFICATE: keys.agora.appCertificate,
    AGORA_CUSTOMER_ID: keys.agora.customerId,
    AGORA_CUSTOMER_SECRET: keys.agora.customerSecret,
    AGORA_WEBHOOK_SECRET: keys.agora.webhookSecret,
    AGORA_API_URLS: localUrl(ports.agora),
    // The stand-in is the media server of calls too; the real one is reached by Agora's own SDK.
    CALL_TRANSPORT: "local",
    CALL_TRANSPORT_URL: `ws://127.0.0.1:${ports.agora}/calls`,
  };
  const localStore = {
    BACKBLAZE_B2_ENDPOINT: localUrl(ports.b2),
    BACKBLAZE_B2_REGION: localBucket.region,
    BACKBLAZE_B2_BUCKET_NAME: localBucket.name,
    BACKBLAZE_B2_ACCESS_KEY_ID: keys.b2.storage.keyId,
    BACKBLAZE_B2_SECRET_ACCESS_KEY: keys.b2.storage.applicationKey,
    BACKBLAZE_B2_INGEST_ACCESS_KEY_ID: keys.b2.ingest.keyId,
    BACKBLAZE_B2_INGEST_SECRET_ACCESS_KEY: keys.b2.ingest.applicationKey,
    BACKBLAZE_B2_PLAYBACK_ACCESS_KEY_ID: keys.b2.playback.keyId,
    BACKBLAZE_B2_PLAYBACK_SECRET_ACCESS_KEY: keys.b2.playback.applicationKey,
  };

  return {
    ...supabase,
    ...ours,
    ...(user.agora === "real" ? { CALL_TRANSPORT: "agora" } : localAgora),
    ...(user.store === "real" ? {} : localStore),
    ...user.variables,
  };
}

/** What the database reads from Vault: where the functions are, and the key it signs its wake-ups with. */
export function vaultSecrets(functionsEnv: Record<string, string>): Record<string, string> {
  return {
    functions_url: `${functionsEnv.SUPABASE_URL}/functions/v1`,
    // The functions check with the same secret, wherever it came from.
    wake_up_secret: functionsEnv.WAKE_UP_SECRET ?? "",
  };
}
