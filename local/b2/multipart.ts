import { createHash } from "node:crypto";
import { z } from "zod";
import type { Part, Piece } from "./records.ts";
import { refusal, refuse } from "./refusals/refuse.ts";
import { parseXml } from "./xml.ts";

export const MAX_PARTS = 10_000;
/** Bytes; every part but the last. B2's `absoluteMinimumPartSize` (S3 itself asks for 5,242,880). */
export const MIN_PART_BYTES = 5_000_000;
/** Bytes of one put or one part (B2 "Create Large Files"). */
export const MAX_PUT_BYTES = 5_000_000_000;

/** A multipart upload that is neither completed nor aborted. */
export interface Upload {
  bucket: string;
  key: string;
  uploadId: string;
  startedMs: number;
  headers: Record<string, string>;
  parts: Map<number, Part>;
}

/** A part as the caller of CompleteMultipartUpload names it. */
export interface NamedPart {
  number: number;
  /** Without quotes. */
  etag: string;
}

const completeDocument = z.object({
  CompleteMultipartUpload: z.object({
    Part: z
      .array(z.object({ PartNumber: z.coerce.number().int(), ETag: z.string().min(1) }))
      .min(1)
      .max(MAX_PARTS),
  }),
});

/** Reads the body of CompleteMultipartUpload. @throws S3Error MalformedXML */
export function parseNamedParts(text: string): NamedPart[] {
  return parseXml(text, completeDocument).CompleteMultipartUpload.Part.map((part) => ({
    number: part.PartNumber,
    etag: part.ETag.trim().replaceAll('"', ""),
  }));
}

/** Reads a part number. @throws S3Error InvalidArgument outside 1 to 10,000. */
export function parsePartNumber(text: string | undefined): number {
  const number = /^\d{1,5}$/.test(text ?? "") ? Number(text) : 0;
  if (number < 1 || number > MAX_PARTS) refuse("part-number");
  return number;
}

/**
 * Puts named parts together.
 * @returns the pieces of the object, its size in bytes, and its ETag: the MD5 of the parts' MD5s, a hyphen, their number.
 * @throws S3Error InvalidPartOrder, InvalidPart, EntityTooSmall
 */
export function assemble(
  upload: Upload,
  named: readonly NamedPart[],
): { pieces: Piece[]; size: number; etag: string } {
  if (named.some((part, position) => position > 0 && part.number <= (named[position - 1]?.number ?? 0))) {
    refuse("part-order");
  }
  const parts = named.map(({ number, etag }) => {
    const part = upload.parts.get(number);
    const details = { UploadId: upload.uploadId, PartNumber: String(number), ETag: etag };
    if (part === undefined) throw refusal("part-missing", { details });
    if (part.etag !== etag) refuse("part-changed", { details });
    return part;
  });
  for (const part of parts.slice(0, -1)) {
    if (part.size >= MIN_PART_BYTES) continue;
    refuse("part-too-small", {
      details: {
        ProposedSize: String(part.size),
        MinSizeAllowed: String(MIN_PART_BYTES),
        PartNumber: String(part.number),
        ETag: part.etag,
      },
    });
  }
  const digest = createHash("md5");
  for (const part of parts) digest.update(Buffer.from(part.etag, "hex"));
  return {
    pieces: parts.map(({ blob, size }) => ({ blob, size })),
    size: parts.reduce((sum, part) => sum + part.size, 0),
    etag: `${digest.digest("hex")}-${parts.length}`,
  };
}
