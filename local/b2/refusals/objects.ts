import { B2_S3_API, type Refusal, S3_ERRORS } from "./row.ts";

const LARGE_FILES = "Backblaze documentation, Create Large Files";
const COPY_OBJECT = "Amazon S3 API reference, CopyObject";
const COPY_PART = "Amazon S3 API reference, UploadPartCopy";
const FILE_INFO = "Backblaze documentation, b2_upload_file";

/** Objects, their versions, their bytes, and uploads in parts. */
export const OBJECT_REFUSALS = {
  "name-too-long": {
    code: "KeyTooLongError",
    what: "a name of more than 1,024 bytes",
    source: "Backblaze documentation, Files",
  },
  "name-control-character": {
    code: "InvalidArgument",
    what: "a name with a control character",
    source: "Backblaze documentation, Files",
    message: "File names must not contain control characters",
  },
  "object-missing": { code: "NoSuchKey", what: "an object that was never there", source: S3_ERRORS },
  "object-hidden": {
    code: "NoSuchKey",
    what: "an object behind a delete marker",
    source: "Backblaze documentation, S3 Delete Object",
  },
  "version-missing": { code: "NoSuchVersion", what: "a version that is not there", source: S3_ERRORS },
  "version-is-marker": {
    code: "MethodNotAllowed",
    what: "reading a delete marker",
    source: "Amazon S3 API reference, GetObject",
  },
  "version-malformed": {
    code: "InvalidArgument",
    what: "a version id that is none",
    source: S3_ERRORS,
    message: "Invalid version id specified",
  },
  "match-failed": {
    code: "PreconditionFailed",
    what: "reading, or copying from, an object that changed since its If-Match",
    source: "RFC 9110, section 13.2.2",
  },
  "modified-since": {
    code: "PreconditionFailed",
    what: "reading an object that changed since its If-Unmodified-Since",
    source: "RFC 9110, section 13.2.2",
  },
  "copy-source-unchanged": {
    code: "PreconditionFailed",
    what: "copying from an object that did not change, where that was the condition",
    source: COPY_OBJECT,
  },
  "range-outside": { code: "InvalidRange", what: "a range with no byte of the object", source: S3_ERRORS },
  "body-without-length": {
    code: "MissingContentLength",
    what: "a body in HTTP chunks, which is what Deno's fetch makes of a stream",
    source: `${S3_ERRORS}; denoland/deno #20274`,
  },
  "body-too-large": {
    code: "EntityTooLarge",
    what: "one put or part of more than 5 GB",
    source: LARGE_FILES,
  },
  "md5-malformed": { code: "InvalidDigest", what: "a Content-MD5 that is none", source: S3_ERRORS },
  "md5-wrong": { code: "BadDigest", what: "a body with another MD5", source: S3_ERRORS },
  "sha256-wrong": {
    code: "XAmzContentSHA256Mismatch",
    what: "a body with another SHA-256 than was signed",
    source: S3_ERRORS,
  },
  "delete-without-md5": {
    code: "InvalidRequest",
    what: "DeleteObjects without Content-MD5",
    source: "Amazon S3 API reference, DeleteObjects",
    message: "Missing required header for this request: Content-MD5",
  },
  "acl-unsupported": {
    code: "InvalidArgument",
    what: "an access list other than the bucket's",
    source: B2_S3_API,
  },
  "storage-class-unknown": {
    code: "InvalidStorageClass",
    what: "a storage class other than STANDARD",
    source: B2_S3_API,
  },
  "encryption-unknown": {
    code: "InvalidArgument",
    what: "encryption by SSE-KMS",
    source: B2_S3_API,
    message: "The encryption method specified is not supported",
  },
  "metadata-name": {
    code: "InvalidArgument",
    what: "a metadata name of more than 50 bytes, or one that begins with b2-",
    source: FILE_INFO,
  },
  "metadata-too-large": {
    code: "MetadataTooLarge",
    what: "name and metadata of more than 7,000 bytes",
    source: FILE_INFO,
  },
  "copy-directive": {
    code: "InvalidArgument",
    what: "a metadata directive other than COPY and REPLACE",
    source: COPY_OBJECT,
    message: "Unknown metadata directive.",
  },
  "copy-onto-itself": {
    code: "InvalidRequest",
    what: "copying an object onto itself, unchanged",
    source: COPY_OBJECT,
    message:
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  },
  "copy-too-large": {
    code: "InvalidRequest",
    what: "copying more than 5 GB in one request",
    source: `${COPY_OBJECT}; on B2's own page not stated`,
  },
  "copy-source-malformed": {
    code: "InvalidArgument",
    what: "a copy source without bucket or name",
    source: COPY_OBJECT,
    message: "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
  },
  "copy-source-bucket": {
    code: "NoSuchBucket",
    what: "a copy source in a bucket that does not exist",
    source: COPY_OBJECT,
  },
  "copy-range-malformed": {
    code: "InvalidArgument",
    what: "a copied range that is not of the form bytes=first-last",
    source: COPY_PART,
    message:
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
  },
  "copy-range-outside": {
    code: "InvalidArgument",
    what: "a copied range beyond its source",
    source: COPY_PART,
  },
  "upload-missing": {
    code: "NoSuchUpload",
    what: "an upload that never began, or has ended",
    source: S3_ERRORS,
  },
  "part-number": {
    code: "InvalidArgument",
    what: "a part number outside 1 to 10,000",
    source: "Backblaze documentation, S3 Upload Part",
    message: "Part number must be an integer between 1 and 10000, inclusive",
  },
  "part-order": { code: "InvalidPartOrder", what: "parts named out of order", source: S3_ERRORS },
  "part-missing": { code: "InvalidPart", what: "a part that was never sent", source: S3_ERRORS },
  "part-changed": { code: "InvalidPart", what: "a part with another ETag", source: S3_ERRORS },
  "part-too-small": {
    code: "EntityTooSmall",
    what: "a part, not the last, of less than 5,000,000 bytes",
    source: "Backblaze documentation, b2_authorize_account, absoluteMinimumPartSize",
  },
} as const satisfies Record<string, Refusal>;
