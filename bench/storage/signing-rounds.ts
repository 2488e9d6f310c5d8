/** Runs in Deno, as the function does: prints one JSON object with the CPU milliseconds of every round. */
import process from "node:process";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { AwsClient } from "aws4fetch";
import { createPresigner } from "../../supabase/functions/_shared/b2/presign.ts";
import { mediaLifetime } from "../../supabase/functions/_shared/playback/lifetimes.ts";
import { renderPlaylist } from "../../supabase/functions/_shared/playback/playlist.ts";
import { storeAddresses } from "../../supabase/functions/_shared/playback/store-addresses.ts";
import { manifestKey, recordingPrefix } from "../../supabase/functions/_shared/recording-folder.ts";
import { readManifestSegments } from "../../supabase/functions/_shared/storage/manifest.ts";

const [segmentCount = 960, ownRounds = 15, peerRounds = 3] = process.argv.slice(2).map(Number);
const RECORDING_ID = "0f6c2f6e-5d5a-4a3e-9a51-0c9a4a1c7e11";
const HOURS = 4;
const settings = {
  endpoint: "https://s3.us-west-004.backblazeb2.com",
  region: "us-west-004",
  bucket: "recordings-bucket",
  keyId: "0041234567890ab0000000001",
  applicationKey: "K004aBcDeFgHiJkLmNoPqRsTuVwXyZ1",
};

const stem = `${"38f8e3cfdc474cd56fc1ceba380d7e1a"}_${"0123456789abcdef0123456789abcdef"}`;
const begin = Date.UTC(2026, 10, 22, 18);
const segmentMs = (HOURS * 3_600_000) / segmentCount;
const keys = Array.from({ length: segmentCount }, (_, index) => {
  const time = new Date(begin + index * segmentMs).toISOString().replace(/[-:TZ.]/g, "");
  return `${recordingPrefix(RECORDING_ID)}a1/${stem}_${time}.ts`;
});
const at = new Date(begin).toISOString();
const manifest = JSON.stringify({
  version: 1,
  is_complete: true,
  written_at: at,
  recording: {
    ...{ id: RECORDING_ID, call_id: null, mentorship_id: null, instructor_id: null, mentee_id: null },
    ...{ channel: "0123456789abcdef0123456789abcdef", quality: "720p", layout: "best_fit", attempt: 1 },
    ...{ requested_by: null, requested_at: at, started_at: at },
    ...{ stop_requested_at: at, stop_reason: "user", stopped_at: at },
  },
  totals: {
    ...{ duration_ms: HOURS * 3_600_000, size_bytes: 1_000_000 * segmentCount },
    ...{ stored_bytes: 1_000_000 * segmentCount, is_partial: false, gaps: [] },
  },
  files: [],
  segments: keys.map((object_key) => ({
    object_key,
    size_bytes: 1_000_000,
    duration_ms: segmentMs,
    is_discontinuity: false,
  })),
});
const bucket = {
  getText: (key: string) =>
    key === manifestKey(RECORDING_ID) ? Promise.resolve(manifest) : Promise.reject(new Error(key)),
};
const nowSeconds = Math.floor(Date.now() / 1000);
const life = mediaLifetime({ duration_ms: HOURS * 3_600_000, expires_at: null }, nowSeconds);
const order = { method: "GET", contentType: "video/mp2t" } as const;
const cacheControl = `private, max-age=${life.expiresInSeconds}, immutable`;

const presigner = createPresigner(settings);
const aws4fetch = new AwsClient({
  accessKeyId: settings.keyId,
  secretAccessKey: settings.applicationKey,
  region: settings.region,
  service: "s3",
});
const sdk = new S3Client({
  endpoint: settings.endpoint,
  region: settings.region,
  forcePathStyle: true,
  credentials: { accessKeyId: settings.keyId, secretAccessKey: settings.applicationKey },
});

/** What play-recording does between the bucket's answer and its own. */
async function wholePlaylist(): Promise<string> {
  const segments = await readManifestSegments(RECORDING_ID, bucket);
  const addressOf = storeAddresses(presigner).prepare(life, order);
  return renderPlaylist(segments, ({ uri }) => addressOf(uri));
}

async function withOurs(): Promise<string[]> {
  const addressOf = storeAddresses(presigner).prepare(life, order);
  return keys.map(addressOf);
}

async function withAws4fetch(): Promise<string[]> {
  const datetime = life.signedAt.toISOString().replace(/[:-]|\.\d{3}/g, "");
  const urls: string[] = [];
  for (const key of keys) {
    const url = new URL(`${settings.endpoint}/${settings.bucket}/${key}`);
    url.searchParams.set("X-Amz-Expires", String(life.expiresInSeconds));
    url.searchParams.set("response-content-type", order.contentType);
    url.searchParams.set("response-cache-control", cacheControl);
    urls.push((await aws4fetch.sign(url.href, { aws: { signQuery: true, datetime } })).url);
  }
  return urls;
}

async function withSdk(): Promise<string[]> {
  const urls: string[] = [];
  for (const Key of keys) {
    const command = new GetObjectCommand({
      Bucket: settings.bucket,
      Key,
      ResponseContentType: order.contentType,
      ResponseCacheControl: cacheControl,
    });
    urls.push(
      await getSignedUrl(sdk, command, { signingDate: life.signedAt, expiresIn: life.expiresInSeconds }),
    );
  }
  return urls;
}

async function cpuMsOf(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** One signature for one URL, or the comparison would be between different things. */
function signatureOf(url = ""): string {
  return new URL(url).searchParams.get("X-Amz-Signature") ?? "";
}

const last = (urls: string[]) => signatureOf(urls.at(-1));
const first = await cpuMsOf(wholePlaylist);
const ours = last(await withOurs());
// The SDK adds a parameter of its own (x-id) and so signs another text; aws4fetch signs the same one.
const agrees = { aws4fetch: last(await withAws4fetch()) === ours };

const rounds = {
  whole: [] as number[],
  ours: [] as number[],
  aws4fetch: [] as number[],
  sdk: [] as number[],
};
for (let round = 0; round < ownRounds; round++) {
  rounds.whole.push(await cpuMsOf(wholePlaylist));
  rounds.ours.push(await cpuMsOf(withOurs));
  if (round < peerRounds) {
    rounds.aws4fetch.push(await cpuMsOf(withAws4fetch));
    rounds.sdk.push(await cpuMsOf(withSdk));
  }
}
const playlistBytes = new TextEncoder().encode(await wholePlaylist()).byteLength;
console.log(JSON.stringify({ segmentCount, first, playlistBytes, agrees, ...rounds }));
