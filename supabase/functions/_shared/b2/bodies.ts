import { RecorderFailure } from "../errors.ts";
import { storeError } from "./errors.ts";

/**
 * Bytes on their way to the store. A stream can be sent once: what fails with it is not tried again here. A function
 * that opens a new stream is asked anew for every attempt.
 */
export type Upload = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | OpenUpload;
export type OpenUpload = () => ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array>>;

/** A body whose length is known before its bytes are, as S3 demands. */
export interface StreamedBody {
  sizeBytes: number;
  open: OpenUpload;
  /** Whether `open` may be called again. */
  isReplayable: boolean;
}

/** What a request may carry. Bytes and text stay in memory, so that every attempt can send them again. */
export type RequestBody = Uint8Array<ArrayBuffer> | string | StreamedBody;

/** Throws RecorderFailure `store_request_invalid` where the size is none, or not that of the bytes. */
export function bodyOf(upload: Upload, sizeBytes: number): RequestBody {
  const isSize = Number.isSafeInteger(sizeBytes) && sizeBytes >= 0;
  if (!isSize || (upload instanceof Uint8Array && upload.byteLength !== sizeBytes)) {
    throw new RecorderFailure(
      storeError("store_request_invalid", { detail: "sizeBytes: not the body's size" }),
    );
  }
  if (upload instanceof Uint8Array) return upload;
  if (upload instanceof ReadableStream) return { sizeBytes, open: () => upload, isReplayable: false };
  return { sizeBytes, open: upload, isReplayable: true };
}

export function isStreamed(body: RequestBody | undefined): body is StreamedBody {
  return typeof body === "object" && !(body instanceof Uint8Array);
}

/**
 * The chunks of a stream that has to hold exactly `sizeBytes`. Throws RecorderFailure `upload_source_failed` when it
 * breaks off, or holds more or less; a RecorderFailure of its own goes through. Leaving the loop cancels the stream,
 * and so does `ended`, even while a chunk is awaited. Two buffers are filled in turn where the stream allows it (a
 * fetched body does), so a chunk's bytes last until the next but one is asked for: that halves a process's memory.
 */
export async function* chunksOf(
  stream: ReadableStream<Uint8Array>,
  sizeBytes: number,
  ended?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = readerOf(stream);
  // What cancelling itself says is of no use to anybody any more.
  const cancel = () => reader.cancel().catch(() => undefined);
  let taken = 0;
  let isOver = false;
  ended?.addEventListener("abort", cancel);
  try {
    while (true) {
      const value = await nextOf(reader);
      if (ended?.aborted) return;
      if (value === undefined) break;
      taken += value.byteLength;
      if (taken > sizeBytes) break;
      yield value;
    }
    isOver = taken <= sizeBytes;
    if (taken !== sizeBytes) {
      const found = isOver ? `${taken}` : `more than ${sizeBytes}`;
      throw sourceFailed(`${found} bytes instead of ${sizeBytes}`);
    }
  } catch (thrown) {
    if (thrown instanceof SourceBroken) {
      isOver = true;
      throw thrown.failure;
    }
    throw thrown;
  } finally {
    ended?.removeEventListener("abort", cancel);
    if (!isOver) await cancel();
  }
}

/** Carries a source's own failure past the loop, so that a consumer's is not taken for it. */
class SourceBroken extends Error {
  readonly failure: unknown;
  constructor(failure: unknown) {
    super("the source failed");
    this.failure = failure;
  }
}

async function nextOf(reader: ChunkReader): Promise<Uint8Array | undefined> {
  try {
    return await reader.read();
  } catch (thrown) {
    if (thrown instanceof RecorderFailure) throw new SourceBroken(thrown);
    const reason = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    throw new SourceBroken(sourceFailed(reason, thrown));
  }
}

interface ChunkReader {
  /** Undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  cancel(): Promise<void>;
}

const BUFFER_BYTES = 256 * 1024;

function readerOf(stream: ReadableStream<Uint8Array>): ChunkReader {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: "byob" });
  } catch {
    // Not a stream of bytes but one of byte arrays, each with a buffer of its own.
    const plain = stream.getReader();
    return { read: async () => (await plain.read()).value, cancel: () => plain.cancel() };
  }
  const free = [new ArrayBuffer(BUFFER_BYTES), new ArrayBuffer(BUFFER_BYTES)];
  return {
    async read() {
      // A buffer that was lent to a read that failed is gone, but then so is the stream.
      const buffer = free.shift() ?? new ArrayBuffer(BUFFER_BYTES);
      const { value } = await reader.read(new Uint8Array(buffer));
      // At the end the view is empty, or none after a cancel.
      if (value === undefined || value.byteLength === 0) return undefined;
      free.push(value.buffer);
      return value;
    },
    cancel: () => reader.cancel(),
  };
}

function sourceFailed(detail: string, cause?: unknown): RecorderFailure {
  return new RecorderFailure(storeError("upload_source_failed", { detail }), { cause });
}

/** Bytes as a body that is streamed. */
export function streamedBytes(bytes: Uint8Array<ArrayBuffer>): StreamedBody {
  const open = () =>
    new ReadableStream<Uint8Array>({
      start(stream) {
        if (bytes.byteLength > 0) stream.enqueue(bytes);
        stream.close();
      },
    });
  return { sizeBytes: bytes.byteLength, open, isReplayable: true };
}

/** A streamed body's bytes in memory, for where nothing better can send them. */
export async function wholeBytes(body: StreamedBody): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(body.sizeBytes);
  let at = 0;
  for await (const chunk of chunksOf(await body.open(), body.sizeBytes)) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
