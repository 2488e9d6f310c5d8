import { B2_APP_KEYS, B2_CORS, B2_LIFECYCLE, B2_S3_API, type Refusal, S3_ERRORS } from "./row.ts";

/** What a request says, what its key may do, and what buckets are asked for. */
export const REQUEST_REFUSALS = {
  "uri-not-absolute": {
    code: "InvalidURI",
    what: "a request line without an absolute path",
    source: S3_ERRORS,
  },
  "uri-encoding": { code: "InvalidURI", what: "percent encoding that is not UTF-8", source: S3_ERRORS },
  "host-style": {
    code: "InvalidRequest",
    what: "the bucket in the host: B2 knows it, its SDK and this store use the path",
    source: "Backblaze SDK, forcePathStyle",
  },
  "verb-unknown": { code: "MethodNotAllowed", what: "a verb that S3 does not know", source: S3_ERRORS },
  "verb-without-bucket": {
    code: "MethodNotAllowed",
    what: "anything but listing buckets where no bucket is named",
    source: S3_ERRORS,
  },
  "operation-unknown": {
    code: "NotImplemented",
    what: "tagging, policies, websites, notifications and whatever else B2's S3 API lacks",
    source: B2_S3_API,
    message: "This operation is not implemented by this service",
  },
  "one-part-of-an-object": {
    code: "NotImplemented",
    what: "reading one part of an object by its number: for B2 nothing is documented",
    source: B2_S3_API,
    message: "This operation is not implemented by this service",
  },
  "key-lacks-capability": {
    code: "AccessDenied",
    what: "what the key has no capability for",
    source: B2_APP_KEYS,
    message: "not entitled",
  },
  "key-of-another-bucket": {
    code: "AccessDenied",
    what: "another bucket than the key's",
    source: B2_APP_KEYS,
    message: "not entitled",
  },
  "key-of-another-prefix": {
    code: "AccessDenied",
    what: "a name, or a listing, outside the key's prefix",
    source: B2_APP_KEYS,
    message: "not entitled",
  },
  "bucket-missing": { code: "NoSuchBucket", what: "a bucket that does not exist", source: S3_ERRORS },
  "header-unsupported": {
    code: "InvalidArgument",
    what: "an x-amz header B2 does not know, checksums above all",
    source: "cyberduck #15841, pingvin-share #798, directus #24966, home-assistant #143995",
  },
  "write-conditional": {
    code: "NotImplemented",
    what: "If-Match and If-None-Match on anything but a read",
    source: `${S3_ERRORS}; for B2 nothing is documented`,
  },
  "number-malformed": {
    code: "InvalidArgument",
    what: "a page size or a marker that is no number in its bounds",
    source: S3_ERRORS,
  },
  "xml-too-long": {
    code: "MalformedXML",
    what: "a document longer than any that is meant",
    source: S3_ERRORS,
  },
  "xml-doctype": {
    code: "MalformedXML",
    what: "an empty document, or one with a DOCTYPE",
    source: S3_ERRORS,
  },
  "xml-malformed": { code: "MalformedXML", what: "a document that is no XML", source: S3_ERRORS },
  "xml-unfit": { code: "MalformedXML", what: "a document of another kind", source: S3_ERRORS },
  "encoding-unknown": {
    code: "InvalidArgument",
    what: "a listing in an encoding other than url",
    source: S3_ERRORS,
    message: "Invalid Encoding Method specified in Request",
  },
  "token-foreign": {
    code: "InvalidArgument",
    what: "a continuation token of somebody else",
    source: S3_ERRORS,
    message: "The continuation token provided is incorrect",
  },
  "version-marker-alone": {
    code: "InvalidArgument",
    what: "a version to go on from, without its name",
    source: "Amazon S3 API reference, ListObjectVersions",
    message: "A version-id marker cannot be specified without a key marker.",
  },
  "version-marker-malformed": {
    code: "InvalidArgument",
    what: "a version to go on from that is none",
    source: S3_ERRORS,
    message: "Invalid version id specified",
  },
  "uploads-delimiter": {
    code: "NotImplemented",
    what: "a delimiter for unfinished uploads, which this store lacks",
    source: B2_S3_API,
    message: "A delimiter is not implemented for ListMultipartUploads",
  },
  "cors-not-set": { code: "NoSuchCORSConfiguration", what: "rules that were never set", source: B2_CORS },
  "cors-too-many-rules": {
    code: "InvalidArgument",
    what: "more than 100 CORS rules",
    source: B2_CORS,
    message: "At most 100 CORS rules are allowed",
  },
  "cors-rule-invalid": {
    code: "InvalidArgument",
    what: "a CORS rule without origin, with an unknown method, or kept for more than a day",
    source: B2_CORS,
  },
  "preflight-incomplete": {
    code: "InvalidRequest",
    what: "a preflight without origin or method",
    source: S3_ERRORS,
    message: "Insufficient information. Origin request header needed.",
  },
  "preflight-without-rules": {
    code: "AccessForbidden",
    what: "any preflight while the bucket has no rules, which is the default",
    source: B2_CORS,
    message: "CORSResponse: CORS is not enabled for this bucket.",
  },
  "preflight-not-allowed": {
    code: "AccessForbidden",
    what: "a preflight that no rule allows",
    source: B2_CORS,
  },
  "lifecycle-not-set": {
    code: "NoSuchLifecycleConfiguration",
    what: "lifecycle rules that were never set",
    source: B2_LIFECYCLE,
  },
  "lifecycle-too-many-rules": {
    code: "InvalidArgument",
    what: "more than 100 lifecycle rules",
    source: B2_LIFECYCLE,
    message: "At most 100 rules are allowed",
  },
  "lifecycle-days": {
    code: "InvalidArgument",
    what: "a lifecycle rule for less than a whole day",
    source: B2_LIFECYCLE,
    message: "The number of days of a lifecycle rule must be a whole number of at least 1",
  },
} as const satisfies Record<string, Refusal>;
