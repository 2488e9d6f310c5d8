import { z } from "zod";
import type { Operation } from "./exchange.ts";
import { xmlAnswer } from "./exchange.ts";
import type { ListedVersion, Page } from "./listing.ts";
import { listObjects, listVersions } from "./listing.ts";
import type { ObjectVersion } from "./records.ts";
import { refusal, refuse } from "./refusals/refuse.ts";
import type { Query } from "./request-target.ts";
import { encode, queryCount, queryValue } from "./request-target.ts";
import { isFileId } from "./version-ids.ts";
import type { XmlElement } from "./xml.ts";
import { xmlDocument } from "./xml.ts";

/** Rows of any listing (B2: "up to 1,000"). */
export const MAX_LISTED = 1000;

/** Who owns everything: an account id as B2 writes it. */
export const OWNER: XmlElement = [
  "Owner",
  [
    ["ID", "15f935cf4dcb"],
    ["DisplayName", ""],
  ],
];

/** The encoding a caller asks names to be listed in. @throws S3Error InvalidArgument for anything but `url`. */
export function encodingOf(query: Query): "url" | undefined {
  const encoding = queryValue(query, "encoding-type");
  if (encoding === undefined || encoding === "url") return encoding;
  refuse("encoding-unknown");
  return undefined;
}

/** `encoding-type=url` is form encoding that leaves slashes alone: a space becomes a plus. */
export function encodeForListing(text: string, encoding: "url" | undefined): string {
  if (encoding === undefined) return text;
  return text
    .split("/")
    .map((segment) => encode(segment).replaceAll("%20", "+"))
    .join("/");
}

/** What all three listings of objects ask for in the same words. */
function common(query: Query) {
  const encoding = encodingOf(query);
  return {
    prefix: queryValue(query, "prefix") ?? "",
    delimiter: queryValue(query, "delimiter") ?? "",
    limit: queryCount(query, "max-keys", { min: 0, max: MAX_LISTED, fallback: MAX_LISTED }),
    encoding,
    text: (value: string) => encodeForListing(value, encoding),
  };
}

const tokenSchema = z.object({ name: z.string(), isPrefix: z.boolean() });

function tokenOf(last: NonNullable<Page<unknown>["last"]>): string {
  return Buffer.from(JSON.stringify(last)).toString("base64url");
}

function readToken(token: string): z.output<typeof tokenSchema> {
  try {
    return tokenSchema.parse(JSON.parse(Buffer.from(token, "base64url").toString("utf8")));
  } catch {
    // A token is ours or it is nothing; what exactly is wrong with a foreign one is of no use to anybody.
    throw refusal("token-foreign");
  }
}

export const listObjectsV2: Operation = ({ bucket, query, store }) => {
  const { prefix, delimiter, limit, encoding, text } = common(query);
  const startAfter = queryValue(query, "start-after");
  const token = queryValue(query, "continuation-token");
  const resume = token === undefined ? undefined : readToken(token);
  const page = listObjects(
    store.index(bucket),
    {
      prefix,
      delimiter,
      after: resume?.name ?? startAfter,
      told: resume?.isPrefix === true ? resume.name : undefined,
    },
    limit,
  );
  const withOwner = queryValue(query, "fetch-owner") === "true";
  return xmlAnswer(
    xmlDocument("ListBucketResult", [
      ["Name", bucket],
      ["Prefix", text(prefix)],
      delimiter === "" ? undefined : ["Delimiter", text(delimiter)],
      startAfter === undefined ? undefined : ["StartAfter", text(startAfter)],
      ["KeyCount", page.items.length + page.commonPrefixes.length],
      ["MaxKeys", limit],
      encoding === undefined ? undefined : ["EncodingType", encoding],
      ["IsTruncated", page.truncated],
      token === undefined ? undefined : ["ContinuationToken", token],
      page.truncated && page.last !== undefined ? ["NextContinuationToken", tokenOf(page.last)] : undefined,
      ...page.items.map((version) => contents(version, text, withOwner)),
      ...prefixElements(page, text),
    ]),
  );
};

export const listObjectsV1: Operation = ({ bucket, query, store }) => {
  const { prefix, delimiter, limit, encoding, text } = common(query);
  const marker = queryValue(query, "marker") ?? "";
  const page = listObjects(
    store.index(bucket),
    {
      prefix,
      delimiter,
      after: marker,
      // A NextMarker that was a common prefix comes back as a marker: its names were told already.
      told:
        delimiter !== "" && marker.length > prefix.length && marker.endsWith(delimiter) ? marker : undefined,
    },
    limit,
  );
  return xmlAnswer(
    xmlDocument("ListBucketResult", [
      ["Name", bucket],
      ["Prefix", text(prefix)],
      ["Marker", text(marker)],
      delimiter === "" ? undefined : ["Delimiter", text(delimiter)],
      ["MaxKeys", limit],
      encoding === undefined ? undefined : ["EncodingType", encoding],
      ["IsTruncated", page.truncated],
      // S3 gives NextMarker with a delimiter only; without one the last key is the marker.
      page.truncated && delimiter !== "" ? ["NextMarker", text(page.last?.name ?? "")] : undefined,
      ...page.items.map((version) => contents(version, text, true)),
      ...prefixElements(page, text),
    ]),
  );
};

export const listObjectVersions: Operation = ({ bucket, query, store }) => {
  const { prefix, delimiter, limit, encoding, text } = common(query);
  const keyMarker = queryValue(query, "key-marker") || undefined;
  const versionMarker = queryValue(query, "version-id-marker") || undefined;
  if (versionMarker !== undefined && keyMarker === undefined) {
    refuse("version-marker-alone");
  }
  if (versionMarker !== undefined && !isFileId(versionMarker)) {
    refuse("version-marker-malformed");
  }
  const told = delimiter !== "" && keyMarker?.endsWith(delimiter) ? keyMarker : undefined;
  const selection = { prefix, delimiter, after: keyMarker, told };
  const page = listVersions(store.index(bucket), selection, versionMarker, limit);
  const lastVersion = page.last?.isPrefix === false ? page.items.at(-1)?.version.versionId : undefined;
  return xmlAnswer(
    xmlDocument("ListVersionsResult", [
      ["Name", bucket],
      ["Prefix", text(prefix)],
      ["KeyMarker", text(keyMarker ?? "")],
      ["VersionIdMarker", versionMarker ?? ""],
      page.truncated ? ["NextKeyMarker", text(page.last?.name ?? "")] : undefined,
      page.truncated && lastVersion !== undefined ? ["NextVersionIdMarker", lastVersion] : undefined,
      delimiter === "" ? undefined : ["Delimiter", text(delimiter)],
      ["MaxKeys", limit],
      encoding === undefined ? undefined : ["EncodingType", encoding],
      ["IsTruncated", page.truncated],
      ...page.items.map((listed) => versionElement(listed, text)),
      ...prefixElements(page, text),
    ]),
  );
};

function contents(version: ObjectVersion, text: (value: string) => string, withOwner: boolean): XmlElement {
  return ["Contents", [["Key", text(version.key)], ...facts(version), withOwner ? OWNER : undefined]];
}

function facts(version: ObjectVersion): XmlElement[] {
  return [
    ["LastModified", new Date(version.modifiedMs).toISOString()],
    ["ETag", `"${version.etag}"`],
    ["Size", version.size],
    ["StorageClass", "STANDARD"],
  ];
}

function versionElement({ version, isLatest }: ListedVersion, text: (value: string) => string): XmlElement {
  const named: XmlElement[] = [
    ["Key", text(version.key)],
    ["VersionId", version.versionId],
    ["IsLatest", isLatest],
  ];
  if (!version.marker) return ["Version", [...named, ...facts(version), OWNER]];
  return ["DeleteMarker", [...named, ["LastModified", new Date(version.modifiedMs).toISOString()], OWNER]];
}

function prefixElements(page: Page<unknown>, text: (value: string) => string): XmlElement[] {
  return page.commonPrefixes.map((prefix) => ["CommonPrefixes", [["Prefix", text(prefix)]]]);
}
