import type { B2Client } from "../b2/client.ts";

/** Boxes at the top of a file; the engine's have four or five. */
const MOST_BOXES = 64;
/** The header of an MP4 stands at the beginning of its `moov`, before the tables that grow with the recording. */
const MOOV_START_BYTES = 4096;

/** Reads `length` bytes from `offset` on; fewer at the end of the file. */
export type ReadRange = (offset: number, length: number) => Promise<Uint8Array>;

/**
 * How long an MP4 plays, ms, as its movie header says; undefined where it has none. Reads some hundred bytes, wherever
 * in the file the header is. Source: ISO/IEC 14496-12, 4.2 (boxes) and 8.2.2 (mvhd).
 */
export async function mp4DurationMs(sizeBytes: number, read: ReadRange): Promise<number | undefined> {
  let offset = 0;
  for (let count = 0; count < MOST_BOXES && offset + 8 <= sizeBytes; count++) {
    const box = boxOf(await read(offset, Math.min(16, sizeBytes - offset)), sizeBytes - offset);
    if (box === undefined) return undefined;
    if (box.type === "moov") {
      const begin = offset + box.headerBytes;
      const length = Math.min(MOOV_START_BYTES, box.sizeBytes - box.headerBytes);
      return durationInMoov(await read(begin, length));
    }
    offset += box.sizeBytes;
  }
  return undefined;
}

/** The same for an object of the bucket, by ranged reads. Throws what the bucket throws. */
export function mp4DurationInBucket(
  bucket: Pick<B2Client, "get">,
  key: string,
  sizeBytes: number,
): Promise<number | undefined> {
  return mp4DurationMs(sizeBytes, async (offset, length) => {
    const { stream } = await bucket.get(key, { range: { from: offset, to: offset + length - 1 } });
    return new Uint8Array(await new Response(stream).arrayBuffer());
  });
}

interface Box {
  type: string;
  headerBytes: number;
  sizeBytes: number;
}

function boxOf(bytes: Uint8Array, leftBytes: number): Box | undefined {
  if (bytes.byteLength < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = String.fromCharCode(...bytes.subarray(4, 8));
  const told = view.getUint32(0);
  if (told === 1) {
    if (bytes.byteLength < 16) return undefined;
    const large = Number(view.getBigUint64(8));
    return large >= 16 && large <= leftBytes ? { type, headerBytes: 16, sizeBytes: large } : undefined;
  }
  // 0: up to the end of the file.
  const sizeBytes = told === 0 ? leftBytes : told;
  return sizeBytes >= 8 && sizeBytes <= leftBytes ? { type, headerBytes: 8, sizeBytes } : undefined;
}

function durationInMoov(moov: Uint8Array): number | undefined {
  let offset = 0;
  while (offset + 8 <= moov.byteLength) {
    const box = boxOf(moov.subarray(offset), Number.MAX_SAFE_INTEGER);
    if (box === undefined) return undefined;
    if (box.type === "mvhd") return durationInMvhd(moov.subarray(offset + box.headerBytes));
    offset += box.sizeBytes;
  }
  return undefined;
}

function durationInMvhd(body: Uint8Array): number | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const isLong = body.byteLength > 0 && view.getUint8(0) === 1;
  if (body.byteLength < (isLong ? 32 : 20)) return undefined;
  const timescale = view.getUint32(isLong ? 20 : 12);
  const duration = isLong ? Number(view.getBigUint64(24)) : view.getUint32(16);
  // All ones: not known. None: a fragmented file, whose length stands in its fragments.
  const isUnknown = duration === 0 || (isLong ? duration >= 2 ** 64 - 2048 : duration === 0xffffffff);
  return timescale === 0 || isUnknown ? undefined : Math.round((duration / timescale) * 1000);
}
