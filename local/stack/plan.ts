import { join } from "node:path";
import {
  adminKey,
  functionsEnvironment,
  localBucket,
  localUrl,
  stagingBucket,
  stagingEnvironment,
  stagingKeys,
  vaultSecrets,
} from "./environment.ts";
import type { Keys, StoreKey } from "./keys.ts";
import type { ListeningPart, Ports } from "./ports.ts";
import type { UserEnvironment } from "./user-environment.ts";

/** One part as the supervisor runs it. */
export interface PartPlan {
  name: string;
  /** The file that is run in a process of its own. */
  entry: string;
  /** Handed over as JSON; each part's own settings.ts says what it accepts. */
  settings: Record<string, unknown>;
  /** A part that needs the database starts when the migrations are in. */
  needsDatabase: boolean;
  /** Parts of the highest number are ended first; Postgres, which all others need, is 0 and ends last. */
  endsAt: 0 | 1 | 2 | 3;
}

export interface DatabasePlan {
  adminUrl: string;
  postgresUrl: string;
  migrationsDir: string;
  seedFile: string;
  vaultSecrets: Record<string, string>;
}

/** Everything a stack is made of, decided before anything is started. */
export interface StackPlan {
  url: string;
  parts: PartPlan[];
  database: DatabasePlan;
  /** The environment of the Edge Functions. */
  env: Record<string, string>;
  /** What beside it only this machine may have. */
  adminEnv: Record<string, string>;
  /** Addresses without passwords, by part; a real service stands here with its own address. */
  addresses: Record<string, string>;
  /** The ports that must be free before the first part starts. */
  listening: ListeningPart[];
}

export interface PlanInput {
  projectDir: string;
  dataDir: string;
  keys: Keys;
  ports: Ports;
  user: UserEnvironment;
  /** The schemas the REST part exposes, as in supabase/config.toml. */
  exposedSchemas: string[];
  /** Staged mode: the engine writes into a bucket of its own, from where our functions copy. */
  staging?: boolean;
  /** Whether the portal is served too. */
  portal?: boolean;
}

/** What the bucket tells browsers; a page on this machine may play from it, whatever its port. */
const browserRule = {
  id: "playOnThisMachine",
  allowedOrigins: ["http://localhost:*", "http://127.0.0.1:*"],
  allowedMethods: ["GET", "HEAD"],
  allowedHeaders: ["range"],
  exposeHeaders: ["Content-Length", "Content-Range", "Accept-Ranges", "ETag"],
  maxAgeSeconds: 3600,
};

/** What a bucket wants (npm run doctor): nothing that is billed and of no use stays. */
const tidyRule = { prefix: "", enabled: true, noncurrentDays: 1, abortIncompleteDays: 2 };

/** Turns keys, ports and folders into the settings of every part. Pure: the same input gives the same plan. */
export function planStack(input: PlanInput): StackPlan {
  const { projectDir, dataDir, keys, ports, user } = input;
  const inProject = (...names: string[]) => join(projectDir, ...names);
  const inData = (...names: string[]) => join(dataDir, ...names);
  const entryOf = (part: string) => inProject("local", part, "main.ts");
  const databaseUrl = (name: string, password: string) =>
    `postgresql://${name}:${password}@127.0.0.1:${ports.postgres}/postgres`;

  const url = localUrl(ports.gateway);
  const adminUrl = databaseUrl("supabase_admin", keys.database.superuser);
  const postgresUrl = databaseUrl("postgres", keys.database.postgres);
  const env = {
    ...(input.staging ? stagingEnvironment(keys, ports) : {}),
    ...functionsEnvironment(keys, ports, postgresUrl, user),
  };
  const apiKeys = {
    jwtSecret: keys.jwtSecret,
    publishableKey: keys.publishableKey,
    secretKey: keys.secretKey,
  };

  const postgres: PartPlan = {
    name: "postgres",
    entry: entryOf("postgres"),
    settings: {
      dataDir: inData("postgres"),
      port: ports.postgres,
      superuserPassword: keys.database.superuser,
      postgresPassword: keys.database.postgres,
      authenticatorPassword: keys.database.authenticator,
    },
    needsDatabase: false,
    endsAt: 0,
  };
  const net: PartPlan = {
    name: "net",
    entry: entryOf("net"),
    settings: { databaseUrl: adminUrl },
    needsDatabase: true,
    endsAt: 3,
  };
  const cron: PartPlan = {
    name: "cron",
    entry: entryOf("cron"),
    settings: { databaseUrl: adminUrl },
    needsDatabase: true,
    endsAt: 3,
  };
  const realtime: PartPlan = {
    name: "realtime",
    entry: entryOf("realtime"),
    settings: { port: ports.realtime, databaseUrl: adminUrl, ...apiKeys },
    needsDatabase: true,
    endsAt: 2,
  };
  const functions: PartPlan = {
    name: "functions",
    entry: entryOf("functions"),
    settings: {
      port: ports.functions,
      functionsDir: inProject("supabase", "functions"),
      configFile: inProject("supabase", "config.toml"),
      env,
      ...apiKeys,
      cacheDir: inData("deno"),
    },
    needsDatabase: false,
    endsAt: 2,
  };
  const gateway: PartPlan = {
    name: "gateway",
    entry: entryOf("gateway"),
    settings: {
      port: ports.gateway,
      databaseUrl: adminUrl,
      authenticatorUrl: databaseUrl("authenticator", keys.database.authenticator),
      ...apiKeys,
      realtimeUrl: localUrl(ports.realtime),
      functionsUrl: localUrl(ports.functions),
      schemas: input.exposedSchemas,
    },
    needsDatabase: true,
    endsAt: 3,
  };
  const b2: PartPlan = {
    name: "b2",
    entry: entryOf("b2"),
    settings: {
      port: ports.b2,
      dataDir: inData("b2"),
      region: localBucket.region,
      buckets: [
        { name: localBucket.name, corsRules: [browserRule], lifecycleRules: [tidyRule] },
        ...(input.staging ? [{ name: stagingBucket.name }] : []),
      ],
      keys: [
        bucketKey(keys.b2.ingest, ["writeFiles"]),
        bucketKey(keys.b2.storage, ["listFiles", "readFiles", "writeFiles", "deleteFiles"]),
        bucketKey(keys.b2.playback, ["readFiles"]),
        bucketKey(adminKey(keys), ["listBuckets", "readBuckets", "writeBuckets"]),
        ...(input.staging ? stagingBucketKeys(keys) : []),
      ],
      uploadLog: input.staging ?? false,
      controlToken: keys.controlToken,
    },
    needsDatabase: false,
    endsAt: 1,
  };
  const agora: PartPlan = {
    name: "agora",
    entry: entryOf("agora"),
    settings: {
      port: ports.agora,
      appId: keys.agora.appId,
      appCertificate: keys.agora.appCertificate,
      customerId: keys.agora.customerId,
      customerSecret: keys.agora.customerSecret,
      webhook: { url: `${url}/functions/v1/agora-events`, secret: keys.agora.webhookSecret },
      storageRegion: env.BACKBLAZE_B2_REGION ?? localBucket.region,
      stateDir: inData("agora"),
      controlToken: keys.controlToken,
    },
    needsDatabase: false,
    endsAt: 2,
  };

  const portal: PartPlan = {
    name: "portal",
    entry: entryOf("portal"),
    settings: {
      port: ports.portal,
      sourceDir: inProject("web"),
      // Git-ignored, and shared by all stacks of this checkout.
      buildsDir: inProject("node_modules", ".cache", "portal"),
      supabaseUrl: url,
      supabaseKey: keys.publishableKey,
      mediaUrls: [env.BACKBLAZE_B2_ENDPOINT ?? localUrl(ports.b2)],
      callTransport: env.CALL_TRANSPORT,
      callTransportUrl: env.CALL_TRANSPORT === "local" ? env.CALL_TRANSPORT_URL : undefined,
    },
    needsDatabase: false,
    endsAt: 3,
  };

  const standIns = [...(user.store === "real" ? [] : [b2]), ...(user.agora === "real" ? [] : [agora])];
  return {
    url,
    parts: [
      postgres,
      ...(input.portal ? [portal] : []),
      ...standIns,
      functions,
      realtime,
      net,
      cron,
      gateway,
    ],
    database: {
      adminUrl,
      postgresUrl,
      migrationsDir: inProject("supabase", "migrations"),
      seedFile: inProject("supabase", "seed.sql"),
      vaultSecrets: vaultSecrets(env),
    },
    env,
    adminEnv:
      user.store === "real"
        ? {}
        : {
            BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID: adminKey(keys).keyId,
            BACKBLAZE_B2_ADMIN_SECRET_ACCESS_KEY: adminKey(keys).applicationKey,
          },
    addresses: {
      ...(input.portal ? { portal: localUrl(ports.portal) } : {}),
      gateway: url,
      postgres: `postgresql://127.0.0.1:${ports.postgres}/postgres`,
      realtime: localUrl(ports.realtime),
      functions: localUrl(ports.functions),
      b2: user.store === "real" ? `${env.BACKBLAZE_B2_ENDPOINT} (the real one)` : localUrl(ports.b2),
      agora:
        user.agora === "real"
          ? `${env.AGORA_API_URLS ?? "api.agora.io"} (the real one)`
          : localUrl(ports.agora),
    },
    listening: [
      ...(input.portal ? (["portal"] as const) : []),
      "gateway",
      "postgres",
      "realtime",
      "functions",
      ...(user.store === "real" ? [] : (["b2"] as const)),
      ...(user.agora === "real" ? [] : (["agora"] as const)),
    ],
  };
}

function bucketKey(
  key: StoreKey,
  capabilities: string[],
  bucket: string = localBucket.name,
): Record<string, unknown> {
  return { ...key, bucket, capabilities };
}

function stagingBucketKeys(keys: Keys): Record<string, unknown>[] {
  const { storage, ingest } = stagingKeys(keys);
  return [
    bucketKey(ingest, ["writeFiles"], stagingBucket.name),
    bucketKey(storage, ["listFiles", "readFiles", "writeFiles", "deleteFiles"], stagingBucket.name),
  ];
}
