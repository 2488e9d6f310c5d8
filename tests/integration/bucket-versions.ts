import { AwsClient } from "aws4fetch";
import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import type { Stack } from "../../local/stack/stack.ts";

const row = z.looseObject({ Key: z.string(), VersionId: z.string() });
const versionList = z.object({
  ListVersionsResult: z.looseObject({
    // What a test plants fits one page.
    IsTruncated: z.literal("false"),
    Version: z.array(row).default([]),
    DeleteMarker: z.array(row).default([]),
  }),
});
const uploadList = z.object({
  ListMultipartUploadsResult: z.looseObject({
    Upload: z.array(z.looseObject({ Key: z.string(), UploadId: z.string() })).default([]),
  }),
});
const begun = z.object({ InitiateMultipartUploadResult: z.looseObject({ UploadId: z.string() }) });

export interface KeyVersion {
  key: string;
  versionId: string;
}

/** What the bucket really holds, hidden or not, through S3's own protocol and a client that is not ours. */
export interface BucketVersions {
  /** Every version and hide marker under a prefix. */
  versions(prefix: string): Promise<KeyVersion[]>;
  /** The keys of unfinished uploads under a prefix. */
  uploads(prefix: string): Promise<string[]>;
  put(key: string, text: string): Promise<void>;
  /** A delete as S3 understands it: the bytes stay, behind a marker. */
  hide(key: string): Promise<void>;
  /** Deletes every version of a key. */
  destroy(key: string): Promise<void>;
  /** Begins an upload that nobody finishes; gives its id. */
  beginUpload(key: string): Promise<string>;
}

export function viewVersions({ env }: Pick<Stack, "env">): BucketVersions {
  const client = new AwsClient({
    accessKeyId: env.BACKBLAZE_B2_ACCESS_KEY_ID ?? "",
    secretAccessKey: env.BACKBLAZE_B2_SECRET_ACCESS_KEY ?? "",
    region: env.BACKBLAZE_B2_REGION ?? "",
    service: "s3",
  });
  const address = `${env.BACKBLAZE_B2_ENDPOINT}/${env.BACKBLAZE_B2_BUCKET_NAME}`;
  const lists = new Set(["Version", "DeleteMarker", "Upload"]);
  const parser = new XMLParser({ isArray: (name) => lists.has(name), parseTagValue: false });
  const send = async (method: string, path: string, body?: string) => {
    const answer = await client.fetch(`${address}${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status} ${text}`);
    return text === "" ? undefined : parser.parse(text);
  };
  const versions = async (prefix: string) => {
    const { ListVersionsResult: page } = versionList.parse(
      await send("GET", `?versions&prefix=${encodeURIComponent(prefix)}`),
    );
    return [...page.Version, ...page.DeleteMarker].map(({ Key, VersionId }) => ({
      key: Key,
      versionId: VersionId,
    }));
  };
  return {
    versions,
    async uploads(prefix) {
      const page = uploadList.parse(await send("GET", `?uploads&prefix=${encodeURIComponent(prefix)}`));
      return page.ListMultipartUploadsResult.Upload.map(({ Key }) => Key);
    },
    async put(key, text) {
      await send("PUT", `/${key}`, text);
    },
    async hide(key) {
      await send("DELETE", `/${key}`);
    },
    async destroy(key) {
      for (const { versionId } of (await versions(key)).filter((version) => version.key === key)) {
        await send("DELETE", `/${key}?versionId=${encodeURIComponent(versionId)}`);
      }
    },
    async beginUpload(key) {
      return begun.parse(await send("POST", `/${key}?uploads`)).InitiateMultipartUploadResult.UploadId;
    },
  };
}
