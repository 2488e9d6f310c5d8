import { createCipheriv, createHash, randomUUID } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type postgres from "postgres";
import type { Stack } from "../../local/stack/stack.ts";

const SID = "38f8e3cfdc474cd56fc1ceba380d7e1a";
/** How much of a large object is made and sent at once. */
const CHUNK_BYTES = 32 * 1024 * 1024;

/** Both buckets of a stack in staged mode, through a client that is not ours. */
export interface StagedStores {
  staging: Bucket;
  ours: Bucket;
}

export interface Bucket {
  put(key: string, body: string | Uint8Array): Promise<void>;
  /** Puts an object of pseudo-random bytes, the same for the same seed; gives their SHA-256, hex. */
  putNoise(key: string, bytes: number, seed: number): Promise<string>;
  sha256(key: string): Promise<string>;
  keys(prefix: string): Promise<string[]>;
  contentType(key: string): Promise<string | undefined>;
  unfinishedUploads(): Promise<string[]>;
}

export function openStores({ env }: Pick<Stack, "env">): StagedStores {
  return {
    staging: openBucket(env, "STAGING_S3_"),
    ours: openBucket(env, "BACKBLAZE_B2_"),
  };
}

function openBucket(env: Record<string, string>, names: string): Bucket {
  const setting = (name: string) => {
    const value = env[`${names}${name}`];
    if (value === undefined) throw new Error(`${names}${name} is not set: the stack is not in staged mode`);
    return value;
  };
  const Bucket = setting("BUCKET_NAME");
  const client = new S3Client({
    endpoint: setting("ENDPOINT"),
    region: setting("REGION"),
    credentials: { accessKeyId: setting("ACCESS_KEY_ID"), secretAccessKey: setting("SECRET_ACCESS_KEY") },
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  return {
    async put(key, body) {
      await client.send(new PutObjectCommand({ Bucket, Key: key, Body: body }));
    },
    async putNoise(key, bytes, seed) {
      const noise = createCipheriv("aes-128-ctr", seedBytes(seed), Buffer.alloc(16));
      const hash = createHash("sha256");
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: key }));
      const parts: { PartNumber: number; ETag: string | undefined }[] = [];
      for (let offset = 0; offset < bytes; offset += CHUNK_BYTES) {
        const body = noise.update(Buffer.alloc(Math.min(CHUNK_BYTES, bytes - offset)));
        hash.update(body);
        const PartNumber = parts.length + 1;
        const part = { Bucket, Key: key, UploadId, PartNumber, Body: body };
        const { ETag } = await client.send(new UploadPartCommand(part));
        parts.push({ PartNumber, ETag });
      }
      const MultipartUpload = { Parts: parts };
      await client.send(new CompleteMultipartUploadCommand({ Bucket, Key: key, UploadId, MultipartUpload }));
      return hash.digest("hex");
    },
    async sha256(key) {
      const hash = createHash("sha256");
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key }));
      for await (const chunk of Body as AsyncIterable<Uint8Array>) hash.update(chunk);
      return hash.digest("hex");
    },
    async keys(prefix) {
      const keys: string[] = [];
      let ContinuationToken: string | undefined;
      do {
        const command = new ListObjectsV2Command({
          Bucket,
          Prefix: prefix,
          ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
        });
        const page = await client.send(command);
        keys.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ""));
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined);
      return keys;
    },
    async contentType(key) {
      return (await client.send(new HeadObjectCommand({ Bucket, Key: key }))).ContentType;
    },
    async unfinishedUploads() {
      const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      return (Uploads ?? []).map(({ Key }) => Key ?? "");
    },
  };
}

function seedBytes(seed: number): Buffer {
  return createHash("md5").update(`seed ${seed}`).digest();
}

/** A recording whose engine has just left, with everything it wrote in the staging store. */
export interface PlantedRecording {
  id: string;
  prefix: string;
  /** SHA-256 of every object, by key. */
  hashes: Map<string, string>;
  playlistKey: string;
  mp4Key: string | undefined;
}

export interface PlantOrder {
  segments: { count: number; bytes: number };
  /** Absent: no MP4. */
  mp4Bytes?: number;
  seed: number;
  /** Where the engine wrote: absent, the staging store. */
  into?: keyof StagedStores;
  /** Called when every file is there and nobody knows of them yet. */
  whenStored?: (planted: PlantedRecording) => Promise<void>;
}

/** Writes the files of a recording into a store and its rows into the database, which sets to work. */
export async function plantRecording(
  sql: postgres.Sql,
  stores: StagedStores,
  order: PlantOrder,
): Promise<PlantedRecording> {
  const store = stores[order.into ?? "staging"];
  const id = randomUUID();
  const prefix = `recordings/${id.replaceAll("-", "")}/a1/`;
  const channel = id.replaceAll("-", "");
  const hashes = new Map<string, string>();
  const lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-TARGETDURATION:15"];
  const noise = createCipheriv("aes-128-ctr", seedBytes(order.seed + 1), Buffer.alloc(16));
  const beginMs = Date.UTC(2026, 10, 22, 18);
  const puts: { key: string; body: Buffer }[] = [];
  for (let index = 0; index < order.segments.count; index++) {
    const time = new Date(beginMs + index * 15_000).toISOString().replace(/[-:TZ.]/g, "");
    const name = `${SID}_${channel}_${time}.ts`;
    const body = noise.update(Buffer.alloc(order.segments.bytes));
    hashes.set(prefix + name, createHash("sha256").update(body).digest("hex"));
    puts.push({ key: prefix + name, body });
    lines.push("#EXTINF:15.000000", name);
  }
  const queue = puts.values();
  const putInTurn = async () => {
    for (const { key, body } of queue) await store.put(key, body);
  };
  await Promise.all(Array.from({ length: 8 }, putInTurn));
  const playlist = `${[...lines, "#EXT-X-ENDLIST"].join("\n")}\n`;
  const playlistKey = `${prefix}${SID}_${channel}.m3u8`;
  await store.put(playlistKey, playlist);
  hashes.set(playlistKey, createHash("sha256").update(playlist).digest("hex"));
  const mp4Key = order.mp4Bytes === undefined ? undefined : `${prefix}${SID}_${channel}_0.mp4`;
  if (mp4Key !== undefined && order.mp4Bytes !== undefined) {
    hashes.set(mp4Key, await store.putNoise(mp4Key, order.mp4Bytes, order.seed));
  }
  const planted = { id, prefix, hashes, playlistKey, mp4Key };
  await order.whenStored?.(planted);
  const files = [...hashes.keys()]
    .filter((key) => !key.endsWith(".ts"))
    .map((key) => ({ fileName: key.slice(prefix.length) }));
  await sql.begin(async (transaction) => {
    await transaction`
      insert into public.recordings (id, mentorship_id, instructor_id, mentee_id, channel, status, phase, quality, layout,
        attempt, started_at, stop_requested_at, stop_reason, stopped_at, deadline_at)
      select ${id}, m.id, m.instructor_id, m.mentee_id, ${channel}, 'processing', 'waiting_for_upload', '720p', 'best_fit',
        1, now() - interval '1 hour', now(), 'user', now(), now() + interval '72 hours'
      from public.mentorships m limit 1`;
    await transaction`
      insert into recorder.engine_tasks (recording_id, attempt, channel, uid, state, resource_id, sid, start_sent_at, gone_at, files)
      values (${id}, 1, ${channel}, '4000000001', 'gone', ${id}, ${id.replaceAll("-", "")}, now(), now(), ${sql.json(files)})`;
    await transaction`select recorder.enqueue('collect', ${id})`;
  });
  return planted;
}
