import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { StoreUnderTest } from "./running-store.ts";
import {
  ADMIN,
  BUCKET,
  clientFor,
  expectRefusal,
  md5Base64,
  md5Hex,
  sha256Hex,
  startStore,
  texts,
} from "./running-store.ts";

let store: StoreUnderTest;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.remove());

const put = (key: string, body: BodyInit, headers: Record<string, string> = {}) =>
  store.send(store.url(key), { method: "PUT", body, headers });

describe("an object", () => {
  test("comes back with its bytes, its MD5 as ETag, its headers and its metadata", async () => {
    const bytes = randomBytes(300_000);
    const headers = { "content-type": "video/mp2t", "cache-control": "max-age=60", "x-amz-meta-call": "42" };
    const stored = await put("calls/1.ts", bytes, headers);
    expect(stored.status).toBe(200);
    expect(stored.headers.get("etag")).toBe(`"${md5Hex(bytes)}"`);
    for (const name of ["x-amz-version-id", "x-amz-request-id", "x-amz-id-2"]) {
      expect(stored.headers.get(name)).toBeTruthy();
    }
    const answer = await store.send(store.url("calls/1.ts"));
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    expect(Object.fromEntries(answer.headers)).toMatchObject({ ...headers, "content-length": "300000" });
    const head = await store.send(store.url("calls/1.ts"), { method: "HEAD" });
    expect(Object.fromEntries(head.headers)).toMatchObject({
      ...headers,
      "content-length": "300000",
      "accept-ranges": "bytes",
      etag: stored.headers.get("etag"),
    });
  });

  test("may be empty", async () => {
    expect((await put("empty", "")).headers.get("etag")).toBe(`"${md5Hex("")}"`);
    const answer = await store.send(store.url("empty"));
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
  });

  test.each([
    "with space.txt",
    "plus+and%percent%41.txt",
    "quotes'\"and(brackets)*!.txt",
    "Übertragung/会議/🎥.mp4",
    "a//b/ c ",
    "query?like&x=1#y",
    "back\\slash|pipe~.txt",
  ])("may be called %s, by header and by presigned URL, and is listed so", async (key) => {
    expect((await put(key, key)).status).toBe(200);
    expect(await (await store.send(store.url(key))).text()).toBe(key);
    const presigned = await clientFor(ADMIN).sign(store.url(key), { aws: { signQuery: true } });
    expect(await (await fetch(presigned.url)).text()).toBe(key);
    const list = await store.send(`/${BUCKET}?list-type=2&prefix=${encodeURIComponent(key)}`);
    expect(texts(await list.text(), "Key")).toEqual([key]);
  });

  test("that is missing is NoSuchKey, and HEAD tells it by its status alone", async () => {
    await expectRefusal(store.send(store.url("missing")), 404, "NoSuchKey", "Key not found");
    const head = await store.send(store.url("missing"), { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([404, ""]);
  });

  test("is served with the response headers a signed URL asks for", async () => {
    await put("over.txt", "x");
    const url = new URL(store.url("over.txt"));
    url.searchParams.set("response-content-disposition", 'attachment; filename="my call.mp4"');
    url.searchParams.set("response-cache-control", "no-store");
    const presigned = await clientFor(ADMIN).sign(url, { aws: { signQuery: true } });
    const answer = await fetch(presigned.url);
    expect(answer.headers.get("content-disposition")).toBe('attachment; filename="my call.mp4"');
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });
});

describe("a range", () => {
  const bytes = "0123456789";
  beforeAll(() => put("ranged", bytes));
  const ranged = (range: string, headers: Record<string, string> = {}) =>
    store.send(store.url("ranged"), { headers: { range, ...headers } });

  test.each([
    ["bytes=0-0", "0", "bytes 0-0/10"],
    ["bytes=2-5", "2345", "bytes 2-5/10"],
    ["bytes=7-", "789", "bytes 7-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=8-100", "89", "bytes 8-9/10"],
    ["bytes=-100", bytes, "bytes 0-9/10"],
  ])("%s is 206 with just these bytes", async (range, text, contentRange) => {
    const answer = await ranged(range);
    expect([answer.status, await answer.text(), answer.headers.get("content-range")]).toEqual([
      206,
      text,
      contentRange,
    ]);
  });

  test.each(["bytes=10-", "bytes=-0", "bytes=99-100"])("%s is 416 InvalidRange", async (range) => {
    const answer = await ranged(range);
    expect(answer.headers.get("content-range")).toBe("bytes */10");
    await expectRefusal(answer, 416, "InvalidRange");
  });

  test.each(["bytes=5-2", "lines=1-2", "bytes=0-1,3-4"])(
    "%s is no range: the whole object",
    async (range) => {
      const answer = await ranged(range);
      expect([answer.status, await answer.text()]).toEqual([200, bytes]);
    },
  );

  test("holds only while If-Range holds", async () => {
    expect((await ranged("bytes=0-0", { "if-range": `"${md5Hex(bytes)}"` })).status).toBe(206);
    expect((await ranged("bytes=0-0", { "if-range": '"other"' })).status).toBe(200);
  });

  test("is told by HEAD too", async () => {
    const head = await store.send(store.url("ranged"), { method: "HEAD", headers: { range: "bytes=1-2" } });
    expect([head.status, head.headers.get("content-length")]).toEqual([206, "2"]);
  });
});

describe("a condition", () => {
  const etag = `"${md5Hex("conditional")}"`;
  const past = new Date(Date.now() - 86_400_000).toUTCString();
  const future = new Date(Date.now() + 86_400_000).toUTCString();
  beforeAll(() => put("conditional", "conditional"));

  test.each([
    [{ "if-match": etag }, 200],
    [{ "if-match": '"other"' }, 412],
    [{ "if-match": "*" }, 200],
    [{ "if-none-match": etag }, 304],
    [{ "if-none-match": '"other"' }, 200],
    [{ "if-modified-since": past }, 200],
    [{ "if-modified-since": future }, 304],
    [{ "if-unmodified-since": past }, 412],
    [{ "if-unmodified-since": future }, 200],
    [{ "if-match": etag, "if-unmodified-since": past }, 200],
    [{ "if-none-match": '"other"', "if-modified-since": future }, 200],
  ] as [Record<string, string>, number][])("%o answers %i", async (headers, status) => {
    const answer = await store.send(store.url("conditional"), { headers });
    expect(answer.status).toBe(status);
    if (status === 412) await expectRefusal(answer, 412, "PreconditionFailed");
    if (status === 304) expect(answer.headers.get("etag")).toBe(etag);
  });
});

describe("an upload that is not what it promised", () => {
  const gone = async (key: string) => expect((await store.send(store.url(key))).status).toBe(404);
  const isClean = () =>
    vi.waitFor(async () => expect(await readdir(join(store.dataDir, "incoming"))).toEqual([]));

  test("is BadDigest with another Content-MD5, and does not exist", async () => {
    await expectRefusal(put("md5", "hello", { "content-md5": md5Base64("other") }), 400, "BadDigest");
    await gone("md5");
    expect((await put("md5", "hello", { "content-md5": md5Base64("hello") })).status).toBe(200);
    await isClean();
  });

  test("is InvalidDigest with a Content-MD5 that is none", async () => {
    await expectRefusal(put("digest", "hello", { "content-md5": "abc" }), 400, "InvalidDigest");
    await gone("digest");
  });

  test("is XAmzContentSHA256Mismatch with another signed hash, and does not exist", async () => {
    await expectRefusal(
      put("sha", "hello", { "x-amz-content-sha256": sha256Hex("other") }),
      400,
      "XAmzContentSHA256Mismatch",
    );
    await gone("sha");
    expect((await put("sha", "hello", { "x-amz-content-sha256": sha256Hex("hello") })).status).toBe(200);
    await isClean();
  });

  test("leaves nothing when the sender hangs up in the middle", async () => {
    const signed = await clientFor(ADMIN).sign(store.url("hung-up"), { method: "PUT" });
    const headers = { ...Object.fromEntries(signed.headers), "content-length": "1000000" };
    const request = httpRequest(signed.url, { method: "PUT", headers }).on("error", () => undefined);
    request.write(randomBytes(100_000));
    await vi.waitFor(async () => expect(await readdir(join(store.dataDir, "incoming"))).toHaveLength(1));
    request.destroy();
    await isClean();
    await gone("hung-up");
  });
});

describe("a copy", () => {
  beforeAll(() => put("source ä+.txt", "copied", { "content-type": "text/x-call", "x-amz-meta-n": "1" }));
  const copy = (key: string, headers: Record<string, string> = {}) =>
    store.send(store.url(key), {
      method: "PUT",
      headers: { "x-amz-copy-source": `/${BUCKET}/${encodeURIComponent("source ä+.txt")}`, ...headers },
    });

  test("has the bytes and the headers of its source", async () => {
    const answer = await copy("copy.txt");
    expect(texts(await answer.text(), "ETag")).toEqual([`"${md5Hex("copied")}"`]);
    const read = await store.send(store.url("copy.txt"));
    expect(read.headers.get("content-type")).toBe("text/x-call");
    expect(read.headers.get("x-amz-meta-n")).toBe("1");
    expect(await read.text()).toBe("copied");
  });

  test("has its own headers with REPLACE", async () => {
    await copy("replaced.txt", { "x-amz-metadata-directive": "REPLACE", "content-type": "text/plain" });
    const head = await store.send(store.url("replaced.txt"), { method: "HEAD" });
    expect(head.headers.get("content-type")).toBe("text/plain");
    expect(head.headers.get("x-amz-meta-n")).toBeNull();
  });

  test("is refused onto itself, from nowhere, and when the source changed", async () => {
    await expectRefusal(copy("source ä+.txt"), 400, "InvalidRequest", /copy an object to itself/);
    await expectRefusal(copy("c", { "x-amz-copy-source": `/${BUCKET}/nowhere` }), 404, "NoSuchKey");
    await expectRefusal(copy("c", { "x-amz-copy-source": "nonsense" }), 400, "InvalidArgument");
    await expectRefusal(copy("c", { "x-amz-copy-source-if-match": '"other"' }), 412, "PreconditionFailed");
  });
});
