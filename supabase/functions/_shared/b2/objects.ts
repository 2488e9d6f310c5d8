import { RecorderFailure } from "../errors.ts";
import { bodyOf, type Upload } from "./bodies.ts";
import { type StoreErrorCode, storeError } from "./errors.ts";
import { encodeKey } from "./keys.ts";
import { madeOf } from "./made.ts";
import {
  etagOf,
  factsOf,
  lengthOf,
  type StoredObjectFacts,
  totalOf,
  unreadable,
  versionOf,
} from "./object-headers.ts";
import { readText, type StoreTransport } from "./transport.ts";

export interface StoredObject extends Omit<StoredObjectFacts, "sizeBytes"> {
  /** To be read or cancelled by whoever asked; a stall in it is not covered by the timeout: pass a signal. */
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What `stream` holds; less than totalBytes when a range was asked for. */
  sizeBytes: number;
  /** Of the whole object. */
  totalBytes: number;
}

/** What a write leaves behind; the version id is what deletes these very bytes for good later. */
export interface Written {
  /** Without quotes. */
  etag: string;
  versionId?: string;
}

export interface PutOptions {
  contentType: string;
  cacheControl?: string;
  signal?: AbortSignal | undefined;
}

export interface GetOptions {
  /** First and last byte, counted from 0; without `to`, up to the end. */
  range?: { from: number; to?: number };
  /** Fails with `object_changed` unless the object still has this etag. */
  ifMatch?: string;
  versionId?: string;
  signal?: AbortSignal | undefined;
}

export interface ObjectOperations {
  /**
   * Writes an object. After a lost reply it is written again: the same bytes, but on B2 one hidden version more.
   * Type and caching cannot be changed later without a copy.
   */
  put(key: string, body: Uint8Array<ArrayBuffer> | string, options: PutOptions): Promise<Written>;
  /**
   * The same for a body that comes as a stream of exactly `sizeBytes` (else `upload_source_failed`), up to 5 GB.
   * Tried again only where `body` is a function that opens a new one.
   */
  putStream(key: string, body: Upload, sizeBytes: number, options: PutOptions): Promise<Written>;
  /** Throws `object_missing`. A store that ignores the range is refused instead of being taken for it. */
  get(key: string, options?: GetOptions): Promise<StoredObject>;
  /** A small text object whole; `object_too_large` if it has more than `maxBytes`. */
  getText(key: string, maxBytes: number, options?: { signal?: AbortSignal }): Promise<string>;
  /** Undefined when there is no such object (but not when there is no such bucket). */
  head(
    key: string,
    options?: { versionId?: string; signal?: AbortSignal | undefined },
  ): Promise<StoredObjectFacts | undefined>;
  /**
   * Copies within the bucket, up to 5 GB, without a byte coming here; type and caching come along unless a type is
   * given. Throws `object_missing` for the source, `object_changed` where `ifMatch` is not its etag any more.
   */
  copy(
    from: string,
    to: string,
    options?: { ifMatch?: string; versionId?: string; contentType?: string; signal?: AbortSignal },
  ): Promise<Written>;
}

/** The refusals that a HEAD, which has no body, cannot tell apart. */
const NEEDS_A_BODY: ReadonlySet<string> = new Set<StoreErrorCode>([
  "store_access_denied",
  "store_key_unknown",
  "store_request_invalid",
  "object_missing",
]);

/** Objects of one bucket. All calls throw RecorderFailure with a code of STORE_ERRORS, or the signal's reason. */
export function objectOperations(store: StoreTransport, bucket: string): ObjectOperations {
  const headOnce = (key: string, options: { versionId?: string; signal?: AbortSignal | undefined }) =>
    store.send(
      { method: "HEAD", key, query: { versionId: options.versionId }, expect: [200], signal: options.signal },
      async (response) => factsOf(response, lengthOf(response)),
    );

  const write = (
    key: string,
    body: Parameters<StoreTransport["send"]>[0]["body"],
    { contentType, cacheControl, signal }: PutOptions,
  ) =>
    store.send(
      {
        method: "PUT",
        key,
        headers: { "content-type": contentType, "cache-control": cacheControl },
        ...(body === undefined ? {} : { body }),
        expect: [200],
        signal,
      },
      async (response): Promise<Written> => {
        await response.body?.cancel();
        return { etag: etagOf(response), ...versionOf(response) };
      },
    );

  return {
    put: (key, body, options) => write(key, body, options),

    async putStream(key, body, sizeBytes, options) {
      return await write(key, bodyOf(body, sizeBytes), options);
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
        async (response): Promise<StoredObject> => {
          try {
            if (response.body === null) throw unreadable("an object without body");
            const sizeBytes = lengthOf(response);
            const totalBytes = range === undefined ? sizeBytes : totalOf(response, range, sizeBytes);
            return { ...factsOf(response, sizeBytes), totalBytes, stream: response.body };
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

    async copy(from, to, { ifMatch, versionId, contentType, signal } = {}) {
      const version = versionId === undefined ? "" : `?versionId=${encodeURIComponent(versionId)}`;
      const headers = {
        "x-amz-copy-source": `/${bucket}/${encodeKey(from)}${version}`,
        "x-amz-copy-source-if-match": ifMatch === undefined ? undefined : `"${ifMatch}"`,
        "x-amz-metadata-directive": contentType === undefined ? undefined : "REPLACE",
        "content-type": contentType,
      };
      return await store.send({ method: "PUT", key: to, headers, expect: [200], signal }, madeOf);
    },
  };
}
