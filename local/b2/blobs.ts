import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ByteRange } from "./conditions.ts";
import type { Piece } from "./records.ts";
import { refuse } from "./refusals/refuse.ts";

/** What the sender promised about a body; each promise that is made is kept or the bytes are thrown away. */
export interface Promised {
  /** Bytes. */
  length?: number | undefined;
  /** Base64 of `Content-MD5`. */
  md5?: string | undefined;
  /** Lower-case hex of `x-amz-content-sha256`. */
  sha256?: string | undefined;
}

export interface StoredBlob extends Piece {
  /** Hex; the ETag of a single put or of a part. */
  md5: string;
}

/** Immutable files of bytes. A blob is written in `incoming/`, verified there and only then moved into `blobs/`. */
export interface Blobs {
  /**
   * Streams a body to disk.
   * @throws S3Error BadDigest or XAmzContentSHA256Mismatch; whatever the stream throws.
   */
  store(body: AsyncIterable<Buffer>, promised: Promised): Promise<StoredBlob>;
  /** The bytes of several pieces, one after the other, or a range of them. */
  read(pieces: readonly Piece[], range?: ByteRange): AsyncGenerator<Buffer>;
  remove(pieces: readonly Piece[]): Promise<void>;
  /** Deletes every blob that nobody refers to: what a killed process left behind. Returns how many. */
  sweep(referenced: ReadonlySet<string>): Promise<number>;
}

/** Opens the blob folders below an absolute path; half-written blobs of an earlier process are deleted. */
export async function openBlobs(dataDir: string): Promise<Blobs> {
  const incoming = join(dataDir, "incoming");
  const shelves = join(dataDir, "blobs");
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  const known = new Set<string>();
  const pathOf = (blob: string) => join(shelves, blob.slice(0, 2), blob);
  const shelve = async (from: string, blob: string) => {
    const shelf = blob.slice(0, 2);
    if (!known.has(shelf)) await mkdir(join(shelves, shelf), { recursive: true });
    known.add(shelf);
    await rename(from, pathOf(blob));
  };

  return {
    async store(body, promised) {
      const blob = randomBytes(16).toString("hex");
      const path = join(incoming, blob);
      const md5 = createHash("md5");
      const sha256 = promised.sha256 === undefined ? undefined : createHash("sha256");
      let size = 0;
      async function* metered(): AsyncGenerator<Buffer> {
        for await (const chunk of body) {
          size += chunk.length;
          md5.update(chunk);
          sha256?.update(chunk);
          yield chunk;
        }
      }
      try {
        await writeFile(path, metered());
        if (promised.length !== undefined && size !== promised.length) {
          throw new Error(`${size} bytes came instead of ${promised.length}`);
        }
        const digest = md5.digest();
        if (promised.md5 !== undefined && digest.toString("base64") !== promised.md5) refuse("md5-wrong");
        if (sha256 !== undefined && sha256.digest("hex") !== promised.sha256) {
          refuse("sha256-wrong");
        }
        await shelve(path, blob);
        return { blob, size, md5: digest.toString("hex") };
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
    },

    async *read(pieces, range) {
      let offset = 0;
      for (const piece of pieces) {
        const start = Math.max(0, (range?.start ?? 0) - offset);
        const end = Math.min(piece.size - 1, (range?.end ?? Number.MAX_SAFE_INTEGER) - offset);
        offset += piece.size;
        if (start <= end)
          yield* createReadStream(pathOf(piece.blob), { start, end, highWaterMark: WRITE_BYTES });
      }
    },

    async remove(pieces) {
      for (const piece of pieces) await rm(pathOf(piece.blob), { force: true });
    },

    async sweep(referenced) {
      let swept = 0;
      await mkdir(shelves, { recursive: true });
      for (const shelf of await readdir(shelves)) {
        for (const blob of await readdir(join(shelves, shelf))) {
          if (referenced.has(blob)) continue;
          await rm(join(shelves, shelf, blob));
          swept += 1;
        }
      }
      return swept;
    },
  };
}

/** Sockets give 64 KB at a time; a file is written and read in fewer and larger strokes. */
const WRITE_BYTES = 1024 * 1024;

/** Writes at the end of a file, without joining the chunks first. */
async function writeAll(file: FileHandle, chunks: readonly Buffer[], bytes: number): Promise<void> {
  const { bytesWritten } = await file.writev(chunks);
  // A disk that is nearly full takes a part; appending the rest says why, or succeeds.
  if (bytesWritten < bytes) await file.appendFile(Buffer.concat(chunks).subarray(bytesWritten));
}

/** Writes a new file; one stroke is on its way while the next is gathered, so no more than two are in memory. */
async function writeFile(path: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  const file = await open(path, "wx");
  let gathered: Buffer[] = [];
  let bytes = 0;
  let written: Promise<unknown> = Promise.resolve();
  const stroke = async () => {
    const chunks = gathered;
    const promised = bytes;
    gathered = [];
    bytes = 0;
    await written;
    written = writeAll(file, chunks, promised);
    // Awaited before the next stroke; until then a failure must not count as nobody's.
    written.catch(() => undefined);
  };
  try {
    for await (const chunk of chunks) {
      gathered.push(chunk);
      bytes += chunk.length;
      if (bytes >= WRITE_BYTES) await stroke();
    }
    await stroke();
    await written;
  } finally {
    await written.catch(() => undefined);
    await file.close();
  }
}
