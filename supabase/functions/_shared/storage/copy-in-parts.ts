import { createHash } from "node:crypto";
import { RecorderFailure } from "../errors.ts";
import type { OpenTransfer } from "../jobs/transfer-calls.ts";
import { openSource } from "./open-source.ts";
import type { CopyFailure, Slice, TransferDeps } from "./transfer.ts";

interface Part {
  part_number: number;
  size_bytes: number;
  etag: string;
}

/**
 * Goes on with one large object: sends the parts that are missing, one after the other, and makes the object out of
 * them when all are there. A part is saved while the next one is on its way, so a worker that is killed has at most one
 * part in the air; what arrived and was not saved is found by asking the store.
 */
export async function copyInParts(
  transfer: OpenTransfer,
  partBytes: number,
  slice: Slice,
  deps: TransferDeps,
): Promise<CopyFailure[]> {
  try {
    await goOn(transfer, partBytes, slice, deps);
    return [];
  } catch (thrown) {
    return [{ transfer, thrown }];
  }
}

async function goOn(
  transfer: OpenTransfer,
  partBytes: number,
  slice: Slice,
  deps: TransferDeps,
): Promise<void> {
  const { total_bytes: totalBytes } = transfer;
  if (transfer.state === "verifying") return await verify(transfer, slice, deps);
  const uploadId = transfer.upload_id ?? (await beginUpload(transfer, deps));
  if (uploadId === undefined) return;
  transfer.upload_id = uploadId;
  const parts = new Map(transfer.parts.map((part) => [part.part_number, part]));
  if (slice.isResumed) await findParts(transfer, uploadId, parts, partBytes, deps);

  let saving: Promise<boolean> = Promise.resolve(true);
  const count = Math.ceil(totalBytes / partBytes);
  try {
    for (let number = 1; number <= count; number++) {
      if (parts.has(number)) continue;
      const size = sizeOf(number, partBytes, totalBytes);
      if (!slice.budget.take(size)) return;
      const from = (number - 1) * partBytes;
      const { etag } = await deps.bucket.uploadPart(
        transfer.destination_key,
        uploadId,
        number,
        () => openSource(transfer, slice.source, { from, to: from + size - 1 }),
        size,
        { signal: deps.limit },
      );
      const part = { part_number: number, size_bytes: size, etag };
      parts.set(number, part);
      // Somebody else began this object anew: whatever is sent now is for nobody.
      if (!(await saving)) return;
      saving = deps.database.recordParts(transfer.id, uploadId, [part]);
      // Awaited with the next part; until then its failure must not count as nobody's.
      saving.catch(() => undefined);
    }
  } finally {
    // Also where a part failed: what arrived before it is saved.
    await saving;
  }
  await complete(transfer, uploadId, [...parts.values()], slice, deps);
}

async function beginUpload(transfer: OpenTransfer, { bucket, database }: TransferDeps) {
  const { destination_key: key, content_type: contentType } = transfer;
  const { uploadId } = await bucket.createMultipartUpload(key, { contentType });
  const holds = await database.beginUpload(transfer.id, uploadId);
  if (holds !== uploadId) await bucket.abortMultipartUpload(key, uploadId);
  return holds ?? undefined;
}

/** Parts that the store has and nobody saved: their worker died between the two. */
async function findParts(
  transfer: OpenTransfer,
  uploadId: string,
  parts: Map<number, Part>,
  partBytes: number,
  { bucket, database, log }: TransferDeps,
): Promise<void> {
  const listed = await bucket.listParts(transfer.destination_key, uploadId);
  const found = listed
    .filter(
      ({ partNumber, sizeBytes }) =>
        !parts.has(partNumber) && sizeBytes === sizeOf(partNumber, partBytes, transfer.total_bytes),
    )
    .map(({ partNumber, sizeBytes, etag }) => ({ part_number: partNumber, size_bytes: sizeBytes, etag }));
  if (found.length === 0) return;
  log("transfer.parts_found", { transfer_id: transfer.id, parts: found.length });
  await database.recordParts(transfer.id, uploadId, found);
  for (const part of found) parts.set(part.part_number, part);
}

function sizeOf(number: number, partBytes: number, totalBytes: number): number {
  return Math.min(partBytes, totalBytes - (number - 1) * partBytes);
}

async function complete(
  transfer: OpenTransfer,
  uploadId: string,
  parts: readonly Part[],
  slice: Slice,
  deps: TransferDeps,
): Promise<void> {
  const written = await deps.bucket.completeMultipartUpload(
    transfer.destination_key,
    uploadId,
    parts.map(({ part_number, etag, size_bytes }) => ({
      partNumber: part_number,
      etag,
      sizeBytes: size_bytes,
    })),
  );
  transfer.parts = [...parts];
  await deps.database.completeTransfers(slice.recordingId, [
    { id: transfer.id, version_id: written.versionId ?? "null", etag: written.etag },
  ]);
  await verify(transfer, slice, deps);
}

/** Looks at the object itself. Its size is hard; that its etag is made of the parts' is only a further sign. */
async function verify(transfer: OpenTransfer, slice: Slice, deps: TransferDeps): Promise<void> {
  const seen = await deps.bucket.head(transfer.destination_key);
  if (seen?.sizeBytes !== transfer.total_bytes) throw copyDiffers(transfer, seen?.sizeBytes);
  await deps.database.verifyTransfers(slice.recordingId, [
    { id: transfer.id, size_bytes: seen.sizeBytes, etag_agrees: seen.etag === etagOfParts(transfer.parts) },
  ]);
}

/** S3's etag of an object in parts: the MD5 of the parts' MD5s. B2's form is not documented. */
export function etagOfParts(parts: readonly Pick<Part, "part_number" | "etag">[]): string {
  const hash = createHash("md5");
  for (const { etag } of parts.toSorted((one, other) => one.part_number - other.part_number)) {
    hash.update(etag, "hex");
  }
  return `${hash.digest("hex")}-${parts.length}`;
}

/** A copy that is not as long as its source. */
export function copyDiffers(transfer: OpenTransfer, sizeBytes: number | undefined): RecorderFailure {
  return new RecorderFailure({
    code: "copy_differs",
    blame: "storage",
    retry: "later",
    message: "A copied file is not as long as its source; it is copied again.",
    detail: `${sizeBytes ?? "no"} bytes instead of ${transfer.total_bytes}`,
  });
}
