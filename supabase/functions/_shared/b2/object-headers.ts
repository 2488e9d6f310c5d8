import { RecorderFailure } from "../errors.ts";
import { storeError } from "./errors.ts";

/** What the answers' headers tell of an object. Each reader throws RecorderFailure `store_answer_unreadable`. */
export interface StoredObjectFacts {
  /** Of the whole object. */
  sizeBytes: number;
  /** Without quotes. A multipart object's is not an MD5, and its form on B2 is not documented: compare, never compute. */
  etag: string;
  contentType: string;
  lastModified: Date;
  /** B2 versions every bucket; absent only on stores that do not. */
  versionId?: string;
}

/** What the head of a 200 or 206 says; the size is given, for a part's Content-Length is not the object's. */
export function factsOf(response: Response, sizeBytes: number): StoredObjectFacts {
  const lastModified = new Date(response.headers.get("last-modified") ?? "");
  if (Number.isNaN(lastModified.getTime())) throw unreadable("an object without Last-Modified");
  return {
    sizeBytes,
    etag: etagOf(response),
    contentType: response.headers.get("content-type") ?? "application/octet-stream",
    lastModified,
    ...versionOf(response),
  };
}

export function etagOf(response: Response): string {
  const etag = response.headers.get("etag")?.replaceAll('"', "");
  if (etag === undefined || etag === "") throw unreadable("an object without ETag");
  return etag;
}

export function versionOf(response: Response): { versionId?: string } {
  const versionId = response.headers.get("x-amz-version-id");
  return versionId === null ? {} : { versionId };
}

export function lengthOf(response: Response): number {
  const length = response.headers.get("content-length") ?? "";
  if (!/^\d+$/.test(length)) throw unreadable("an object without Content-Length");
  return Number(length);
}

/** The whole object's size, from a Content-Range that must be the one asked for. */
export function totalOf(response: Response, range: { from: number; to?: number }, bodyBytes: number): number {
  const told = response.headers.get("content-range") ?? "none";
  const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(told)?.map(Number) ?? [];
  if (response.status !== 206 || from === undefined || to === undefined || total === undefined) {
    throw unreadable(`the range was ignored: HTTP ${response.status}, Content-Range ${told}`);
  }
  const expectedTo = Math.min(range.to ?? total - 1, total - 1);
  if (from !== range.from || to !== expectedTo || bodyBytes !== to - from + 1) {
    throw unreadable(`another range than ${range.from}-${range.to ?? ""}: ${told}, ${bodyBytes} bytes`);
  }
  return total;
}

/** An answer that cannot be what it claims to be. */
export function unreadable(detail: string): RecorderFailure {
  return new RecorderFailure(storeError("store_answer_unreadable", { detail }));
}
