import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { StoreUnderTest } from "./running-store.ts";
import { BUCKET, expectRefusal, md5Base64, md5Hex, startStore, texts } from "./running-store.ts";

let store: StoreUnderTest;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.remove());

const large = randomBytes(5_000_000);
const small = randomBytes(1000);

async function start(key: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await store.send(`${store.url(key)}?uploads`, { method: "POST", headers });
  return texts(await answer.text(), "UploadId")[0] ?? "";
}
const uploadUrl = (key: string, id: string) => `${store.url(key)}?uploadId=${encodeURIComponent(id)}`;
const sendPart = (key: string, id: string, number: number | string, body: BodyInit, headers = {}) =>
  store.send(`${uploadUrl(key, id)}&partNumber=${number}`, { method: "PUT", body, headers });
const complete = (key: string, id: string, parts: [number, string][]) =>
  store.send(uploadUrl(key, id), {
    method: "POST",
    body: `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts
      .map(
        ([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>&quot;${etag}&quot;</ETag></Part>`,
      )
      .join("")}</CompleteMultipartUpload>`,
  });
async function blobCount(): Promise<number> {
  const files = await readdir(join(store.dataDir, "blobs"), { recursive: true, withFileTypes: true });
  return files.filter((file) => file.isFile()).length;
}

test("parts sent in any order, one of them twice, become one object", async () => {
  const key = "calls/long ä.mp4";
  const id = await start(key, { "content-type": "video/mp4", "x-amz-meta-call": "7" });
  await sendPart(key, id, 3, small);
  await sendPart(key, id, 1, small);
  const part = await sendPart(key, id, 1, large, { "content-md5": md5Base64(large) });
  expect(part.headers.get("etag")).toBe(`"${md5Hex(large)}"`);
  expect((await store.send(store.url(key))).status).toBe(404);

  const done = await complete(key, id, [
    [1, md5Hex(large)],
    [3, md5Hex(small)],
  ]);
  const digest = createHash("md5");
  for (const bytes of [large, small]) digest.update(createHash("md5").update(bytes).digest());
  const etag = `"${digest.digest("hex")}-2"`;
  expect(done.headers.get("x-amz-version-id")).toMatch(/^4_z/);
  expect(texts(await done.text(), "ETag")).toEqual([etag]);

  const read = await store.send(store.url(key));
  expect(Object.fromEntries(read.headers)).toMatchObject({
    "content-type": "video/mp4",
    "x-amz-meta-call": "7",
    etag,
  });
  expect(Buffer.from(await read.arrayBuffer()).equals(Buffer.concat([large, small]))).toBe(true);
  const seam = await store.send(store.url(key), { headers: { range: "bytes=4999998-5000001" } });
  expect(Buffer.from(await seam.arrayBuffer())).toEqual(
    Buffer.concat([large.subarray(-2), small.subarray(0, 2)]),
  );
  await expectRefusal(store.send(uploadUrl(key, id)), 404, "NoSuchUpload");
});

describe("completing", () => {
  test("is refused with a part that was not sent, or with another ETag", async () => {
    const id = await start("wrong");
    await sendPart("wrong", id, 1, small);
    await expectRefusal(complete("wrong", id, [[2, md5Hex(small)]]), 400, "InvalidPart");
    await expectRefusal(complete("wrong", id, [[1, md5Hex("other")]]), 400, "InvalidPart");
    expect((await complete("wrong", id, [[1, md5Hex(small)]])).status).toBe(200);
  });

  test("is refused when parts are out of order or named twice", async () => {
    const id = await start("order");
    await sendPart("order", id, 1, small);
    await sendPart("order", id, 2, small);
    const [one, two]: [number, string][] = [
      [1, md5Hex(small)],
      [2, md5Hex(small)],
    ];
    await expectRefusal(complete("order", id, [two, one] as [number, string][]), 400, "InvalidPartOrder");
    await expectRefusal(complete("order", id, [one, one] as [number, string][]), 400, "InvalidPartOrder");
  });

  test("is refused when a part before the last has less than 5,000,000 bytes", async () => {
    const id = await start("small");
    await sendPart("small", id, 1, large.subarray(1));
    await sendPart("small", id, 2, small);
    const answer = complete("small", id, [
      [1, md5Hex(large.subarray(1))],
      [2, md5Hex(small)],
    ]);
    await expectRefusal(answer, 400, "EntityTooSmall");
  });

  test("is refused with no part, with no XML, and with a DOCTYPE", async () => {
    const id = await start("xml");
    await expectRefusal(complete("xml", id, []), 400, "MalformedXML");
    for (const body of [
      "parts",
      "<CompleteMultipartUpload>",
      '<!DOCTYPE x [<!ENTITY y "z">]><CompleteMultipartUpload/>',
    ]) {
      await expectRefusal(store.send(uploadUrl("xml", id), { method: "POST", body }), 400, "MalformedXML");
    }
  });

  test("is NoSuchUpload the second time, and under another name", async () => {
    const id = await start("once");
    await sendPart("once", id, 1, small);
    await expectRefusal(complete("other", id, [[1, md5Hex(small)]]), 404, "NoSuchUpload");
    expect((await complete("once", id, [[1, md5Hex(small)]])).status).toBe(200);
    await expectRefusal(complete("once", id, [[1, md5Hex(small)]]), 404, "NoSuchUpload");
  });
});

describe("a part", () => {
  test.each([0, 10_001, "x", "1.5"])("numbered %s is InvalidArgument", async (number) => {
    const id = await start("numbers");
    await expectRefusal(
      sendPart("numbers", id, number, small),
      400,
      "InvalidArgument",
      "Part number must be an integer between 1 and 10000, inclusive",
    );
  });

  test("of an unknown upload is NoSuchUpload, with wrong bytes BadDigest", async () => {
    await expectRefusal(sendPart("x", "4_z00", 1, small), 404, "NoSuchUpload");
    const id = await start("digest");
    await expectRefusal(
      sendPart("digest", id, 1, small, { "content-md5": md5Base64("other") }),
      400,
      "BadDigest",
    );
  });

  test("may be a range of another object", async () => {
    await store.send(store.url("source"), { method: "PUT", body: "0123456789" });
    const id = await start("copied");
    const copyPart = (range: string) =>
      store.send(`${uploadUrl("copied", id)}&partNumber=1`, {
        method: "PUT",
        headers: { "x-amz-copy-source": `/${BUCKET}/source`, "x-amz-copy-source-range": range },
      });
    await expectRefusal(copyPart("bytes=5-10"), 400, "InvalidArgument");
    expect(texts(await (await copyPart("bytes=2-5")).text(), "ETag")).toEqual([`"${md5Hex("2345")}"`]);
    await complete("copied", id, [[1, md5Hex("2345")]]);
    expect(await (await store.send(store.url("copied"))).text()).toBe("2345");
  });
});

test("parts and uploads are listed page by page until they end", async () => {
  const ids = [await start("list/a"), await start("list/b")];
  for (const number of [1, 2, 5]) await sendPart("list/a", ids[0] ?? "", number, small);
  const parts = await (await store.send(`${uploadUrl("list/a", ids[0] ?? "")}&max-parts=2`)).text();
  expect(texts(parts, "PartNumber")).toEqual(["1", "2"]);
  expect(texts(parts, "IsTruncated")).toEqual(["true"]);
  const rest = await (await store.send(`${uploadUrl("list/a", ids[0] ?? "")}&part-number-marker=2`)).text();
  expect([texts(rest, "PartNumber"), texts(rest, "ETag"), texts(rest, "Size")]).toEqual([
    ["5"],
    [`"${md5Hex(small)}"`],
    ["1000"],
  ]);

  const first = await (await store.send(`/${BUCKET}?uploads&prefix=list/&max-uploads=1`)).text();
  expect(texts(first, "UploadId")).toEqual([ids[0]]);
  const [keyMarker = ""] = texts(first, "NextKeyMarker");
  const [idMarker = ""] = texts(first, "NextUploadIdMarker");
  const next = `/${BUCKET}?uploads&prefix=list/&key-marker=${encodeURIComponent(keyMarker)}&upload-id-marker=${idMarker}`;
  expect(texts(await (await store.send(next)).text(), "UploadId")).toEqual([ids[1]]);
});

test("an abort deletes the parts, and ends the upload", async () => {
  const before = await blobCount();
  const id = await start("aborted");
  await sendPart("aborted", id, 1, small);
  expect(await blobCount()).toBe(before + 1);
  expect((await store.send(uploadUrl("aborted", id), { method: "DELETE" })).status).toBe(204);
  await vi.waitFor(async () => expect(await blobCount()).toBe(before));
  await expectRefusal(sendPart("aborted", id, 2, small), 404, "NoSuchUpload");
  await expectRefusal(store.send(uploadUrl("aborted", id), { method: "DELETE" }), 404, "NoSuchUpload");
});
