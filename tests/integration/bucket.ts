import { AwsClient } from "aws4fetch";
import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import type { Stack } from "../../local/stack/stack.ts";

const listing = z.object({
  ListBucketResult: z.object({
    // A test's folder fits one page; a second one would be overlooked here.
    IsTruncated: z.literal("false"),
    Contents: z.array(z.object({ Key: z.string(), Size: z.coerce.number() })).default([]),
  }),
});

/** The bucket through S3's own protocol and a client that is not ours. */
export interface BucketView {
  /** Everything under a prefix: size in bytes by key. */
  list(prefix: string): Promise<Map<string, number>>;
  text(key: string): Promise<string>;
}

export function viewBucket({ env }: Pick<Stack, "env">): BucketView {
  const client = new AwsClient({
    accessKeyId: env.BACKBLAZE_B2_ACCESS_KEY_ID ?? "",
    secretAccessKey: env.BACKBLAZE_B2_SECRET_ACCESS_KEY ?? "",
    region: env.BACKBLAZE_B2_REGION ?? "",
    service: "s3",
  });
  const address = `${env.BACKBLAZE_B2_ENDPOINT}/${env.BACKBLAZE_B2_BUCKET_NAME}`;
  const parser = new XMLParser({ isArray: (name) => name === "Contents", parseTagValue: false });
  const read = async (url: string) => {
    const answer = await client.fetch(url);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${url}: HTTP ${answer.status} ${text}`);
    return text;
  };
  return {
    async list(prefix) {
      const xml = await read(`${address}?list-type=2&prefix=${encodeURIComponent(prefix)}`);
      const { Contents } = listing.parse(parser.parse(xml)).ListBucketResult;
      return new Map(Contents.map(({ Key, Size }) => [Key, Size]));
    },
    text: (key) => read(`${address}/${key}`),
  };
}
