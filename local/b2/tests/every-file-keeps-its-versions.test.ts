import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoreUnderTest } from "./running-store.ts";
import { BUCKET, expectRefusal, md5Base64, startStore, texts } from "./running-store.ts";

let store: StoreUnderTest;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.remove());

async function put(key: string, body: string): Promise<string> {
  const answer = await store.send(store.url(key), { method: "PUT", body });
  return answer.headers.get("x-amz-version-id") ?? "";
}
const versionUrl = (key: string, versionId: string) =>
  `${store.url(key)}?versionId=${encodeURIComponent(versionId)}`;
const versions = async (query: string) => (await store.send(`/${BUCKET}?versions&${query}`)).text();

test("an overwrite keeps the old bytes under their version", async () => {
  const [first, second] = [await put("over", "one"), await put("over", "two")];
  expect(first).toMatch(/^4_z[0-9a-f]{24}_f[0-9a-f]{16}_d\d{8}_m\d{6}_c\d{3}_v\d{7}_t\d{4}_u\d{14}$/);
  expect(await (await store.send(store.url("over"))).text()).toBe("two");
  expect(await (await store.send(versionUrl("over", first))).text()).toBe("one");
  const list = await versions("prefix=over");
  expect(texts(list, "VersionId")).toEqual([second, first]);
  expect(texts(list, "IsLatest")).toEqual(["true", "false"]);
});

test("a delete without a version only hides the file", async () => {
  const version = await put("hidden", "bytes");
  const deleted = await store.send(store.url("hidden"), { method: "DELETE" });
  expect([deleted.status, deleted.headers.get("x-amz-delete-marker")]).toEqual([204, "true"]);
  const marker = deleted.headers.get("x-amz-version-id") ?? "";

  const read = await store.send(store.url("hidden"));
  expect(read.headers.get("x-amz-delete-marker")).toBe("true");
  await expectRefusal(read, 404, "NoSuchKey");
  expect(await (await store.send(versionUrl("hidden", version))).text()).toBe("bytes");
  await expectRefusal(store.send(versionUrl("hidden", marker)), 405, "MethodNotAllowed");

  const list = await versions("prefix=hidden");
  expect(texts(list, "DeleteMarker")).toHaveLength(1);
  expect(texts(list, "VersionId")).toEqual([marker, version]);
  const current = await store.send(`/${BUCKET}?list-type=2&prefix=hidden`);
  expect(texts(await current.text(), "Key")).toEqual([]);

  const removed = await store.send(versionUrl("hidden", marker), { method: "DELETE" });
  expect([removed.status, removed.headers.get("x-amz-delete-marker")]).toEqual([204, "true"]);
  expect(await (await store.send(store.url("hidden"))).text()).toBe("bytes");
});

test("a delete with a version is for good, and may be repeated", async () => {
  const [first, second] = [await put("gone", "one"), await put("gone", "two")];
  for (const _ of [1, 2]) {
    const deleted = await store.send(versionUrl("gone", second), { method: "DELETE" });
    expect([deleted.status, deleted.headers.get("x-amz-delete-marker")]).toEqual([204, null]);
  }
  expect(await (await store.send(store.url("gone"))).text()).toBe("one");
  await expectRefusal(store.send(versionUrl("gone", second)), 404, "NoSuchVersion");
  await store.send(versionUrl("gone", first), { method: "DELETE" });
  expect(texts(await versions("prefix=gone"), "VersionId")).toEqual([]);
});

test.each(["null", "nonsense"])("a version called %s is InvalidArgument", async (versionId) => {
  await put("named", "x");
  await expectRefusal(
    store.send(versionUrl("named", versionId)),
    400,
    "InvalidArgument",
    "Invalid version id specified",
  );
  await expectRefusal(
    store.send(versionUrl("named", versionId), { method: "DELETE" }),
    400,
    "InvalidArgument",
  );
});

test("DeleteObjects hides and removes many at once, names with special characters too", async () => {
  const version = await put("many/removed", "x");
  await put("many/hidden & <odd> ä", "x");
  const body = `<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
    <Object><Key>many/removed</Key><VersionId>${version}</VersionId></Object>
    <Object><Key>many/hidden &amp; &lt;odd&gt; &#xE4;</Key></Object>
    <Object><Key>many/wrong</Key><VersionId>wrong</VersionId></Object>
  </Delete>`;
  const send = (headers: Record<string, string>) =>
    store.send(`/${BUCKET}?delete`, { method: "POST", body, headers });
  await expectRefusal(
    send({}),
    400,
    "InvalidRequest",
    "Missing required header for this request: Content-MD5",
  );
  const result = await (await send({ "content-md5": md5Base64(body) })).text();
  expect(texts(result, "Deleted")).toHaveLength(2);
  expect(texts(result, "DeleteMarker")).toEqual(["true"]);
  expect(texts(result, "Code")).toEqual(["InvalidArgument"]);
  expect(texts(await versions("prefix=many/removed"), "VersionId")).toEqual([]);
  expect((await store.send(store.url("many/hidden & <odd> ä"))).status).toBe(404);
});

test("versions are paged without a gap, even inside one name", async () => {
  const expected: string[] = [];
  for (const key of ["paged/a", "paged/b", "paged/c"]) {
    const ids = [await put(key, "1"), await put(key, "2"), await put(key, "3")];
    expected.push(...ids.reverse());
  }
  const seen: string[] = [];
  let markers = "";
  for (let page = 0; page < 10; page++) {
    const xml = await versions(`prefix=paged/&max-keys=2${markers}`);
    seen.push(...texts(xml, "VersionId"));
    if (texts(xml, "IsTruncated")[0] === "false") break;
    const [key = ""] = texts(xml, "NextKeyMarker");
    const [version = ""] = texts(xml, "NextVersionIdMarker");
    markers = `&key-marker=${encodeURIComponent(key)}&version-id-marker=${encodeURIComponent(version)}`;
  }
  expect(seen).toEqual(expected);
});

test("a version marker without a key marker is InvalidArgument", async () => {
  await expectRefusal(store.send(`/${BUCKET}?versions&version-id-marker=x`), 400, "InvalidArgument");
});

test("GetBucketVersioning says Enabled", async () => {
  expect(texts(await (await store.send(`/${BUCKET}?versioning`)).text(), "Status")).toEqual(["Enabled"]);
});
