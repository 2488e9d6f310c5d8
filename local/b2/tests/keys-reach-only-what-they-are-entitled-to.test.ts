import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoreUnderTest } from "./running-store.ts";
import {
  BUCKET,
  clientFor,
  expectRefusal,
  md5Base64,
  OTHER_BUCKET,
  startStore,
  texts,
} from "./running-store.ts";

const reader = { keyId: "0050000000000000000000002", applicationKey: "K005reader" };
const writer = { keyId: "0050000000000000000000003", applicationKey: "K005writer" };
const everywhere = { keyId: "0050000000000000000000004", applicationKey: "K005everywhere" };

let store: StoreUnderTest;
beforeAll(async () => {
  store = await startStore({
    keys: [
      { ...reader, bucket: BUCKET, prefix: "public/", capabilities: ["readFiles", "listFiles"] },
      { ...writer, bucket: BUCKET, capabilities: ["writeFiles"] },
      { ...everywhere, capabilities: ["readFiles", "writeFiles", "shareFiles"] },
    ],
  });
  for (const key of ["public/a.txt", "private/b.txt"]) {
    expect((await store.send(store.url(key), { method: "PUT", body: key })).status).toBe(200);
  }
});
afterAll(() => store.remove());

const denied = (response: Promise<Response>) => expectRefusal(response, 403, "AccessDenied", "not entitled");

describe("a key limited to a prefix", () => {
  test("reads and lists below it", async () => {
    expect(await (await clientFor(reader).fetch(store.url("public/a.txt"))).text()).toBe("public/a.txt");
    const list = await clientFor(reader).fetch(`${store.address}/${BUCKET}?list-type=2&prefix=public/`);
    expect(texts(await list.text(), "Key")).toEqual(["public/a.txt"]);
  });

  test("reads and lists nothing else", async () => {
    await denied(clientFor(reader).fetch(store.url("private/b.txt")));
    await denied(clientFor(reader).fetch(`${store.address}/${BUCKET}?list-type=2`));
    await denied(clientFor(reader).fetch(`${store.address}/${BUCKET}?versions&prefix=pub`));
  });

  test("cannot take a presigned URL further than the key reaches", async () => {
    const inside = await clientFor(reader).sign(store.url("public/a.txt"), { aws: { signQuery: true } });
    const outside = await clientFor(reader).sign(store.url("private/b.txt"), { aws: { signQuery: true } });
    expect((await fetch(inside.url)).status).toBe(200);
    await denied(fetch(outside.url));
  });
});

describe("a key without a capability", () => {
  test("that may only read cannot write, hide, delete or start an upload", async () => {
    const url = store.url("public/a.txt");
    await denied(clientFor(reader).fetch(url, { method: "PUT", body: "x" }));
    await denied(clientFor(reader).fetch(url, { method: "DELETE" }));
    await denied(clientFor(reader).fetch(`${url}?uploads`, { method: "POST" }));
  });

  test("that may only write cannot read, list or copy what it may not read", async () => {
    await denied(clientFor(writer).fetch(store.url("public/a.txt")));
    await denied(clientFor(writer).fetch(`${store.address}/${BUCKET}?list-type=2`));
    await denied(
      clientFor(writer).fetch(store.url("copy.txt"), {
        method: "PUT",
        headers: { "x-amz-copy-source": `/${BUCKET}/public/a.txt` },
      }),
    );
    expect(
      (await clientFor(writer).fetch(store.url("written.txt"), { method: "PUT", body: "x" })).status,
    ).toBe(200);
  });

  test("that may only write hides a file but cannot remove a version", async () => {
    const url = store.url("hidden.txt");
    const put = await clientFor(writer).fetch(url, { method: "PUT", body: "x" });
    const versionId = put.headers.get("x-amz-version-id") ?? "";
    await denied(clientFor(writer).fetch(`${url}?versionId=${versionId}`, { method: "DELETE" }));
    expect((await clientFor(writer).fetch(url, { method: "DELETE" })).status).toBe(204);

    const body = `<Delete><Object><Key>hidden.txt</Key><VersionId>${versionId}</VersionId></Object></Delete>`;
    const many = await clientFor(writer).fetch(`${store.address}/${BUCKET}?delete`, {
      method: "POST",
      body,
      headers: { "content-md5": md5Base64(body) },
    });
    expect(texts(await many.text(), "Code")).toEqual(["AccessDenied"]);
  });

  test("of the bucket kind cannot touch CORS, lifecycle, location or the bucket itself", async () => {
    for (const subresource of ["cors", "lifecycle", "location", "versioning"]) {
      await denied(clientFor(reader).fetch(`${store.address}/${BUCKET}?${subresource}`));
    }
    expect((await clientFor(reader).fetch(`${store.address}/${BUCKET}`, { method: "HEAD" })).status).toBe(
      403,
    );
  });
});

describe("a key limited to a bucket", () => {
  test("reaches no other bucket, existing or not", async () => {
    await denied(clientFor(writer).fetch(store.url("x", OTHER_BUCKET), { method: "PUT", body: "x" }));
    await denied(clientFor(writer).fetch(store.url("x", "no-such-bucket"), { method: "PUT", body: "x" }));
  });

  test("lists buckets only with listAllBucketNames", async () => {
    await denied(clientFor(reader).fetch(`${store.address}/`));
    const list = await store.send("/");
    expect(texts(await list.text(), "Name")).toEqual([BUCKET, OTHER_BUCKET]);
  });
});

test("a key for every bucket gets NoSuchBucket for one that does not exist", async () => {
  const client = clientFor(everywhere);
  expect((await client.fetch(store.url("x", OTHER_BUCKET), { method: "PUT", body: "x" })).status).toBe(200);
  await expectRefusal(client.fetch(store.url("x", "no-such-bucket")), 404, "NoSuchBucket");
});
