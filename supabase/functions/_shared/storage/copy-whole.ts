import { storeError } from "../b2/errors.ts";
import { RecorderFailure } from "../errors.ts";
import type { OpenTransfer } from "../jobs/transfer-calls.ts";
import { copyDiffers } from "./copy-in-parts.ts";
import { openSource } from "./open-source.ts";
import type { CopyFailure, Slice, TransferDeps } from "./transfer.ts";

/** What is taken into memory whole; a few of these at once are nothing. */
const HELD_BYTES = 1024 * 1024;

interface Completed {
  id: string;
  version_id: string;
  etag: string;
}

/**
 * Copies small objects, each with one put, some of them side by side. What has arrived is saved as it goes, and seen in
 * a listing of the bucket at the end. Gives those that failed; the others are done.
 */
export async function copyWhole(
  transfers: readonly OpenTransfer[],
  slice: Slice,
  deps: TransferDeps,
): Promise<CopyFailure[]> {
  const failures: CopyFailure[] = [];
  const saver = createSaver((completed) => deps.database.completeTransfers(slice.recordingId, completed));
  const toVerify = transfers.filter(({ state }) => state === "verifying");
  const arrived = slice.isResumed ? await findArrived(transfers, deps) : new Map<string, Completed>();

  const waiting = transfers.filter(({ state }) => state !== "verifying").values();
  const copyOneByOne = async () => {
    for (const transfer of waiting) {
      try {
        const found = arrived.get(transfer.id);
        if (found === undefined && !slice.budget.take(transfer.total_bytes)) return;
        saver.add(found ?? (await copyOne(transfer, slice, deps)));
        toVerify.push(transfer);
      } catch (thrown) {
        failures.push({ transfer, thrown });
        // What went wrong may concern all of them: nobody begins another one.
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: slice.parallel }, copyOneByOne));
  await saver.saved();
  if (toVerify.length > 0) failures.push(...(await verify(toVerify, slice, deps)));
  return failures;
}

async function copyOne(
  transfer: OpenTransfer,
  slice: Slice,
  { bucket, limit }: TransferDeps,
): Promise<Completed> {
  const { destination_key: key, content_type: contentType, total_bytes: sizeBytes } = transfer;
  const open = () => openSource(transfer, slice.source);
  // The runtime's own fetch, which takes bytes only, costs half the CPU of what streams.
  const body = sizeBytes <= HELD_BYTES ? await bytesOf(await open(), sizeBytes) : open;
  const { etag, versionId } = await bucket.putStream(key, body, sizeBytes, { contentType, signal: limit });
  return { id: transfer.id, version_id: versionId ?? "null", etag };
}

/** A small source whole. Throws RecorderFailure `upload_source_failed` when it breaks off. */
async function bytesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  sizeBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let detail = "another length";
  try {
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    if (bytes.byteLength === sizeBytes) return bytes;
  } catch (thrown) {
    detail = thrown instanceof Error ? thrown.message : String(thrown);
  }
  throw new RecorderFailure(storeError("upload_source_failed", { detail }));
}

/** Objects that arrived and were not saved, because their worker died: same size, and the etag of the source. */
async function findArrived(transfers: readonly OpenTransfer[], deps: TransferDeps) {
  const byKey = new Map(transfers.map((transfer) => [transfer.destination_key, transfer]));
  const found = new Map<string, Completed>();
  for await (const { key, sizeBytes, etag } of seenOf(transfers, deps)) {
    const transfer = byKey.get(key);
    if (transfer === undefined || transfer.state === "verifying") continue;
    if (sizeBytes !== transfer.total_bytes || etag !== transfer.source_etag) continue;
    const seen = await deps.bucket.head(key);
    if (seen?.etag !== etag) continue;
    found.set(transfer.id, { id: transfer.id, version_id: seen.versionId ?? "null", etag });
  }
  return found;
}

async function verify(
  transfers: readonly OpenTransfer[],
  slice: Slice,
  deps: TransferDeps,
): Promise<CopyFailure[]> {
  const byKey = new Map(transfers.map((transfer) => [transfer.destination_key, transfer]));
  const seen = new Map<string, { sizeBytes: number; etag: string }>();
  for await (const { key, sizeBytes, etag } of seenOf(transfers, deps)) {
    if (byKey.has(key)) seen.set(key, { sizeBytes, etag });
  }
  const failures: CopyFailure[] = [];
  const verified = transfers.flatMap((transfer) => {
    const copy = seen.get(transfer.destination_key);
    if (copy?.sizeBytes === transfer.total_bytes) {
      return [
        { id: transfer.id, size_bytes: copy.sizeBytes, etag_agrees: copy.etag === transfer.source_etag },
      ];
    }
    failures.push({ transfer, thrown: copyDiffers(transfer, copy?.sizeBytes) });
    return [];
  });
  if (verified.length > 0) await deps.database.verifyTransfers(slice.recordingId, verified);
  return failures;
}

/** What the bucket has between the first and the last of these keys: one page as a rule, however many they are. */
async function* seenOf(transfers: readonly OpenTransfer[], { bucket }: TransferDeps) {
  const keys = transfers.map((transfer) => transfer.destination_key).sort();
  const [first = ""] = keys;
  const last = keys.at(-1) ?? "";
  const folder = first.slice(0, commonLength(first, last));
  // The key before the first one: all but its last character sorts before it.
  const startAfter = first.slice(0, -1);
  // A page of a thousand rows, most of them past the last key, would cost more than all the copies that are looked for.
  const maxKeys = Math.min(1_000, keys.length + 1);
  for await (const { objects } of bucket.list(folder, folder === first ? {} : { startAfter, maxKeys })) {
    for (const object of objects) {
      if (object.key > last) return;
      yield object;
    }
  }
}

function commonLength(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}

/** Saves what comes while the last save is under way with the next one: few round trips, and little to lose. */
function createSaver(save: (completed: Completed[]) => Promise<unknown>) {
  let waiting: Completed[] = [];
  let underWay: Promise<unknown> | undefined;
  let failed: unknown;
  const run = async () => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await save(batch);
    }
  };
  const start = () => {
    underWay ??= run()
      .catch((thrown) => {
        failed ??= thrown;
      })
      .finally(() => {
        underWay = undefined;
      });
  };
  return {
    add(one: Completed) {
      waiting.push(one);
      start();
    },
    /** Resolves when everything is saved; throws what a save threw. */
    async saved() {
      while (underWay !== undefined) await underWay;
      if (failed !== undefined) throw failed;
    },
  };
}
