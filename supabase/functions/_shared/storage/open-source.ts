import { storeError } from "../b2/errors.ts";
import { RecorderFailure } from "../errors.ts";
import type { OpenTransfer } from "../jobs/transfer-calls.ts";
import { readingSource, type SourceStore } from "./source-store.ts";

/**
 * A stream of a source, or of a range of it, as it was planned: another version fails with SourceFailure
 * `object_changed` instead of becoming part of a mixture, also where the store ignores If-Match.
 */
export function openSource(
  transfer: Pick<OpenTransfer, "source_key" | "source_etag" | "total_bytes">,
  source: SourceStore,
  range?: { from: number; to: number },
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  return readingSource(source, async () => {
    const { stream, etag, totalBytes } = await source.store.get(transfer.source_key, {
      ifMatch: transfer.source_etag,
      ...(range === undefined ? {} : { range }),
    });
    if (etag === transfer.source_etag && totalBytes === transfer.total_bytes) return stream;
    await stream.cancel();
    throw new RecorderFailure(storeError("object_changed", { detail: "another etag or size" }));
  });
}
