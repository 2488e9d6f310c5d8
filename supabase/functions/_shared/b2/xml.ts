import { XMLParser } from "fast-xml-parser";
import { z } from "zod";

// Keys stay text ("007" is no number) and keep their spaces; a list of one is still a list.
const parser = new XMLParser({
  parseTagValue: false,
  trimValues: false,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  htmlEntities: true,
  isArray: (name) => ["Contents", "CommonPrefixes", "Version", "DeleteMarker"].includes(name),
});

const yesNo = z.enum(["true", "false"]).transform((text) => text === "true");
const byteCount = z.string().regex(/^\d+$/).transform(Number);
const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const etag = z.string().transform((text) => text.replaceAll('"', ""));
// An empty element is no token.
const token = z
  .string()
  .optional()
  .transform((text) => (text === "" ? undefined : text));

export interface ListedObject {
  key: string;
  sizeBytes: number;
  /** Without quotes. */
  etag: string;
  lastModified: Date;
}

export interface ListedVersion {
  key: string;
  versionId: string;
  isLatest: boolean;
  /** A delete marker has no bytes; it is what a delete without version id leaves behind. */
  isDeleteMarker: boolean;
  /** 0 for a delete marker. */
  sizeBytes: number;
  lastModified: Date;
}

const errorDocument = z
  .object({ Error: z.looseObject({ Code: z.string().optional(), Message: z.string().optional() }) })
  .transform(({ Error: told }) => ({ code: told.Code, says: told.Message }));

const objectsPage = z
  .object({
    ListBucketResult: z.looseObject({
      IsTruncated: yesNo,
      NextContinuationToken: token,
      Contents: z
        .array(z.looseObject({ Key: z.string(), Size: byteCount, ETag: etag, LastModified: time }))
        .default([]),
      CommonPrefixes: z.array(z.looseObject({ Prefix: z.string() })).default([]),
    }),
  })
  .transform(({ ListBucketResult: page }, context) => {
    // Without a token the next request would read the first page again, for ever.
    if (page.IsTruncated && page.NextContinuationToken === undefined) {
      context.addIssue({ code: "custom", message: "a truncated list without continuation token" });
    }
    return {
      objects: page.Contents.map(
        (row): ListedObject => ({
          key: row.Key,
          sizeBytes: row.Size,
          etag: row.ETag,
          lastModified: row.LastModified,
        }),
      ),
      prefixes: page.CommonPrefixes.map((row) => row.Prefix),
      next: page.IsTruncated ? page.NextContinuationToken : undefined,
    };
  });

const versionRow = { Key: z.string(), VersionId: z.string(), IsLatest: yesNo, LastModified: time };

const versionsPage = z
  .object({
    ListVersionsResult: z.looseObject({
      IsTruncated: yesNo,
      NextKeyMarker: token,
      NextVersionIdMarker: token,
      Version: z.array(z.looseObject({ ...versionRow, Size: byteCount })).default([]),
      DeleteMarker: z.array(z.looseObject(versionRow)).default([]),
    }),
  })
  .transform(({ ListVersionsResult: page }, context) => {
    if (page.IsTruncated && page.NextKeyMarker === undefined) {
      context.addIssue({ code: "custom", message: "a truncated list without key marker" });
    }
    const row = (
      from: (typeof page.DeleteMarker)[number],
      sizeBytes: number,
      isDeleteMarker: boolean,
    ): ListedVersion => ({
      key: from.Key,
      versionId: from.VersionId,
      isLatest: from.IsLatest,
      isDeleteMarker,
      sizeBytes,
      lastModified: from.LastModified,
    });
    return {
      versions: [
        ...page.Version.map((version) => row(version, version.Size, false)),
        ...page.DeleteMarker.map((marker) => row(marker, 0, true)),
      ],
      next:
        page.IsTruncated && page.NextKeyMarker !== undefined
          ? { keyMarker: page.NextKeyMarker, versionIdMarker: page.NextVersionIdMarker }
          : undefined,
    };
  });

/** Code and message of an S3 error; undefined where the text is none (a proxy's page, or nothing). */
export function parseErrorXml(
  text: string,
): { code: string | undefined; says: string | undefined } | undefined {
  return parsed(errorDocument, text);
}

/** One page of ListObjectsV2; undefined where the text is none. */
export function parseObjectsXml(text: string): z.output<typeof objectsPage> | undefined {
  return parsed(objectsPage, text);
}

/** One page of ListObjectVersions; undefined where the text is none. */
export function parseVersionsXml(text: string): z.output<typeof versionsPage> | undefined {
  return parsed(versionsPage, text);
}

function parsed<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> | undefined {
  try {
    return schema.safeParse(parser.parse(text, true)).data;
  } catch {
    // Not XML; the caller turns undefined into its error.
    return undefined;
  }
}
