import { refusal, refuse } from "./refusals/refuse.ts";

/** Decoded query parameters in the order sent; duplicates stay, because all of them are signed. */
export type Query = readonly (readonly [name: string, value: string])[];

/** What a request line addresses, path style only: `/bucket/key?query`. */
export interface Target {
  /** The path as sent, undecoded. */
  rawPath: string;
  query: Query;
  /** Empty for the service itself (`/`). */
  bucket: string;
  /** Decoded file name; empty for a bucket. */
  key: string;
}

/**
 * Takes a request line's target apart.
 * @throws S3Error InvalidURI when it is not an absolute path or its percent encoding is not UTF-8.
 */
export function parseTarget(target: string): Target {
  if (!target.startsWith("/")) throw refusal("uri-not-absolute");
  const [rawPath = "", ...rest] = target.split("?");
  const slash = rawPath.indexOf("/", 1);
  const rawBucket = slash === -1 ? rawPath.slice(1) : rawPath.slice(1, slash);
  const rawKey = slash === -1 ? "" : rawPath.slice(slash + 1);
  return {
    rawPath,
    query: parseQuery(rest.join("?")),
    bucket: decode(rawBucket),
    key: decode(rawKey),
  };
}

function parseQuery(text: string): Query {
  return text
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      const name = equals === -1 ? pair : pair.slice(0, equals);
      const value = equals === -1 ? "" : pair.slice(equals + 1);
      // A plus in a query is a space (form encoding, what URLSearchParams writes); in a path it is a plus.
      return [decode(name.replaceAll("+", " ")), decode(value.replaceAll("+", " "))] as const;
    });
}

/** Percent-decodes UTF-8. @throws S3Error InvalidURI */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refusal("uri-encoding");
  }
}

/** Percent-encodes everything but the unreserved characters of RFC 3986, as SigV4 wants it. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The first value of a parameter. */
export function queryValue(query: Query, name: string): string | undefined {
  return query.find(([candidate]) => candidate === name)?.[1];
}

/**
 * A whole number parameter between bounds.
 * @throws S3Error InvalidArgument when it is no whole number or below `min`; above `max` it is capped, as S3 does.
 */
export function queryCount(
  query: Query,
  name: string,
  bounds: { min: number; max: number; fallback: number },
): number {
  const text = queryValue(query, name);
  if (text === undefined || text === "") return bounds.fallback;
  if (!/^\d{1,9}$/.test(text) || Number(text) < bounds.min) {
    refuse("number-malformed", { message: `Provided ${name} not an integer or within integer range` });
    return bounds.fallback;
  }
  return Math.min(Number(text), bounds.max);
}

/** Longest file name in bytes of UTF-8 (B2 "Files"). */
const MAX_KEY_BYTES = 1024;

/**
 * Refuses file names B2 refuses.
 * @throws S3Error KeyTooLongError over 1,024 bytes, InvalidArgument with control characters.
 */
export function assertLegalKey(key: string): void {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) refuse("name-too-long");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(key)) {
    refuse("name-control-character");
  }
}
