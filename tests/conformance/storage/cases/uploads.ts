import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { StoredPart } from "../../../../supabase/functions/_shared/b2/multipart.ts";
import { allOf, type Case, failsWith } from "../case.ts";
import { bytesOf, documentIn, md5, refusalIn, streamOf, type Target } from "../target.ts";

const PART_BYTES = 5_242_880;
const VIDEO = { contentType: "video/mp4" };

async function begin({ client, key }: Target, name: string): Promise<string> {
  return (await client.createMultipartUpload(key(name), VIDEO)).uploadId;
}

async function send(target: Target, name: string, uploadId: string, partNumber: number, bytes: number) {
  const body = bytesOf(bytes, partNumber);
  const { client, key } = target;
  const { etag } = await client.uploadPart(key(name), uploadId, partNumber, streamOf(body), bytes);
  return { partNumber, etag, sizeBytes: bytes } satisfies StoredPart;
}

/** An upload that has one small part. */
async function begunWithPart(target: Target, name: string) {
  const uploadId = await begin(target, name);
  return { uploadId, part: await send(target, name, uploadId, 1, 1_000) };
}

export const UPLOAD_CASES: Case[] = [
  {
    name: "parts sent as streams, out of order and one of them twice, become the object",
    holds: "s3",
    async run(target) {
      const { client, key } = target;
      const uploadId = await begin(target, "parts");
      const three = await send(target, "parts", uploadId, 3, 1_001);
      await client.uploadPart(key("parts"), uploadId, 2, bytesOf(PART_BYTES, 99), PART_BYTES);
      const two = await send(target, "parts", uploadId, 2, PART_BYTES);
      const one = await send(target, "parts", uploadId, 1, PART_BYTES);
      assert.equal(one.etag, md5(bytesOf(PART_BYTES, 1)));
      const listed = await client.listParts(key("parts"), uploadId, { maxParts: 2 });
      assert.deepEqual(
        listed.map(({ partNumber, etag, sizeBytes }) => ({ partNumber, etag, sizeBytes })),
        [one, two, three],
      );
      const made = await client.completeMultipartUpload(key("parts"), uploadId, [three, one, two]);
      assert.equal(made.wasLost, false);
      const { stream, ...facts } = await client.get(key("parts"));
      assert.deepEqual([facts.sizeBytes, facts.contentType], [2 * PART_BYTES + 1_001, "video/mp4"]);
      const hash = createHash("sha256");
      for await (const chunk of stream) hash.update(chunk);
      const expected = createHash("sha256");
      for (const { partNumber, sizeBytes } of [one, two, three])
        expected.update(bytesOf(sizeBytes, partNumber));
      assert.equal(hash.digest("hex"), expected.digest("hex"));
      const over = await client.get(key("parts"), { range: { from: PART_BYTES - 1, to: PART_BYTES } });
      const seam = Buffer.from(await new Response(over.stream).arrayBuffer());
      assert.deepEqual([...seam], [bytesOf(PART_BYTES, 1).at(-1), bytesOf(1, 2)[0]]);
    },
  },
  {
    name: "the ETag of an upload in parts is the MD5 of their MD5s and their number",
    holds: "assumed",
    async run(target) {
      const { client, key } = target;
      const { uploadId, part } = await begunWithPart(target, "composite");
      const { etag } = await client.completeMultipartUpload(key("composite"), uploadId, [part]);
      assert.equal(etag, `${md5(Buffer.from(part.etag, "hex"))}-1`);
    },
  },
  {
    name: "an unfinished upload is listed, no object, and gone when it is given up",
    holds: "s3",
    async run(target) {
      const { client, key } = target;
      const { uploadId, part } = await begunWithPart(target, "given-up");
      const listed = async () => {
        const pages = await allOf(client.listMultipartUploads(key("given-up")));
        return pages.flatMap(({ uploads }) => uploads.map((one) => one.uploadId));
      };
      assert.deepEqual(await listed(), [uploadId]);
      assert.equal(await client.head(key("given-up")), undefined);
      await client.abortMultipartUpload(key("given-up"), uploadId);
      await client.abortMultipartUpload(key("given-up"), uploadId);
      assert.deepEqual(await listed(), []);
      await failsWith(send(target, "given-up", uploadId, 2, 100), "upload_missing");
      await failsWith(client.completeMultipartUpload(key("given-up"), uploadId, [part]), "upload_missing");
      await failsWith(client.listParts(key("given-up"), uploadId), "upload_missing");
    },
  },
  {
    name: "completing twice, as after a lost reply, ends well and makes one object",
    holds: "s3",
    async run(target) {
      const { client, key } = target;
      const { uploadId, part } = await begunWithPart(target, "twice");
      const first = await client.completeMultipartUpload(key("twice"), uploadId, [part]);
      const second = await client.completeMultipartUpload(key("twice"), uploadId, [part]);
      assert.equal(second.etag, first.etag);
      assert.equal((await client.head(key("twice")))?.sizeBytes, 1_000);
    },
  },
  {
    name: "a part that was never sent, or has another ETag, is refused",
    holds: "s3",
    async run(target) {
      const { client, key } = target;
      const { uploadId, part } = await begunWithPart(target, "wrong-parts");
      const complete = (named: StoredPart) =>
        client.completeMultipartUpload(key("wrong-parts"), uploadId, [named]);
      await failsWith(complete({ ...part, partNumber: 2 }), "upload_parts_refused");
      await failsWith(complete({ ...part, etag: md5("other") }), "upload_parts_refused");
    },
  },
  {
    name: "a small part before the last is refused",
    holds: "s3",
    async run(target) {
      const { client, key } = target;
      const { uploadId, part } = await begunWithPart(target, "small");
      const last = await send(target, "small", uploadId, 2, 1_000);
      await failsWith(
        client.completeMultipartUpload(key("small"), uploadId, [part, last]),
        "upload_parts_refused",
      );
    },
  },
  {
    name: "parts named out of order are 400 InvalidPartOrder",
    holds: "assumed",
    async run(target) {
      const uploadId = await begin(target, "order");
      const [one, two] = [
        await send(target, "order", uploadId, 1, PART_BYTES),
        await send(target, "order", uploadId, 2, 1_000),
      ];
      const rows = [two, one].map(
        ({ partNumber, etag }) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`,
      );
      const body = `<CompleteMultipartUpload>${rows.join("")}</CompleteMultipartUpload>`;
      const answer = await target.raw({ method: "POST", key: "order", query: { uploadId }, body });
      assert.deepEqual(await refusalIn(answer), [400, "InvalidPartOrder"]);
    },
  },
  {
    name: "part number 10001 is 400 InvalidArgument",
    holds: "s3",
    async run(target) {
      const uploadId = await begin(target, "number");
      const query = { uploadId, partNumber: "10001" };
      const answer = await target.raw({ method: "PUT", key: "number", query, body: "x" });
      assert.deepEqual(await refusalIn(answer), [400, "InvalidArgument"]);
    },
  },
  {
    name: "a part is copied from a range of an object",
    holds: "s3",
    async run(target) {
      const { client, key, raw, settings } = target;
      await client.put(key("range-source"), bytesOf(2_000, 5), VIDEO);
      const uploadId = await begin(target, "part-copy");
      const headers = {
        "x-amz-copy-source": `/${settings.bucket}/${key("range-source")}`,
        "x-amz-copy-source-range": "bytes=500-1499",
      };
      const query = { uploadId, partNumber: "1" };
      const copied = await documentIn(await raw({ method: "PUT", key: "part-copy", query, headers }));
      const etag = String(copied.ETag).replaceAll('"', "").replaceAll("&quot;", "");
      assert.equal(etag, md5(bytesOf(2_000, 5).subarray(500, 1_500)));
      const part = { partNumber: 1, etag, sizeBytes: 1_000 };
      await client.completeMultipartUpload(key("part-copy"), uploadId, [part]);
      assert.equal((await client.head(key("part-copy")))?.sizeBytes, 1_000);
    },
  },
];
