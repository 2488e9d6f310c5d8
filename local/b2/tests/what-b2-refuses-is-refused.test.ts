import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoreUnderTest } from "./running-store.ts";
import { ADMIN, BUCKET, clientFor, expectRefusal, startStore } from "./running-store.ts";

let store: StoreUnderTest;
beforeAll(async () => {
  store = await startStore();
  await store.send(store.url("there.txt"), { method: "PUT", body: "x" });
});
afterAll(() => store.remove());

const put = (key: string, headers: Record<string, string> = {}) =>
  store.send(store.url(key), { method: "PUT", body: "x", headers });

describe("headers", () => {
  test.each([
    "x-amz-checksum-crc32",
    "x-amz-checksum-sha256",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-tagging",
    "x-amz-website-redirect-location",
    "x-amz-grant-read",
  ])("%s on an upload is refused by name", async (name) => {
    await expectRefusal(
      put("a.txt", { [name]: "x" }),
      400,
      "InvalidArgument",
      `Unsupported header '${name}' received for this API call.`,
    );
  });

  test("x-amz-checksum-mode on a download is refused by name", async () => {
    await expectRefusal(
      store.send(store.url("there.txt"), { headers: { "x-amz-checksum-mode": "ENABLED" } }),
      400,
      "InvalidArgument",
      "Unsupported header 'x-amz-checksum-mode' received for this API call.",
    );
  });

  test("checksums on the start, a part and the end of a multipart upload are refused too", async () => {
    const headers = { "x-amz-checksum-crc32": "AAAAAA==" };
    const id = "uploadId=4_zx";
    for (const [method, query] of [
      ["POST", "uploads"],
      ["PUT", `partNumber=1&${id}`],
      ["POST", id],
    ] as const) {
      const answer = store.send(`${store.url("m.bin")}?${query}`, { method, headers, body: "x" });
      await expectRefusal(answer, 400, "InvalidArgument", /Unsupported header/);
    }
  });

  test("an access list other than the bucket's is refused", async () => {
    await expectRefusal(
      put("a.txt", { "x-amz-acl": "public-read" }),
      400,
      "InvalidArgument",
      "Unsupported value for canned acl 'public-read'",
    );
    expect((await put("a.txt", { "x-amz-acl": "private" })).status).toBe(200);
  });

  test("conditional writes are not implemented", async () => {
    for (const headers of [{ "if-none-match": "*" }, { "if-match": '"x"' }]) {
      await expectRefusal(
        put("a.txt", headers as Record<string, string>),
        501,
        "NotImplemented",
        "A header you provided implies functionality that is not implemented",
      );
    }
  });

  test("a storage class or an encryption B2 does not have is refused", async () => {
    await expectRefusal(put("a.txt", { "x-amz-storage-class": "GLACIER" }), 400, "InvalidStorageClass");
    await expectRefusal(put("a.txt", { "x-amz-server-side-encryption": "aws:kms" }), 400, "InvalidArgument");
  });

  test("metadata names that are reserved or long, and metadata that is too much, are refused", async () => {
    await expectRefusal(put("a.txt", { "x-amz-meta-b2-x": "1" }), 400, "InvalidArgument");
    await expectRefusal(put("a.txt", { [`x-amz-meta-${"n".repeat(51)}`]: "1" }), 400, "InvalidArgument");
    await expectRefusal(put("a.txt", { "x-amz-meta-n": "v".repeat(7000) }), 400, "MetadataTooLarge");
  });
});

describe("bodies", () => {
  test("a chunked body without Content-Length is 411 MissingContentLength", async () => {
    const signed = await clientFor(ADMIN).sign(store.url("chunked.txt"), { method: "PUT" });
    const text = await new Promise<string>((resolve, reject) => {
      const request = httpRequest(signed.url, { method: "PUT", headers: Object.fromEntries(signed.headers) });
      request.on("error", reject).on("response", async (response) => {
        const chunks = await response.toArray();
        resolve(`${response.statusCode} ${Buffer.concat(chunks)}`);
      });
      request.write("first ");
      request.end("second");
    });
    expect(text).toMatch(/^411 .*<Code>MissingContentLength<\/Code>/s);
    expect((await store.send(store.url("chunked.txt"))).status).toBe(404);
  });

  test("a length over 5 GB is EntityTooLarge before a byte of it is read", async () => {
    const signed = await clientFor(ADMIN).sign(store.url("huge.bin"), { method: "PUT" });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { ...Object.fromEntries(signed.headers), "content-length": "5000000001" };
      const request = httpRequest(signed.url, { method: "PUT", headers });
      request.on("error", reject).on("response", (response) => {
        resolve(response.statusCode);
        request.off("error", reject).on("error", () => undefined);
        request.destroy();
      });
      request.flushHeaders();
    });
    expect(status).toBe(400);
  });
});

describe("names", () => {
  test("of more than 1,024 bytes are KeyTooLongError, one of exactly 1,024 is not", async () => {
    expect((await put("ä".repeat(512))).status).toBe(200);
    await expectRefusal(put(`${"ä".repeat(512)}x`), 400, "KeyTooLongError");
  });

  test("with control characters are InvalidArgument", async () => {
    await expectRefusal(put("a\u0007b"), 400, "InvalidArgument", /control characters/);
    await expectRefusal(put("a\u007fb"), 400, "InvalidArgument", /control characters/);
  });

  test("with percent encoding that is no UTF-8 are InvalidURI", async () => {
    await expectRefusal(fetch(`${store.address}/${BUCKET}/%ff`), 400, "InvalidURI");
  });
});

describe("operations", () => {
  test.each([
    "tagging",
    "policy",
    "website",
    "notification",
    "accelerate",
    "inventory",
    "acl",
    "object-lock",
  ])("the bucket's %s is not implemented", async (name) => {
    await expectRefusal(store.send(`/${BUCKET}?${name}`), 501, "NotImplemented");
  });

  test("object tags, browser form uploads, PutBucketVersioning, single parts and new buckets are not implemented", async () => {
    const url = store.url("there.txt");
    await expectRefusal(store.send(`${url}?tagging`), 501, "NotImplemented");
    await expectRefusal(store.send(`/${BUCKET}`, { method: "POST", body: "x" }), 501, "NotImplemented");
    await expectRefusal(
      store.send(`/${BUCKET}?versioning`, { method: "PUT", body: "x" }),
      501,
      "NotImplemented",
    );
    await expectRefusal(store.send(`${url}?partNumber=1`), 501, "NotImplemented");
    await expectRefusal(store.send("/new-bucket", { method: "PUT" }), 501, "NotImplemented");
  });

  test("a verb S3 does not know is MethodNotAllowed", async () => {
    await expectRefusal(store.send(store.url("there.txt"), { method: "PATCH" }), 405, "MethodNotAllowed");
  });

  test("host style is refused with the way to do it", async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { host: `${BUCKET}.s3.us-east-005.backblazeb2.com` };
      httpRequest(`${store.address}/there.txt`, { headers })
        .on("error", reject)
        .on("response", async (response) => resolve(Buffer.concat(await response.toArray()).toString()))
        .end();
    });
    expect(answer).toMatch(/InvalidRequest.*Host style.*\/call-recordings\/&lt;key&gt;/s);
  });
});
