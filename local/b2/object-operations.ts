import { z } from "zod";
import type { StoredBlob } from "./blobs.ts";
import type { ByteRange } from "./conditions.ts";
import { copyRangeOf, isWanted, rangeOf } from "./conditions.ts";
import { assertMay, capabilityToDelete } from "./entitlement.ts";
import { S3Error } from "./errors.ts";
import type { Answer, Exchange, Operation } from "./exchange.ts";
import { promisedBody, readText, xmlAnswer } from "./exchange.ts";
import { MAX_PUT_BYTES } from "./multipart.ts";
import { headersToKeep, responseOverrides } from "./object-headers.ts";
import type { ObjectVersion, Version } from "./records.ts";
import { refusal, refuse } from "./refusals/refuse.ts";
import { assertLegalKey, decode, queryValue } from "./request-target.ts";
import { isFileId, newFileId } from "./version-ids.ts";
import type { XmlElement } from "./xml.ts";
import { parseXml, xmlDocument } from "./xml.ts";

export const putObject: Operation = async (exchange) => {
  const headers = headersToKeep(exchange.key, exchange.headers);
  const stored = await exchange.store.blobs.store(exchange.body, promisedBody(exchange));
  const version = addVersion(exchange, stored, headers);
  return { status: 200, headers: { etag: `"${version.etag}"`, "x-amz-version-id": version.versionId } };
};

/** Makes what was stored the newest version of the exchange's key. */
function addVersion(
  { bucket, key, store, nowMs }: Exchange,
  stored: StoredBlob,
  headers: ObjectVersion["headers"],
): ObjectVersion {
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
  return version;
}

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
    if (latest === undefined) throw refusal("object-missing");
    if (!latest.marker) return latest;
    throw refusal("object-hidden", {
      headers: { "x-amz-delete-marker": "true", "x-amz-version-id": latest.versionId },
    });
  }
  assertVersionId(versionId);
  const version = versions.find((candidate) => candidate.versionId === versionId);
  if (version === undefined) throw refusal("version-missing");
  if (!version.marker) return version;
  throw refusal("version-is-marker", {
    headers: { "x-amz-delete-marker": "true", "x-amz-version-id": versionId },
  });
}

function assertVersionId(versionId: string): void {
  if (!isFileId(versionId)) refuse("version-malformed");
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
    refuse("delete-without-md5");
  }
  const wanted = parseXml(await readText(exchange, MAX_DELETE_XML_BYTES), deleteDocument).Delete;
  const results = wanted.Object.map(({ Key: key, VersionId: versionId }): XmlElement | undefined => {
    const named: XmlElement[] = [
      ["Key", key],
      ...(versionId === undefined ? [] : [["VersionId", versionId] as const]),
    ];
    try {
      assertLegalKey(key);
      assertMay(exchange.applicationKey, capabilityToDelete(versionId), exchange.bucket, key);
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
  const { bucket, key, store, headers } = exchange;
  const source = copySource(exchange);
  const directive = headers["x-amz-metadata-directive"] ?? "COPY";
  if (directive !== "COPY" && directive !== "REPLACE") {
    refuse("copy-directive");
  }
  if (
    directive === "COPY" &&
    source.bucket === bucket &&
    source.version === store.index(bucket).latest(key)
  ) {
    refuse("copy-onto-itself");
  }
  const kept = directive === "REPLACE" ? headersToKeep(key, headers) : source.version.headers;
  const stored = await copyBytes(exchange, source.version);
  const version = addVersion(exchange, stored, kept);
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
    const message = `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_PUT_BYTES}`;
    refuse("copy-too-large", { message });
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
    throw refusal("copy-source-malformed");
  }
  assertMay(applicationKey, "readFiles", bucket, key);
  if (!settings.buckets.some(({ name }) => name === bucket)) refuse("copy-source-bucket");
  const version = readable(store.index(bucket).versionsOf(key), versionId);
  isWanted(version, headers, "x-amz-copy-source-");
  const range = copyRangeOf(version.size, headers["x-amz-copy-source-range"]);
  return range === undefined ? { bucket, version } : { bucket, version, range };
}
