import type { Exchange, Operation } from "./exchange.ts";
import { promisedBody, readText, xmlAnswer } from "./exchange.ts";
import { encodeForListing, encodingOf, MAX_LISTED } from "./listing-operations.ts";
import type { Upload } from "./multipart.ts";
import { assemble, MAX_PARTS, parseNamedParts, parsePartNumber } from "./multipart.ts";
import { headersToKeep } from "./object-headers.ts";
import { compareKeys } from "./object-index.ts";
import { copyBytes, copyResult, copySource } from "./object-operations.ts";
import type { ObjectVersion, Part } from "./records.ts";
import { refusal, refuse } from "./refusals/refuse.ts";
import { encode, queryCount, queryValue } from "./request-target.ts";
import { newFileId } from "./version-ids.ts";
import type { XmlElement } from "./xml.ts";
import { xmlDocument } from "./xml.ts";

export const createMultipartUpload: Operation = ({ bucket, key, headers, store, nowMs }) => {
  const uploadId = newFileId(bucket, nowMs);
  const kept = headersToKeep(key, headers);
  store.record({ type: "upload-started", bucket, key, uploadId, startedMs: nowMs, headers: kept });
  return xmlAnswer(
    xmlDocument("InitiateMultipartUploadResult", [
      ["Bucket", bucket],
      ["Key", key],
      ["UploadId", uploadId],
    ]),
  );
};

/** @throws S3Error NoSuchUpload */
function uploadOf({ bucket, key, query, store }: Exchange): Upload {
  const upload = store.upload(bucket, key, queryValue(query, "uploadId") ?? "");
  if (upload === undefined) throw refusal("upload-missing");
  return upload;
}

/** Remembers a part, unless its upload ended while the bytes were arriving. */
function keepPart(exchange: Exchange, part: Part): void {
  const { store } = exchange;
  const { uploadId } = endedMeanwhile(exchange, part);
  store.record({ type: "part-stored", uploadId, part });
}

function endedMeanwhile(exchange: Exchange, part: Part): Upload {
  try {
    return uploadOf(exchange);
  } catch (error) {
    exchange.store.discard([part]);
    throw error;
  }
}

export const uploadPart: Operation = async (exchange) => {
  const number = parsePartNumber(queryValue(exchange.query, "partNumber"));
  uploadOf(exchange);
  const { blob, size, md5 } = await exchange.store.blobs.store(exchange.body, promisedBody(exchange));
  keepPart(exchange, { number, blob, size, etag: md5, modifiedMs: exchange.nowMs });
  return { status: 200, headers: { etag: `"${md5}"` } };
};

export const uploadPartCopy: Operation = async (exchange) => {
  const number = parsePartNumber(queryValue(exchange.query, "partNumber"));
  uploadOf(exchange);
  const source = copySource(exchange);
  const { blob, size, md5 } = await copyBytes(exchange, source.version, source.range);
  const part: Part = { number, blob, size, etag: md5, modifiedMs: exchange.nowMs };
  keepPart(exchange, part);
  return xmlAnswer(copyResult("CopyPartResult", part), {
    "x-amz-copy-source-version-id": source.version.versionId,
  });
};

const MAX_COMPLETE_XML_BYTES = 2_000_000;

export const completeMultipartUpload: Operation = async (exchange) => {
  const { bucket, key, store, nowMs, headers } = exchange;
  uploadOf(exchange);
  const named = parseNamedParts(await readText(exchange, MAX_COMPLETE_XML_BYTES));
  // Looked up again: another request may have completed or aborted it while the body was arriving.
  const upload = uploadOf(exchange);
  const version: ObjectVersion = {
    marker: false,
    key,
    versionId: newFileId(bucket, nowMs),
    modifiedMs: nowMs,
    ...assemble(upload, named),
    headers: upload.headers,
  };
  store.record({ type: "version-added", bucket, version, completes: upload.uploadId });
  return xmlAnswer(
    xmlDocument("CompleteMultipartUploadResult", [
      ["Location", `http://${headers.host ?? ""}/${bucket}/${key.split("/").map(encode).join("/")}`],
      ["Bucket", bucket],
      ["Key", key],
      ["ETag", `"${version.etag}"`],
    ]),
    { "x-amz-version-id": version.versionId },
  );
};

export const abortMultipartUpload: Operation = (exchange) => {
  exchange.store.record({ type: "upload-aborted", uploadId: uploadOf(exchange).uploadId });
  return { status: 204 };
};

export const listParts: Operation = (exchange) => {
  const { bucket, key, query } = exchange;
  const { uploadId, parts } = uploadOf(exchange);
  const limit = queryCount(query, "max-parts", { min: 1, max: MAX_LISTED, fallback: MAX_LISTED });
  const marker = queryCount(query, "part-number-marker", { min: 0, max: MAX_PARTS, fallback: 0 });
  const rest = [...parts.values()]
    .filter(({ number }) => number > marker)
    .sort((a, b) => a.number - b.number);
  const page = rest.slice(0, limit);
  const truncated = rest.length > page.length;
  return xmlAnswer(
    xmlDocument("ListPartsResult", [
      ["Bucket", bucket],
      ["Key", key],
      ["UploadId", uploadId],
      ["StorageClass", "STANDARD"],
      ["PartNumberMarker", marker],
      truncated ? ["NextPartNumberMarker", page.at(-1)?.number ?? marker] : undefined,
      ["MaxParts", limit],
      ["IsTruncated", truncated],
      ...page.map(
        (part): XmlElement => [
          "Part",
          [
            ["PartNumber", part.number],
            ["LastModified", new Date(part.modifiedMs).toISOString()],
            ["ETag", `"${part.etag}"`],
            ["Size", part.size],
          ],
        ],
      ),
    ]),
  );
};

export const listMultipartUploads: Operation = ({ bucket, query, store }) => {
  const prefix = queryValue(query, "prefix") ?? "";
  const keyMarker = queryValue(query, "key-marker") ?? "";
  const uploadIdMarker = queryValue(query, "upload-id-marker") ?? "";
  if (queryValue(query, "delimiter")) {
    refuse("uploads-delimiter");
  }
  const limit = queryCount(query, "max-uploads", { min: 1, max: MAX_LISTED, fallback: MAX_LISTED });
  const encoding = encodingOf(query);
  const order = (a: Upload, b: Upload) => compareKeys(a.key, b.key) || compareKeys(a.uploadId, b.uploadId);
  const isAfterMarkers = ({ key, uploadId }: Upload) => {
    const place = keyMarker === "" ? 1 : compareKeys(key, keyMarker);
    return place > 0 || (place === 0 && uploadIdMarker !== "" && compareKeys(uploadId, uploadIdMarker) > 0);
  };
  const rest = store
    .uploadsOf(bucket)
    .filter((upload) => upload.key.startsWith(prefix) && isAfterMarkers(upload))
    .sort(order);
  const page = rest.slice(0, limit);
  const last = rest.length > page.length ? page.at(-1) : undefined;
  const text = (value: string) => encodeForListing(value, encoding);
  return xmlAnswer(
    xmlDocument("ListMultipartUploadsResult", [
      ["Bucket", bucket],
      ["KeyMarker", text(keyMarker)],
      ["UploadIdMarker", uploadIdMarker],
      last === undefined ? undefined : ["NextKeyMarker", text(last.key)],
      last === undefined ? undefined : ["NextUploadIdMarker", last.uploadId],
      ["Prefix", text(prefix)],
      ["MaxUploads", limit],
      encoding === undefined ? undefined : ["EncodingType", encoding],
      ["IsTruncated", last !== undefined],
      ...page.map(
        (upload): XmlElement => [
          "Upload",
          [
            ["Key", text(upload.key)],
            ["UploadId", upload.uploadId],
            ["StorageClass", "STANDARD"],
            ["Initiated", new Date(upload.startedMs).toISOString()],
          ],
        ],
      ),
    ]),
  );
};
