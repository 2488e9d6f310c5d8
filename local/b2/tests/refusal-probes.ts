import type { RefusalId } from "../refusals/refuse.ts";
import { newFileId } from "../version-ids.ts";
import type { Site } from "./refusal-site.ts";
import { CORS_BUCKET, EVERYWHERE, READER } from "./refusal-site.ts";
import { ADMIN, BUCKET, clientFor, md5Base64, md5Hex, OTHER_BUCKET, sha256Hex } from "./running-store.ts";

/** The documented answer, and a request that gets it. */
export interface Probe {
  answer: readonly [status: number, code: string, message: string | RegExp];
  ask(site: Site): Promise<Response>;
}

const there = (site: Site) => site.url("there.txt");
const bucketUrl = (site: Site, query: string, bucket = BUCKET) => `${site.store.address}/${bucket}?${query}`;
const put = (site: Site, headers: Record<string, string> = {}, key = "written.txt") =>
  site.send(site.url(key), { method: "PUT", body: "hello", headers });
const timestamp = (seconds: number) =>
  new Date(Date.now() + seconds * 1000).toISOString().replace(/[:-]|\.\d{3}/g, "");

async function authorization(site: Site, change: (header: string) => string): Promise<Response> {
  const { headers } = await clientFor(ADMIN).sign(there(site));
  const changed = change(headers.get("authorization") ?? "");
  return fetch(there(site), { headers: { ...Object.fromEntries(headers), authorization: changed } });
}

/** Sets rules in the bucket that no other probe reads. */
const configure = (site: Site, what: "cors" | "lifecycle", body: string) =>
  clientFor(EVERYWHERE).fetch(bucketUrl(site, what, OTHER_BUCKET), { method: "PUT", body });
const corsRule = (more = "") =>
  `<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>${more}</CORSRule>`;
const cors = (inside: string) => `<CORSConfiguration>${inside}</CORSConfiguration>`;
const lifecycle = (inside: string) => `<LifecycleConfiguration>${inside}</LifecycleConfiguration>`;
const lifecycleRule = (days: number) =>
  `<Rule><Status>Enabled</Status><Expiration><Days>${days}</Days></Expiration></Rule>`;
const preflight = (site: Site, bucket: string, headers: Record<string, string>) =>
  fetch(site.url("there.txt", bucket), { method: "OPTIONS", headers });
const FROM_ELSEWHERE = { origin: "https://elsewhere.example", "access-control-request-method": "GET" };

const copy = (site: Site, headers: Record<string, string>, key = "copied.txt") =>
  site.send(site.url(key), {
    method: "PUT",
    headers: { "x-amz-copy-source": `/${BUCKET}/there.txt`, ...headers },
  });
async function copyPart(site: Site, range: string): Promise<Response> {
  const headers = { "x-amz-copy-source": `/${BUCKET}/there.txt`, "x-amz-copy-source-range": range };
  return site.send(`${(await site.upload()).url}&partNumber=3`, { method: "PUT", headers });
}
async function complete(
  site: Site,
  name: (etags: [string, string]) => readonly (readonly [number, string])[],
): Promise<Response> {
  const { url, etags } = await site.upload();
  const parts = name(etags).map(
    ([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`,
  );
  const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
  return site.send(url, { method: "POST", body });
}
const NOT_SIGNED_WELL = "The authorization header is malformed; ";

/** One for every rule: the compiler sees to that, and the test that there is none for nothing. */
export const PROBES: Record<RefusalId, Probe> = {
  "nobody-asks": { answer: [403, "AccessDenied", "Access Denied"], ask: (site) => fetch(there(site)) },
  "signed-twice": {
    answer: [400, "InvalidArgument", /^Only one auth mechanism allowed/],
    ask: async (site) => {
      const { headers } = await clientFor(ADMIN).sign(there(site));
      return fetch(await site.presigned(), { headers });
    },
  },
  "session-token": {
    answer: [400, "InvalidToken", "The provided token is malformed or otherwise invalid."],
    ask: (site) => site.tampered({ "x-amz-security-token": "t" }),
  },
  "old-signature": {
    answer: [400, "InvalidRequest", /^The authorization mechanism .* Please use AWS4-HMAC-SHA256\.$/],
    ask: (site) => site.tampered({ authorization: "AWS 005:c2ln" }),
  },
  "old-presigned": {
    answer: [400, "InvalidRequest", /^The authorization mechanism .* Please use AWS4-HMAC-SHA256\.$/],
    ask: (site) => fetch(`${there(site)}?AWSAccessKeyId=x&Expires=1&Signature=c2ln`),
  },
  "header-part-missing": {
    answer: [400, "AuthorizationHeaderMalformed", /requires three components/],
    ask: (site) => authorization(site, (header) => header.replace(/, Signature=.*/, "")),
  },
  "date-missing": {
    answer: [403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header"],
    ask: (site) => site.tampered({ "x-amz-date": undefined }),
  },
  "presign-part-missing": {
    answer: [400, "AuthorizationQueryParametersError", /requires the X-Amz-Algorithm/],
    ask: async (site) => {
      const url = await site.presigned();
      url.searchParams.delete("X-Amz-Expires");
      return fetch(url);
    },
  },
  "presign-algorithm": {
    answer: [400, "AuthorizationQueryParametersError", 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'],
    ask: async (site) => {
      const url = await site.presigned();
      url.searchParams.set("X-Amz-Algorithm", "AWS4-HMAC-SHA1");
      return fetch(url);
    },
  },
  "presign-date": {
    answer: [400, "AuthorizationQueryParametersError", /^X-Amz-Date must be in the ISO8601 Long Format/],
    ask: async (site) => {
      const url = await site.presigned();
      url.searchParams.set("X-Amz-Date", "yesterday");
      return fetch(url);
    },
  },
  "presign-life-negative": {
    answer: [400, "AuthorizationQueryParametersError", "X-Amz-Expires must be non-negative"],
    ask: async (site) => fetch(await site.presigned({ "X-Amz-Expires": "-1" })),
  },
  "presign-life-no-number": {
    answer: [400, "AuthorizationQueryParametersError", "X-Amz-Expires should be a number"],
    ask: async (site) => fetch(await site.presigned({ "X-Amz-Expires": "soon" })),
  },
  "presign-life-too-long": {
    answer: [400, "AuthorizationQueryParametersError", /must be less than a week/],
    ask: async (site) => fetch(await site.presigned({ "X-Amz-Expires": "604801" })),
  },
  "presign-not-yet": {
    answer: [403, "AccessDenied", "Request is not valid yet"],
    ask: async (site) => fetch(await site.presigned({}, 960)),
  },
  "presign-expired": {
    answer: [403, "AccessDenied", "Request has expired"],
    ask: async (site) => fetch(await site.presigned({ "X-Amz-Expires": "60" }, -90)),
  },
  "credential-malformed": {
    answer: [400, "AuthorizationHeaderMalformed", /the Credential is mal-formed/],
    ask: (site) => authorization(site, (header) => header.replace("/aws4_request", "")),
  },
  "credential-terminal": {
    answer: [400, "AuthorizationHeaderMalformed", /incorrect terminal "aws5_request"/],
    ask: (site) => authorization(site, (header) => header.replace("/aws4_request", "/aws5_request")),
  },
  "credential-service": {
    answer: [400, "AuthorizationHeaderMalformed", /incorrect service "s4"/],
    ask: (site) => clientFor(ADMIN, "us-east-005", "s4").fetch(there(site)),
  },
  "credential-region": {
    answer: [
      400,
      "AuthorizationHeaderMalformed",
      `${NOT_SIGNED_WELL}the region 'us-west-004' is wrong; expecting 'us-east-005'`,
    ],
    ask: (site) => clientFor(ADMIN, "us-west-004").fetch(there(site)),
  },
  "credential-day": {
    answer: [400, "AuthorizationHeaderMalformed", /Invalid credential date "20200101"/],
    ask: (site) => authorization(site, (header) => header.replace(/\/\d{8}\//, "/20200101/")),
  },
  "key-malformed": {
    answer: [403, "InvalidAccessKeyId", "Malformed Access Key Id"],
    ask: (site) => clientFor({ ...ADMIN, keyId: "15f935cf4dcb" }).fetch(there(site)),
  },
  "key-unknown": {
    answer: [403, "InvalidAccessKeyId", "The key '0059999999999999999999999' is not valid"],
    ask: (site) => clientFor({ ...ADMIN, keyId: "0059999999999999999999999" }).fetch(there(site)),
  },
  "clock-skewed": {
    answer: [403, "RequestTimeTooSkewed", /too large/],
    ask: (site) => clientFor(ADMIN).fetch(there(site), { aws: { datetime: timestamp(-960) } }),
  },
  "header-unsigned": {
    answer: [403, "AccessDenied", "There were headers present in the request which were not signed"],
    ask: (site) => site.tampered({ "x-amz-meta-added": "1" }),
  },
  "body-hash-missing": {
    answer: [400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"],
    ask: (site) => site.tampered({ "x-amz-content-sha256": undefined }),
  },
  "body-hash-streaming": {
    answer: [501, "NotImplemented", "A header you provided implies functionality that is not implemented"],
    ask: (site) => site.tampered({ "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" }),
  },
  "body-hash-malformed": {
    answer: [400, "InvalidArgument", /must be UNSIGNED-PAYLOAD, or a valid sha256/],
    ask: (site) => site.tampered({ "x-amz-content-sha256": "abc" }),
  },
  "signature-wrong": {
    answer: [403, "SignatureDoesNotMatch", "Signature validation failed"],
    ask: (site) => clientFor({ ...ADMIN, applicationKey: "K005wrong" }).fetch(there(site)),
  },

  "uri-not-absolute": {
    answer: [400, "InvalidURI", "Couldn't parse the specified URI."],
    ask: (site) => site.wire("GET http://127.0.0.1/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
  },
  "uri-encoding": {
    answer: [400, "InvalidURI", "Couldn't parse the specified URI."],
    ask: (site) => fetch(`${site.store.address}/${BUCKET}/%ff`),
  },
  "host-style": {
    answer: [400, "InvalidRequest", /^Host style addressing is not served here/],
    ask: (site) => site.wire(`GET /x HTTP/1.1\r\nHost: ${BUCKET}.s3.example\r\nConnection: close\r\n\r\n`),
  },
  "verb-unknown": {
    answer: [405, "MethodNotAllowed", "The specified method is not allowed against this resource."],
    ask: (site) => site.send(there(site), { method: "PATCH" }),
  },
  "verb-without-bucket": {
    answer: [405, "MethodNotAllowed", "The specified method is not allowed against this resource."],
    ask: (site) => site.send(`${site.store.address}/`, { method: "PUT" }),
  },
  "operation-unknown": {
    answer: [501, "NotImplemented", "This operation is not implemented by this service"],
    ask: (site) => site.send(`${there(site)}?tagging`),
  },
  "one-part-of-an-object": {
    answer: [501, "NotImplemented", "This operation is not implemented by this service"],
    ask: (site) => site.send(`${there(site)}?partNumber=1`),
  },
  "key-lacks-capability": {
    answer: [403, "AccessDenied", "not entitled"],
    ask: (site) => clientFor(READER).fetch(site.url("public/a.txt"), { method: "PUT", body: "a" }),
  },
  "key-of-another-bucket": {
    answer: [403, "AccessDenied", "not entitled"],
    ask: (site) => clientFor(READER).fetch(site.url("public/a.txt", OTHER_BUCKET)),
  },
  "key-of-another-prefix": {
    answer: [403, "AccessDenied", "not entitled"],
    ask: (site) => clientFor(READER).fetch(there(site)),
  },
  "bucket-missing": {
    answer: [404, "NoSuchBucket", "The specified bucket does not exist"],
    ask: (site) => clientFor(EVERYWHERE).fetch(site.url("x", "no-such-bucket")),
  },
  "header-unsupported": {
    answer: [400, "InvalidArgument", "Unsupported header 'x-amz-checksum-crc32' received for this API call."],
    ask: (site) => put(site, { "x-amz-checksum-crc32": "AAAAAA==" }),
  },
  "write-conditional": {
    answer: [501, "NotImplemented", "A header you provided implies functionality that is not implemented"],
    ask: (site) => put(site, { "if-none-match": "*" }),
  },
  "number-malformed": {
    answer: [400, "InvalidArgument", "Provided max-keys not an integer or within integer range"],
    ask: (site) => site.send(bucketUrl(site, "list-type=2&max-keys=many")),
  },
  "xml-too-long": {
    answer: [400, "MalformedXML", /not well-formed/],
    ask: (site) => configure(site, "cors", cors(`${corsRule()}<!--${"x".repeat(100_000)}-->`)),
  },
  "xml-doctype": {
    answer: [400, "MalformedXML", /not well-formed/],
    ask: (site) => configure(site, "cors", `<!DOCTYPE x>${cors(corsRule())}`),
  },
  "xml-malformed": {
    answer: [400, "MalformedXML", /not well-formed/],
    ask: (site) => configure(site, "cors", "<CORSConfiguration"),
  },
  "xml-unfit": {
    answer: [400, "MalformedXML", /not well-formed/],
    ask: (site) => configure(site, "cors", "<Weather/>"),
  },
  "encoding-unknown": {
    answer: [400, "InvalidArgument", "Invalid Encoding Method specified in Request"],
    ask: (site) => site.send(bucketUrl(site, "list-type=2&encoding-type=base64")),
  },
  "token-foreign": {
    answer: [400, "InvalidArgument", "The continuation token provided is incorrect"],
    ask: (site) => site.send(bucketUrl(site, "list-type=2&continuation-token=foreign")),
  },
  "version-marker-alone": {
    answer: [400, "InvalidArgument", "A version-id marker cannot be specified without a key marker."],
    ask: (site) => site.send(bucketUrl(site, `versions&version-id-marker=${newFileId(BUCKET, 1)}`)),
  },
  "version-marker-malformed": {
    answer: [400, "InvalidArgument", "Invalid version id specified"],
    ask: (site) => site.send(bucketUrl(site, "versions&key-marker=a&version-id-marker=x")),
  },
  "uploads-delimiter": {
    answer: [501, "NotImplemented", "A delimiter is not implemented for ListMultipartUploads"],
    ask: (site) => site.send(bucketUrl(site, "uploads&delimiter=/")),
  },
  "cors-not-set": {
    answer: [404, "NoSuchCORSConfiguration", "The CORS configuration does not exist"],
    ask: (site) => site.send(bucketUrl(site, "cors")),
  },
  "cors-too-many-rules": {
    answer: [400, "InvalidArgument", "At most 100 CORS rules are allowed"],
    ask: (site) => configure(site, "cors", cors(corsRule().repeat(101))),
  },
  "cors-rule-invalid": {
    answer: [400, "InvalidArgument", /^Invalid CORS rule: maxAgeSeconds/],
    ask: (site) => configure(site, "cors", cors(corsRule("<MaxAgeSeconds>86401</MaxAgeSeconds>"))),
  },
  "preflight-incomplete": {
    answer: [400, "InvalidRequest", "Insufficient information. Origin request header needed."],
    ask: (site) => preflight(site, CORS_BUCKET, {}),
  },
  "preflight-without-rules": {
    answer: [403, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket."],
    ask: (site) => preflight(site, BUCKET, FROM_ELSEWHERE),
  },
  "preflight-not-allowed": {
    answer: [403, "AccessForbidden", "CORSResponse: This CORS request is not allowed."],
    ask: (site) => preflight(site, CORS_BUCKET, FROM_ELSEWHERE),
  },
  "lifecycle-not-set": {
    answer: [404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"],
    ask: (site) => site.send(bucketUrl(site, "lifecycle")),
  },
  "lifecycle-too-many-rules": {
    answer: [400, "InvalidArgument", "At most 100 rules are allowed"],
    ask: (site) => configure(site, "lifecycle", lifecycle(lifecycleRule(1).repeat(101))),
  },
  "lifecycle-days": {
    answer: [400, "InvalidArgument", /must be a whole number of at least 1/],
    ask: (site) => configure(site, "lifecycle", lifecycle(lifecycleRule(0))),
  },

  "name-too-long": {
    answer: [400, "KeyTooLongError", "Your key is too long"],
    ask: (site) => put(site, {}, `${"ä".repeat(512)}x`),
  },
  "name-control-character": {
    answer: [400, "InvalidArgument", "File names must not contain control characters"],
    ask: (site) => put(site, {}, "a\u0007b"),
  },
  "object-missing": {
    answer: [404, "NoSuchKey", "Key not found"],
    ask: (site) => site.send(site.url("never.txt")),
  },
  "object-hidden": {
    answer: [404, "NoSuchKey", "Key not found"],
    ask: (site) => site.send(site.url("hidden.txt")),
  },
  "version-missing": {
    answer: [404, "NoSuchVersion", "The specified version does not exist."],
    ask: (site) => site.send(`${there(site)}?versionId=${newFileId(BUCKET, 1)}`),
  },
  "version-is-marker": {
    answer: [405, "MethodNotAllowed", "The specified method is not allowed against this resource."],
    ask: (site) => site.send(`${site.url("hidden.txt")}?versionId=${site.markerId}`),
  },
  "version-malformed": {
    answer: [400, "InvalidArgument", "Invalid version id specified"],
    ask: (site) => site.send(`${there(site)}?versionId=x`),
  },
  "match-failed": {
    answer: [412, "PreconditionFailed", /pre-conditions/],
    ask: (site) => site.send(there(site), { headers: { "if-match": '"x"' } }),
  },
  "modified-since": {
    answer: [412, "PreconditionFailed", /pre-conditions/],
    ask: (site) =>
      site.send(there(site), { headers: { "if-unmodified-since": "Sat, 01 Jan 2000 00:00:00 GMT" } }),
  },
  "copy-source-unchanged": {
    answer: [412, "PreconditionFailed", /pre-conditions/],
    ask: (site) => copy(site, { "x-amz-copy-source-if-none-match": `"${md5Hex("hello")}"` }),
  },
  "range-outside": {
    answer: [416, "InvalidRange", "The requested range is not satisfiable"],
    ask: (site) => site.send(there(site), { headers: { range: "bytes=5-" } }),
  },
  "body-without-length": {
    answer: [411, "MissingContentLength", "You must provide the Content-Length HTTP header."],
    ask: (site) => site.raw(site.url("chunked.txt"), { method: "PUT", chunks: ["hel", "lo"] }),
  },
  "body-too-large": {
    answer: [400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"],
    ask: (site) =>
      site.raw(site.url("large.bin"), {
        method: "PUT",
        headers: { "content-length": "5000000001" },
        chunks: ["x"],
      }),
  },
  "md5-malformed": {
    answer: [400, "InvalidDigest", "The Content-MD5 you specified is not valid."],
    ask: (site) => put(site, { "content-md5": "x" }),
  },
  "md5-wrong": {
    answer: [400, "BadDigest", "The Content-MD5 you specified did not match what we received."],
    ask: (site) => put(site, { "content-md5": md5Base64("bye") }),
  },
  "sha256-wrong": {
    answer: [400, "XAmzContentSHA256Mismatch", /does not match what was computed/],
    ask: (site) => put(site, { "x-amz-content-sha256": sha256Hex("bye") }),
  },
  "delete-without-md5": {
    answer: [400, "InvalidRequest", "Missing required header for this request: Content-MD5"],
    ask: (site) =>
      site.send(bucketUrl(site, "delete"), {
        method: "POST",
        body: "<Delete><Object><Key>a</Key></Object></Delete>",
      }),
  },
  "acl-unsupported": {
    answer: [400, "InvalidArgument", "Unsupported value for canned acl 'public-read'"],
    ask: (site) => put(site, { "x-amz-acl": "public-read" }),
  },
  "storage-class-unknown": {
    answer: [400, "InvalidStorageClass", "The storage class you specified is not valid"],
    ask: (site) => put(site, { "x-amz-storage-class": "GLACIER" }),
  },
  "encryption-unknown": {
    answer: [400, "InvalidArgument", "The encryption method specified is not supported"],
    ask: (site) => put(site, { "x-amz-server-side-encryption": "aws:kms" }),
  },
  "metadata-name": {
    answer: [400, "InvalidArgument", "Invalid metadata name 'b2-x'"],
    ask: (site) => put(site, { "x-amz-meta-b2-x": "1" }),
  },
  "metadata-too-large": {
    answer: [400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size"],
    ask: (site) => put(site, { "x-amz-meta-n": "v".repeat(7_000) }),
  },
  "copy-directive": {
    answer: [400, "InvalidArgument", "Unknown metadata directive."],
    ask: (site) => copy(site, { "x-amz-metadata-directive": "MERGE" }),
  },
  "copy-onto-itself": {
    answer: [400, "InvalidRequest", /^This copy request is illegal/],
    ask: (site) => copy(site, {}, "there.txt"),
  },
  "copy-too-large": {
    answer: [400, "InvalidRequest", /larger than the maximum allowable size for a copy source: 5000000000$/],
    ask: (site) => copy(site, { "x-amz-copy-source": `/${BUCKET}/huge.bin` }),
  },
  "copy-source-malformed": {
    answer: [
      400,
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    ],
    ask: (site) => copy(site, { "x-amz-copy-source": "there.txt" }),
  },
  "copy-source-bucket": {
    answer: [404, "NoSuchBucket", "The specified bucket does not exist"],
    ask: (site) =>
      clientFor(EVERYWHERE).fetch(site.url("copied.txt"), {
        method: "PUT",
        headers: { "x-amz-copy-source": "/no-such-bucket/x" },
      }),
  },
  "copy-range-malformed": {
    answer: [400, "InvalidArgument", /must be of the form bytes=first-last/],
    ask: (site) => copyPart(site, "bytes=-2"),
  },
  "copy-range-outside": {
    answer: [400, "InvalidArgument", "Range specified is not valid for source object of size: 5"],
    ask: (site) => copyPart(site, "bytes=0-5"),
  },
  "upload-missing": {
    answer: [404, "NoSuchUpload", /^The specified upload does not exist\./],
    ask: (site) => site.send(`${there(site)}?uploadId=x&partNumber=1`, { method: "PUT", body: "x" }),
  },
  "part-number": {
    answer: [400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive"],
    ask: async (site) =>
      site.send(`${(await site.upload()).url}&partNumber=10001`, { method: "PUT", body: "x" }),
  },
  "part-order": {
    answer: [400, "InvalidPartOrder", /ascending order/],
    ask: (site) =>
      complete(site, ([one, two]) => [
        [2, two],
        [1, one],
      ]),
  },
  "part-missing": {
    answer: [400, "InvalidPart", /could not be found/],
    ask: (site) => complete(site, ([one]) => [[3, one]]),
  },
  "part-changed": {
    answer: [400, "InvalidPart", /could not be found/],
    ask: (site) => complete(site, () => [[1, md5Hex("something else")]]),
  },
  "part-too-small": {
    answer: [400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"],
    ask: (site) =>
      complete(site, ([one, two]) => [
        [1, one],
        [2, two],
      ]),
  },
};
