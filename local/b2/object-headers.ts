import { refuse } from "./refusals/refuse.ts";
import type { OperationName } from "./routes.ts";

/** The `x-amz-*` headers each operation takes besides those every request may carry. */
const EVERYWHERE = ["x-amz-date", "x-amz-content-sha256", "x-amz-user-agent"];
const WRITING = ["x-amz-acl", "x-amz-storage-class", "x-amz-server-side-encryption"];
const COPYING = [
  "x-amz-copy-source",
  "x-amz-copy-source-if-match",
  "x-amz-copy-source-if-none-match",
  "x-amz-copy-source-if-modified-since",
  "x-amz-copy-source-if-unmodified-since",
];
const TAKEN: Partial<Record<OperationName, readonly string[]>> = {
  PutObject: WRITING,
  CreateMultipartUpload: WRITING,
  CopyObject: [...WRITING, ...COPYING, "x-amz-metadata-directive"],
  UploadPartCopy: [...COPYING, "x-amz-copy-source-range"],
};
const WITH_METADATA = new Set<OperationName>(["PutObject", "CreateMultipartUpload", "CopyObject"]);

/**
 * Refuses headers B2 does not know, above all the checksums AWS SDKs send by default since January 2025. B2's page
 * on lifecycle rules is the only one that lists checksum headers, so that call alone takes them.
 * @throws S3Error InvalidArgument "Unsupported header …"; NotImplemented for conditional writes.
 */
export function assertSupportedHeaders(
  operation: OperationName,
  headers: Record<string, string | undefined>,
): void {
  const taken = [...EVERYWHERE, ...(TAKEN[operation] ?? [])];
  for (const name of Object.keys(headers)) {
    if (!name.startsWith("x-amz-") || taken.includes(name)) continue;
    if (name.startsWith("x-amz-meta-") && WITH_METADATA.has(operation)) continue;
    if (operation === "PutBucketLifecycle" && /^x-amz-(sdk-checksum-algorithm$|checksum-)/.test(name))
      continue;
    refuse("header-unsupported", { message: `Unsupported header '${name}' received for this API call.` });
  }
  if (operation !== "GetObject" && operation !== "HeadObject") {
    if (headers["if-match"] !== undefined || headers["if-none-match"] !== undefined) {
      refuse("write-conditional");
    }
  }
  const acl = headers["x-amz-acl"];
  // Objects have no access rules of their own: only the bucket's own word is taken, and buckets here are private.
  if (acl !== undefined && acl !== "private") {
    refuse("acl-unsupported", { message: `Unsupported value for canned acl '${acl}'` });
  }
  const storageClass = headers["x-amz-storage-class"];
  if (storageClass !== undefined && storageClass !== "STANDARD") refuse("storage-class-unknown");
  const encryption = headers["x-amz-server-side-encryption"];
  if (encryption !== undefined && encryption !== "AES256") {
    refuse("encryption-unknown");
  }
}

/** Headers an object keeps and is served with. */
const KEPT = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
];
const METADATA_PREFIX = "x-amz-meta-";
const MAX_METADATA_NAME_BYTES = 50;
/** File name and metadata together (B2 "b2_upload_file"). */
const MAX_NAME_AND_METADATA_BYTES = 7000;

/**
 * The headers to store with an object.
 * @throws S3Error InvalidArgument for a metadata name over 50 bytes or beginning with `b2-`, MetadataTooLarge over
 * 7,000 bytes together with the file name.
 */
export function headersToKeep(
  key: string,
  headers: Record<string, string | undefined>,
): Record<string, string> {
  const kept: Record<string, string> = { "content-type": "application/octet-stream" };
  let bytes = Buffer.byteLength(key);
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const isMetadata = name.startsWith(METADATA_PREFIX);
    if (!isMetadata && !KEPT.includes(name)) continue;
    if (isMetadata) {
      const ownName = name.slice(METADATA_PREFIX.length);
      if (Buffer.byteLength(ownName) > MAX_METADATA_NAME_BYTES || ownName.startsWith("b2-")) {
        refuse("metadata-name", { message: `Invalid metadata name '${ownName}'` });
      }
      bytes += Buffer.byteLength(ownName) + Buffer.byteLength(value);
    }
    kept[name] = value;
  }
  if (bytes > MAX_NAME_AND_METADATA_BYTES) refuse("metadata-too-large");
  return kept;
}

/** Response headers a signed GET or HEAD may override by `response-*` parameters. */
const OVERRIDABLE = new Set(KEPT);

/** The overrides a signed query asks for, by header name. */
export function responseOverrides(query: readonly (readonly [string, string])[]): Record<string, string> {
  const overrides: Record<string, string> = {};
  for (const [name, value] of query) {
    const header = name.startsWith("response-") ? name.slice("response-".length) : "";
    if (OVERRIDABLE.has(header)) overrides[header] = value;
  }
  return overrides;
}
