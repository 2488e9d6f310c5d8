import { randomBytes, randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { startAgora } from "../../../local/agora/server.ts";
import { agoraSettings } from "../../../local/agora/settings.ts";
import { startB2 } from "../../../local/b2/server.ts";
import { b2Settings } from "../../../local/b2/settings.ts";
import { quietLog } from "../../../local/stack/part.ts";
import { type AgoraClient, createAgoraClient } from "../../../supabase/functions/_shared/agora/client.ts";
import type { AgoraSettings, StorageConfig } from "../../../supabase/functions/_shared/agora/requests.ts";
import { bucketSettings, engineSettings } from "../../../supabase/functions/_shared/config.ts";
import { asRecorderError } from "../../../supabase/functions/_shared/errors.ts";

/** `RECORDING_ENGINE=agora` takes the real service; anything else, and `npm test`, the stand-in. */
export const isReal = process.env.RECORDING_ENGINE === "agora";
/** A channel of the real service into which somebody publishes while the suite runs; without it, media is not tried there. */
const realPublishedChannel = process.env.AGORA_TEST_CHANNEL;
export const hasPublisher = !isReal || realPublishedChannel !== undefined;

interface Account {
  appId: string;
  appCertificate: string;
  customerId: string;
  customerSecret: string;
  apiUrls: string[];
}

interface Bucket {
  endpoint: string;
  bucket: string;
  region: string;
  keyId: string;
  applicationKey: string;
}

/** The engine that the cases are about, and all they may know of it. */
export interface EngineUnderTest {
  account: Account;
  client: AgoraClient;
  /** A client with other settings, and the same limit of calls a second. */
  clientWith(settings: Partial<AgoraSettings>): AgoraClient;
  /** A call as it is sent: for what our client would not let out. */
  send(path: string, body: unknown): Promise<{ httpStatus: number; body: unknown }>;
  /** A channel that nobody is in. */
  emptyChannel(): string;
  /** A channel into which somebody publishes. */
  publishedChannel(): string;
  storage(folders: string[]): StorageConfig;
  /** Keys and sizes in the bucket below a folder, in bytes. */
  keysIn(folder: string): Promise<Map<string, number>>;
  /** Between two looks, ms. */
  lookEveryMs: number;
  /** How long a recorder may need to come or to go, ms. */
  patienceMs: number;
  close(): Promise<void>;
}

/** Starts the stand-in, or takes the real service. Throws, naming each missing setting, where that is not configured. */
export async function openEngine(): Promise<EngineUnderTest> {
  if (!isReal) return standIn();
  try {
    return realEngine();
  } catch (error) {
    throw new Error(asRecorderError(error).detail, { cause: error });
  }
}

/** A recorder's uid: drawn anew, out of the range that no person has. */
export const freshUid = () => String(randomInt(4_000_000_000, 4_294_967_295));

function engineOf(
  account: Account,
  bucket: Bucket,
  own: Pick<EngineUnderTest, "publishedChannel" | "lookEveryMs" | "patienceMs" | "close"> & {
    restMs: number;
  },
): EngineUnderTest {
  let next = 0;
  // One call after the other, so that the suite keeps within 10 calls a second whatever the cases do.
  const limited: typeof fetch = async (input, init) => {
    const wait = Math.max(0, next - Date.now());
    next = Math.max(next, Date.now()) + own.restMs;
    await pause(wait);
    return fetch(input, init);
  };
  const deps = { fetch: limited, now: () => Date.now(), sleep: (ms: number) => pause(ms) };
  const { appCertificate: _certificate, ...settings } = account;
  const clientWith = (change: Partial<AgoraSettings>) =>
    createAgoraClient({ ...settings, timeoutMs: 10_000, ...change }, deps);
  const s3 = new S3Client({
    endpoint: bucket.endpoint,
    region: bucket.region,
    credentials: { accessKeyId: bucket.keyId, secretAccessKey: bucket.applicationKey },
    forcePathStyle: true,
  });
  const { publishedChannel, lookEveryMs, patienceMs, close } = own;
  return {
    publishedChannel,
    lookEveryMs,
    patienceMs,
    account,
    client: clientWith({}),
    clientWith,
    async send(path, body) {
      const response = await limited(
        `${account.apiUrls[0]}/v1/apps/${account.appId}/cloud_recording${path}`,
        {
          method: "POST",
          headers: {
            authorization: `Basic ${btoa(`${account.customerId}:${account.customerSecret}`)}`,
            "content-type": "application/json",
          },
          body: JSON.stringify(body),
        },
      );
      return { httpStatus: response.status, body: await response.json() };
    },
    emptyChannel: () => `conformance-${randomBytes(8).toString("hex")}`,
    storage: (folders) => ({
      vendor: 11,
      region: 0,
      bucket: bucket.bucket,
      accessKey: bucket.keyId,
      secretKey: bucket.applicationKey,
      fileNamePrefix: folders,
      extensionParams: { endpoint: new URL(bucket.endpoint).host },
    }),
    async keysIn(folder) {
      const listed = await s3.send(new ListObjectsV2Command({ Bucket: bucket.bucket, Prefix: folder }));
      return new Map((listed.Contents ?? []).map(({ Key = "", Size = 0 }) => [Key, Size]));
    },
    async close() {
      s3.destroy();
      await close();
    },
  };
}

function realEngine(): EngineUnderTest {
  const environment = { get: (name: string) => process.env[name] };
  const account = engineSettings(environment);
  const { endpoint, region, bucket, keyId, applicationKey } = bucketSettings(environment, "storage");
  const told = /^s3\.([a-z0-9-]+)\./.exec(new URL(endpoint).hostname)?.[1];
  return engineOf(
    account,
    { endpoint, bucket, keyId, applicationKey, region: region ?? told ?? "us-east-1" },
    {
      publishedChannel: () => realPublishedChannel ?? "",
      lookEveryMs: 5_000,
      patienceMs: 90_000,
      restMs: 150,
      close: () => Promise.resolve(),
    },
  );
}

async function standIn(): Promise<EngineUnderTest> {
  const dataDir = await mkdtemp(join(tmpdir(), "recording-engine-conformance-"));
  const key = { keyId: "0050000000000000000000007", applicationKey: "K005conformanceconformanceconfo" };
  const name = "conformance";
  const store = await startB2(
    b2Settings.parse({
      port: 0,
      dataDir,
      region: "us-west-004",
      buckets: [{ name }],
      keys: [{ ...key, bucket: name, capabilities: ["writeFiles", "readFiles", "listFiles"] }],
    }),
    quietLog,
  );
  const account = {
    appId: randomBytes(16).toString("hex"),
    appCertificate: randomBytes(16).toString("hex"),
    customerId: randomBytes(8).toString("hex"),
    customerSecret: randomBytes(16).toString("hex"),
  };
  const engine = await startAgora(
    agoraSettings.parse({
      ...account,
      storageRegion: "us-west-004",
      publishers: "none",
      sliceSeconds: 0.5,
      joinMs: 150,
      exitMs: 50,
    }),
    quietLog,
  );
  const publishedChannel = `conformance-${randomBytes(4).toString("hex")}-published`;
  engine.control.setPublishers(publishedChannel, "synthetic");
  return engineOf(
    { ...account, apiUrls: [engine.address] },
    { ...key, endpoint: store.address, bucket: name, region: "us-west-004" },
    {
      publishedChannel: () => publishedChannel,
      lookEveryMs: 250,
      patienceMs: 20_000,
      // The stand-in has the real limit of calls a second.
      restMs: 105,
      async close() {
        await engine.stop();
        await store.stop();
        await rm(dataDir, { recursive: true, force: true });
      },
    },
  );
}
