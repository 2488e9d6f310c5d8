import assert from "node:assert/strict";
import type { Case } from "../case.ts";
import { refusalIn } from "../target.ts";

const TEXT = { contentType: "text/plain" };
const MINUTE = () => ({ expiresInSeconds: 60, signedAt: new Date() });

export const ACCESS_CASES: Case[] = [
  {
    name: "nobody reads without a signature",
    holds: "s3",
    async run({ client, key, url }) {
      await client.put(key("private"), "secret", TEXT);
      const [status] = await refusalIn(await fetch(url("private")));
      assert.ok(status === 401 || status === 403, `HTTP ${status}`);
    },
  },
  {
    name: "a wrong secret is 403 SignatureDoesNotMatch, an unknown key 403 InvalidAccessKeyId",
    holds: "s3",
    async run({ raw }) {
      const wrong = await raw({ key: "x", as: { applicationKey: "wrong" } });
      assert.deepEqual(await refusalIn(wrong), [403, "SignatureDoesNotMatch"]);
      const unknown = await raw({ key: "x", as: { keyId: "0059999999999999999999999" } });
      assert.deepEqual(await refusalIn(unknown), [403, "InvalidAccessKeyId"]);
    },
  },
  {
    name: "another region in the signature is refused",
    holds: "assumed",
    async run({ raw }) {
      const [status] = await refusalIn(await raw({ key: "x", as: { region: "mars-north-001" } }));
      assert.ok(status === 400 || status === 403, `HTTP ${status}`);
    },
  },
  {
    name: "a bucket that does not exist is 404 NoSuchBucket, or not this key's",
    holds: "s3",
    async run({ raw, settings }) {
      const url = new URL(`${settings.endpoint}/no-such-bucket-of-ours/x`);
      const { AwsClient } = await import("aws4fetch");
      const signer = new AwsClient({
        accessKeyId: settings.keyId,
        secretAccessKey: settings.applicationKey,
        region: settings.region,
        service: "s3",
        retries: 0,
      });
      const [status, code] = await refusalIn(await signer.fetch(url.href));
      assert.ok((status === 404 && code === "NoSuchBucket") || status === 403, `HTTP ${status} ${code}`);
      assert.equal((await raw({ key: "really nothing" })).status, 404);
    },
  },
  {
    name: "a presigned URL is served, with a range, and with the type and disposition it was signed for",
    holds: "s3",
    async run({ client, key, presigner }) {
      await client.put(key("clip ä.bin"), "0123456789", { contentType: "application/octet-stream" });
      const url = presigner.presignGet(key("clip ä.bin"), {
        ...MINUTE(),
        responseContentType: "video/mp4",
        responseContentDisposition: 'attachment; filename="a b.mp4"',
      });
      const answer = await fetch(url, { headers: { range: "bytes=2-4" } });
      assert.equal(answer.status, 206);
      assert.equal(await answer.text(), "234");
      assert.equal(answer.headers.get("content-type"), "video/mp4");
      assert.equal(answer.headers.get("content-disposition"), 'attachment; filename="a b.mp4"');
    },
  },
  {
    name: "a presigned URL is refused when it is over, changed, for another object or another verb",
    holds: "s3",
    async run({ client, key, presigner }) {
      await client.put(key("signed"), "hello", TEXT);
      await client.put(key("other"), "hello", TEXT);
      const url = presigner.presignGet(key("signed"), MINUTE());
      assert.equal((await fetch(url)).status, 200);
      const signedAt = new Date(Date.now() - 120_000);
      const over = presigner.presignGet(key("signed"), { expiresInSeconds: 60, signedAt });
      const longer = url.replace("X-Amz-Expires=60", "X-Amz-Expires=600");
      const other = url.replace("/signed?", "/other?");
      const typed = `${url}&response-content-type=text%2Fhtml`;
      for (const refused of [over, longer, other, typed]) assert.equal((await fetch(refused)).status, 403);
      assert.equal((await fetch(url, { method: "HEAD" })).status, 403);
      assert.equal((await fetch(url, { method: "DELETE" })).status, 403);
      assert.equal(await client.getText(key("signed"), 10), "hello");
    },
  },
];
