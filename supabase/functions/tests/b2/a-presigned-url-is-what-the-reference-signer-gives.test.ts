import assert from "node:assert/strict";
import { AwsV4Signer } from "aws4fetch";
import { createPresigner, type PresignOptions } from "../../_shared/b2/presign.ts";
import { parseStoreSettings, regionOf, type StoreSettings } from "../../_shared/b2/settings.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { SETTINGS } from "./scripted-store.ts";

const SIGNED_AT = new Date("2026-11-22T18:00:00Z");
const OPTIONS: PresignOptions = { expiresInSeconds: 3_600, signedAt: SIGNED_AT };

async function reference(
  key: string,
  options: PresignOptions,
  settings: StoreSettings = SETTINGS,
  method = "GET",
) {
  const { endpoint, region, bucket, keyId, applicationKey } = parseStoreSettings(settings);
  const url = new URL(`${endpoint}/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`);
  url.searchParams.set("X-Amz-Expires", String(options.expiresInSeconds));
  if (options.responseContentType) url.searchParams.set("response-content-type", options.responseContentType);
  if (options.responseContentDisposition) {
    url.searchParams.set("response-content-disposition", options.responseContentDisposition);
  }
  if (options.responseCacheControl) {
    url.searchParams.set("response-cache-control", options.responseCacheControl);
  }
  const signed = await new AwsV4Signer({
    method,
    url: String(url),
    accessKeyId: keyId,
    secretAccessKey: applicationKey,
    service: "s3",
    region,
    datetime: options.signedAt.toISOString().replace(/[:-]|\.\d{3}/g, ""),
    signQuery: true,
  }).sign();
  return signed.url;
}

const sorted = (url: URL) => [...url.searchParams].sort(([one], [other]) => (one < other ? -1 : 1));

const CASES: [string, PresignOptions][] = [
  ["a.mp4", OPTIONS],
  [
    "recordings/0123/a1/38f8_room-1.m3u8",
    { ...OPTIONS, responseContentType: "application/vnd.apple.mpegurl" },
  ],
  ["a b/ä+ö/(1)'!*~.mp4", { ...OPTIONS, expiresInSeconds: 1 }],
  ["a//b/%41.mp4", { ...OPTIONS, expiresInSeconds: 604_800 }],
  ["x/ü@:;=&$,?#[].ts", { ...OPTIONS, signedAt: new Date("2027-02-28T23:59:59.999Z") }],
  [
    "a.mp4",
    {
      ...OPTIONS,
      responseContentType: "video/mp4",
      responseContentDisposition: `attachment; filename="a b (1)*.mp4"`,
      responseCacheControl: "private, max-age=13500, immutable",
    },
  ],
];

for (const [key, options] of CASES) {
  Deno.test(`the URL of ${JSON.stringify(key)} has the signature, path and query of the reference signer`, async () => {
    const ours = new URL(createPresigner(SETTINGS).presignGet(key, options));
    const theirs = await reference(key, options);
    assert.equal(ours.searchParams.get("X-Amz-Signature"), theirs.searchParams.get("X-Amz-Signature"));
    assert.deepEqual(sorted(ours), sorted(theirs));
    assert.equal(ours.origin, theirs.origin);
    assert.equal(decodeURIComponent(ours.pathname), decodeURIComponent(theirs.pathname));
  });
}

Deno.test("a local endpoint is signed with its port and the region that was given", async () => {
  const local = { ...SETTINGS, endpoint: "http://127.0.0.1:9000", region: "us-west-004" };
  const ours = new URL(createPresigner(local).presignGet("a", OPTIONS));
  assert.deepEqual(sorted(ours), sorted(await reference("a", OPTIONS, local)));
  assert.equal(ours.origin, "http://127.0.0.1:9000");
});

Deno.test("the signing key changes with the day, there and back", async () => {
  const presigner = createPresigner(SETTINGS);
  for (const day of ["2026-11-22", "2026-11-23", "2026-11-22"]) {
    const options = { ...OPTIONS, signedAt: new Date(`${day}T12:00:00Z`) };
    const ours = new URL(presigner.presignGet("a", options));
    assert.deepEqual(sorted(ours), sorted(await reference("a", options)));
  }
});

Deno.test("the same file signed for the same time has the same URL, which a browser can cache", () => {
  const presigner = createPresigner(SETTINGS);
  assert.equal(
    presigner.presignGet("a", OPTIONS),
    presigner.presignGet("a", { ...OPTIONS, signedAt: new Date(SIGNED_AT) }),
  );
});

Deno.test("an address for HEAD is signed for HEAD, and many are signed as one is", async () => {
  const presigner = createPresigner(SETTINGS);
  const head = presigner.presigning("HEAD", OPTIONS);
  const get = presigner.presigning("GET", OPTIONS);
  for (const key of ["a.mp4", "b/ü.ts", "a.mp4"]) {
    assert.equal(get(key), presigner.presignGet(key, OPTIONS));
    const theirs = await reference(key, OPTIONS, SETTINGS, "HEAD");
    assert.deepEqual(sorted(new URL(head(key))), sorted(theirs));
    assert.notEqual(head(key), get(key));
  }
});

const REFUSED: [string, Partial<PresignOptions>][] = [
  ["0 seconds", { expiresInSeconds: 0 }],
  ["more than 7 days", { expiresInSeconds: 604_801 }],
  ["a fraction of a second", { expiresInSeconds: 1.5 }],
  ["no time", { signedAt: new Date(Number.NaN) }],
  ["HTML, a script on the store's origin", { responseContentType: "text/html" }],
  ["SVG, which can hold scripts", { responseContentType: "image/svg+xml" }],
  ["an unknown disposition", { responseContentDisposition: "form-data" }],
  ["a cache that others look into", { responseCacheControl: "public, max-age=60" }],
  ["a line break for caches", { responseCacheControl: "private\r\nx: y" }],
  ["a line break in the disposition", { responseContentDisposition: "attachment; filename=a\r\nx" }],
];

for (const [what, change] of REFUSED) {
  Deno.test(`nothing is signed for ${what}`, () => {
    assert.throws(
      () => createPresigner(SETTINGS).presignGet("a", { ...OPTIONS, ...change }),
      (thrown) => thrown instanceof RecorderFailure && thrown.error.code === "store_request_invalid",
    );
  });
}

Deno.test("nothing is signed for a key whose path a URL parser would change", () => {
  for (const key of ["", "a/../b", "."]) {
    assert.throws(
      () => createPresigner(SETTINGS).presignGet(key, OPTIONS),
      (thrown) => thrown instanceof RecorderFailure && thrown.error.code === "object_key_invalid",
    );
  }
});

Deno.test("the region is read from B2's host names and from no others", () => {
  assert.equal(regionOf("https://s3.us-west-004.backblazeb2.com"), "us-west-004");
  assert.equal(regionOf("s3.eu-central-003.backblazeb2.com"), "eu-central-003");
  for (const other of [
    "https://bucket.s3.us-west-004.backblazeb2.com",
    "https://s3.us-west-004.backblazeb2.com.example",
    "https://s3.amazonaws.com",
    "http://127.0.0.1:9000",
    "",
    "https://",
  ]) {
    assert.equal(regionOf(other), undefined, other);
  }
});

Deno.test("an endpoint may lack its scheme and end with a slash", () => {
  assert.equal(
    parseStoreSettings({ ...SETTINGS, endpoint: "s3.us-west-004.backblazeb2.com" }).endpoint,
    SETTINGS.endpoint,
  );
  assert.equal(
    parseStoreSettings({ ...SETTINGS, endpoint: `${SETTINGS.endpoint}/` }).endpoint,
    SETTINGS.endpoint,
  );
});

const BAD_SETTINGS: [string, Partial<StoreSettings>, RegExp][] = [
  [
    "an endpoint without encryption",
    { endpoint: "http://s3.us-west-004.backblazeb2.com" },
    /endpoint: must be https/,
  ],
  [
    "an endpoint that holds a path",
    { endpoint: "https://s3.us-west-004.backblazeb2.com/bucket" },
    /endpoint/,
  ],
  ["no region where none can be read", { endpoint: "https://storage.example" }, /region: must be given/],
  ["an empty bucket", { bucket: "" }, /bucket/],
  ["a bucket with a slash", { bucket: "a/b/c/d" }, /bucket/],
  ["a key id with a line break", { keyId: "004\n" }, /keyId/],
  ["an empty application key", { applicationKey: "" }, /applicationKey/],
];

for (const [what, change, member] of BAD_SETTINGS) {
  Deno.test(`settings with ${what} are refused, naming the member and no value`, () => {
    assert.throws(
      () => createPresigner({ ...SETTINGS, ...change }),
      (thrown) =>
        thrown instanceof RecorderFailure &&
        thrown.error.code === "store_settings_invalid" &&
        member.test(thrown.error.detail ?? "") &&
        !JSON.stringify(thrown.error).includes(SETTINGS.applicationKey),
    );
  });
}
