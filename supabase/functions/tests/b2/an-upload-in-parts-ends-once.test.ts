import assert from "node:assert/strict";
import { RecorderFailure } from "../../_shared/errors.ts";
import { errorXml, objectHeaders, type Step, scriptedStore } from "./scripted-store.ts";

const PART = { partNumber: 1, etag: "p1", sizeBytes: 5_242_880 };
const LAST = { partNumber: 2, etag: "p2", sizeBytes: 7 };
const xml = (name: string, inside: string): Step => ({
  http: 200,
  headers: { "x-amz-version-id": "v1" },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</${name}>`,
});
const COMPLETED = xml("CompleteMultipartUploadResult", '<Key>a</Key><ETag>"e-2"</ETag>');
const GONE: Step = { http: 404, body: errorXml("NoSuchUpload", "The specified upload does not exist.") };

const isCode = (code: string) => (thrown: unknown) =>
  thrown instanceof RecorderFailure && thrown.error.code === code;

Deno.test("an upload is begun with the type that the object will have", async () => {
  const { client, sent } = scriptedStore([xml("InitiateMultipartUploadResult", "<UploadId>u/1</UploadId>")]);
  const begun = await client.createMultipartUpload("a b", {
    contentType: "video/mp4",
    cacheControl: "private",
  });
  assert.deepEqual(begun, { uploadId: "u/1" });
  assert.equal(new URL(sent[0]?.url ?? "").search, "?uploads=");
  assert.equal(sent[0]?.headers.get("content-type"), "video/mp4");
  assert.equal(sent[0]?.headers.get("cache-control"), "private");
});

Deno.test("a part is sent under its number, and numbers that no store takes are refused before", async () => {
  const { client, sent } = scriptedStore([{ http: 200, headers: { etag: '"p1"' } }]);
  assert.deepEqual(await client.uploadPart("a", "u/1", 7, new Uint8Array(3), 3), { etag: "p1" });
  assert.equal(new URL(sent[0]?.url ?? "").search, "?partNumber=7&uploadId=u%2F1");
  for (const number of [0, -1, 1.5, 10_001]) {
    await assert.rejects(
      client.uploadPart("a", "u", number, new Uint8Array(1), 1),
      isCode("store_request_invalid"),
    );
  }
  await assert.rejects(client.uploadPart("a", "u", 1, new Uint8Array(1), 2), isCode("store_request_invalid"));
  assert.equal(sent.length, 1);
});

Deno.test("parts are listed over all pages", async () => {
  const row = (number: number) =>
    `<Part><PartNumber>${number}</PartNumber><LastModified>2026-11-22T17:00:00.000Z</LastModified><ETag>"p${number}"</ETag><Size>9</Size></Part>`;
  const { client, sent } = scriptedStore([
    xml(
      "ListPartsResult",
      `<IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>${row(1)}`,
    ),
    xml("ListPartsResult", `<IsTruncated>false</IsTruncated>${row(2)}`),
  ]);
  const lastModified = new Date("2026-11-22T17:00:00Z");
  assert.deepEqual(await client.listParts("a", "u", { maxParts: 1 }), [
    { partNumber: 1, etag: "p1", sizeBytes: 9, lastModified },
    { partNumber: 2, etag: "p2", sizeBytes: 9, lastModified },
  ]);
  assert.equal(new URL(sent[1]?.url ?? "").search, "?uploadId=u&max-parts=1&part-number-marker=1");
});

Deno.test("unfinished uploads are listed over all pages", async () => {
  const row = (key: string) =>
    `<Upload><Key>${key}</Key><UploadId>u-${key}</UploadId><Initiated>2026-11-22T17:00:00.000Z</Initiated></Upload>`;
  const next = "<NextKeyMarker>r/1</NextKeyMarker><NextUploadIdMarker>u-r/1</NextUploadIdMarker>";
  const { client, sent } = scriptedStore([
    xml("ListMultipartUploadsResult", `<IsTruncated>true</IsTruncated>${next}${row("r/1")}`),
    xml("ListMultipartUploadsResult", `<IsTruncated>false</IsTruncated>${row("r/2")}`),
  ]);
  const pages = await Array.fromAsync(client.listMultipartUploads("r/"));
  assert.deepEqual(
    pages.flatMap(({ uploads }) => uploads.map(({ key, uploadId }) => [key, uploadId])),
    [
      ["r/1", "u-r/1"],
      ["r/2", "u-r/2"],
    ],
  );
  assert.equal(
    new URL(sent[1]?.url ?? "").search,
    "?uploads=&prefix=r%2F&key-marker=r%2F1&upload-id-marker=u-r%2F1",
  );
});

Deno.test("lists that would never end are refused", async () => {
  const parts = scriptedStore([xml("ListPartsResult", "<IsTruncated>true</IsTruncated>")]);
  await assert.rejects(parts.client.listParts("a", "u"), isCode("store_answer_unreadable"));
  const uploads = scriptedStore([xml("ListMultipartUploadsResult", "<IsTruncated>true</IsTruncated>")]);
  await assert.rejects(
    Array.fromAsync(uploads.client.listMultipartUploads("")),
    isCode("store_answer_unreadable"),
  );
});

Deno.test("complete names the parts in order, and tells what was made", async () => {
  const { client, sent } = scriptedStore([COMPLETED]);
  const made = await client.completeMultipartUpload("a", "u", [LAST, PART]);
  assert.deepEqual(made, { etag: "e-2", versionId: "v1", wasLost: false });
  assert.match(String(sent[0]?.body), /<PartNumber>1<.*&quot;p1&quot;.*<PartNumber>2<.*&quot;p2&quot;/s);
});

Deno.test("an etag that complete does not tell is read from the object", async () => {
  const told = xml("CompleteMultipartUploadResult", "<Key>a</Key><ETag></ETag>");
  const { client, sent } = scriptedStore([told, { http: 200, headers: objectHeaders(5_242_880) }]);
  const made = await client.completeMultipartUpload("a", "u", [PART]);
  assert.equal(made.etag, "8b1a9953c4611296a827abf8c47804d7");
  assert.deepEqual(
    sent.map(({ method }) => method),
    ["POST", "HEAD"],
  );
});

Deno.test("an error in an answer of 200 is an error: a passing one is tried again, a lasting one is told", async () => {
  const busy: Step = {
    http: 200,
    body: `\n   \n${errorXml("InternalError", "We encountered an internal error")}`,
  };
  const again = scriptedStore([busy, COMPLETED]);
  assert.equal((await again.client.completeMultipartUpload("a", "u", [PART])).etag, "e-2");
  assert.equal(again.sent.length, 2);
  const wrong = scriptedStore([{ http: 200, body: errorXml("InvalidPart", "no such part") }]);
  await assert.rejects(
    wrong.client.completeMultipartUpload("a", "u", [PART]),
    isCode("upload_parts_refused"),
  );
  const odd = scriptedStore([{ http: 200, body: "<html></html>" }]);
  await assert.rejects(
    odd.client.completeMultipartUpload("a", "u", [PART]),
    isCode("store_answer_unreadable"),
  );
  const copy = scriptedStore([
    { http: 200, body: errorXml("InternalError", "half-way") },
    xml("CopyObjectResult", '<ETag>"c"</ETag>'),
  ]);
  assert.equal((await copy.client.copy("a", "b")).etag, "c");
});

Deno.test("complete whose reply was lost is recognised by the object, size and all", async () => {
  const { client, sent } = scriptedStore(["lost", GONE, { http: 200, headers: objectHeaders(5_242_887) }]);
  const made = await client.completeMultipartUpload("a", "u", [PART, LAST]);
  assert.equal(made.wasLost, true);
  assert.equal(made.etag, "8b1a9953c4611296a827abf8c47804d7");
  assert.ok(made.versionId?.startsWith("4_z"));
  assert.deepEqual(
    sent.map(({ method }) => method),
    ["POST", "POST", "HEAD"],
  );
});

Deno.test("an upload that is unknown while the object is another, or none, is missing", async () => {
  const other = scriptedStore([GONE, { http: 200, headers: objectHeaders(5) }]);
  await assert.rejects(other.client.completeMultipartUpload("a", "u", [PART]), isCode("upload_missing"));
  const none = scriptedStore([GONE, { http: 404 }, { http: 404, body: errorXml("NoSuchKey", "") }]);
  await assert.rejects(none.client.completeMultipartUpload("a", "u", [PART]), isCode("upload_missing"));
});

Deno.test("giving up an upload that is gone already is no error", async () => {
  const { client, sent } = scriptedStore([{ http: 204 }, GONE]);
  await client.abortMultipartUpload("a", "u");
  await client.abortMultipartUpload("a", "u");
  assert.equal(sent[0]?.method, "DELETE");
});

Deno.test("a copy names its source escaped, and holds it to an etag", async () => {
  const { client, sent } = scriptedStore([
    xml("CopyObjectResult", '<ETag>"c"</ETag>'),
    { http: 412, body: errorXml("PreconditionFailed", "changed") },
  ]);
  const made = await client.copy("a b/ä", "c", { ifMatch: "e1", versionId: "v 2", contentType: "video/mp4" });
  assert.deepEqual(made, { etag: "c", versionId: "v1" });
  assert.equal(sent[0]?.headers.get("x-amz-copy-source"), "/recordings-bucket/a%20b/%C3%A4?versionId=v%202");
  assert.equal(sent[0]?.headers.get("x-amz-copy-source-if-match"), '"e1"');
  assert.equal(sent[0]?.headers.get("x-amz-metadata-directive"), "REPLACE");
  await assert.rejects(client.copy("a", "c", { ifMatch: "e1" }), isCode("object_changed"));
});

Deno.test("versions deleted in numbers are each gone or refused with a reason of their own", async () => {
  const { client, sent } = scriptedStore([
    xml(
      "DeleteResult",
      `<Deleted><Key>a&amp;b</Key><VersionId>v1</VersionId></Deleted>
       <Error><Key>c</Key><VersionId>v2</VersionId><Code>AccessDenied</Code><Message>Access Denied</Message></Error>
       <Error><Key>d</Key><VersionId>v3</VersionId><Code>NoSuchVersion</Code><Message>gone</Message></Error>
       <Error><Key>e</Key><VersionId>v4</VersionId><Code>InternalError</Code><Message>busy</Message></Error>`,
    ),
  ]);
  const asked = ["a&b", "c", "d", "e", "f"].map((key, index) => ({ key, versionId: `v${index + 1}` }));
  const { deleted, failed } = await client.deleteVersions(asked);
  assert.deepEqual(
    deleted.map(({ key }) => key),
    ["a&b", "d"],
  );
  assert.deepEqual(
    failed.map(({ key, error }) => [key, error.code]),
    [
      ["c", "store_access_denied"],
      ["e", "store_unavailable"],
      ["f", "store_answer_unreadable"],
    ],
  );
  assert.match(sent[0]?.headers.get("content-md5") ?? "", /^[A-Za-z0-9+/]{22}==$/);
  assert.match(String(sent[0]?.body), /<Key>a&amp;b<\/Key><VersionId>v1<\/VersionId>/);
});

Deno.test("nothing is deleted without a version, with a name no object has, or by more than a thousand", async () => {
  const { client, sent } = scriptedStore([]);
  const many = Array.from({ length: 1_001 }, (_, index) => ({ key: `k${index}`, versionId: "v" }));
  await assert.rejects(client.deleteVersions(many), isCode("store_request_invalid"));
  await assert.rejects(client.deleteVersions([{ key: "a", versionId: "" }]), isCode("store_request_invalid"));
  await assert.rejects(
    client.deleteVersions([{ key: "a/../b", versionId: "v" }]),
    isCode("object_key_invalid"),
  );
  assert.deepEqual(await client.deleteVersions([]), { deleted: [], failed: [] });
  assert.equal(sent.length, 0);
});
