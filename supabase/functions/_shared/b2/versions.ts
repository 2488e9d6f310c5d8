import { createHash } from "node:crypto";
import { type RecorderError, RecorderFailure } from "../errors.ts";
import { storeError } from "./errors.ts";
import { encodeKey } from "./keys.ts";
import { documentOf } from "./listings.ts";
import { refusalOf } from "./refusals.ts";
import type { StoreTransport } from "./transport.ts";
import { escapeXml, type ListedVersion, parseDeletedXml, parseVersionsXml } from "./xml.ts";

export interface VersionsPage {
  /** Versions and delete markers; within one key the newest comes first, but markers stand after all versions. */
  versions: ListedVersion[];
}

export interface KeyVersion {
  key: string;
  versionId: string;
}

/** S3's limit for one DeleteObjects. */
export const MOST_DELETES = 1_000;

export interface VersionOperations {
  /**
   * Every version and delete marker under a prefix: what has to go for bytes to be gone. `startAfter` is a key: all of
   * its versions, and what comes before it, are left out.
   */
  listVersions(
    prefix: string,
    options?: { startAfter?: string; maxKeys?: number; signal?: AbortSignal },
  ): AsyncGenerator<VersionsPage, void, undefined>;
  /** Deletes these bytes (or this marker) for good; one that is gone already is no error. */
  deleteVersion(key: string, versionId: string, options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * The same for up to 1000 in one request. Everything that was asked for is either gone or in `failed`, with the
   * reason of its own; throws only where the request as a whole fails.
   */
  deleteVersions(
    versions: readonly KeyVersion[],
    options?: { signal?: AbortSignal },
  ): Promise<{ deleted: KeyVersion[]; failed: (KeyVersion & { error: RecorderError })[] }>;
}

/** Versions of one bucket's objects. All calls throw RecorderFailure with a code of STORE_ERRORS. */
export function versionOperations(store: StoreTransport, now: () => number): VersionOperations {
  return {
    async *listVersions(prefix, { startAfter, maxKeys, signal } = {}) {
      let next: { keyMarker?: string | undefined; versionIdMarker?: string | undefined } | undefined = {
        keyMarker: startAfter,
      };
      do {
        const query: Record<string, string | undefined> = {
          versions: "",
          prefix,
          "key-marker": next.keyMarker,
          "version-id-marker": next.versionIdMarker,
          "max-keys": maxKeys?.toString(),
        };
        const page = await store.send({ method: "GET", query, expect: [200], signal }, (response) =>
          documentOf(response, parseVersionsXml),
        );
        next = page.next;
        yield { versions: page.versions };
      } while (next !== undefined);
    },

    async deleteVersion(key, versionId, { signal } = {}) {
      assertVersionId(versionId);
      try {
        await store.send(
          { method: "DELETE", key, query: { versionId }, expect: [200, 204], signal },
          async (response) => response.body?.cancel(),
        );
      } catch (thrown) {
        if (!(thrown instanceof RecorderFailure) || thrown.error.code !== "object_missing") throw thrown;
      }
    },

    async deleteVersions(versions, { signal } = {}) {
      if (versions.length === 0) return { deleted: [], failed: [] };
      if (versions.length > MOST_DELETES) {
        throw new RecorderFailure(
          storeError("store_request_invalid", { detail: `more than ${MOST_DELETES} versions` }),
        );
      }
      for (const { key, versionId } of versions) {
        encodeKey(key);
        assertVersionId(versionId);
      }
      const body = deleteXml(versions);
      // S3 wants it on this one call, and without it answers 400 InvalidRequest.
      const headers = {
        "content-type": "application/xml",
        "content-md5": createHash("md5").update(body).digest("base64"),
      };
      const told = await store.send(
        { method: "POST", query: { delete: "" }, headers, body, expect: [200], signal },
        (response) => documentOf(response, parseDeletedXml),
      );
      const nameOf = (one: { key: string; versionId: string | undefined }) =>
        JSON.stringify([one.key, one.versionId]);
      const gone = new Set(told.deleted.map(nameOf));
      const refused = new Map(told.refused.map((one) => [nameOf(one), one]));
      const deleted: KeyVersion[] = [];
      const failed: (KeyVersion & { error: RecorderError })[] = [];
      for (const version of versions) {
        const refusal = refused.get(nameOf(version));
        if (refusal?.code === "NoSuchVersion" || refusal?.code === "NoSuchKey" || gone.has(nameOf(version))) {
          deleted.push(version);
        } else failed.push({ ...version, error: errorOf(refusal, now()) });
      }
      return { deleted, failed };
    },
  };
}

/** Without a version id a delete would only hide the object, and keep it on the bill. */
function assertVersionId(versionId: string): void {
  if (versionId !== "") return;
  throw new RecorderFailure(storeError("store_request_invalid", { detail: "versionId: empty" }));
}

function deleteXml(versions: readonly KeyVersion[]): string {
  const objects = versions.map(
    ({ key, versionId }) =>
      `<Object><Key>${escapeXml(key)}</Key><VersionId>${escapeXml(versionId)}</VersionId></Object>`,
  );
  return `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${objects.join("")}</Delete>`;
}

/** A row's refusal has no HTTP status of its own; its Code stands for the one it would have had alone. */
function errorOf(
  refusal: { code: string; says: string | undefined } | undefined,
  nowMs: number,
): RecorderError {
  if (refusal === undefined) {
    return storeError("store_answer_unreadable", { detail: "the answer does not name this version" });
  }
  const { code, says } = refusal;
  const httpStatus =
    code === "AccessDenied" ? 403 : code.endsWith("Error") || code === "ServiceUnavailable" ? 500 : 400;
  return refusalOf({ httpStatus, code, says, nowMs }).error;
}
