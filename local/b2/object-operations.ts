import { z } from "zod";
import type { ByteRange } from "./conditions.ts";
import { copyRangeOf, isWanted, rangeOf } from "./conditions.ts";
import { capabilityToDelete, isEntitled } from "./entitlement.ts";
import { notEntitled, S3Error } from "./errors.ts";
import type { Answer, Exchange, Operation } from "./exchange.ts";
import { promisedBody, readText, xmlAnswer } from "./exchange.ts";
import { MAX_PUT_BYTES } from "./multipart.ts";
import { headersToKeep, responseOverrides } from "./object-headers.ts";
import type { ObjectVersion, Version } from "./records.ts";
import { assertLegalKey, decode, queryValue } from "./request-target.ts";
import { isFileId, newFileId } from "./version-ids.ts";
import type { XmlElement } from "./xml.ts";
import { parseXml, xmlDocument } from "./xml.ts";

export const putObject: Operation = async (exchange) => {
  const { bucket, key, store, nowMs } = exchange;
  const headers = headersToKeep(key, exchange.headers);
  const stored = await store.blobs.store(exchange.body, promisedBody(exchange));
  const version: ObjectVersion = {
    marker: false,
    key,
    versionId: newFileId(bucket, nowMs),
    modifiedMs: nowMs,
    size: stored.size,
    etag: stored.md5,
    pieces: [{ blob: stored.blob, size: stored.size }],
    headers,
  };
  store.record({ type: "version-added", bucket, version });
  return { status: 200, headers: { etag: `"${version.etag}"`, "x-amz-version-id": version.versionId } };
};

/** GetObject and HeadObject: the server leaves the body of an answer to HEAD away. */
export const getObject: Operation = (exchange) => {
  const { store, bucket, key, query, headers } = exchange;
  const version = readable(store.index(bucket).versionsOf(key), queryValue(query, "versionId"));
  const common = {
    etag: `"${version.etag}"`,
    "last-modified": new Date(version.modifiedMs).toUTCString(),
    "x-amz-version-id": version.versionId,
    "accept-ranges": "bytes",
  };
  if (!isWanted(version, headers)) return { status: 304, headers: common };
  const range = rangeOf(version, headers);
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...version.headers,
      ...responseOverrides(query),
      ...common,
      "content-length": String(range === undefined ? version.size : range.end - range.start + 1),
      ...(range === undefined
        ? {}
        : { "content-range": `bytes ${range.start}-${range.end}/${version.size}` }),
    },
    body: store.blobs.read(version.pieces, range),
  };
};

/** Finds the version a reader means, or says why there is none. */
function readable(versions: readonly Version[], versionId: string | undefined): ObjectVersion {
  if (versionId === undefined) {
    const latest = versions[0];
    if (latest === undefined) throw new S3Error("NoSuchKey");
    if (!latest.marker) return latest;
    throw new S3Error("NoSuchKey", undefined, {
      headers: { "x-amz-delete-marker": "true", "x-amz-version-id": latest.versionId },
    });
  }
  assertVersionId(versionId);
  const version = versions.find((candidate) => candidate.versionId === versionId);
  if (version === undefined) throw new S3Error("NoSuchVersion");
  if (!version.marker) return version;
  throw new S3Error("MethodNotAllowed", undefined, {
    headers: { "x-amz-delete-marker": "true", "x-amz-version-id": versionId },
  });
}

function assertVersionId(versionId: string): void {
  if (!isFileId(versionId)) throw new S3Error("InvalidArgument", "Invalid version id specified");
}

export const deleteObject: Operation = (exchange): Answer => {
  const deleted = deleteOne(exchange, exchange.key, queryValue(exchange.query, "versionId"));
  return {
    status: 204,
    headers: {
      "x-amz-version-id": deleted.versionId,
      ...(deleted.marker ? { "x-amz-delete-marker": "true" } : {}),
    },
  };
};

/** Hides a name, or removes one version for good. A version that is gone already counts as removed. */
function deleteOne(
  exchange: Exchange,
  key: string,
  named: string | undefined,
): { versionId: string; marker: boolean } {
  const { store, bucket, nowMs } = exchange;
  if (named === undefined) {
    const versionId = newFileId(bucket, nowMs);
    store.record({
      type: "version-added",
      bucket,
      version: { marker: true, key, versionId, modifiedMs: nowMs },
    });
    return { versionId, marker: true };
  }
  assertVersionId(named);
  const version = store
    .index(bucket)
    .versionsOf(key)
    .find(({ versionId }) => versionId === named);
  if (version !== undefined) store.record({ type: "version-removed", bucket, key, versionId: named });
  return { versionId: named, marker: version?.marker ?? false };
}

const deleteDocument = z.object({
  Delete: z.object({
    Object: z
      .array(z.object({ Key: z.string().min(1), VersionId: z.string().min(1).optional() }))
      .min(1)
      .max(1000),
    Quiet: z.string().optional(),
  }),
});
const MAX_DELETE_XML_BYTES = 4_000_000;

export const deleteObjects: Operation = async (exchange) => {
  if (exchange.headers["content-md5"] === undefined) {
    throw new S3Error("InvalidRequest", "Missing required header for this request: Content-MD5");
  }
  const wanted = parseXml(await readText(exchange, MAX_DELETE_XML_BYTES), deleteDocument).Delete;
  const results = wanted.Object.map(({ Key: key, VersionId: versionId }): XmlElement | undefined => {
    const named: XmlElement[] = [
      ["Key", key],
      ...(versionId === undefined ? [] : [["VersionId", versionId] as const]),
    ];
    try {
      assertLegalKey(key);
      if (!isEntitled(exchange.applicationKey, capabilityToDelete(versionId), exchange.bucket, key))
        throw notEntitled();
      const deleted = deleteOne(exchange, key, versionId);
      if (wanted.Quiet === "true") return undefined;
      const marker: XmlElement[] = deleted.marker
        ? [
            ["DeleteMarker", true],
            ["DeleteMarkerVersionId", deleted.versionId],
          ]
        : [];
      return ["Deleted", [...named, ...marker]];
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      return ["Error", [...named, ["Code", error.code], ["Message", error.message]]];
    }
  });
  return xmlAnswer(xmlDocument("DeleteResult", results));
};

export const copyObject: Operation = async (exchange) => {
  const { bucket, key, store, nowMs, headers } = exchange;
  const source = copySource(exchange);
  const directive = headers["x-amz-metadata-directive"] ?? "COPY";
  if (directive !== "COPY" && directive !== "REPLACE") {
    throw new S3Error("InvalidArgument", "Unknown metadata directive.");
  }
  if (
    directive === "COPY" &&
    source.bucket === bucket &&
    source.version === store.index(bucket).latest(key)
  ) {
    throw new S3Error(
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const kept = directive === "REPLACE" ? headersToKeep(key, headers) : source.version.headers;
  const stored = await copyBytes(exchange, source.version);
  const version: ObjectVersion = {
    marker: false,
    key,
    versionId: newFileId(bucket, nowMs),
    modifiedMs: nowMs,
    size: stored.size,
    etag: stored.md5,
    pieces: [{ blob: stored.blob, size: stored.size }],
    headers: kept,
  };
  store.record({ type: "version-added", bucket, version });
  return xmlAnswer(copyResult("CopyObjectResult", version), {
    "x-amz-version-id": version.versionId,
    "x-amz-copy-source-version-id": source.version.versionId,
  });
};

export function copyResult(name: string, copied: { etag: string; modifiedMs: number }): string {
  return xmlDocument(name, [
    ["LastModified", new Date(copied.modifiedMs).toISOString()],
    ["ETag", `"${copied.etag}"`],
  ]);
}

/** Copies a version's bytes, or the range UploadPartCopy asks for, into a new blob. */
export function copyBytes(exchange: Exchange, source: ObjectVersion, range?: ByteRange) {
  const length = range === undefined ? source.size : range.end - range.start + 1;
  if (length > MAX_PUT_BYTES) {
    throw new S3Error(
      "InvalidRequest",
      `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_PUT_BYTES}`,
    );
  }
  return exchange.store.blobs.store(exchange.store.blobs.read(source.pieces, range), { length });
}

/**
 * Finds what `x-amz-copy-source` names and judges its conditions; the key must be entitled to read it.
 * @throws S3Error
 */
export function copySource(exchange: Exchange): {
  bucket: string;
  version: ObjectVersion;
  range?: ByteRange;
} {
  const { store, settings, applicationKey, headers } = exchange;
  const [path = "", versionId] = (headers["x-amz-copy-source"] ?? "").split("?versionId=");
  const [, bucket = "", key = ""] = /^\/?([^/]+)\/(.+)$/.exec(decode(path)) ?? [];
  if (bucket === "" || key === "") {
    throw new S3Error(
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    );
  }
  if (!isEntitled(applicationKey, "readFiles", bucket, key)) throw notEntitled();
  if (!settings.buckets.some(({ name }) => name === bucket)) throw new S3Error("NoSuchBucket");
  const version = readable(store.index(bucket).versionsOf(key), versionId);
  isWanted(version, headers, "x-amz-copy-source-");
  const range = copyRangeOf(version.size, headers["x-amz-copy-source-range"]);
  return range === undefined ? { bucket, version } : { bucket, version, range };
}
