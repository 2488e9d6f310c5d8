import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import type { Stack } from "../../local/stack/stack.ts";
import { bucketClient } from "./bucket-client.ts";

const listing = z.object({
  ListBucketResult: z.object({
    // A test's folder fits one page; a second one would be overlooked here.
    IsTruncated: z.literal("false"),
    Contents: z.array(z.object({ Key: z.string(), Size: z.coerce.number() })).default([]),
  }),
});

/** What the bucket shows to a reader. */
export interface BucketView {
  /** Everything under a prefix: size in bytes by key. */
  list(prefix: string): Promise<Map<string, number>>;
  text(key: string): Promise<string>;
}

export function viewBucket(stack: Pick<Stack, "env">): BucketView {
  const send = bucketClient(stack);
  const parser = new XMLParser({ isArray: (name) => name === "Contents", parseTagValue: false });
  return {
    async list(prefix) {
      const xml = await send("GET", `?list-type=2&prefix=${encodeURIComponent(prefix)}`);
      const { Contents } = listing.parse(parser.parse(xml)).ListBucketResult;
      return new Map(Contents.map(({ Key, Size }) => [Key, Size]));
    },
    text: (key) => send("GET", `/${key}`),
  };
}
