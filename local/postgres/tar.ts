/** One regular file of an archive. */
export interface TarFile {
  path: string;
  content: Buffer;
}

const BLOCK_BYTES = 512;

/**
 * Reads the regular files of an uncompressed POSIX (ustar) archive, header fields as in IEEE Std 1003.1 pax.
 *
 * @throws Error when the archive ends in the middle of a file or a header's checksum is wrong.
 */
export function readTar(archive: Buffer): TarFile[] {
  const files: TarFile[] = [];
  let offset = 0;
  while (offset + BLOCK_BYTES <= archive.length) {
    const header = archive.subarray(offset, offset + BLOCK_BYTES);
    // Two empty blocks end an archive; one is enough to know.
    if (header.every((byte) => byte === 0)) break;
    if (checksumOf(header) !== octal(header, 148, 8)) throw new Error(`damaged archive at byte ${offset}`);
    const bytes = octal(header, 124, 12);
    const start = offset + BLOCK_BYTES;
    if (start + bytes > archive.length) throw new Error("the archive ends in the middle of a file");
    const type = text(header, 156, 1);
    if (type === "0" || type === "") {
      const prefix = text(header, 257, 5) === "ustar" ? text(header, 345, 155) : "";
      const name = text(header, 0, 100);
      files.push({
        path: prefix ? `${prefix}/${name}` : name,
        content: archive.subarray(start, start + bytes),
      });
    }
    offset = start + Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return files;
}

function text(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.subarray(0, end === -1 ? length : end).toString("utf8");
}

function octal(header: Buffer, start: number, length: number): number {
  return Number.parseInt(text(header, start, length).trim(), 8);
}

/** The sum of all header bytes with the checksum field itself read as spaces. */
function checksumOf(header: Buffer): number {
  let sum = 0;
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
  return sum;
}
