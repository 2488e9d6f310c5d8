import { RecorderFailure } from "../errors.ts";
import { bodyOf, type Upload } from "./bodies.ts";
import { storeError } from "./errors.ts";
import { documentOf } from "./listings.ts";
import { madeOf } from "./made.ts";
import { etagOf, unreadable } from "./object-headers.ts";
import type { ObjectOperations, Written } from "./objects.ts";
import type { StoreTransport } from "./transport.ts";
import {
  escapeXml,
  type ListedPart,
  type ListedUpload,
  parsePartsXml,
  parseUploadBegunXml,
  parseUploadsXml,
} from "./xml.ts";

/** Valid on B2, S3 and R2 alike: 5 MiB for every part but the last, 10000 parts. */
export const SMALLEST_PART_BYTES = 5_242_880;
export const MOST_PARTS = 10_000;

/** A part as Complete needs it. */
export interface StoredPart {
  partNumber: number;
  /** As the store gave it, without quotes. */
  etag: string;
  sizeBytes: number;
}

export interface UploadsPage {
  uploads: ListedUpload[];
}

export interface MultipartOperations {
  /**
   * Begins an upload. Type and caching are those of the later object. After a lost reply there may be an upload
   * more, which only listMultipartUploads shows; it is billed until it is given up.
   */
  createMultipartUpload(
    key: string,
    options: { contentType: string; cacheControl?: string; signal?: AbortSignal | undefined },
  ): Promise<{ uploadId: string }>;
  /**
   * Sends one part, numbered 1 to 10000, of exactly `sizeBytes` (a stream that has others: `upload_source_failed`).
   * Sending a number again replaces it. Tried again only where `body` is no stream, but bytes or a function that
   * opens a new one. Throws `upload_missing`.
   */
  uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Upload,
    sizeBytes: number,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<{ etag: string }>;
  /** All parts the store has, in order of their numbers. Throws `upload_missing`. */
  listParts(
    key: string,
    uploadId: string,
    options?: { maxParts?: number; signal?: AbortSignal | undefined },
  ): Promise<ListedPart[]>;
  /** Uploads that were begun under a prefix and neither completed nor given up, page by page. */
  listMultipartUploads(
    prefix: string,
    options?: { maxUploads?: number; signal?: AbortSignal | undefined },
  ): AsyncGenerator<UploadsPage, void, undefined>;
  /**
   * Makes the object out of its parts, which are put in order here. Where the store does not know the upload any
   * more, an object of the same size under this key is taken for its result, whose reply was lost (`wasLost`): verify
   * it before the source is deleted. Throws `upload_parts_refused`, or `upload_missing` where there is no such object.
   */
  completeMultipartUpload(
    key: string,
    uploadId: string,
    parts: readonly StoredPart[],
    options?: { signal?: AbortSignal | undefined },
  ): Promise<Written & { wasLost: boolean }>;
  /** Gives an upload up, parts and all; one that is gone already is no error. */
  abortMultipartUpload(
    key: string,
    uploadId: string,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<void>;
}

/** Uploads in parts. All calls throw RecorderFailure with a code of STORE_ERRORS, or the signal's reason. */
export function multipartOperations(
  store: StoreTransport,
  head: ObjectOperations["head"],
): MultipartOperations {
  const found = async (key: string, signal: AbortSignal | undefined) => {
    const there = await head(key, { signal });
    if (there === undefined) throw unreadable("an upload that was completed has no object");
    return there;
  };

  return {
    async createMultipartUpload(key, { contentType, cacheControl, signal }) {
      const headers = { "content-type": contentType, "cache-control": cacheControl };
      const uploadId = await store.send(
        { method: "POST", key, query: { uploads: "" }, headers, expect: [200], signal },
        (response) => documentOf(response, parseUploadBegunXml),
      );
      return { uploadId };
    },

    async uploadPart(key, uploadId, partNumber, body, sizeBytes, { signal } = {}) {
      if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > MOST_PARTS) {
        throw new RecorderFailure(
          storeError("store_request_invalid", { detail: `partNumber: must be 1 to ${MOST_PARTS}` }),
        );
      }
      const query = { partNumber: String(partNumber), uploadId };
      return await store.send(
        { method: "PUT", key, query, body: bodyOf(body, sizeBytes), expect: [200], signal },
        async (response) => {
          await response.body?.cancel();
          return { etag: etagOf(response) };
        },
      );
    },

    async listParts(key, uploadId, { maxParts, signal } = {}) {
      const parts: ListedPart[] = [];
      let next: string | undefined;
      do {
        const query: Record<string, string | undefined> = {
          uploadId,
          "max-parts": maxParts?.toString(),
          "part-number-marker": next,
        };
        const page = await store.send({ method: "GET", key, query, expect: [200], signal }, (response) =>
          documentOf(response, parsePartsXml),
        );
        parts.push(...page.parts);
        next = page.next;
      } while (next !== undefined);
      return parts;
    },

    async *listMultipartUploads(prefix, { maxUploads, signal } = {}) {
      let next: { keyMarker?: string; uploadIdMarker?: string | undefined } | undefined = {};
      do {
        const query: Record<string, string | undefined> = {
          uploads: "",
          prefix,
          "key-marker": next.keyMarker,
          "upload-id-marker": next.uploadIdMarker,
          "max-uploads": maxUploads?.toString(),
        };
        const page = await store.send({ method: "GET", query, expect: [200], signal }, (response) =>
          documentOf(response, parseUploadsXml),
        );
        next = page.next;
        yield { uploads: page.uploads };
      } while (next !== undefined);
    },

    async completeMultipartUpload(key, uploadId, parts, { signal } = {}) {
      const headers = { "content-type": "application/xml" };
      const body = completeXml(parts);
      try {
        const written = await store.send(
          { method: "POST", key, query: { uploadId }, headers, body, expect: [200], signal },
          madeOf,
        );
        // Ceph's radosgw leaves the etag empty where the bucket has versions.
        const { etag } = written.etag === "" ? await found(key, signal) : written;
        return { ...written, etag, wasLost: false };
      } catch (thrown) {
        if (!(thrown instanceof RecorderFailure) || thrown.error.code !== "upload_missing") throw thrown;
        const there = await head(key, { signal });
        const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
        if (there?.sizeBytes !== sizeBytes) throw thrown;
        const { etag, versionId } = there;
        return { etag, ...(versionId === undefined ? {} : { versionId }), wasLost: true };
      }
    },

    async abortMultipartUpload(key, uploadId, { signal } = {}) {
      try {
        await store.send(
          { method: "DELETE", key, query: { uploadId }, expect: [200, 204], signal },
          async (response) => response.body?.cancel(),
        );
      } catch (thrown) {
        if (!(thrown instanceof RecorderFailure) || thrown.error.code !== "upload_missing") throw thrown;
      }
    },
  };
}

function completeXml(parts: readonly StoredPart[]): string {
  const rows = parts
    .toSorted((one, other) => one.partNumber - other.partNumber)
    .map(
      ({ partNumber, etag }) =>
        `<Part><PartNumber>${partNumber}</PartNumber><ETag>&quot;${escapeXml(etag)}&quot;</ETag></Part>`,
    );
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rows.join("")}</CompleteMultipartUpload>`;
}
