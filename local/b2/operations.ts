import * as bucketOperations from "./bucket-operations.ts";
import type { Operation } from "./exchange.ts";
import { listObjectsV1, listObjectsV2, listObjectVersions } from "./listing-operations.ts";
import * as multipartOperations from "./multipart-operations.ts";
import { copyObject, deleteObject, deleteObjects, getObject, putObject } from "./object-operations.ts";
import type { OperationName } from "./routes.ts";

/** What each operation does. */
export const OPERATIONS: Record<OperationName, Operation> = {
  ListBuckets: bucketOperations.listBuckets,
  HeadBucket: bucketOperations.headBucket,
  GetBucketLocation: bucketOperations.getBucketLocation,
  GetBucketVersioning: bucketOperations.getBucketVersioning,
  GetBucketCors: bucketOperations.getBucketCors,
  PutBucketCors: bucketOperations.putBucketCors,
  DeleteBucketCors: bucketOperations.deleteBucketCors,
  GetBucketLifecycle: bucketOperations.getBucketLifecycle,
  PutBucketLifecycle: bucketOperations.putBucketLifecycle,
  DeleteBucketLifecycle: bucketOperations.deleteBucketLifecycle,
  ListObjects: listObjectsV1,
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  GetObject: getObject,
  HeadObject: getObject,
  PutObject: putObject,
  CopyObject: copyObject,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  CreateMultipartUpload: multipartOperations.createMultipartUpload,
  UploadPart: multipartOperations.uploadPart,
  UploadPartCopy: multipartOperations.uploadPartCopy,
  ListParts: multipartOperations.listParts,
  ListMultipartUploads: multipartOperations.listMultipartUploads,
  CompleteMultipartUpload: multipartOperations.completeMultipartUpload,
  AbortMultipartUpload: multipartOperations.abortMultipartUpload,
};
