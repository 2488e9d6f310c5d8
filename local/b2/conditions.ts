import { refuse } from "./refusals/refuse.ts";

type Headers = Record<string, string | undefined>;

/** What conditions and ranges are judged against. */
export interface Represented {
  /** Without quotes. */
  etag: string;
  /** Milliseconds since 1970. */
  modifiedMs: number;
  size: number;
}

/** The bytes `start` to `end`, both included. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Judges the four conditional headers in the order of RFC 9110, section 13.2.2.
 * @param prefix `x-amz-copy-source-` for the source of a copy, where "not modified" is a failure too.
 * @returns false when the caller's copy is still good (304).
 * @throws S3Error PreconditionFailed
 */
export function isWanted(object: Represented, headers: Headers, prefix = ""): boolean {
  const ifMatch = headers[`${prefix}if-match`];
  const unmodifiedSince = dateOf(headers[`${prefix}if-unmodified-since`]);
  if (ifMatch !== undefined) {
    if (!namesEtag(ifMatch, object.etag)) refuse("match-failed");
  } else if (unmodifiedSince !== undefined && secondsOf(object.modifiedMs) > unmodifiedSince) {
    refuse("modified-since");
  }
  const ifNoneMatch = headers[`${prefix}if-none-match`];
  const modifiedSince = dateOf(headers[`${prefix}if-modified-since`]);
  const wanted =
    ifNoneMatch !== undefined
      ? !namesEtag(ifNoneMatch, object.etag)
      : modifiedSince === undefined || secondsOf(object.modifiedMs) > modifiedSince;
  if (!wanted && prefix !== "") refuse("copy-source-unchanged");
  return wanted;
}

function namesEtag(list: string, etag: string): boolean {
  return list
    .split(",")
    .map((item) => item.trim().replace(/^W\//, "").replaceAll('"', ""))
    .some((item) => item === "*" || item === etag);
}

function dateOf(text: string | undefined): number | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : secondsOf(ms);
}

/** HTTP dates carry whole seconds. */
function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}

/**
 * The single range a GET or HEAD asks for.
 * @returns undefined for the whole object: no Range header, one that is no single byte range (S3 ignores those), or an
 * `If-Range` that no longer holds.
 * @throws S3Error InvalidRange (416) when no byte of it exists.
 */
export function rangeOf(object: Represented, headers: Headers): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range?.trim() ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (match === null || (first === "" && last === "")) return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  const ifRange = headers["if-range"];
  if (ifRange !== undefined && !ifRangeHolds(ifRange, object)) return undefined;

  const start = first === "" ? Math.max(0, object.size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? object.size - 1 : Math.min(Number(last), object.size - 1);
  if (start > end) {
    refuse("range-outside", {
      details: { ActualObjectSize: String(object.size) },
      headers: { "content-range": `bytes */${object.size}` },
    });
    return undefined;
  }
  return { start, end };
}

function ifRangeHolds(ifRange: string, object: Represented): boolean {
  if (ifRange.startsWith('"')) return ifRange === `"${object.etag}"`;
  return dateOf(ifRange) === secondsOf(object.modifiedMs);
}

/**
 * The range of UploadPartCopy, which must lie within the source.
 * @throws S3Error InvalidArgument
 */
export function copyRangeOf(size: number, header: string | undefined): ByteRange | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  if (match === null) {
    refuse("copy-range-malformed");
    return undefined;
  }
  const [start, end] = [Number(match[1]), Number(match[2])];
  if (start > end || end >= size) {
    refuse("copy-range-outside", {
      message: `Range specified is not valid for source object of size: ${size}`,
    });
    return undefined;
  }
  return { start, end };
}
