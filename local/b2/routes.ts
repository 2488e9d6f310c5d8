import { refusal, refuse } from "./refusals/refuse.ts";
import type { Target } from "./request-target.ts";
import { queryValue } from "./request-target.ts";

const BUCKET_ROUTES = {
  "GET versions": "ListObjectVersions",
  "GET uploads": "ListMultipartUploads",
  "GET cors": "GetBucketCors",
  "PUT cors": "PutBucketCors",
  "DELETE cors": "DeleteBucketCors",
  "GET lifecycle": "GetBucketLifecycle",
  "PUT lifecycle": "PutBucketLifecycle",
  "DELETE lifecycle": "DeleteBucketLifecycle",
  "GET versioning": "GetBucketVersioning",
  "GET location": "GetBucketLocation",
  "POST delete": "DeleteObjects",
  HEAD: "HeadBucket",
  GET: "ListObjects",
} as const;

const OBJECT_ROUTES = {
  "POST uploads": "CreateMultipartUpload",
  "PUT uploadId": "UploadPart",
  "GET uploadId": "ListParts",
  "POST uploadId": "CompleteMultipartUpload",
  "DELETE uploadId": "AbortMultipartUpload",
  GET: "GetObject",
  HEAD: "HeadObject",
  PUT: "PutObject",
  DELETE: "DeleteObject",
} as const;

/** The name S3 gives to what a request asks for. */
export type OperationName =
  | (typeof BUCKET_ROUTES)[keyof typeof BUCKET_ROUTES]
  | (typeof OBJECT_ROUTES)[keyof typeof OBJECT_ROUTES]
  | "ListBuckets"
  | "ListObjectsV2"
  | "CopyObject"
  | "UploadPartCopy";

/**
 * Query names that select another operation than the plain verb. Those without a route above are answered 501:
 * B2 has no tagging, policies, websites, S3 notifications, acceleration or inventory.
 */
const SUBRESOURCES = new Set([
  ...[...Object.keys(BUCKET_ROUTES), ...Object.keys(OBJECT_ROUTES)].flatMap((route) =>
    route.split(" ").slice(1),
  ),
  "accelerate",
  "acl",
  "analytics",
  "attributes",
  "encryption",
  "intelligent-tiering",
  "inventory",
  "legal-hold",
  "logging",
  "metrics",
  "notification",
  "object-lock",
  "ownershipControls",
  "policy",
  "policyStatus",
  "publicAccessBlock",
  "replication",
  "requestPayment",
  "restore",
  "retention",
  "select",
  "session",
  "tagging",
  "torrent",
  "website",
]);

const METHODS = new Set(["GET", "HEAD", "PUT", "POST", "DELETE"]);

/**
 * Names the operation a request asks for.
 * @throws S3Error MethodNotAllowed for a verb S3 does not know, NotImplemented for everything B2 or this store lacks.
 */
export function operationOf(method: string, target: Target, hasCopySource: boolean): OperationName {
  if (!METHODS.has(method)) throw refusal("verb-unknown");
  if (target.bucket === "") {
    if (method === "GET" && target.key === "") return "ListBuckets";
    throw refusal("verb-without-bucket");
  }
  const route = [method, ...subresourcesOf(target)].join(" ");
  if (target.key === "") {
    const operation = lookup(BUCKET_ROUTES, route);
    if (operation === "ListObjects" && queryValue(target.query, "list-type") === "2") return "ListObjectsV2";
    return operation;
  }
  const operation = lookup(OBJECT_ROUTES, route);
  // A part number outside UploadPart would read one part of an object: S3 has it, for B2 nothing is documented.
  if (operation !== "UploadPart" && queryValue(target.query, "partNumber") !== undefined) {
    refuse("one-part-of-an-object");
  }
  if (!hasCopySource) return operation;
  if (operation === "PutObject") return "CopyObject";
  if (operation === "UploadPart") return "UploadPartCopy";
  return operation;
}

function subresourcesOf(target: Target): string[] {
  return target.query.map(([name]) => name).filter((name) => SUBRESOURCES.has(name));
}

function lookup<Routes extends Record<string, OperationName>>(
  routes: Routes,
  route: string,
): Routes[keyof Routes] {
  const operation = Object.hasOwn(routes, route) ? routes[route] : undefined;
  if (operation === undefined) throw refusal("operation-unknown");
  return operation as Routes[keyof Routes];
}
