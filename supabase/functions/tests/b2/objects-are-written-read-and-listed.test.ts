import assert from "node:assert/strict";
import { RecorderFailure } from "../../_shared/errors.ts";
import { errorXml, objectHeaders, type Step, scriptedStore } from "./scripted-store.ts";

const ORIGIN = "https://s3.us-west-004.backblazeb2.com/recordings-bucket";
const FACTS = {
  etag: "8b1a9953c4611296a827abf8c47804d7",
  contentType: "video/mp4",
  lastModified: new Date("2026-11-22T17:00:00Z"),
  versionId: "4_z1_f2_d20261122_m170000_c004_v0402000_t0001_u01700000000000",
};
const MISSING: Step = { http: 404, body: errorXml("NoSuchKey", "Key not found") };

const isCode = (code: string) => (thrown: unknown) =>
  thrown instanceof RecorderFailure && thrown.error.code === code;

Deno.test("put sends the bytes with their type, signed, and gives etag and version", async () => {
  const { client, sent } = scriptedStore([{ http: 200, headers: objectHeaders(0) }]);
  const stored = await client.put("recordings/a b+c/ä.mp4", Uint8Array.from([1, 2]), {
    contentType: "video/mp4",
    cacheControl: "private, max-age=31536000, immutable",
  });
  assert.deepEqual(stored, { etag: FACTS.etag, versionId: FACTS.versionId });
  const [request] = sent;
  assert.equal(request?.method, "PUT");
  assert.equal(request?.url, `${ORIGIN}/recordings/a%20b%2Bc/%C3%A4.mp4`);
  assert.equal(request?.headers.get("content-type"), "video/mp4");
  assert.equal(request?.headers.get("cache-control"), "private, max-age=31536000, immutable");
  assert.match(
    request?.headers.get("authorization") ?? "",
    /^AWS4-HMAC-SHA256 Credential=0040{21}1\/20261122\/us-west-004\/s3\/aws4_request, /,
  );
});

Deno.test("no request carries a checksum header, which B2 would refuse", async () => {
  const { client, sent } = scriptedStore([
    { http: 200, headers: objectHeaders(0) },
    { http: 200, body: "x", headers: objectHeaders(1) },
  ]);
  await client.put("a", "x", { contentType: "text/plain" });
  await client.getText("a", 10);
  for (const { headers } of sent) {
    const names = [...headers.keys()].filter((name) => name.startsWith("x-amz-"));
    assert.deepEqual(names, ["x-amz-content-sha256", "x-amz-date"]);
    assert.equal(headers.get("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  }
});

Deno.test("get gives a whole object as a stream, with what its head tells", async () => {
  const { client } = scriptedStore([{ http: 200, body: "hello", headers: objectHeaders(5) }]);
  const { stream, ...facts } = await client.get("a");
  assert.deepEqual(facts, { ...FACTS, sizeBytes: 5, totalBytes: 5 });
  assert.equal(await new Response(stream).text(), "hello");
});

Deno.test("get of a range of one version, while it is unchanged", async () => {
  const headers = objectHeaders(3, { "content-range": "bytes 1-3/5" });
  const { client, sent } = scriptedStore([{ http: 206, body: "ell", headers }]);
  const { stream, ...facts } = await client.get("a", {
    range: { from: 1, to: 3 },
    ifMatch: "e1",
    versionId: "v 1",
  });
  assert.deepEqual(facts, { ...FACTS, sizeBytes: 3, totalBytes: 5 });
  assert.equal(await new Response(stream).text(), "ell");
  assert.equal(sent[0]?.url, `${ORIGIN}/a?versionId=v%201`);
  assert.equal(sent[0]?.headers.get("range"), "bytes=1-3");
  assert.equal(sent[0]?.headers.get("if-match"), '"e1"');
});

Deno.test("a range may be open, and may reach over the end", async () => {
  for (const range of [{ from: 2 }, { from: 2, to: 99 }]) {
    const headers = objectHeaders(3, { "content-range": "bytes 2-4/5" });
    const { client } = scriptedStore([{ http: 206, body: "llo", headers }]);
    const { stream, sizeBytes } = await client.get("a", { range });
    await stream.cancel();
    assert.equal(sizeBytes, 3);
  }
});

const WRONG_RANGES: [string, Step][] = [
  ["the whole object", { http: 200, body: "hello", headers: objectHeaders(5) }],
  [
    "another range",
    { http: 206, body: "hel", headers: objectHeaders(3, { "content-range": "bytes 0-2/5" }) },
  ],
  [
    "fewer bytes than it says",
    { http: 206, body: "el", headers: objectHeaders(2, { "content-range": "bytes 1-3/5" }) },
  ],
  ["no Content-Range", { http: 206, body: "ell", headers: objectHeaders(3) }],
];

for (const [what, step] of WRONG_RANGES) {
  Deno.test(`a range answered with ${what} is not taken for it, and its body is cancelled`, async () => {
    const { client, cancelled } = scriptedStore([step]);
    await assert.rejects(client.get("a", { range: { from: 1, to: 3 } }), isCode("store_answer_unreadable"));
    assert.equal(cancelled(), 1);
  });
}

Deno.test("getText stops at its limit and cancels the rest", async () => {
  const { client, cancelled } = scriptedStore([{ http: 200, body: "hello", headers: objectHeaders(5) }]);
  await assert.rejects(client.getText("a", 4), isCode("object_too_large"));
  assert.equal(cancelled(), 1);
  const exact = scriptedStore([{ http: 200, body: "hällo", headers: objectHeaders(6) }]);
  assert.equal(await exact.client.getText("a", 6), "hällo");
});

Deno.test("head gives size, etag, type, time and version", async () => {
  const { client, sent } = scriptedStore([{ http: 200, headers: objectHeaders(1234) }]);
  assert.deepEqual(await client.head("a"), { ...FACTS, sizeBytes: 1234 });
  assert.equal(sent[0]?.method, "HEAD");
});

Deno.test("head of a missing object is undefined, at the price of one look while the bucket is not proven", async () => {
  const { client, sent } = scriptedStore([{ http: 404 }, MISSING, { http: 404 }]);
  assert.equal(await client.head("a"), undefined);
  assert.equal(await client.head("b"), undefined);
  assert.deepEqual(
    sent.map((request) => [request.method, request.headers.get("range")]),
    [
      ["HEAD", null],
      ["GET", "bytes=0-0"],
      ["HEAD", null],
    ],
  );
});

Deno.test("head in a missing bucket is not taken for a missing object", async () => {
  const { client } = scriptedStore([
    { http: 404 },
    { http: 404, body: errorXml("NoSuchBucket", "no such bucket") },
  ]);
  await assert.rejects(client.head("a"), isCode("bucket_missing"));
});

Deno.test("a head refused with 403 is told by what a GET of one byte says", async () => {
  for (const [xml, code] of [
    [errorXml("SignatureDoesNotMatch", "Signature validation failed"), "store_signature_refused"],
    [
      errorXml("AccessDenied", "Transaction cap exceeded, see the Caps &amp; Alerts page"),
      "store_daily_cap_exceeded",
    ],
    [errorXml("AccessDenied", "no readFiles"), "store_access_denied"],
  ] as const) {
    const { client, sent } = scriptedStore([{ http: 403 }, { http: 403, body: xml }]);
    await assert.rejects(client.head("a"), isCode(code));
    assert.equal(sent[1]?.headers.get("range"), "bytes=0-0");
  }
});

Deno.test("a head that is refused although the object can be read is asked once more", async () => {
  const { client } = scriptedStore([
    { http: 403 },
    { http: 206, body: "x", headers: objectHeaders(1) },
    { http: 200, headers: objectHeaders(9) },
  ]);
  assert.equal((await client.head("a"))?.sizeBytes, 9);
});

const page = (rows: string, next = "") => ({
  http: 200,
  body: `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>recordings-bucket</Name><Prefix>r/</Prefix><KeyCount>1</KeyCount>
<MaxKeys>1000</MaxKeys><IsTruncated>${next === "" ? "false" : "true"}</IsTruncated>${next === "" ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`}${rows}</ListBucketResult>`,
});
const row = (key: string, size = 5) =>
  `<Contents><Key>${key}</Key><LastModified>2026-11-22T17:00:00.000Z</LastModified><ETag>&quot;e1&quot;</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`;

Deno.test("list walks over all pages, with keys as they are", async () => {
  const { client, sent } = scriptedStore([
    page(row("r/007") + row("r/a&amp;b c+d"), "token/1=="),
    page(`${row("r/ä&#x20;")}<CommonPrefixes><Prefix>r/x/</Prefix></CommonPrefixes>`),
  ]);
  const pages = await Array.fromAsync(client.list("r/", { delimiter: "/", startAfter: "r/0", maxKeys: 2 }));
  const lastModified = new Date("2026-11-22T17:00:00Z");
  const object = (key: string) => ({ key, sizeBytes: 5, etag: "e1", lastModified });
  assert.deepEqual(pages, [
    { objects: [object("r/007"), object("r/a&b c+d")], prefixes: [], next: "token/1==" },
    { objects: [object("r/ä ")], prefixes: ["r/x/"] },
  ]);
  assert.deepEqual(
    sent.map((request) => new URL(request.url).search),
    [
      "?list-type=2&prefix=r%2F&delimiter=%2F&start-after=r%2F0&max-keys=2",
      "?list-type=2&prefix=r%2F&delimiter=%2F&start-after=r%2F0&continuation-token=token%2F1%3D%3D&max-keys=2",
    ],
  );
});

Deno.test("list can go on from a page's token, and an empty bucket is one empty page", async () => {
  const { client, sent } = scriptedStore([page("")]);
  assert.deepEqual(await Array.fromAsync(client.list("", { continuationToken: "t" })), [
    { objects: [], prefixes: [] },
  ]);
  assert.match(sent[0]?.url ?? "", /continuation-token=t/);
});

Deno.test("a list that is none, or that would never end, is refused", async () => {
  const endless = page(row("a"), "t").body.replace(/<NextContinuationToken>.*<\/NextContinuationToken>/, "");
  for (const body of ["", "<html></html>", "not xml", endless, page(row("a", -1)).body]) {
    const { client } = scriptedStore([{ http: 200, body }]);
    await assert.rejects(Array.fromAsync(client.list("")), isCode("store_answer_unreadable"));
  }
});

const versions = (rows: string, next = "") => ({
  http: 200,
  body: `<?xml version="1.0" encoding="UTF-8"?><ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>${next === "" ? "false" : "true"}</IsTruncated>${next}${rows}</ListVersionsResult>`,
});

Deno.test("listVersions tells versions and delete markers over all pages", async () => {
  const facts = "<LastModified>2026-11-22T17:00:00.000Z</LastModified>";
  const { client, sent } = scriptedStore([
    versions(
      `<DeleteMarker><Key>a</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest>${facts}</DeleteMarker>`,
      "<NextKeyMarker>a</NextKeyMarker><NextVersionIdMarker>v2</NextVersionIdMarker>",
    ),
    versions(
      `<Version><Key>a</Key><VersionId>v1</VersionId><IsLatest>false</IsLatest>${facts}<ETag>"e"</ETag><Size>7</Size></Version>`,
    ),
  ]);
  const lastModified = new Date("2026-11-22T17:00:00Z");
  assert.deepEqual(
    (await Array.fromAsync(client.listVersions("a"))).flatMap((one) => one.versions),
    [
      { key: "a", versionId: "v2", isLatest: true, isDeleteMarker: true, sizeBytes: 0, lastModified },
      { key: "a", versionId: "v1", isLatest: false, isDeleteMarker: false, sizeBytes: 7, lastModified },
    ],
  );
  assert.equal(new URL(sent[1]?.url ?? "").search, "?versions=&prefix=a&key-marker=a&version-id-marker=v2");
});

Deno.test("deleteVersion deletes for good, and one that is gone already is no error", async () => {
  const { client, sent } = scriptedStore([
    { http: 204 },
    { http: 404, body: errorXml("NoSuchVersion", "gone") },
  ]);
  await client.deleteVersion("a", "v1");
  await client.deleteVersion("a", "v1");
  assert.deepEqual([sent[0]?.method, sent[0]?.url], ["DELETE", `${ORIGIN}/a?versionId=v1`]);
});

Deno.test("deleteVersion never becomes a delete without version, which only hides", async () => {
  const { client, sent } = scriptedStore([]);
  await assert.rejects(client.deleteVersion("a", ""), isCode("store_request_invalid"));
  assert.deepEqual(sent, []);
});

Deno.test("redirects are not followed", async () => {
  const followed: (string | undefined)[] = [];
  const { createB2Client } = await import("../../_shared/b2/client.ts");
  const { SETTINGS } = await import("./scripted-store.ts");
  const client = createB2Client(SETTINGS, {
    fetch: (_, init) => {
      followed.push(init?.redirect);
      return Promise.resolve(
        new Response(null, { status: 307, headers: { location: "https://elsewhere.example/" } }),
      );
    },
    now: () => 0,
    sleep: () => Promise.resolve(),
    random: () => 0,
  });
  await assert.rejects(client.getText("a", 1), isCode("store_redirected"));
  assert.deepEqual(followed, ["manual"]);
});

const BAD_KEYS = ["", "a/../b", "./a", "..", "a\nb", "x".repeat(1025), "\ud800"];

for (const key of BAD_KEYS) {
  Deno.test(`the key ${JSON.stringify(key.slice(0, 20))} is refused before anything is sent`, async () => {
    const { client, sent } = scriptedStore([]);
    await assert.rejects(client.getText(key, 1), isCode("object_key_invalid"));
    assert.deepEqual(sent, []);
  });
}
