import { XMLParser } from "fast-xml-parser";
import { z } from "zod";

const REPEATED = new Set([
  "Contents",
  "CommonPrefixes",
  "Version",
  "DeleteMarker",
  "Part",
  "Upload",
  "Deleted",
  "Error",
]);

// Keys stay text ("007" is no number) and keep their spaces; a list of one is still a list.
const parser = new XMLParser({
  parseTagValue: false,
  trimValues: false,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  htmlEntities: true,
  isArray: (name) => REPEATED.has(name),
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

export interface ListedPart {
  partNumber: number;
  /** Without quotes. */
  etag: string;
  sizeBytes: number;
  lastModified: Date;
}

/** An upload that was begun and neither completed nor given up. */
export interface ListedUpload {
  key: string;
  uploadId: string;
  initiated: Date;
}

const errorDocument = z
  .object({
    Error: z.array(z.looseObject({ Code: z.string().optional(), Message: z.string().optional() })).length(1),
  })
  .transform(({ Error: [told] }) => ({ code: told?.Code, says: told?.Message }));

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

const uploadBegun = z
  .object({ InitiateMultipartUploadResult: z.looseObject({ UploadId: z.string().min(1) }) })
  .transform(({ InitiateMultipartUploadResult: begun }) => begun.UploadId);

const made = z.union([
  z
    .object({ CompleteMultipartUploadResult: z.looseObject({ ETag: etag }) })
    .transform(({ CompleteMultipartUploadResult: result }) => ({ etag: result.ETag })),
  z
    .object({ CopyObjectResult: z.looseObject({ ETag: etag }) })
    .transform(({ CopyObjectResult: result }) => ({ etag: result.ETag })),
]);

const partsPage = z
  .object({
    ListPartsResult: z.looseObject({
      IsTruncated: yesNo,
      NextPartNumberMarker: token,
      Part: z
        .array(z.looseObject({ PartNumber: byteCount, ETag: etag, Size: byteCount, LastModified: time }))
        .default([]),
    }),
  })
  .transform(({ ListPartsResult: page }, context) => {
    if (page.IsTruncated && page.NextPartNumberMarker === undefined) {
      context.addIssue({ code: "custom", message: "a truncated list without part number marker" });
    }
    return {
      parts: page.Part.map(
        (row): ListedPart => ({
          partNumber: row.PartNumber,
          etag: row.ETag,
          sizeBytes: row.Size,
          lastModified: row.LastModified,
        }),
      ),
      next: page.IsTruncated ? page.NextPartNumberMarker : undefined,
    };
  });

const uploadsPage = z
  .object({
    ListMultipartUploadsResult: z.looseObject({
      IsTruncated: yesNo,
      NextKeyMarker: token,
      NextUploadIdMarker: token,
      Upload: z.array(z.looseObject({ Key: z.string(), UploadId: z.string(), Initiated: time })).default([]),
    }),
  })
  .transform(({ ListMultipartUploadsResult: page }, context) => {
    if (page.IsTruncated && page.NextKeyMarker === undefined) {
      context.addIssue({ code: "custom", message: "a truncated list without key marker" });
    }
    return {
      uploads: page.Upload.map(
        (row): ListedUpload => ({ key: row.Key, uploadId: row.UploadId, initiated: row.Initiated }),
      ),
      next:
        page.IsTruncated && page.NextKeyMarker !== undefined
          ? { keyMarker: page.NextKeyMarker, uploadIdMarker: page.NextUploadIdMarker }
          : undefined,
    };
  });

const keyAndVersion = { Key: z.string(), VersionId: token };
const deleteResult = z
  // An empty result element is text to the parser.
  .object({
    DeleteResult: z.preprocess(
      (result) => (result === "" ? {} : result),
      z.looseObject({
        Deleted: z.array(z.looseObject(keyAndVersion)).default([]),
        Error: z
          .array(z.looseObject({ ...keyAndVersion, Code: z.string(), Message: z.string().optional() }))
          .default([]),
      }),
    ),
  })
  .transform(({ DeleteResult: result }) => ({
    deleted: result.Deleted.map((row) => ({ key: row.Key, versionId: row.VersionId })),
    refused: result.Error.map((row) => ({
      key: row.Key,
      versionId: row.VersionId,
      code: row.Code,
      says: row.Message,
    })),
  }));

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

/** The id of an upload that was begun; undefined where the text is none. */
export function parseUploadBegunXml(text: string): string | undefined {
  return parsed(uploadBegun, text);
}

/** The etag of what Complete or Copy made; undefined where the text is none, an error among others. */
export function parseMadeXml(text: string): { etag: string } | undefined {
  return parsed(made, text);
}

/** One page of ListParts; undefined where the text is none. */
export function parsePartsXml(text: string): z.output<typeof partsPage> | undefined {
  return parsed(partsPage, text);
}

/** One page of ListMultipartUploads; undefined where the text is none. */
export function parseUploadsXml(text: string): z.output<typeof uploadsPage> | undefined {
  return parsed(uploadsPage, text);
}

/** What DeleteObjects did and refused; undefined where the text is none. */
export function parseDeletedXml(text: string): z.output<typeof deleteResult> | undefined {
  return parsed(deleteResult, text);
}

/** Text as it stands between tags; a carriage return as itself would be read as a line feed. */
export function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#13;");
}

function parsed<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> | undefined {
  try {
    return schema.safeParse(parser.parse(text, true)).data;
  } catch {
    // Not XML; the caller turns undefined into its error.
    return undefined;
  }
}
