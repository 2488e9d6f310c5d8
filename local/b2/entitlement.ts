import { refuse } from "./refusals/refuse.ts";
import type { Target } from "./request-target.ts";
import { queryValue } from "./request-target.ts";
import type { OperationName } from "./routes.ts";
import type { ApplicationKey, Capability } from "./settings.ts";

/**
 * What each operation asks of a key (B2 "Application Key Capabilities", "S3-Compatible App Keys"). ListParts and
 * AbortMultipartUpload follow their native twins b2_list_parts and b2_cancel_large_file. DeleteObject and
 * DeleteObjects are missing: what they need depends on whether a version is named, see `capabilityToDelete`.
 */
const NEEDED: Record<Exclude<OperationName, "DeleteObject" | "DeleteObjects">, Capability> = {
  ListBuckets: "listAllBucketNames",
  HeadBucket: "listBuckets",
  GetBucketLocation: "listBuckets",
  GetBucketVersioning: "readBuckets",
  GetBucketCors: "readBuckets",
  PutBucketCors: "writeBuckets",
  DeleteBucketCors: "writeBuckets",
  GetBucketLifecycle: "readBuckets",
  PutBucketLifecycle: "writeBuckets",
  DeleteBucketLifecycle: "writeBuckets",
  ListObjects: "listFiles",
  ListObjectsV2: "listFiles",
  ListObjectVersions: "listFiles",
  ListMultipartUploads: "listFiles",
  GetObject: "readFiles",
  HeadObject: "readFiles",
  PutObject: "writeFiles",
  CopyObject: "writeFiles",
  CreateMultipartUpload: "writeFiles",
  UploadPart: "writeFiles",
  UploadPartCopy: "writeFiles",
  ListParts: "writeFiles",
  CompleteMultipartUpload: "writeFiles",
  AbortMultipartUpload: "writeFiles",
};

/** Hiding a file is a write; only removing a version is a deletion. */
export function capabilityToDelete(versionId: string | undefined): Capability {
  return versionId === undefined ? "writeFiles" : "deleteFiles";
}

/**
 * Lets a key use a capability on a bucket and, where one is given, on a file name.
 * @throws S3Error AccessDenied "not entitled"
 */
export function assertMay(
  key: ApplicationKey,
  capability: Capability,
  bucket: string,
  fileName?: string,
): void {
  if (!key.capabilities.includes(capability)) refuse("key-lacks-capability");
  if (key.bucket !== undefined && key.bucket !== bucket) refuse("key-of-another-bucket");
  if (fileName !== undefined && !fileName.startsWith(key.prefix)) refuse("key-of-another-prefix");
}

/**
 * Lets a request of a verified key through, or refuses it. Listings count as touching the prefix they ask for: a key
 * limited to a prefix may only list below it. The items of DeleteObjects are checked one by one later.
 * @throws S3Error AccessDenied "not entitled"
 */
export function assertEntitled(key: ApplicationKey, operation: OperationName, target: Target): void {
  if (operation === "DeleteObjects") {
    if (key.bucket !== undefined && key.bucket !== target.bucket) refuse("key-of-another-bucket");
    return;
  }
  const capability =
    operation === "DeleteObject"
      ? capabilityToDelete(queryValue(target.query, "versionId"))
      : NEEDED[operation];
  // Which buckets a limited key gets to see is decided by the listing itself.
  const bucket = operation === "ListBuckets" ? (key.bucket ?? "") : target.bucket;
  assertMay(key, capability, bucket, touchedName(capability, target));
}

function touchedName(capability: Capability, target: Target): string | undefined {
  if (capability === "listFiles") return queryValue(target.query, "prefix") ?? "";
  return target.key === "" ? undefined : target.key;
}
