import { createHash, randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { AwsClient } from "aws4fetch";
import { XMLParser } from "fast-xml-parser";
import { type B2Client, createB2Client } from "../../../supabase/functions/_shared/b2/client.ts";
import { encodeKey, encodeRfc3986 } from "../../../supabase/functions/_shared/b2/keys.ts";
import { createPresigner, type Presigner } from "../../../supabase/functions/_shared/b2/presign.ts";
import { parseStoreSettings, type StoreSettings } from "../../../supabase/functions/_shared/b2/settings.ts";
import { createStreamSender } from "../../../supabase/functions/_shared/b2/stream-sender.ts";

/** A request as we sign it ourselves, for what our client would never send. */
export interface RawRequest {
  method?: string;
  /** Below the run's prefix; absent: the bucket. */
  key?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
  /** Another key, secret or region than the right one. */
  as?: Partial<{ keyId: string; applicationKey: string; region: string }>;
}

/** The server that is tried, as the cases see it. Everything happens below one prefix, which `clean` empties. */
export interface Target {
  client: B2Client;
  presigner: Presigner;
  settings: { endpoint: string; region: string; bucket: string; keyId: string; applicationKey: string };
  /** A name of this run. */
  key(name: string): string;
  url(name: string, query?: Record<string, string>): string;
  raw(request: RawRequest): Promise<Response>;
  /** A signed PUT whose body goes out in HTTP chunks, without a length. */
  chunked(name: string): Promise<{ status: number; text: string }>;
  /** Deletes every version of this run and gives its uploads up. */
  clean(): Promise<void>;
}

/** Opens a bucket that exists. Throws RecorderFailure `store_settings_invalid`. */
export function openTarget(given: StoreSettings): Target {
  const settings = parseStoreSettings(given);
  const prefix = `conformance/${randomUUID()}/`;
  const client = createB2Client(settings, {
    fetch,
    now: Date.now,
    sleep: pause,
    random: Math.random,
    sendStream: createStreamSender(),
  });
  const key = (name: string) => prefix + name;
  const url = (name: string | undefined, query: Record<string, string> = {}) => {
    const path = name === undefined ? "" : `/${encodeKey(key(name))}`;
    const search = Object.entries(query)
      .map(([member, value]) => `${encodeRfc3986(member)}=${encodeRfc3986(value)}`)
      .join("&");
    return `${settings.endpoint}/${settings.bucket}${path}${search === "" ? "" : `?${search}`}`;
  };
  const signer = (as: RawRequest["as"] = {}) =>
    new AwsClient({
      accessKeyId: as.keyId ?? settings.keyId,
      secretAccessKey: as.applicationKey ?? settings.applicationKey,
      region: as.region ?? settings.region,
      service: "s3",
      retries: 0,
    });

  return {
    client,
    presigner: createPresigner(settings),
    settings,
    key,
    url,
    raw: ({ method = "GET", key: name, query, headers, body, as }) =>
      signer(as).fetch(url(name, query), {
        method,
        ...(headers === undefined ? {} : { headers }),
        ...(body === undefined ? {} : { body }),
      }),
    async chunked(name) {
      const signed = await signer().sign(url(name), { method: "PUT" });
      const send = settings.endpoint.startsWith("https:") ? httpsRequest : httpRequest;
      return await new Promise((resolve, reject) => {
        const options = { method: "PUT", headers: Object.fromEntries(signed.headers) };
        const request = send(signed.url, options, async (response) => {
          const text = Buffer.concat(await response.toArray()).toString();
          resolve({ status: response.statusCode ?? 0, text });
        });
        request.on("error", reject);
        request.write("in ");
        request.end("chunks");
      });
    },
    async clean() {
      for await (const { uploads } of client.listMultipartUploads(prefix)) {
        for (const upload of uploads) await client.abortMultipartUpload(upload.key, upload.uploadId);
      }
      const versions = [];
      for await (const page of client.listVersions(prefix)) versions.push(...page.versions);
      for (const { key: name, versionId } of versions) await client.deleteVersion(name, versionId);
    },
  };
}

/** Status and S3 code of a refusal. */
export async function refusalIn(answer: Response): Promise<[status: number, code: string | undefined]> {
  return [answer.status, /<Code>(.*?)<\/Code>/.exec(await answer.text())?.[1]];
}

const parser = new XMLParser({ parseTagValue: false, ignoreAttributes: true });

/** The root element of an answer. */
export async function documentIn(answer: Response): Promise<Record<string, unknown>> {
  const document: Record<string, Record<string, unknown>> = parser.parse(await answer.text(), true);
  return Object.entries(document).find(([name]) => name !== "?xml")?.[1] ?? {};
}

export const md5 = (bytes: string | Uint8Array) => createHash("md5").update(bytes).digest("hex");

/** Bytes that never repeat within a part, the same for the same seed. */
export function bytesOf(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** A stream of bytes in odd chunks. */
export function streamOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(stream) {
      if (at >= bytes.length) return stream.close();
      stream.enqueue(bytes.slice(at, at + 100_003));
      at += 100_003;
    },
  });
}
