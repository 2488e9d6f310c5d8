import type { B2Client } from "../../_shared/b2/client.ts";
import { storeError } from "../../_shared/b2/errors.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";

interface Version {
  key: string;
  versionId: string;
  sizeBytes: number;
  isDeleteMarker: boolean;
  lastModified: Date;
  text: string | undefined;
}

type Bucket = Pick<
  B2Client,
  "put" | "getText" | "listVersions" | "deleteVersions" | "listMultipartUploads" | "abortMultipartUpload"
>;

/**
 * A bucket in memory that keeps every version, as B2 does: an overwrite leaves the old bytes, a hide only a marker. Its
 * lists come in pages of `pageSize`, in order of keys, the newest version of a key first.
 */
export function versionedBucket({ pageSize = 3 } = {}) {
  let versions: Version[] = [];
  let uploads: { key: string; uploadId: string; initiated: Date }[] = [];
  let count = 0;
  const story: string[] = [];
  /** Asked before every call that changes something; what it throws is thrown. */
  let beforeChange: (call: string) => void = () => {};

  const add = (key: string, sizeBytes: number, more: Partial<Version> = {}) => {
    count += 1;
    const version = {
      key,
      versionId: `v${String(count).padStart(4, "0")}`,
      sizeBytes,
      isDeleteMarker: false,
      lastModified: new Date(BEGIN_MS),
      text: undefined,
      ...more,
    };
    versions.push(version);
    return version.versionId;
  };
  const listed = () => {
    const byKey = Map.groupBy(versions, ({ key }) => key);
    return [...byKey.keys()].sort().flatMap((key) =>
      // The newest first.
      (byKey.get(key) ?? []).toReversed().map(({ text: _, ...version }, index) => ({
        ...version,
        isLatest: index === 0,
      })),
    );
  };
  function* pages<Row>(rows: readonly Row[]): Generator<Row[]> {
    for (let at = 0; at === 0 || at < rows.length; at += pageSize) yield rows.slice(at, at + pageSize);
  }

  const bucket: Bucket = {
    put(key, body) {
      beforeChange(`put ${key}`);
      const text = typeof body === "string" ? body : new TextDecoder().decode(body);
      const versionId = add(key, text.length, { text });
      return Promise.resolve({ etag: "etag", versionId });
    },
    getText(key) {
      const latest = versions.findLast((version) => version.key === key);
      if (latest === undefined || latest.isDeleteMarker || latest.text === undefined) {
        return Promise.reject(new RecorderFailure(storeError("object_missing")));
      }
      return Promise.resolve(latest.text);
    },
    async *listVersions(prefix, { startAfter = "" } = {}) {
      story.push(`list ${prefix}`);
      // Listed as it is now: a page is not disturbed by what is deleted meanwhile, which had its turn already.
      const rows = listed().filter(({ key }) => key.startsWith(prefix) && key > startAfter);
      for (const page of pages(rows)) yield { versions: page };
    },
    deleteVersions(asked) {
      beforeChange(`delete ${asked.map(({ key }) => key).join(" ")}`);
      story.push(`delete ${asked.length}`);
      const names = new Set(asked.map(({ key, versionId }) => `${key} ${versionId}`));
      versions = versions.filter(({ key, versionId }) => !names.has(`${key} ${versionId}`));
      return Promise.resolve({ deleted: [...asked], failed: [] });
    },
    async *listMultipartUploads(prefix) {
      for (const page of pages(uploads.filter(({ key }) => key.startsWith(prefix)))) yield { uploads: page };
    },
    abortMultipartUpload(key, uploadId) {
      beforeChange(`abort ${key}`);
      story.push(`abort ${uploadId}`);
      uploads = uploads.filter((upload) => upload.uploadId !== uploadId);
      return Promise.resolve();
    },
  };
  return {
    bucket,
    story,
    /** Puts an object of a size, as somebody else would; a second one under the same key is a second version. */
    add,
    hide: (key: string, lastModified = new Date(BEGIN_MS)) =>
      add(key, 0, { isDeleteMarker: true, lastModified }),
    beginUpload(key: string, uploadId: string, initiated = new Date(BEGIN_MS)) {
      uploads.push({ key, uploadId, initiated });
    },
    failAt(fail: (call: string) => void) {
      beforeChange = fail;
    },
    /** What is there, as `key version`; uploads as `key upload`. */
    contents: () => [
      ...listed().map(({ key, versionId }) => `${key} ${versionId}`),
      ...uploads.map(({ key, uploadId }) => `${key} ${uploadId}`),
    ],
  };
}
