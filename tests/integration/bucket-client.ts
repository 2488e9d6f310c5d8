import { AwsClient } from "aws4fetch";
import type { Stack } from "../../local/stack/stack.ts";

/** Sends one signed request to the bucket: `path` is what stands behind the bucket's own address. Throws unless it is taken. */
export type BucketRequest = (method: string, path: string, body?: string | ArrayBuffer) => Promise<string>;

/** The bucket through S3's own protocol and a client that is not ours. */
export function bucketClient({ env }: Pick<Stack, "env">): BucketRequest {
  const client = new AwsClient({
    accessKeyId: env.BACKBLAZE_B2_ACCESS_KEY_ID ?? "",
    secretAccessKey: env.BACKBLAZE_B2_SECRET_ACCESS_KEY ?? "",
    region: env.BACKBLAZE_B2_REGION ?? "",
    service: "s3",
  });
  const address = `${env.BACKBLAZE_B2_ENDPOINT}/${env.BACKBLAZE_B2_BUCKET_NAME}`;
  return async (method, path, body) => {
    const answer = await client.fetch(`${address}${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status} ${text}`);
    return text;
  };
}
