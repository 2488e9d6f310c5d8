import { RecorderFailure } from "../errors.ts";
import { type StoreErrorCode, storeError } from "./errors.ts";
import {
  etagOf,
  factsOf,
  lengthOf,
  type StoredObjectFacts,
  totalOf,
  unreadable,
  versionOf,
} from "./object-headers.ts";
import { B2_RETRY_POLICY, type RetryPolicy } from "./retry-policy.ts";
import { parseStoreSettings, type StoreSettings } from "./settings.ts";
import { type B2Deps, createStoreTransport, readText } from "./transport.ts";
import { type ListedObject, type ListedVersion, parseObjectsXml, parseVersionsXml } from "./xml.ts";

export interface StoredObject extends StoredObjectFacts {
  /** To be read or cancelled by whoever asked; a stall in it is not covered by the timeout: pass a signal. */
  body: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What `body` holds; less than sizeBytes when a range was asked for. */
  bodyBytes: number;
}

export interface GetOptions {
  /** First and last byte, counted from 0; without `to`, up to the end. */
  range?: { from: number; to?: number };
  /** Fails with `object_changed` unless the object still has this etag. */
  ifMatch?: string;
  versionId?: string;
  signal?: AbortSignal;
}

export interface ListOptions {
  /** Groups keys up to this text after the prefix, usually "/". */
  delimiter?: string;
  startAfter?: string;
  /** A page's `next`, to go on where an earlier invocation ended. */
  continuationToken?: string;
  /** At most 1000. */
  maxKeys?: number;
  signal?: AbortSignal;
}

export interface ObjectsPage {
  objects: ListedObject[];
  prefixes: string[];
  /** Absent on the last page. */
  next?: string;
}

export interface VersionsPage {
  /** Versions and delete markers; within one key the newest comes first, but markers stand after all versions. */
  versions: ListedVersion[];
}

/**
 * One bucket of B2, over its S3 API. All calls throw RecorderFailure with a code of STORE_ERRORS. put, get, head cost
 * least; each page of a list is a thousand rows and ten times the price, so state belongs into the database.
 */
export interface B2Client {
  /**
   * Writes an object. After a lost reply it is written again: the same bytes, but on B2 one hidden version more.
   * Type and caching cannot be changed later without a copy.
   */
  put(
    key: string,
    body: Uint8Array<ArrayBuffer> | string,
    options: { contentType: string; cacheControl?: string; signal?: AbortSignal },
  ): Promise<{ etag: string; versionId?: string }>;
  /** Throws `object_missing`. A store that ignores the range is refused instead of being taken for it. */
  get(key: string, options?: GetOptions): Promise<StoredObject>;
  /** A small text object whole; `object_too_large` if it has more than `maxBytes`. */
  getText(key: string, maxBytes: number, options?: { signal?: AbortSignal }): Promise<string>;
  /** Undefined when there is no such object (but not when there is no such bucket). */
  head(
    key: string,
    options?: { versionId?: string; signal?: AbortSignal },
  ): Promise<StoredObjectFacts | undefined>;
  /** The newest versions under a prefix, page by page. */
  list(prefix: string, options?: ListOptions): AsyncGenerator<ObjectsPage, void, undefined>;
  /** Every version and delete marker under a prefix: what has to go for bytes to be gone. */
  listVersions(
    prefix: string,
    options?: { maxKeys?: number; signal?: AbortSignal },
  ): AsyncGenerator<VersionsPage, void, undefined>;
  /** Deletes these bytes (or this marker) for good; one that is gone already is no error. */
  deleteVersion(key: string, versionId: string, options?: { signal?: AbortSignal }): Promise<void>;
}

/** The refusals that a HEAD, which has no body, cannot tell apart. */
const NEEDS_A_BODY: ReadonlySet<string> = new Set<StoreErrorCode>([
  "store_access_denied",
  "store_key_unknown",
  "store_request_invalid",
  "object_missing",
]);

/** A page of a thousand long keys stays well below this. */
const LONGEST_LIST_BYTES = 8 * 1024 * 1024;

/** A client for one bucket and key. Throws RecorderFailure `store_settings_invalid`, naming the members but no value. */
export function createB2Client(
  settings: StoreSettings,
  deps: B2Deps,
  policy: RetryPolicy = B2_RETRY_POLICY,
): B2Client {
  const store = createStoreTransport(parseStoreSettings(settings), deps, policy);

  const headOnce = (key: string, options: { versionId?: string; signal?: AbortSignal }) =>
    store.send(
      { method: "HEAD", key, query: { versionId: options.versionId }, expect: [200], signal: options.signal },
      async (response) => factsOf(response, lengthOf(response)),
    );

  return {
    put(key, body, { contentType, cacheControl, signal }) {
      const headers = { "content-type": contentType, "cache-control": cacheControl };
      return store.send({ method: "PUT", key, headers, body, expect: [200], signal }, async (response) => {
        await response.body?.cancel();
        return { etag: etagOf(response), ...versionOf(response) };
      });
    },

    get(key, { range, ifMatch, versionId, signal } = {}) {
      const headers = {
        range: range === undefined ? undefined : `bytes=${range.from}-${range.to ?? ""}`,
        "if-match": ifMatch === undefined ? undefined : `"${ifMatch}"`,
      };
      const expect = [range === undefined ? 200 : 206];
      // A whole object in answer to a range would be stored as if it were the range.
      if (range !== undefined) expect.push(200);
      return store.send(
        { method: "GET", key, query: { versionId }, headers, expect, signal },
        async (response) => {
          try {
            if (response.body === null) throw unreadable("an object without body");
            const bodyBytes = lengthOf(response);
            const sizeBytes = range === undefined ? bodyBytes : totalOf(response, range, bodyBytes);
            return { ...factsOf(response, sizeBytes), body: response.body, bodyBytes };
          } catch (thrown) {
            await response.body?.cancel();
            throw thrown;
          }
        },
      );
    },

    getText(key, maxBytes, { signal } = {}) {
      return store.send({ method: "GET", key, expect: [200], signal }, async (response) => {
        const { text, isWhole } = await readText(response, maxBytes);
        if (isWhole) return text;
        throw new RecorderFailure(storeError("object_too_large", { detail: `more than ${maxBytes} bytes` }));
      });
    },

    async head(key, options = {}) {
      try {
        return await headOnce(key, options);
      } catch (thrown) {
        if (!(thrown instanceof RecorderFailure) || !NEEDS_A_BODY.has(thrown.error.code)) throw thrown;
        if (thrown.error.code === "object_missing" && store.bucketSeen()) return undefined;
      }
      try {
        const query = { versionId: options.versionId };
        // One byte is enough, and an empty object answers 416.
        await store.send(
          {
            method: "GET",
            key,
            query,
            headers: { range: "bytes=0-0" },
            expect: [200, 206, 416],
            signal: options.signal,
          },
          async (response) => response.body?.cancel(),
        );
      } catch (thrown) {
        if (thrown instanceof RecorderFailure && thrown.error.code === "object_missing") return undefined;
        throw thrown;
      }
      return await headOnce(key, options);
    },

    async *list(prefix, { delimiter, startAfter, continuationToken, maxKeys, signal } = {}) {
      let next = continuationToken;
      do {
        const query = {
          "list-type": "2",
          prefix,
          delimiter,
          "start-after": startAfter,
          "continuation-token": next,
          "max-keys": maxKeys?.toString(),
        };
        const page = await store.send({ method: "GET", query, expect: [200], signal }, async (response) =>
          listed(await readText(response, LONGEST_LIST_BYTES), parseObjectsXml),
        );
        next = page.next;
        yield {
          objects: page.objects,
          prefixes: page.prefixes,
          ...(page.next === undefined ? {} : { next: page.next }),
        };
      } while (next !== undefined);
    },

    async *listVersions(prefix, { maxKeys, signal } = {}) {
      let next: { keyMarker?: string; versionIdMarker?: string | undefined } | undefined = {};
      do {
        const query: Record<string, string | undefined> = {
          versions: "",
          prefix,
          "key-marker": next.keyMarker,
          "version-id-marker": next.versionIdMarker,
          "max-keys": maxKeys?.toString(),
        };
        const page = await store.send({ method: "GET", query, expect: [200], signal }, async (response) =>
          listed(await readText(response, LONGEST_LIST_BYTES), parseVersionsXml),
        );
        next = page.next;
        yield { versions: page.versions };
      } while (next !== undefined);
    },

    async deleteVersion(key, versionId, { signal } = {}) {
      // Without a version id this would only hide the object, and keep it on the bill.
      if (versionId === "") {
        throw new RecorderFailure(storeError("store_request_invalid", { detail: "versionId: empty" }));
      }
      try {
        await store.send(
          { method: "DELETE", key, query: { versionId }, expect: [200, 204], signal },
          async (response) => response.body?.cancel(),
        );
      } catch (thrown) {
        if (!(thrown instanceof RecorderFailure) || thrown.error.code !== "object_missing") throw thrown;
      }
    },
  };
}

function listed<T>(answer: { text: string; isWhole: boolean }, parse: (text: string) => T | undefined): T {
  const page = answer.isWhole ? parse(answer.text) : undefined;
  if (page === undefined) throw unreadable("a list that is not one");
  return page;
}
