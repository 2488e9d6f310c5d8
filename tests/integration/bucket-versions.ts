import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import type { Stack } from "../../local/stack/stack.ts";
import { bucketClient } from "./bucket-client.ts";

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

/** What the bucket really holds, hidden or not. */
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

export function viewVersions(stack: Pick<Stack, "env">): BucketVersions {
  const request = bucketClient(stack);
  const lists = new Set(["Version", "DeleteMarker", "Upload"]);
  const parser = new XMLParser({ isArray: (name) => lists.has(name), parseTagValue: false });
  const send = async (method: string, path: string, body?: string) => {
    const text = await request(method, path, body);
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
