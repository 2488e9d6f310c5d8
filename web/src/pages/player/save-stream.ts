/** How far a download is; total is null where the sender did not say. */
export interface SaveProgress {
  bytes: number;
  totalBytes: number | null;
}

/** Where bytes go: a file on disk, or memory. `close` gives what the caller asked for. */
export interface Sink<Result> {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> | void;
  close(): Promise<Result> | Result;
  /** Leaves nothing half made. */
  abort(): Promise<void> | void;
}

/** Why a download came to nothing: the address ended (403), the store is in trouble, the line broke, it came short. */
export class SaveFailure extends Error {
  readonly reason: "address_expired" | "store_refused" | "broken_off";
  constructor(reason: SaveFailure["reason"], options?: ErrorOptions) {
    super(reason, options);
    this.reason = reason;
  }
}

/**
 * Fetches an address into a sink and tells how far it is. Throws SaveFailure, or the signal's own reason when it was
 * cancelled; the sink is aborted then. A file that came shorter than promised is no file.
 */
export async function saveStream<Result>(
  url: string,
  sink: Sink<Result>,
  order: {
    fetch: typeof fetch;
    signal: AbortSignal;
    onProgress: (progress: SaveProgress) => void;
    expectedBytes?: number;
  },
): Promise<Result> {
  try {
    const answer = await order.fetch(url, { signal: order.signal });
    if (!answer.ok || answer.body === null) {
      await answer.body?.cancel();
      throw new SaveFailure(
        answer.status === 403 || answer.status === 401 ? "address_expired" : "store_refused",
      );
    }
    const said = Number(answer.headers.get("content-length"));
    const totalBytes = order.expectedBytes ?? (said > 0 ? said : null);
    let bytes = 0;
    order.onProgress({ bytes, totalBytes });
    const reader = answer.body.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      await sink.write(next.value);
      bytes += next.value.byteLength;
      order.onProgress({ bytes, totalBytes });
    }
    if (totalBytes !== null && bytes < totalBytes) throw new SaveFailure("broken_off");
    return await sink.close();
  } catch (error) {
    await sink.abort();
    if (order.signal.aborted || error instanceof SaveFailure) throw error;
    throw new SaveFailure("broken_off", { cause: error });
  }
}

/** Keeps everything for a link that saves it. Browsers move large ones to disk themselves. */
export function memorySink(contentType: string): Sink<Blob> {
  let parts: Uint8Array<ArrayBuffer>[] = [];
  return {
    write: (bytes) => {
      parts.push(bytes);
    },
    close: () => new Blob(parts, { type: contentType }),
    abort: () => {
      parts = [];
    },
  };
}
